import Pipeline

// What the service, the loader and the engines say to each other. The service trusts the loader, which reads no samples,
// and no engine: whatever an engine sends is checked as hostile input is.

/// What a loader needs to know: which signatures and chain to load, and how its engines work.
struct EngineLaunch: Sendable, Equatable {
    /// Folders of shipped signatures.
    var rules: [String]
    /// Folders of the user's own.
    var customSignatures: [String]
    /// Name of the chain.
    var chain: String
    /// Configuration file whose chains come first.
    var configurationFile: String?
    /// From which score on an object has which level.
    var levels: LevelRules
    /// Lowest level of a Sigma rule; nil leaves it to the chain.
    var sigmaThreshold: String?
    /// What is switched off, by name.
    var excluded: [String] = []
    /// Limits of a submission.
    var limits = Limits()
    /// Where large children go.
    var temporaryDirectory: String
    /// Private memory that an engine may take beyond what the loader has, in bytes.
    var memoryLimit: Int
    /// How far scans stand back behind the reception of samples, 0 to 19; those that a client waits for at most
    /// `mostForClients`.
    var niceness = 0

    /// Enough for the reception to win, and a quarter of the processors for clients who wait.
    static let mostForClients = 5

    var encoded: [UInt8] {
        var writer = BinaryWriter()
        writer.list(rules) { $0.text($1) }
        writer.list(customSignatures) { $0.text($1) }
        writer.text(chain)
        writer.optional(configurationFile) { $0.text($1) }
        for score in [levels.info, levels.notice, levels.warning, levels.alert] { writer.integer(score) }
        writer.optional(levels.alertNeedsSubscoreAbove) { $0.integer($1) }
        writer.optional(sigmaThreshold) { $0.text($1) }
        writer.list(excluded) { $0.text($1) }
        writer.integer(limits.depth)
        writer.integer(limits.childrenPerSample)
        writer.integer(limits.expandedBytes)
        writer.integer(limits.collectionChildren)
        writer.integer(limits.collectionBytes)
        writer.unsigned(limits.collectionSeconds.bitPattern)
        writer.unsigned(limits.collectionSecondsPerMegabyte.bitPattern)
        writer.integer(limits.expansionRatio)
        writer.integer(limits.expansionGrace)
        writer.unsigned(limits.seconds.bitPattern)
        writer.unsigned(limits.secondsPerMegabyte.bitPattern)
        writer.unsigned(limits.stageSeconds.bitPattern)
        writer.text(temporaryDirectory)
        writer.integer(memoryLimit)
        writer.integer(niceness)
        return writer.bytes
    }

    init(
        rules: [String], customSignatures: [String] = [], chain: String = "full", configurationFile: String? = nil,
        levels: LevelRules = .v11, temporaryDirectory: String, memoryLimit: Int
    ) {
        self.rules = rules
        self.customSignatures = customSignatures
        self.chain = chain
        self.configurationFile = configurationFile
        self.levels = levels
        self.temporaryDirectory = temporaryDirectory
        self.memoryLimit = memoryLimit
    }

    init(_ bytes: Bytes) throws(CodecError) {
        var reader = BinaryReader(bytes)
        rules = try reader.texts("rules")
        customSignatures = try reader.texts("custom signatures")
        chain = try reader.text("chain")
        configurationFile = try reader.optional("file") { reader throws(CodecError) in try reader.text("file") }
        let scores = 0...1000
        levels = LevelRules(
            info: try reader.integer("info", in: scores), notice: try reader.integer("notice", in: scores),
            warning: try reader.integer("warning", in: scores), alert: try reader.integer("alert", in: scores))
        levels.alertNeedsSubscoreAbove = try reader.optional("subscore") { reader throws(CodecError) in
            try reader.integer("subscore", in: scores)
        }
        sigmaThreshold = try reader.optional("threshold") { reader throws(CodecError) in try reader.text("threshold") }
        excluded = try reader.texts("excluded")
        let whole = 0...Int.max
        limits.depth = try reader.integer("depth", in: whole)
        limits.childrenPerSample = try reader.integer("children", in: whole)
        limits.expandedBytes = try reader.integer("expanded bytes", in: whole)
        limits.collectionChildren = try reader.integer("collection children", in: whole)
        limits.collectionBytes = try reader.integer("collection bytes", in: whole)
        limits.collectionSeconds = Double(bitPattern: try reader.unsigned("collection seconds"))
        limits.collectionSecondsPerMegabyte = Double(bitPattern: try reader.unsigned("collection seconds a megabyte"))
        limits.expansionRatio = try reader.integer("ratio", in: whole)
        limits.expansionGrace = try reader.integer("grace", in: whole)
        limits.seconds = Double(bitPattern: try reader.unsigned("seconds"))
        limits.secondsPerMegabyte = Double(bitPattern: try reader.unsigned("seconds a megabyte"))
        limits.stageSeconds = Double(bitPattern: try reader.unsigned("stage seconds"))
        temporaryDirectory = try reader.text("temporary directory")
        memoryLimit = try reader.integer("memory", in: whole)
        niceness = try reader.integer("niceness", in: 0...19)
    }
}

