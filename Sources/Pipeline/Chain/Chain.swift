/// How findings are scored and how many are kept.
public struct Scoring: Sendable, Equatable {
    /// From which score on an object has which level.
    public var levels: LevelRules
    /// Most findings in records of one sample; what is beyond is said.
    public var recordFindingLimit: Int

    /// Rules of THOR 11 and up to 10,000 record findings per sample, unless told otherwise.
    public init(levels: LevelRules = .v11, recordFindingLimit: Int = 10_000) {
        self.levels = levels
        self.recordFindingLimit = recordFindingLimit
    }
}

/// Stages in order, ready to scan: immutable and shared by all threads.
public struct Chain: Sendable {
    /// Name in the chains file.
    public let name: String
    let stages: [StageBox]
    let scoring: Scoring
    let exclusions: Exclusions
    // Memory for records that goes from one scan to the next.
    let idleSlots = IdleSlots()

    init(name: String, stages: [StageBox], scoring: Scoring, exclusions: Exclusions = Exclusions()) {
        self.name = name
        self.stages = stages
        self.scoring = scoring
        self.exclusions = exclusions
    }

    /// A chain of one stage, as tests need it.
    public init(_ stage: some Stage, scoring: Scoring = Scoring()) {
        self.init(name: type(of: stage).descriptor.name, stages: [TypedStageBox(stage)], scoring: scoring)
    }

    /// This chain with another stage at its end.
    public func appending(_ stage: some Stage) -> Chain {
        Chain(name: name, stages: stages + [TypedStageBox(stage)], scoring: scoring, exclusions: exclusions)
    }

    /// This chain with another stage at its head.
    public func prepending(_ stage: some Stage) -> Chain {
        Chain(name: name, stages: [TypedStageBox(stage)] + stages, scoring: scoring, exclusions: exclusions)
    }

    /// Lets every stage open what it needs of the system, in a process that will be locked in.
    ///
    /// - Parameter threads: Threads that will scan.
    /// - Throws: `SystemError` when a stage cannot.
    public func prepare(threads: Int) throws(SystemError) {
        for stage in stages { try stage.prepare(threads: threads) }
    }

    /// Descriptors of the stages, in order.
    public var descriptors: [StageDescriptor] { stages.map(\.descriptor) }

    /// Scans one sample with everything inside it, on the calling thread.
    ///
    /// - Parameters:
    ///   - helpers: Threads that may help with the slices of a large sample; the report is the same without.
    ///   - witness: Told of every object that is looked at.
    ///
    /// Native stack: up to `limits.depth` nested stages; give the thread 8 MiB.
    public func scan(
        _ sample: Sample, limits: Limits = Limits(), byteStore: ByteStore = ByteStore(),
        cancellation: Cancellation = Cancellation(), helpers: (any SliceHelpers)? = nil,
        witness: (any ScanWitness)? = nil
    ) -> Report {
        let end = monotonicNanoseconds() &+ UInt64(limits.seconds(forBytes: sample.size) * 1e9)
        return ChainRun(
            chain: self, limits: limits, byteStore: byteStore, cancellation: cancellation, submissionEnd: end,
            helpers: helpers, witness: witness
        ).report(on: sample)
    }

    /// Scans one sample on the calling thread and keeps what happened to it and to everything inside it.
    ///
    /// The report is that of `scan`; up to `SampleTrace.sampleLimit` samples are listed in the trace.
    public func explain(
        _ sample: Sample, limits: Limits = Limits(), byteStore: ByteStore = ByteStore(),
        cancellation: Cancellation = Cancellation()
    ) -> (report: Report, trace: SampleTrace) {
        let end = monotonicNanoseconds() &+ UInt64(limits.seconds(forBytes: sample.size) * 1e9)
        let (report, trace) = ChainRun(
            chain: self, limits: limits, byteStore: byteStore, cancellation: cancellation, submissionEnd: end,
            helpers: nil, isTraced: true
        ).reportAndTrace(on: sample)
        return (report, trace ?? SampleTrace(sample))
    }
}
