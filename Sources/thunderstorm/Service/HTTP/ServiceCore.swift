import NIOPosix
import Pipeline
import Synchronization

/// What all routes share: the engine, the queue, results and counters of one running service.
final class ServiceCore: Sendable {
    let configuration: ServiceConfiguration
    let engine: any Engine
    let encoder: ReportEncoder
    let eventLog: any EventLog
    let byteStore: ByteStore
    let directory: UploadDirectory
    let index: ServiceIndex
    let journal: Journal
    let queue: FairQueue
    let results: ResultStore
    /// Findings to be looked through; nil when none are kept.
    let findings: FindingStore?
    let collections: Collections
    let verdicts: VerdictCache?
    /// Digests of sync uploads.
    let digests: KnownDigests
    let archive: SampleArchive?
    let access: Access
    let audit: AuditLog
    let certificates: Certificates?
    let rates: RateLimits
    let numbers: SampleNumbers
    /// Sync requests that are scanned or wait for it.
    let admission: Admission
    /// Uploads whose bodies are coming in; none of them holds a place of the other kind.
    let arrivals: Admission
    let counters = ServiceCounters()
    let metrics = ScanMetrics()
    let histories: Histories
    let gauges = GaugeHistory()
    let started = currentTime()
    /// The clock of everything that is shown or kept.
    let now: @Sendable () -> Timestamp
    let signatures: @Sendable () -> SignatureState

    private let isDrainingFlag = Atomic<Bool>(false)
    // 5 to 10 MB when as many contents have come.
    private static let knownDigests = 32 << 10

    /// Opens the upload directory and takes up what an earlier run left there.
    ///
    /// - Throws: `ConfigurationError` when the directory cannot be used.
    init(_ parts: ThunderstormServer.Parts) throws(ConfigurationError) {
        configuration = parts.configuration
        engine = parts.engine
        encoder = parts.encoder
        eventLog = parts.eventLog
        byteStore = parts.byteStore
        now = parts.now
        signatures = parts.signatures
        let (log, path) = (eventLog, configuration.uploadDirectory)
        func report(_ text: String, _ about: String) {
            log.message(.error, module: "HTTPServer", text, fields: [("FILE", about)])
        }
        let makeFiles = parts.makeFiles
        directory = try UploadDirectory(path: path) { path throws(SystemError) in try makeFiles(path) }
        let index = try ServiceIndex(directory: path, resultLimit: configuration.resultCacheSize) { name in
            report("the index is damaged and was set aside; results and histories of earlier runs are lost", name)
        }
        self.index = index
        let results = ResultStore(index: index, keepsResults: configuration.resultCacheSize > 0)
        self.results = results
        let findings = try configuration.findings.map { limits throws(ConfigurationError) in
            try FindingStore(
                directory: path, limits: limits, minimumLevel: parts.configuration.minimumLevel, log: log)
        }
        self.findings = findings
        journal = Journal(
            directory: directory, index: index, beforeConclusions: { findings?.flush() },
            concluded: { results.committed($0) })
        queue = FairQueue(countLimit: configuration.queueLimitCount, byteLimit: configuration.queueLimitBytes)
        admission = Admission(limit: engine.threads + configuration.waitingSlots)
        arrivals = Admission(limit: configuration.uploadSlots)
        audit = AuditLog(eventLog)
        access = try Access(file: configuration.tokenFile.map { TokenFile(path: $0) }, audit: audit, now: now)
        certificates = try configuration.certificates.map { files throws(ConfigurationError) in try Certificates(files)
        }
        archive = try configuration.storage.minimumScore == nil ? nil : SampleArchive(configuration.storage)
        verdicts = configuration.cachesVerdicts ? VerdictCache(byteLimit: configuration.verdictCacheBytes) : nil
        digests = KnownDigests(limit: configuration.cachesVerdicts ? Self.knownDigests : 0)
        do {
            histories = Histories(
                stored: try Histories.Kind.allCases.map { try index.minutes(kind: $0.rawValue) }, now: now)
            rates = RateLimits(stored: try index.dayUses(now: now()), wall: now())
            collections = Collections(stored: try index.collections(), now: now)
            let recovery = try Recovery(directory: directory, index: index, host: machineName())
            for problem in recovery.problems { report(problem.text, problem.about) }
            numbers = SampleNumbers(after: recovery.lastID, now: now())
            for sample in recovery.waiting {
                queue.append(id: sample.id, at: sample.place, source: sample.source, count: sample.count)
            }
        } catch {
            throw ConfigurationError("--server-upload-dir: cannot use the index of \(path): \(error)")
        }
    }

