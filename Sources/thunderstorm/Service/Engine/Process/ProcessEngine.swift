import Pipeline
import Synchronization

/// How engine processes work.
public struct EngineOptions: Sendable {
    /// Scan threads.
    public var threads = 2
    /// How many of them take sync jobs only.
    public var syncOnly = 0
    /// Seconds beyond the limit of a submission after which a scan that does not stop is ended with its engine.
    public var overrunSeconds = 30.0
    /// Scans after which an engine is replaced by a fresh one.
    public var recycleAfter = 50_000
    /// Program that is started with the argument `engine`: this one, or what a distribution starts it through.
    var program = environmentVariable("THUNDERSTORM_PROGRAM") ?? "/proc/self/exe"
    /// How far scans stand back behind other work of the machine, the reception of samples above all: 0 to 19.
    ///
    /// Scans that a client waits for stand back by 5 at most.
    public var niceness = 0
    /// Where samples that end the engine are kept; nil keeps none.
    public var parkedDirectory: String?

    /// Gets every object that is looked at; nil for no audit trail.
    public var trail: AuditTrail?

    /// The defaults.
    public init() {}

    // Most scans of a lane at one time.
    func threads(of lane: Lane) -> Int { lane == .sync ? threads : max(threads - syncOnly, 1) }
}

/// An engine whose scans run in a process of their own, which may crash, hang or be killed without harm to the service.
///
/// A loader process holds the compiled signatures and forks engines; one engine takes the traffic. When it ends, another
/// takes its place within milliseconds, and the samples that were being scanned run again, one at a time in an engine
/// of their own. The one that ends that engine too is parked after its second time; its report is a failed one. The
/// state of all this is one value under one lock; what follows from a change is done after the lock is free.
public final class ProcessEngine: Engine {
    struct Job: Sendable {
        let number: UInt64
        let submission: Submission
        let lane: Lane
        let done: @Sendable (Report) -> Void
        // How often it ended an engine while it was the only suspect: by itself, and by a SIGKILL that was not ours.
        var crashes = 0
        var kills = 0
    }

    enum Role: Sendable {
        /// Takes the traffic, or will.
        case traffic
        /// Scans suspects, one at a time.
        case quarantine
    }

    // A job that an engine has.
    struct Assigned: Sendable {
        let job: Job
        // When its scan began; nil while it waits in the engine for a thread.
        var started: UInt64?
    }

    // One engine process, from the wish for it to its end.
    struct Child: Sendable {
        let role: Role
        let loader: UInt64
        let socket: PacketSocket
        var pid: Int32 = 0
        var process: Descriptor?
        var isReady = false
        // It gets no more jobs.
        var isDraining = false
        // It was told to end, having nothing to do.
        var isRetired = false
        var jobs: [UInt64: Assigned] = [:]
        var scanned = 0
        // Private memory when it was ready.
        var baseline: Int?
        // Why it was killed, and the samples that are to blame.
        var killed: String?
        var culprits: Set<UInt64> = []
        // Its socket has ended; its exit code and signal.
        var isAtEnd = false
        var exit: (code: Int32, signal: Int32)?
        // Its threads for queued samples, once they were looked for, and how far they stand back.
        var queueThreads: [Int32]?
        var queuePlace = QueuePlace.back

        func running(_ lane: Lane) -> Int { jobs.values.count { $0.job.lane == lane && $0.started != nil } }

        // The job is done: its thread goes on with the one of its lane that has waited longest.
        mutating func finish(_ number: UInt64) -> Job? {
            guard let done = jobs.removeValue(forKey: number) else { return nil }
            let next = jobs.filter { $0.value.job.lane == done.job.lane && $0.value.started == nil }.keys.min()
            if done.started != nil, let next { jobs[next]?.started = monotonicNanoseconds() }
            return done.job
        }
    }

    struct State {
        var isClosed = false
        var lastNumber: UInt64 = 0
        var waiting: [Lane: [Job]] = [.sync: [], .async: []]
        var suspects: [Job] = []
        var children: [UInt64: Child] = [:]
        // The child that takes traffic, the one that will, and the one for suspects.
        var current: UInt64?
        var next: UInt64?
        var quarantine: UInt64?
        var failedStarts = 0
        var retryAt: UInt64 = 0
        var loaders: [UInt64: LoaderProcess] = [:]
        // The loader of the signatures in use, and one that loads newer ones, with what it has loaded.
        var loader: UInt64?
        var loading: UInt64?
        var loaded: (signatures: SignatureState, chain: String)?
        var signatures: SignatureState?
        var chain = ""
        var reloads: [@Sendable (Result<SignatureState, ConfigurationError>) -> Void] = []
        var laterReloads: [@Sendable (Result<SignatureState, ConfigurationError>) -> Void] = []

