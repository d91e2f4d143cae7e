import Pipeline

/// The page at `/collections`: runs of collectors, and what came of them.
struct CollectionsPage {
    private static let limit = 200

    let runs: [CollectionRun]
    let isSilent: (CollectionRun) -> Bool
    /// Which of them are shown: all, or those in a state.
    let state: String

    /// States to choose from.
    static let states = ["all", "running", "silent", "ended", "interrupted"]

    /// What stands between header and footer.
    var main: HTML {
        let tabs = Self.states.map { name -> HTML in
            let current: HTML = name == state ? " aria-current=\"true\"" : ""
            return "<li><a href=\"/collections?state=\(name)\"\(current)>\(name)</a></li>"
        }
        let chosen = runs.filter { run in
            switch state {
            case "all": true
            case "silent": isSilent(run)
            default: run.state.rawValue == state
            }
        }
        return """
            <h1>Collections</h1>
            <p>Runs of collectors, as they said when they began and ended. A run is silent when it did not end and nothing was
            heard of it for an hour.</p>
            <ul class="tabs" aria-label="State">\(tabs)</ul>
            \(table(chosen))
            """
    }

    private func table(_ chosen: [CollectionRun]) -> HTML {
        guard !chosen.isEmpty else { return "<p>No such runs.</p>\n" }
        let rows = chosen.prefix(Self.limit).map { run -> [HTML] in
            let state = isSilent(run) ? "silent" : run.state.rawValue
            let found = ["alert", "warning", "notice"].map { grouped(run.levels[$0] ?? 0) }.joined(separator: " / ")
            return [
                "\(run.hostname)<br><span class=\"dim\">\(run.scanID)</span>",
                state == "silent" || state == "interrupted" ? "<span class=\"warning\">\(state)</span>" : "\(state)",
                .time(Timestamp(seconds: run.began)), .time(Timestamp(seconds: run.lastHeard)),
                "\(grouped(run.received))<br><span class=\"dim\">\(shownBytes(run.receivedBytes))</span>",
                "\(grouped(run.scanned))", "\(grouped(run.failed))", "\(found)", .findings("source", run.source),
                "\(run.collector)",
            ]
        }
        let more: HTML =
            chosen.count > Self.limit
            ? "<p>The newest \(Self.limit) of \(grouped(chosen.count)); GET /api/v1/collection lists up to 1,000.</p>\n"
            : ""
        return """
            \(HTML.table(
                caption: "The newest first",
                columns: [
                    ("Host", ""), ("State", ""), ("Began", "time"), ("Last heard", "time wide"), ("Received", "number"),
                    ("Scanned", "number wide"), ("Failed", "number wide"), ("Alert / Warning / Notice", "number"),
                    ("Findings of", "wide"), ("Collector", "wide"),
                ], rows: rows))\(more)
            """
    }
}
