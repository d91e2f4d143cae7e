import Pipeline
import Synchronization

/// What scans did since the start of the service, added up from their reports.
final class ScanMetrics: Sendable {
    /// Sums so far.
    struct Sums: Equatable {
        /// Submissions by the level of their worst finding, `clean`, or `failed`.
        var results: [String: Int] = [:]
        /// Findings by level.
        var findings: [Level: Int] = [:]
        /// What was not looked at, by code.
        var issues: [String: Int] = [:]
        /// Submissions by lane.
        var lanes: [String: Int] = [:]
        /// Bytes of submitted files.
        var bytes = 0
        /// Files looked at, those inside others included.
        var samples = 0
        /// Records looked at.
        var records = 0
        /// Time in stages, a submission each.
        var scan = DurationHistogram()
        /// Time outside stages from receipt to result.
        var wait = DurationHistogram()
        /// What each stage did, in chain order.
        var stages: [StageStatistics] = []
    }

    private let sums = Mutex(Sums())

    /// The sums now.
    var snapshot: Sums { sums.withLock { $0 } }

    /// Adds a report.
    ///
    /// - Parameters:
    ///   - bytes: Size of the submitted file.
    ///   - total: Nanoseconds from receipt to result.
    func count(_ report: Report, lane: Lane, bytes: Int, total: UInt64) {
        let scan = report.stages.reduce(0) { $0 &+ $1.nanoseconds }
        sums.withLock { sums in
            let result = report.failure == nil ? report.level?.name.lowercased() ?? "clean" : "failed"
            sums.results[result, default: 0] += 1
            sums.lanes[lane == .sync ? "sync" : "async", default: 0] += 1
            for finding in report.findings {
                if !finding.reasons.isEmpty { sums.findings[finding.level, default: 0] += 1 }
                for issue in finding.issues { sums.issues[issue.code.description, default: 0] += 1 }
            }
            sums.bytes += bytes
            sums.samples += report.samples
            sums.records += report.records
            sums.scan.add(nanoseconds: min(scan, total))
            sums.wait.add(nanoseconds: total - min(scan, total))
            for (place, stage) in report.stages.enumerated() { add(stage, place, to: &sums) }
        }
    }

    // Mostly the place is the same in all reports.
    private func add(_ stage: StageStatistics, _ place: Int, to sums: inout Sums) {
        let isThere = place < sums.stages.count && sums.stages[place].name == stage.name
        guard let index = isThere ? place : sums.stages.firstIndex(where: { $0.name == stage.name }) else {
            sums.stages.append(stage)
            return
        }
        sums.stages[index].runs += stage.runs
        sums.stages[index].nanoseconds &+= stage.nanoseconds
        sums.stages[index].errors += stage.errors
        sums.stages[index].children += stage.children
        sums.stages[index].records += stage.records
        sums.stages[index].reasons += stage.reasons
    }
}