/// From the service to the loader, after the launch.
struct ForkRequest: Sendable, Equatable {
    /// Number by which the engine is spoken of; its socket comes with the packet.
    var engine: UInt64
    /// Scan threads for sync jobs.
    var threads: Int
    /// Scan threads for async jobs.
    var asyncThreads: Int

    var encoded: [UInt8] {
        var writer = BinaryWriter()
        writer.unsigned(engine)
        writer.integer(threads)
        writer.integer(asyncThreads)
        return writer.bytes
    }

    init(engine: UInt64, threads: Int, asyncThreads: Int) {
        self.engine = engine
        self.threads = threads
        self.asyncThreads = asyncThreads
    }

    init(_ bytes: Bytes) throws(CodecError) {
        var reader = BinaryReader(bytes)
        engine = try reader.unsigned("engine")
        threads = try reader.integer("threads", in: 1...4096)
        asyncThreads = try reader.integer("async threads", in: 1...4096)
    }
}

/// From the loader to the service.
enum LoaderMessage: Sendable {
    /// Signatures are loaded.
    case loaded(SignatureState, chain: String)
    /// They could not be loaded; the loader ends.
    case failed(String)
    /// An engine was forked; a descriptor for the process comes with the packet.
    case started(engine: UInt64, pid: Int32)
    /// An engine could not be forked.
    case notStarted(engine: UInt64, reason: String)
    /// An engine ended, with an exit code or by a signal.
    case ended(engine: UInt64, code: Int32, signal: Int32)

    var encoded: [UInt8] {
        var writer = BinaryWriter()
        switch self {
        case .loaded(let state, let chain):
            writer.byte(1)
            writer.text(chain)
            state.write(to: &writer)
        case .failed(let reason):
            writer.byte(2)
            writer.text(reason)
        case .started(let engine, let pid):
            writer.byte(3)
            writer.unsigned(engine)
            writer.integer(Int(pid))
        case .notStarted(let engine, let reason):
            writer.byte(4)
            writer.unsigned(engine)
            writer.text(reason)
        case .ended(let engine, let code, let signal):
            writer.byte(5)
            writer.unsigned(engine)
            writer.integer(Int(code))
            writer.integer(Int(signal))
        }
        return writer.bytes
    }

    init(_ bytes: Bytes) throws(CodecError) {
        var reader = BinaryReader(bytes)
        let small = Int(Int32.min)...Int(Int32.max)
        switch try reader.byte("message") {
        case 1:
            let chain = try reader.text("chain")
            self = .loaded(try SignatureState(from: &reader), chain: chain)
        case 2: self = .failed(try reader.text("reason"))
        case 3: self = .started(engine: try reader.unsigned("engine"), pid: Int32(try reader.integer("pid", in: small)))
        case 4: self = .notStarted(engine: try reader.unsigned("engine"), reason: try reader.text("reason"))
        case 5:
            let engine = try reader.unsigned("engine")
            let code = try reader.integer("code", in: small)
            self = .ended(engine: engine, code: Int32(code), signal: Int32(try reader.integer("signal", in: small)))
        default: throw reader.invalid("message")
        }
    }
}

/// What an engine needs to know to tell the objects of a sample for the audit trail.
struct TrailRequest: Equatable, Sendable {
    /// Id of the submitted sample.
    var id: String
    /// Whether user names and user folders are replaced.
    var hidesPersonalData: Bool
}

/// From the service to an engine: one sample to scan.
///
/// Its descriptors are those of the sample, unless its bytes stand in the packet, and of its companions.
struct ScanRequest: Sendable {
    /// Where the bytes of the sample are.
    enum Content: Equatable, Sendable {
        case inPacket
        case inFile(offset: Int)
        /// Somebody else may change the file: it is read, not mapped.
        case inPieces
    }

    /// Largest sample whose bytes stand in the packet.
    static let packetLimit = 16 << 10
    /// Largest content that an engine copies.
    ///
    /// Larger content is mapped, or read in pieces; smaller is cheaper to copy: when a mapping goes, the kernel stops every
    /// other thread of the engine to tell it so.
    static let copyLimit = 1 << 20

    var number: UInt64
    var lane: Lane
    var header: SubmissionHeader
    var content: Content
    var companionOffsets: [Int]
    /// Whether the objects are to be told for the audit trail; nil if there is none.
    var trail: TrailRequest?

    /// The start of the packet; the bytes of a small sample follow it.
    var encoded: [UInt8] {
        var writer = BinaryWriter()
        writer.unsigned(number)
        writer.flag(lane == .sync)
        header.write(to: &writer)
        writer.list(companionOffsets) { $0.integer($1) }
        writer.optional(trail) { writer, trail in
            writer.text(trail.id)
            writer.flag(trail.hidesPersonalData)
        }
        switch content {
        case .inPacket: writer.byte(0)
        case .inFile(let offset):
            writer.byte(1)
            writer.integer(offset)
        case .inPieces: writer.byte(2)
        }
        return writer.bytes
    }

