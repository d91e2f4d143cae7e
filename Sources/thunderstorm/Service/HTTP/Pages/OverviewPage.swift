import Pipeline

/// The page at `/`: what waits and runs, what was scanned and found, in numbers and charts.
struct OverviewPage {
    /// A span of time that charts show.
    enum Span: String, CaseIterable {
        case hour, day, week, month

        /// Its name.
        var title: String {
            switch self {
            case .hour: "Last hour"
            case .day: "Last 24 hours"
            case .week: "Last 7 days"
            case .month: "Last 30 days"
            }
        }

        /// Columns of a chart.
        var buckets: Int {
            switch self {
            case .hour: 60
            case .day: 24
            case .week: 56
            case .month: 60
            }
        }

        /// Seconds in a column.
        var step: Int64 {
            switch self {
            case .hour: 60
            case .day: 3_600
            case .week: 3 * 3_600
            case .month: 12 * 3_600
            }
        }

        /// Seconds in a bucket of the store of findings.
        var storedStep: Int64 { self == .hour ? 60 : 3_600 }

        /// What a column stands for.
        var column: String {
            switch self {
            case .hour: "Minute"
            case .day: "Hour"
            case .week: "3 hours"
            case .month: "12 hours"
            }
        }

        /// When the first column begins.
        func start(now: Timestamp) -> Int64 {
            FindingTallies.start(of: now.seconds, step: step) - step * Int64(buckets - 1)
        }

        /// What the columns are called.
        func labels(now: Timestamp) -> [String] {
            (0..<Int64(buckets)).map { bucket in
                let text = Timestamp(seconds: start(now: now) + bucket * step).rfc3339()
                let clock = String(text.dropFirst(11).prefix(5))
                return self == .hour ? clock : "\(text.dropFirst(5).prefix(5)) \(clock)"
            }
        }
    }

    /// What is known of the store of findings.
    struct Stored: Sendable {
        /// How it stands.
        var state = FindingStore.State()
        /// Findings by level in each column.
        var columns: [[Level: Int]] = []
        /// Rules with the most findings.
        var rules: [(value: String, count: Int)] = []
        /// Sources with the most findings.
        var sources: [(value: String, count: Int)] = []
    }

    let core: ServiceCore
    let signatures: SignatureState
    let span: Span
    /// nil when no findings are kept.
    let stored: Stored?
    let now: Timestamp

    /// What stands between header and footer.
    var main: HTML {
        """
        <div class="title"><h1>Overview</h1>
        <p class="state"><span id="state" role="status">The service is running.</span>
        <button type="button" id="pause" class="plain" aria-pressed="false" hidden>Pause updates</button></p></div>
        <section id="now" data-live aria-labelledby="now-title"><h2 id="now-title">Now</h2>
        \(counters)</section>
        \(findings)
        <section id="charts" data-live aria-labelledby="charts-title"><h2 id="charts-title">Over time</h2>
        <ul class="tabs" aria-label="Span of time">\(spans)</ul>
        <div class="panels">
        \(throughput)\(foundOverTime)\(queue)</div></section>
        \(tops)
        <section aria-labelledby="use"><h2 id="use">Use</h2>
        <pre tabindex="0"><code>curl -F file=@sample.bin 'http://HOST:PORT/api/check?source=my-host'</code></pre>
        <ul>
        <li><a href="/upload">Upload a file here</a>; <a href="/api-docs">the interface</a> for programs</li>
        <li>Signatures: \(signatureLine)</li>
        <li>JSON: <a href="/api/v1/status?pretty">status</a>, <a href="/api/v1/info?pretty">information</a>;
        <a href="/metrics">metrics</a> for Prometheus; <a href="/healthz">health</a>, <a href="/readyz">readiness</a></li>
        </ul></section>

        """
    }

    private var counters: HTML {
        let counts = core.counters.snapshot
        let busy = min(counts.running, core.engine.threads)
        func tile(_ name: String, _ key: String, _ value: Int, _ note: String = "") -> HTML {
            "<div><dt>\(name)</dt><dd data-key=\"\(key)\">\(grouped(value))</dd><dd class=\"dim\">\(note)</dd></div>\n"
        }
        return """
            <dl class="tiles">
            \(tile("Queued samples", "queued_async_requests", core.queue.count, shownBytes(core.queue.bytes)))\
            \(tile("Busy scan threads", "busy_threads", busy, "of \(core.engine.threads)"))\
            \(tile("Waiting for a thread", "waiting_scans", counts.running - busy))\
            \(tile("Scanned samples", "scanned_samples", counts.scanned, "\(grouped(counts.cacheHits)) known before"))\
            \(tile("Refused uploads", "denied_requests", counts.denied, "of \(grouped(counts.requests))"))\
            \(tile("Mean scan time, ms", "avg_scan_time_ms", Int(counts.meanScan / 1_000_000), "\(grouped(Int(counts.meanTotal / 1_000_000))) ms with waiting"))\
            <div><dt>Running for</dt><dd>\(shownDuration(core.counters.uptime))</dd>\
            <dd class="dim">\(core.isDraining ? "about to end" : "")</dd></div>
            </dl>

            """
    }

