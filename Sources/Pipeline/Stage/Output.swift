/// A file that a stage found inside a sample.
public struct Child: Sendable {
    /// Name or inner path, joined to the parent's path with `/`; may be empty.
    public var name: String
    /// The content.
    public var bytes: Bytes
    /// How it was unpacked, in upper case (`ZIP`, `GZIP`, `EMAIL`).
    public var method: String
    /// Times that the container tells.
    public var times: FileTimes
    /// Files that belong to it.
    public var companions: [Companion]
    /// Whole path instead of the joined one, where the container knows the original (a triage collection).
    public var path: String?
    /// Where it was collected; nil if that is the same as for the file it lies in.
    public var origin: TriageOrigin?

    /// A child with its content.
    public init(
        name: String, bytes: Bytes, method: String, times: FileTimes = FileTimes(), companions: [Companion] = [],
        path: String? = nil, origin: TriageOrigin? = nil
    ) {
        self.name = name
        self.bytes = bytes
        self.method = method
        self.times = times
        self.companions = companions
        self.path = path
        self.origin = origin
    }
}

/// The one place a stage writes to.
public struct Output: ~Copyable {
    let run: ChainRun
    let frame: Frame
    let stage: Int
    let clock: StageClock
    // Set while records are inspected: reasons then belong to a record.
    var batchFindings: BatchFindings?
    private var slot: BatchSlot?

    init(run: ChainRun, frame: Frame, stage: Int, batchFindings: BatchFindings? = nil) {
        self.run = run
        self.frame = frame
        self.stage = stage
        self.batchFindings = batchFindings
        clock = run.clock(of: stage)
    }

    /// Says what type the sample is; later stages are chosen by it.
    public mutating func classify(_ kind: FileKind) {
        frame.sample.kind = kind
        frame.trace?.steps[stage].kind = kind
    }

    /// Gives a reason against the sample.
    public mutating func report(_ reason: Reason) {
        if run.chain.exclusions.excludes(reason) { return }
        frame.reasons.append(reason)
        count(reason)
    }

    /// Gives a reason against a record of the batch that is being inspected.
    public mutating func report(_ reason: Reason, record: Int) {
        guard let batchFindings else { return report(reason) }
        if run.chain.exclusions.excludes(reason) { return }
        batchFindings.add(reason, record: record)
        count(reason)
    }

    private func count(_ reason: Reason) {
        run.statistics[stage].reasons += 1
        frame.trace?.steps[stage].add(reason)
    }

    /// Says that something was not looked at, without stopping the stage.
    public mutating func note(_ code: Issue.Code, _ message: String, offset: Int? = nil) {
        frame.add(Issue(code, stage: run.name(of: stage), message: message, offset: offset))
    }

    /// Where a decompressor writes large output.
    public var byteStore: ByteStore { run.byteStore }

    /// Bytes that may still be inflated from this sample: a decompressor's limit before it starts.
    public var allowance: Int { run.allowance(of: frame) }

    /// Whether a child would be looked into, or the deepest level is reached.
    public var mayExtract: Bool { frame.sample.depth < run.limits.depth }

    /// Children that may still be extracted from this sample.
    public var childrenLeft: Int { max(0, run.childLimit(of: frame) - frame.children) }

    /// Says that the sample holds triage collections: a whole disk's worth of files, for which the limits on members,
    /// bytes and time of collections hold.
    ///
    /// - Parameters:
    ///   - origins: Where they come from; what is said of the sample itself carries it if there is only one.
    ///   - members: Most children of the sample; never more than the submission's limit for collections.
    public mutating func beginCollection(_ origins: [TriageOrigin], members: Int) {
        clock.extend(bySeconds: run.beginCollection(frame, origins, members: members))
    }

    /// Seconds left for this stage, for libraries that keep time themselves.
    public var secondsLeft: Double { clock.secondsLeft }

    /// To be called in every loop whose length the file controls.
    ///
    /// - Throws: `StageError` with code `timeout` when the time is over or the scan was cancelled.
    public func checkpoint() throws(StageError) { try clock.checkpoint() }

    /// Hands a child down the whole chain; it has been scanned when this returns.
    ///
    /// - Throws: `StageError` with code `limit` when a limit refuses the child (the report says so already).
    public mutating func extract(_ child: Child) throws(StageError) {
        try flush()
        try run.admit(child, from: frame, stage: stage)
        clock.pause()
        defer { clock.resume() }
        run.scan(child, of: frame)
    }

    /// Cuts the sample into overlapping slices and hands each to this stage and the later ones.
    ///
    /// All have been looked at when this returns; idle threads of the engine help.
    /// - Throws: `StageError` with code `failed` for a plan that makes no sense.
    public mutating func slice(_ plan: SlicePlan) throws(StageError) {
        try flush()
        clock.pause()
        defer { clock.resume() }
        try run.inspectSlices(of: frame, plan, from: stage)
    }

    /// Builds one record and hands it to the later stages, together with many others.
    ///
    /// - Parameters:
    ///   - type: What kind of record it is.
    ///   - offset: Where it stands in the sample, in bytes.
    /// - Throws: what `build` throws (its record is taken back), or `timeout`.
    public mutating func emit(
        _ type: RecordType, offset: Int, _ build: (inout RecordBuilder) throws(StageError) -> Void
    ) throws(StageError) {
        let slot = openSlot()
        try slot.add(type, offset: offset, build)
        if slot.isFull { try flush() }
    }

    /// Builds records and hands them to the later stages when they are enough for a batch: for formats whose records
    /// are so small that a call of `emit` for each would be felt.
    ///
    /// - Parameter build: Adds records until the builder is full or none are left; to be called again in the first case.
    /// - Throws: what `build` throws; what was added before is handed on.
    public mutating func emitMany(
        _ build: (inout RecordBuilder) throws(StageError) -> Void
    ) throws(StageError) {
        let slot = openSlot()
        try slot.fill(build)
        if slot.isFull { try flush() }
    }

    // Hands the records gathered so far to the later stages.
    mutating func flush() throws(StageError) {
        guard let slot, slot.count > 0 else { return }
        run.statistics[stage].records += slot.count
        clock.pause()
        defer { clock.resume() }
        run.inspect(slot, of: frame, after: stage)
    }

    // Ends the stage's turn: what was emitted is handed on even if the stage failed.
    mutating func close() {
        try? flush()
        if let slot { run.recycle(slot) }
        slot = nil
    }

    private mutating func openSlot() -> BatchSlot {
        if let slot { return slot }
        let fresh = run.makeSlot(clock: clock)
        slot = fresh
        return fresh
    }
}