    init(
        number: UInt64, lane: Lane, header: SubmissionHeader, content: Content, companionOffsets: [Int],
        trail: TrailRequest? = nil
    ) {
        self.trail = trail
        self.number = number
        self.lane = lane
        self.header = header
        self.content = content
        self.companionOffsets = companionOffsets
    }

    init(from reader: inout BinaryReader) throws(CodecError) {
        number = try reader.unsigned("number")
        lane = try reader.flag("lane") ? .sync : .async
        header = try SubmissionHeader(from: &reader)
        companionOffsets = try reader.list("offsets") { reader throws(CodecError) in try reader.count("offset") }
        trail = try reader.optional("trail") { reader throws(CodecError) in
            TrailRequest(id: try reader.text("id"), hidesPersonalData: try reader.flag("hiding"))
        }
        switch try reader.byte("content") {
        case 0: content = .inPacket
        case 1: content = .inFile(offset: try reader.count("offset"))
        case 2: content = .inPieces
        default: throw reader.invalid("content")
        }
    }
}

/// From an engine to the service.
enum EngineAnswer: Sendable {
    /// It takes samples; how it is locked in.
    case ready(sandbox: String)
    /// A scan is done.
    case report(number: UInt64, report: Report)
    /// A scan could not begin.
    case failed(number: UInt64, reason: String)
    /// Lines for the audit trail.
    case seen([UInt8])

    var encoded: [UInt8] {
        var writer = BinaryWriter()
        switch self {
        case .ready(let sandbox):
            writer.byte(1)
            writer.text(sandbox)
            return writer.bytes
        case .report(let number, let report):
            writer.byte(2)
            writer.unsigned(number)
            return writer.bytes + ReportCodec.encode(report)
        case .failed(let number, let reason):
            writer.byte(3)
            writer.unsigned(number)
            writer.text(reason)
            return writer.bytes
        case .seen(let lines):
            writer.byte(4)
            return writer.bytes + lines
        }
    }

    init(_ bytes: Bytes) throws(CodecError) {
        var reader = BinaryReader(bytes)
        switch try reader.byte("answer") {
        case 1: self = .ready(sandbox: try reader.text("sandbox"))
        case 2:
            let number = try reader.unsigned("number")
            guard let report = ReportCodec.decode(reader.rest) else { throw reader.invalid("report") }
            self = .report(number: number, report: report)
        case 3: self = .failed(number: try reader.unsigned("number"), reason: try reader.text("reason"))
        case 4: self = .seen(reader.rest.array)
        default: throw reader.invalid("answer")
        }
    }
}

extension SignatureState {
    func write(to writer: inout BinaryWriter) {
        writer.text(version)
        writer.write(loaded)
        writer.list(problems) { writer, problem in
            writer.text(problem.file)
            writer.optional(problem.line) { $0.integer($1) }
            writer.text(problem.message)
            writer.flag(problem.isRejected)
        }
        writer.list(summaries) { writer, summary in
            writer.text(summary.kind.name)
            writer.text(summary.name)
            writer.text(summary.id)
            writer.integer(summary.score)
            writer.list(summary.tags) { $0.text($1) }
            writer.flag(summary.origin == .custom)
            writer.text(summary.file)
        }
        writer.list(exclusions.names) { $0.text($1) }
        writer.list(libraries.sorted { $0.key < $1.key }) { writer, library in
            writer.text(library.key)
            writer.text(library.value)
        }
    }

    init(from reader: inout BinaryReader) throws(CodecError) {
        let version = try reader.text("version")
        let loaded = try reader.time()
        let problems = try reader.list("problems") { reader throws(CodecError) in
            SignatureProblem(
                file: try reader.text("file"),
                line: try reader.optional("line") { reader throws(CodecError) in try reader.count("line") },
                message: try reader.text("message"), isRejected: try reader.flag("rejected"))
        }
        let summaries = try reader.list("signatures") { reader throws(CodecError) in
            SignatureSummary(
                kind: Signature.Kind(try reader.text("kind")), name: try reader.text("name"),
                id: try reader.text("id"), score: try reader.integer("score", in: -100...100),
                tags: try reader.texts("tags"), origin: try reader.flag("custom") ? .custom : .internal,
                file: try reader.text("file"))
        }
        let exclusions = Exclusions(try reader.texts("excluded"))
        let libraries = try reader.list("libraries") { reader throws(CodecError) in
            (try reader.text("library"), try reader.text("library version"))
        }
        self.init(
            version: version, loaded: loaded, problems: problems, summaries: summaries,
            exclusions: exclusions,
            libraries: Dictionary(libraries) { first, _ in first })
    }
}