        mutating func takeFirst(_ lane: Lane) -> Job? {
            guard let jobs = waiting[lane], !jobs.isEmpty else { return nil }
            return waiting[lane]?.removeFirst()
        }

        mutating func newNumber() -> UInt64 {
            lastNumber += 1
            return lastNumber
        }
    }

    /// Scan threads of the engine that takes the traffic.
    public var threads: Int { options.threads }
    let options: EngineOptions
    let launch: EngineLaunch
    let events: any EventLog
    let parked: ParkedSamples
    let state = Mutex(State())
    /// Whether samples come in now, which scans of queued ones make room for.
    let isReceiving = Mutex<@Sendable () -> Bool>({ false })

    /// An engine that is not started yet.
    init(_ options: EngineOptions, launch: EngineLaunch, events: any EventLog) {
        self.options = options
        var launch = launch
        launch.niceness = options.niceness
        self.launch = launch
        self.events = events
        parked = ParkedSamples(directory: options.parkedDirectory)
    }

    /// An engine as the settings describe it, not started yet.
    ///
    /// - Parameters:
    ///   - defaultRules: Signature folder used when none is named.
    ///   - temporaryDirectory: Where large children go.
    /// - Throws: `ConfigurationError` for contradicting or unknown values.
    public convenience init(
        _ options: EngineOptions, settings: Settings, defaultRules: String, temporaryDirectory: String,
        events: any EventLog
    ) throws(ConfigurationError) {
        let request = try settings.scanRequest(defaultRules: defaultRules, byteStore: ByteStore())
        var launch = EngineLaunch(
            rules: request.rules, customSignatures: request.customSignatures, chain: request.chain,
            configurationFile: settings.configurationFile, levels: request.scoring.levels,
            temporaryDirectory: temporaryDirectory, memoryLimit: try settings.engineMemoryLimit())
        launch.sigmaThreshold = request.sigmaThreshold
        launch.excluded = request.exclusions.names
        self.init(options, launch: launch, events: events)
    }

    /// Scans one submission in an engine process.
    public func scan(_ submission: Submission, lane: Lane) async -> Report {
        guard submission.companions.count <= Self.companionLimit else {
            return Report(
                failure: "the sample came with \(submission.companions.count) companions, more than "
                    + "\(Self.companionLimit); nothing was looked at", of: submission)
        }
        return await withCheckedContinuation { continuation in
            let isAccepted = state.withLock { state in
                guard !state.isClosed else { return false }
                let job = Job(number: state.newNumber(), submission: submission, lane: lane) {
                    continuation.resume(returning: $0)
                }
                state.waiting[lane, default: []].append(job)
                return true
            }
            guard isAccepted else {
                return continuation.resume(returning: Report(failure: "the engine has ended", of: submission))
            }
            pump()
        }
    }

    // MARK: Jobs on their way

    // More files do not fit into one packet, with that of the sample and one for the packet itself.
    private static let companionLimit = 190

    // Hands out jobs as long as there is a thread for one.
    func pump() {
        while let (job, child, socket) = state.withLock({ Self.take(&$0, options) }) {
            switch send(job, to: socket) {
            case .sent: continue
            case .failed:
                // The engine is gone, or will be: then its jobs are suspects.
                socket.shutDown()
            case .full:
                state.withLock { state in
                    state.children[child]?.jobs[job.number] = nil
                    state.waiting[job.lane, default: []].insert(job, at: 0)
                }
                return
            }
        }
    }

    private static func take(_ state: inout State, _ options: EngineOptions) -> (Job, UInt64, PacketSocket)? {
        if let number = state.quarantine, let child = state.children[number], child.isReady, !child.isDraining,
            child.jobs.isEmpty, !child.isAtEnd, !state.suspects.isEmpty
        {
            return begin(state.suspects.removeFirst(), in: number, &state)
        }
        guard let number = state.current, let child = state.children[number], child.isReady, !child.isAtEnd
        else { return nil }
        // In the order of arrival, but async jobs leave the reserved threads free.
        let waiting = [Lane.sync, .async].compactMap { lane in state.waiting[lane]?.first.map { (lane, $0.number) } }
            .sorted { $0.1 < $1.1 }
        let running = child.running(.sync) + child.running(.async)
        if running < options.threads {
            for (lane, _) in waiting where child.running(lane) < options.threads(of: lane) {
                return state.takeFirst(lane).flatMap { begin($0, in: number, &state) }
            }
        }
        // As many again wait there already, so that a thread that is done has not to wait for its next job; but only small
        // ones, behind jobs of their own lane, and never before a job of the other.
        guard waiting.count == 1, let (lane, _) = waiting.first, child.running(lane) == options.threads(of: lane),
            child.jobs.count < running + options.threads,
            let job = state.waiting[lane]?.first, job.submission.content.count <= ScanRequest.copyLimit
        else { return nil }
        return state.takeFirst(lane).flatMap { begin($0, in: number, isRunning: false, &state) }
    }