    /// Samples that may be scanned for async clients at one time.
    var asyncThreads: Int { max(1, engine.threads - configuration.syncOnlyThreads) }

    /// Whether the service is about to end and takes no samples.
    var isDraining: Bool { isDrainingFlag.load(ordering: .relaxed) }

    /// Scan threads that are busy.
    var busyThreads: Int { min(counters.snapshot.running, engine.threads) }

    /// Remembers how much waits and runs now.
    func lookAround() {
        gauges.add(GaugeHistory.Look(seconds: now().seconds, waiting: queue.count, busy: busyThreads))
    }

    /// Takes no samples from now on; scans that run are finished.
    func drain() {
        isDrainingFlag.store(true, ordering: .relaxed)
        queue.close()
    }

    /// Writes what is not written yet and gives the upload directory back.
    func close() {
        saveStatistics()
        journal.close()
        findings?.close()
        directory.lock.release()
    }

    /// Whether the disk of the upload directory has room beyond its reserve for so many bytes more.
    func hasDiskRoom(for bytes: Int) -> Bool {
        guard let free = freeDiskSpace(at: directory.path) else { return true }
        return free - bytes >= configuration.diskReserveBytes
    }

    /// Scans a submission, or finds its verdict; logs and counts it.
    ///
    /// - Parameters:
    ///   - sha256: Digest of its content.
    ///   - collection: Scan id of the collection run it belongs to; empty for none.
    ///   - arrival: Monotonic time of its arrival, in nanoseconds.
    func scan(
        _ submission: Submission, sha256: String, collection: String, lane: Lane, arrival: UInt64
    ) async -> StoredResult {
        counters.countRunning(1)
        defer { counters.countRunning(-1) }
        let report = await verdict(on: submission, sha256: sha256, lane: lane)
        let context = EventContext(
            time: now(), hostname: submission.source, scanID: "\(configuration.scanIDPrefix)-\(submission.number)")
        eventLog.log(report, context: context)
        findings?.append(report, context: context)
        let total = monotonicNanoseconds() &- arrival
        counters.countScanned(scan: report.stages.reduce(0) { $0 &+ $1.nanoseconds }, total: total)
        metrics.count(report, lane: lane, bytes: submission.content.count, total: total)
        histories[.scanned].record(at: now())
        collections.countScanned(collection, report: report)
        let result = StoredResult(report: report, context: context)
        if let archive { await store(submission, sha256, result, in: archive) }
        return result
    }

    // The answer waits for it, so that samples cannot come faster than the disk takes them.
    private func store(
        _ submission: Submission, _ sha256: String, _ result: StoredResult, in archive: SampleArchive
    ) async {
        do {
            try await NIOThreadPool.singleton.runIfActive {
                try archive.keep(submission, sha256: sha256, result: result)
            }
        } catch {
            eventLog.message(
                .error, module: "HTTPServer", "a sample could not be stored",
                fields: [("SHA256", sha256), ("SOURCE", submission.source), ("ERROR", "\(error)")])
        }
    }

    private func verdict(on submission: Submission, sha256: String, lane: Lane) async -> Report {
        guard let verdicts else { return await engine.scan(submission, lane: lane) }
        let state = signatures()
        let scope = VerdictCache.Scope(signatures: state.version, loaded: state.date)
        if let report = verdicts.report(sha256: sha256, path: submission.path, scope: scope) {
            counters.countCacheHit()
            return report
        }
        let report = await engine.scan(submission, lane: lane)
        // After a reload nobody knows which of the two sets it was.
        let after = signatures()
        if scope == VerdictCache.Scope(signatures: after.version, loaded: after.date) {
            verdicts.keep(report, sha256: sha256, path: submission.path, scope: scope)
        }
        return report
    }

    /// An async sample is done: stores the result, then removes the sample.
    func conclude(_ ticket: FairQueue.Ticket, _ state: ResultStore.State, source: String) async {
        await journal.conclude(results.conclude(ticket.id, state, source: source), at: ticket.place)
    }

    /// Stores what has changed in histories and collections.
    func saveStatistics() {
        let minutes = histories.takeChanges()
        let runs = collections.takeChanges()
        let uses = rates.takeChanges(wall: now())
        guard !minutes.isEmpty || !runs.isEmpty || !uses.isEmpty else { return }
        journal.note { changes in
            changes.dayUses += uses
            changes.minutes += minutes
            changes.collections += runs
        }
    }
}
