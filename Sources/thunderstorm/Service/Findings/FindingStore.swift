import Dispatch
import FoundationEssentials
import GRDB
import Pipeline
import Synchronization

// Findings, to be looked through on the page and by the API. They are in the logs, too: the store is there to find them
// again. It is a file of its own beside the index, so that neither its size nor its loss touches the queue. Scans hand
// findings over and go on; they are written in batches by one thread, and before the sample of an async result is
// forgotten.

/// The store of findings of one upload directory.
final class FindingStore: Sendable {
    /// What is kept.
    struct Limits: Sendable, Equatable {
        /// Most findings; the oldest go.
        var count = 1_000_000
        /// Seconds after which a finding goes.
        var age: Int64 = 90 * 86_400
        /// Most bytes of findings, without what they are found by.
        var bytes = 8 << 30
    }

    /// How the store stands.
    struct State: Sendable, Equatable {
        /// Findings by level.
        var counts: [Level: Int] = [:]
        /// Bytes of findings.
        var bytes = 0
        /// Findings that were removed since the store was made.
        var pruned = 0
        /// When the oldest one was found.
        var oldest: Timestamp?
    }

    private struct Pending {
        var reports: [(findings: [Finding], context: EventContext)] = []
        var rows: [FindingRow] = []
        var isScheduled = false
        var isPruning = false
        var isFailing = false
    }

    /// Name of the database in the upload directory.
    static let fileName = "findings.sqlite"

    private static let delayMilliseconds = 50
    private static let retryMilliseconds = 1_000
    private static let batch = 500
    // Findings that wait while the disk takes none; beyond that they are dropped, and it is said.
    private static let waitingLimit = 5_000

    /// What is kept.
    let limits: Limits
    let pool: DatabasePool
    private let file: DatabaseFile
    private let minimumLevel: Level
    private let log: any EventLog
    private let work = DispatchQueue(label: "thunderstorm.findings", qos: .utility)
    private let pending = Mutex(Pending())

    /// Opens the store of a directory, or makes one.
    ///
    /// - Parameters:
    ///   - minimumLevel: Lowest level of findings that are kept.
    ///   - log: Told of damage, of losses, and of what was removed.
    /// - Throws: `ConfigurationError` when there can be none, with the remedy.
    init(
        directory: String, limits: Limits, minimumLevel: Level, log: any EventLog
    ) throws(ConfigurationError) {
        self.limits = limits
        self.minimumLevel = minimumLevel
        self.log = log
        // Reading all of it would take longer than a start may.
        let file = DatabaseFile(
            path: directory + "/" + Self.fileName, version: 1, schema: FindingRow.schema, probes: FindingRow.probes,
            isCheckedWhole: false)
        self.file = file
        do {
            pool = try file.open { name in
                log.message(
                    .error, module: "Findings",
                    "the store of findings is damaged and was set aside; the logs still have them",
                    fields: [("FILE", name)])
            }
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(
                "--server-upload-dir: cannot use \(file.path): \(error); choose another directory, or set "
                    + "--findings-limit 0")
        }
    }

    /// Takes the findings of a report that logs show; returns at once.
    func append(_ report: Report, context: EventContext) {
        let findings = EventWords.shown(report, minimumLevel: minimumLevel)
        guard !findings.isEmpty else { return }
        pending.withLock { $0.reports.append((findings, context)) }
        schedule()
    }

    /// Writes all that waits; it is on the disk when this returns, unless the disk does not take it.
    func flush() { work.sync { write() } }

    /// Removes what is too old or too much, step by step; returns at once.
    func prune(now: Timestamp) {
        let isRunning = pending.withLock { pending in
            defer { pending.isPruning = true }
            return pending.isPruning
        }
        if !isRunning { work.async { [self] in pruneStep(FindingPruning(limits: limits, now: now)) } }
    }

    /// Writes all that waits, and ends the use of the file.
    func close() {
        flush()
        try? pool.close()
    }

    private func schedule() {
        let delay = pending.withLock { pending -> Int? in
            guard !pending.isScheduled else { return nil }
            pending.isScheduled = true
            return pending.isFailing ? Self.retryMilliseconds : Self.delayMilliseconds
        }
        guard let delay else { return }
        work.asyncAfter(deadline: .now() + .milliseconds(delay)) { [self] in write() }
    }

    private func write() {
        var (rows, reports) = pending.withLock { pending in
            let taken = (pending.rows, pending.reports)
            pending.rows = []
            pending.reports = []
            pending.isScheduled = false
            return taken
        }
        var failure: (any Error)?
        for report in reports {
            for finding in report.findings {
                rows.append(FindingRow(finding, report.context))
                // A report may have more findings than are worth holding twice.
                if rows.count >= Self.batch, failure == nil { failure = commit(&rows) }
            }
            if failure != nil { drop(&rows) }
        }
        if failure == nil, !rows.isEmpty { failure = commit(&rows) }
        let waits = !rows.isEmpty
        let wasFailing = pending.withLock { pending in
            pending.rows = rows
            defer { pending.isFailing = failure != nil }
            return pending.isFailing
        }
        if let failure, !wasFailing { say(failure) }
        if waits { schedule() }
    }

    // What was written is taken from the rows.
    private func commit(_ rows: inout [FindingRow]) -> (any Error)? {
        while !rows.isEmpty {
            let part = rows.prefix(Self.batch)
            do {
                try pool.write { try FindingRow.insert(Array(part), into: $0) }
            } catch {
                return error
            }
            rows.removeFirst(part.count)
        }
        return nil
    }

    private func drop(_ rows: inout [FindingRow]) {
        let excess = rows.count - Self.waitingLimit
        guard excess > 0 else { return }
        rows.removeFirst(excess)
        log.message(
            .error, module: "Findings", "findings are not in the store: it cannot be written; the logs have them",
            fields: [("COUNT", "\(excess)")])
    }

    private func say(_ error: any Error) {
        let isDamaged = (error as? DatabaseError).map { $0.resultCode == .SQLITE_CORRUPT } ?? false
        if isDamaged { file.markDamaged() }
        log.message(
            .error, module: "Findings",
            isDamaged
                ? "the store of findings is damaged; restart the service, which sets it aside and makes a new one"
                : "the store of findings cannot be written; it is tried again",
            fields: [("FILE", file.path), ("ERROR", "\(error)")])
    }

    // One step at a time, so that findings can be written in between.
    private func pruneStep(_ pruning: FindingPruning) {
        var pruning = pruning
        let isDone: Bool
        do {
            isDone = try pool.write { try pruning.step($0) }
        } catch {
            log.message(
                .error, module: "Findings", "old findings cannot be removed from the store",
                fields: [("FILE", file.path), ("ERROR", "\(error)")])
            isDone = true
        }
        guard isDone else {
            work.async { [self, pruning] in pruneStep(pruning) }
            return
        }
        pending.withLock { $0.isPruning = false }
        guard pruning.tooOld + pruning.tooMany > 0 else { return }
        log.message(
            .info, module: "Findings", "findings were removed from the store; the logs still have them",
            fields: [
                ("TOOOLD", "\(pruning.tooOld)"), ("TOOMANY", "\(pruning.tooMany)"),
                ("DAYS", "\(limits.age / 86_400)"), ("LIMIT", "\(limits.count)"),
            ])
    }
}
