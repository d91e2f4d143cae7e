import Pipeline
import Synchronization

// Collectors say when a run on a host begins and ends (`POST /api/collection`) and put the id they got into the address
// of each upload. What came of a run can be asked for, and a host that fell silent is told.

/// Runs of collectors, the last ten thousand.
final class Collections: Sendable {
    private struct Contents {
        var runs: [String: CollectionRun] = [:]
        var changed: Set<String> = []
        var toldSilent: Set<String> = []
    }

    /// Seconds without a sign of life after which a run counts as silent.
    static let silence: Int64 = 3600

    private let now: @Sendable () -> Timestamp
    private let contents: Mutex<Contents>

    /// Runs of earlier services.
    init(stored: [CollectionRun], now: @escaping @Sendable () -> Timestamp) {
        self.now = now
        contents = Mutex(Contents(runs: Dictionary(stored.map { ($0.scanID, $0) }) { first, _ in first }))
    }

    /// All runs, the newest first.
    var all: [CollectionRun] {
        contents.withLock { Array($0.runs.values) }.sorted { ($0.began, $0.scanID) > ($1.began, $1.scanID) }
    }

    /// One run; nil when it is not known.
    func run(_ scanID: String) -> CollectionRun? { contents.withLock { $0.runs[scanID] } }

    /// Whether nothing was heard of a run for long, though it did not end.
    func isSilent(_ run: CollectionRun) -> Bool {
        run.state == .running && now().seconds - run.lastHeard >= Self.silence
    }

    /// Begins a run and returns its id.
    func begin(source: String, hostname: String, collector: String) -> String {
        let id = "C" + makeScanID().dropFirst()
        let time = now().seconds
        contents.withLock { contents in
            contents.runs[id] = CollectionRun(
                scanID: id, source: source, hostname: hostname, collector: collector, began: time, lastHeard: time)
            contents.changed.insert(id)
            if contents.runs.count > CollectionRun.limit + CollectionRun.limit / 10 { Self.forgetOldest(&contents) }
        }
        return id
    }

    /// Ends a run; false when it is not known.
    func end(_ scanID: String, as state: CollectionRun.State, reported: [String: Double]) -> Bool {
        let time = now().seconds
        return contents.withLock { contents in
            guard contents.runs[scanID] != nil else { return false }
            contents.runs[scanID]?.state = state
            contents.runs[scanID]?.reported = reported
            contents.runs[scanID]?.ended = time
            contents.runs[scanID]?.lastHeard = time
            contents.changed.insert(scanID)
            return true
        }
    }

    /// Counts an upload; the id, or nothing when there is no such run.
    func countReceived(_ scanID: String?, bytes: Int) -> String {
        guard let scanID else { return "" }
        let time = now().seconds
        return contents.withLock { contents in
            guard contents.runs[scanID] != nil else { return "" }
            contents.runs[scanID]?.received += 1
            contents.runs[scanID]?.receivedBytes += bytes
            contents.runs[scanID]?.lastHeard = time
            contents.changed.insert(scanID)
            return scanID
        }
    }

    /// Counts a sample that was scanned.
    func countScanned(_ scanID: String, report: Report) {
        guard !scanID.isEmpty else { return }
        contents.withLock { contents in
            guard contents.runs[scanID] != nil else { return }
            if report.failure == nil {
                contents.runs[scanID]?.scanned += 1
            } else {
                contents.runs[scanID]?.failed += 1
            }
            if let level = report.level, level >= .notice {
                contents.runs[scanID]?.levels[level.name.lowercased(), default: 0] += 1
            }
            contents.changed.insert(scanID)
        }
    }

    /// Runs that have changed since the last call.
    func takeChanges() -> [CollectionRun] {
        contents.withLock { contents in
            defer { contents.changed = [] }
            return contents.changed.compactMap { contents.runs[$0] }
        }
    }

    /// Logs each run that has fallen silent, once.
    func tellSilent(_ log: any EventLog) {
        let limit = now().seconds - Self.silence
        let silent = contents.withLock { contents in
            let silent = contents.runs.values.filter {
                $0.state == .running && $0.lastHeard <= limit && !contents.toldSilent.contains($0.scanID)
            }
            contents.toldSilent.formUnion(silent.map(\.scanID))
            return silent
        }
        for run in silent {
            log.message(
                .warning, module: "HTTPServer", "a collection has not ended and nothing was heard of it for an hour",
                fields: [
                    ("SCANID", run.scanID), ("SOURCE", run.source), ("HOSTNAME", run.hostname),
                    ("RECEIVED", "\(run.received)"),
                ])
        }
    }

    private static func forgetOldest(_ contents: inout Contents) {
        let oldest = contents.runs.values.sorted { $0.began < $1.began }.prefix(CollectionRun.limit / 10)
        for run in oldest {
            contents.runs[run.scanID] = nil
            contents.changed.remove(run.scanID)
            contents.toldSilent.remove(run.scanID)
        }
    }
}