    private static func begin(
        _ job: Job, in number: UInt64, isRunning: Bool = true, _ state: inout State
    ) -> (Job, UInt64, PacketSocket)? {
        state.children[number]?.jobs[job.number] = Assigned(
            job: job, started: isRunning ? monotonicNanoseconds() : nil)
        return state.children[number].map { (job, number, $0.socket) }
    }

    private func send(_ job: Job, to socket: PacketSocket) -> PacketSocket.Outcome {
        let submission = job.submission
        var files: [Descriptor] = []
        var numbers: [Int32] = []
        // Where another process finds the bytes; those on the heap go to a memory file first.
        func offset(of bytes: Bytes) throws(SystemError) -> Int {
            if let (number, offset) = bytes.withFile({ ($0, $1) }) {
                numbers.append(number)
                return offset
            }
            let file = try memoryFile(bytes.span)
            files.append(file)
            numbers.append(file.number)
            return 0
        }
        do {
            let content: ScanRequest.Content
            var inPacket: [UInt8] = []
            switch submission.content {
            case .whole(let bytes) where bytes.count <= ScanRequest.packetLimit:
                content = .inPacket
                inPacket = bytes.array
            case .whole(let bytes): content = .inFile(offset: try offset(of: bytes))
            case .file(let file):
                content = .inPieces
                file.withDescriptor { numbers.append($0) }
            }
            var offsets: [Int] = []
            for companion in submission.companions { offsets.append(try offset(of: companion.bytes)) }
            let request = ScanRequest(
                number: job.number, lane: job.lane, header: SubmissionHeader(submission), content: content,
                companionOffsets: offsets,
                trail: options.trail.map { trail in
                    TrailRequest(
                        id: "\(trail.scanID)-\(submission.number)", hidesPersonalData: trail.hidesPersonalData)
                })
            defer { withExtendedLifetime((submission, files)) {} }
            return socket.send(request.encoded + inPacket, descriptors: numbers, waits: false)
        } catch {
            // What the system lacks for the moment says nothing about the engine.
            return error.isShortage ? .full : .failed
        }
    }

    // What an engine sends, until it ends.
    func listen(to number: UInt64, _ socket: PacketSocket) {
        while let packet = socket.receive() {
            guard let answer = try? EngineAnswer(packet.bytes), accepts(answer) else {
                kill(number, "it sent something that is no report")
                break
            }
            switch answer {
            case .ready(let sandbox): becameReady(number, sandbox: sandbox)
            case .report(let job, let report): finish(job, of: number, report)
            case .failed(let job, let reason): finish(job, of: number, failure: reason)
            case .seen(let lines): options.trail?.append(lines)
            }
        }
        socket.shutDown()
        state.withLock { $0.children[number]?.isAtEnd = true }
        concludeEnded()
    }

    private func accepts(_ answer: EngineAnswer) -> Bool {
        guard case .seen(let lines) = answer else { return true }
        return options.trail?.accepts(Bytes(lines)) ?? false
    }

    private func finish(_ job: UInt64, of number: UInt64, _ report: Report? = nil, failure: String = "") {
        let done = state.withLock { state -> Job? in
            // An answer to what was not asked is worth nothing.
            guard let done = state.children[number]?.finish(job) else { return nil }
            state.children[number]?.scanned += 1
            return done
        }
        guard let done else { return }
        done.done(report ?? Report(failure: failure, of: done.submission))
        supervise()
        pump()
    }

    /// Ends all processes; what still waits is answered as failed.
    public func close() {
        let (jobs, children, loaders) = state.withLock { state in
            state.isClosed = true
            let jobs = state.waiting.values.flatMap { $0 } + state.suspects
            state.waiting = [:]
            state.suspects = []
            for number in state.children.keys { state.children[number]?.isRetired = true }
            return (jobs, Array(state.children.values), Array(state.loaders.values))
        }
        for child in children { child.socket.shutDown() }
        for loader in loaders { loader.close() }
        for job in jobs { job.done(Report(failure: "the engine has ended", of: job.submission)) }
    }
}
