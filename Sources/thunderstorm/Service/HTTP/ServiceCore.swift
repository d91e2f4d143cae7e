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
    let queue: AsyncQueue
    let results: ResultCache
    let numbers: SampleNumbers
    let admission: SyncAdmission
    let counters = ServiceCounters()
    let metrics = ScanMetrics()
    let queueHistory = MinuteHistory()
    let sampleHistory = MinuteHistory()
    let deniedHistory = MinuteHistory()
    let started = currentTime()

    private let isDrainingFlag = Atomic<Bool>(false)

    /// Opens the upload directory and takes up what an earlier run left there.
    ///
    /// - Throws: `ConfigurationError` when the directory cannot be used.
    init(
        configuration: ServiceConfiguration, engine: any Engine, encoder: ReportEncoder, eventLog: any EventLog,
        byteStore: ByteStore
    ) throws(ConfigurationError) {
        self.configuration = configuration
        self.engine = engine
        self.encoder = encoder
        self.eventLog = eventLog
        self.byteStore = byteStore
        directory = try UploadDirectory(path: configuration.uploadDirectory)
        queue = AsyncQueue(countLimit: configuration.queueLimitCount, byteLimit: configuration.queueLimitBytes)
        results = ResultCache(capacity: configuration.resultCacheSize)
        admission = SyncAdmission(limit: engine.threads + configuration.waitingSlots)
        let leftovers = directory.leftovers { path in
            eventLog.message(
                .error, module: "HTTPServer", "a queued sample of an earlier run is damaged and was set aside",
                fields: [("FILE", path)])
        }
        numbers = SampleNumbers(after: leftovers.last?.id ?? 0)
        for sample in leftovers {
            results.setWaiting(sample.id)
            queue.append(sample)
        }
    }

    /// Samples that may be scanned for async clients at one time.
    var asyncThreads: Int { max(1, engine.threads - configuration.syncOnlyThreads) }

    /// Whether the service is about to end and takes no samples.
    var isDraining: Bool { isDrainingFlag.load(ordering: .relaxed) }

    /// Takes no samples from now on; scans that run are finished.
    func drain() {
        isDrainingFlag.store(true, ordering: .relaxed)
        queue.close()
    }

    /// Whether the disk of the upload directory has room beyond its reserve for so many bytes more.
    func hasDiskRoom(for bytes: Int) -> Bool {
        guard let free = freeDiskSpace(at: directory.path) else { return true }
        return free - bytes >= configuration.diskReserveBytes
    }

    /// Scans a submission, logs and counts it.
    ///
    /// - Parameter arrival: Monotonic time of its arrival, in nanoseconds.
    func scan(_ submission: Submission, lane: Lane, arrival: UInt64) async -> StoredResult {
        let report = await engine.scan(submission, lane: lane)
        let context = EventContext(
            time: currentTime(), hostname: submission.source,
            scanID: "\(configuration.scanIDPrefix)-\(submission.number)")
        eventLog.log(report, context: context)
        let total = monotonicNanoseconds() &- arrival
        counters.countScanned(scan: report.stages.reduce(0) { $0 &+ $1.nanoseconds }, total: total)
        metrics.count(report, lane: lane, bytes: submission.content.count, total: total)
        sampleHistory.record()
        return StoredResult(report: report, context: context)
    }
}