    private var findings: HTML {
        guard let stored else {
            return "<p class=\"dim\">No findings are kept (--findings-limit 0); the logs have them.</p>\n"
        }
        let tiles = Level.allCases.reversed().filter { $0 >= .notice && $0 != .error || stored.state.counts[$0] != nil }
            .map { level -> HTML in
                """
                <li><a href="/findings?level=\(level.name.lowercased())"><b class="\(level.name)">\
                \(grouped(stored.state.counts[level] ?? 0))</b> \(level.name)</a></li>

                """
            }
        let since: HTML = stored.state.oldest.map { "since \(HTML.time($0))" } ?? "none yet"
        let pruned: HTML =
            stored.state.pruned > 0 ? "; \(grouped(stored.state.pruned)) older ones were removed" : ""
        let limits = core.configuration.findings ?? FindingStore.Limits()
        return """
            <section id="found" data-live aria-labelledby="found-title"><h2 id="found-title">Findings</h2>
            <ul class="tiles">\(tiles)</ul>
            <p class="dim">Kept: \(grouped(limits.count)) findings for \(Int(limits.age / 86_400)) days; \(since)\(pruned).</p>
            </section>
            """
    }

    private var spans: [HTML] {
        Span.allCases.map { span -> HTML in
            let current: HTML = span == self.span ? " aria-current=\"true\"" : ""
            return "<li><a href=\"/?span=\(span.rawValue)#charts\"\(current)>\(span.title)</a></li>"
        }
    }

    private var throughput: HTML {
        func counts(_ kind: Histories.Kind) -> [Int] {
            core.histories[kind].counts(step: span.step, from: span.start(now: now), buckets: span.buckets)
        }
        // An async sample is queued and scanned: the columns compare them side by side as amounts of work.
        return Chart(
            id: "scanned", title: "Samples scanned and uploads refused", column: span.column,
            labels: span.labels(now: now),
            series: [
                Chart.Series(name: "scanned", style: "one", values: counts(.scanned)),
                Chart.Series(name: "refused", style: "three", values: counts(.denied)),
            ]
        ).html
    }

    private var foundOverTime: HTML {
        guard let stored else { return "" }
        let levels = Level.allCases.reversed().filter { level in
            level > .info || stored.columns.contains { $0[level] != nil }
        }.filter { $0 != .error || stored.state.counts[$0] != nil }
        return Chart(
            id: "findings-chart", title: "Findings by level", column: span.column, labels: span.labels(now: now),
            series: levels.map { level in
                Chart.Series(name: level.name, style: level.name, values: stored.columns.map { $0[level] ?? 0 })
            }
        ).html
    }

    private var queue: HTML {
        let parts = 60
        let looks = core.gauges.peaks(parts: parts, now: now.seconds)
        let step = GaugeHistory.span / Int64(parts)
        let labels = (0..<Int64(parts)).map { part in
            Timestamp(seconds: now.seconds - (Int64(parts) - 1 - part) * step).rfc3339().dropFirst(11).prefix(8)
        }.map { String($0) }
        func chart(_ id: String, _ title: String, _ name: String, _ style: String, _ values: [Int]) -> HTML {
            Chart(
                id: id, title: title, column: "30 seconds", labels: labels,
                series: [Chart.Series(name: name, style: style, values: values)], isLevel: true
            ).html
        }
        let queued = Chart(
            id: "queued", title: "Samples queued", column: span.column, labels: span.labels(now: now),
            series: [
                Chart.Series(
                    name: "queued", style: "two",
                    values: core.histories[.queued].counts(
                        step: span.step, from: span.start(now: now), buckets: span.buckets))
            ]
        ).html
        return queued + chart("queue-chart", "Queue length, last half hour", "waiting", "two", looks.waiting)
            + chart("threads-chart", "Busy scan threads, last half hour", "busy", "one", looks.busy)
    }

    private var tops: HTML {
        guard let stored else { return "" }
        let rules = BarList(
            title: "Rules with the most findings", column: "Rule",
            bars: stored.rules.map { (HTML.findings("rule", $0.value), $0.count) })
        let sources = BarList(
            title: "Sources with the most findings", column: "Source",
            bars: stored.sources.map { (HTML.findings("source", $0.value), $0.count) })
        return """
            <section id="most" data-live aria-labelledby="most-title"><h2 id="most-title">Most findings</h2>
            <div class="panels"><div>\(rules.html)</div><div>\(sources.html)</div></div></section>
            """
    }

    private var signatureLine: HTML {
        let count = signatures.counts.values.reduce(0, +)
        let rejected = signatures.problems.count { $0.isRejected }
        let age = shownDuration(Int(now.seconds - signatures.loaded.seconds))
        let failed: HTML =
            signatures.reloadFailure == nil ? "" : "; <span class=\"warning\">the last attempt to reload failed</span>"
        return
            "<a href=\"/signatures\">\(grouped(count)) in use</a>, loaded \(age) ago; \(grouped(rejected)) could not be used\(failed)"
    }
}
