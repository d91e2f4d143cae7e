import Hummingbird
import Pipeline

/// `/metrics`: everything that is counted, as Prometheus reads it; needs no scan slot and waits for nothing.
struct MetricsRoute: Sendable {
    let core: ServiceCore
    let signatures: @Sendable () -> SignatureState
    let targets: @Sendable () -> [TargetStatus]

    func metrics() -> Response {
        var text = PrometheusText()
        text.family("build_info", .gauge, "Version of the program.") {
            $0.sample(1, [("version", thunderstormVersion)])
        }
        write(core.metrics.snapshot, to: &text)
        writeService(to: &text)
        write(signatures(), to: &text)
        write(targets(), to: &text)
        return .text(type: "text/plain; version=0.0.4; charset=utf-8", Array(text.text.utf8))
    }

    private func write(_ sums: ScanMetrics.Sums, to text: inout PrometheusText) {
        text.family("samples_total", .counter, "Scanned submissions by the level of their worst finding.") { family in
            for name in Level.allCases.map({ $0.name.lowercased() }) + ["clean", "failed"] {
                family.sample(Double(sums.results[name, default: 0]), [("result", name)])
            }
        }
        text.family("findings_total", .counter, "Findings by level.") { family in
            for level in Level.allCases {
                family.sample(Double(sums.findings[level, default: 0]), [("level", level.name.lowercased())])
            }
        }
        text.family("issues_total", .counter, "Things that were not looked at, by code.") { family in
            for (code, count) in sums.issues.sorted(by: { $0.key < $1.key }) {
                family.sample(Double(count), [("code", code)])
            }
        }
        text.family("submissions_total", .counter, "Scanned submissions by lane.") { family in
            for lane in ["sync", "async"] { family.sample(Double(sums.lanes[lane, default: 0]), [("lane", lane)]) }
        }
        text.single("submitted_bytes_total", .counter, "Bytes of scanned submissions.", Double(sums.bytes))
        text.single("files_total", .counter, "Files looked at, those inside others included.", Double(sums.samples))
        text.single("records_total", .counter, "Records looked at.", Double(sums.records))
        text.family("scan_seconds", .histogram, "Time of a submission in stages.") { sums.scan.write(to: &$0) }
        text.family("wait_seconds", .histogram, "Time of a submission outside stages, from receipt to result.") {
            sums.wait.write(to: &$0)
        }
        func stage(_ name: String, _ help: String, _ value: (StageStatistics) -> Double) {
            text.family("stage_" + name, .counter, help) { family in
                for stage in sums.stages { family.sample(value(stage), [("stage", stage.name)]) }
            }
        }
        stage("runs_total", "Samples that a stage looked into.") { Double($0.runs) }
        stage("seconds_total", "Time of a stage, without those behind it.") { Double($0.nanoseconds) / 1e9 }
        stage("errors_total", "Errors that a stage ended with.") { Double($0.errors) }
        stage("children_total", "Files that a stage extracted.") { Double($0.children) }
        stage("records_total", "Records that a stage emitted.") { Double($0.records) }
        stage("reasons_total", "Reasons that a stage reported.") { Double($0.reasons) }
    }

    private func writeService(to text: inout PrometheusText) {
        let now = core.counters.snapshot
        text.single("uploads_total", .counter, "Uploads asked for, the refused ones included.", Double(now.requests))
        text.single("uploads_refused_total", .counter, "Uploads refused for want of room.", Double(now.denied))
        text.single("queue_samples", .gauge, "Async samples that wait.", Double(core.queue.count))
        text.single("queue_bytes", .gauge, "Bytes of async samples that wait.", Double(core.queue.bytes))
        text.single("verdict_cache_hits_total", .counter, "Samples whose verdict was known.", Double(now.cacheHits))
        text.single("threads", .gauge, "Scan threads.", Double(core.engine.threads))
        text.single("uptime_seconds", .gauge, "Time since the start.", Double(core.counters.uptime))
        text.single("draining", .gauge, "1 when no samples are taken any more.", core.isDraining ? 1 : 0)
        let process = ProcessMetrics()
        if let bytes = process.residentBytes {
            text.single("resident_memory_bytes", .gauge, "Memory of the service.", Double(bytes))
        }
        if let count = process.openDescriptors {
            text.single("open_descriptors", .gauge, "Open files and sockets of the service.", Double(count))
        }
    }

    private func write(_ state: SignatureState, to text: inout PrometheusText) {
        text.family("signatures", .gauge, "Signatures in use, by kind.") { family in
            for (kind, count) in state.counts.sorted(by: { $0.key < $1.key }) {
                family.sample(Double(count), [("kind", kind)])
            }
        }
        text.single(
            "signature_errors", .gauge, "Signatures, lines and files that were left out.",
            Double(state.problems.count(where: \.isRejected)))
        text.single(
            "signatures_loaded_timestamp_seconds", .gauge, "When the signatures were loaded.",
            Double(state.loaded.seconds))
        text.single(
            "signatures_age_seconds", .gauge, "Time since the signatures were loaded.",
            Double(max(0, currentTime().seconds - state.loaded.seconds)))
    }

    private func write(_ targets: [TargetStatus], to text: inout PrometheusText) {
        func target(_ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: (TargetStatus) -> Double) {
            text.family("target_" + name, kind, help) { family in
                for target in targets { family.sample(value(target), [("target", target.name)]) }
            }
        }
        target("delivered_total", .counter, "Events that a remote target took.") { Double($0.delivered) }
        target("dropped_total", .counter, "Events dropped because a target's spool was full.") { Double($0.dropped) }
        target("waiting", .gauge, "Events that wait for a target.") { Double($0.waiting) }
        target("up", .gauge, "1 when a target takes events.") { $0.problem.isEmpty ? 1 : 0 }
    }
}
