// One submission on its way through a chain: on one thread, depth first, in the same order every time.

final class ChainRun {
    let chain: Chain
    let limits: Limits
    let byteStore: ByteStore
    let cancellation: Cancellation
    var statistics: [StageStatistics]

    let deadline: Deadline
    let helpers: (any SliceHelpers)?
    let witness: (any ScanWitness)?
    let stages: [StageRun]
    var expandedBytes = 0
    // A triage collection was recognised: its limits hold.
    private(set) var isCollection = false
    var sampleCount = 0
    var recordCount = 0
    var byteCount = 0
    // Where the next frame's findings go in the report.
    var nextPosition = 0
    var findings: [(position: Int, findings: [Finding])] = []
    // Whether every sample keeps a trace, and how many have one.
    let isTraced: Bool
    private var tracedSamples = 0
    private var spareSlots: [BatchSlot] = []
    private var keys = KeyTable()

    init(
        chain: Chain, limits: Limits, byteStore: ByteStore, cancellation: Cancellation, submissionEnd: UInt64,
        helpers: (any SliceHelpers)?, witness: (any ScanWitness)? = nil, isTraced: Bool = false
    ) {
        self.isTraced = isTraced
        self.chain = chain
        self.limits = limits
        self.byteStore = byteStore
        self.cancellation = cancellation
        stages = chain.stages.map { $0.makeRun() }
        statistics = chain.stages.map { StageStatistics(name: $0.descriptor.name) }
        deadline = Deadline(submissionEnd)
        self.helpers = helpers
        self.witness = witness
    }

    deinit { chain.idleSlots.keep(spareSlots) }

    // Bytes of the submitted sample.
    private var size = 0

    func report(on sample: Sample) -> Report { reportAndTrace(on: sample).report }

    func reportAndTrace(on sample: Sample) -> (report: Report, trace: SampleTrace?) {
        size = sample.size
        let frame = newFrame(sample, parent: nil)
        scan(frame, isTop: true)
        var report = Report()
        report.findings = findings.sorted { $0.position < $1.position }.flatMap(\.findings)
        report.samples = sampleCount
        report.records = recordCount
        report.bytes = byteCount
        report.stages = statistics
        return (report, frame.trace)
    }

    // MARK: Samples

    private func newFrame(_ sample: Sample, parent: Frame?) -> Frame {
        sampleCount += 1
        byteCount += sample.size
        parent?.seenChildren += 1
        let frame = Frame(
            sample: sample, parent: parent, position: takePosition(),
            id: parent.map { "\($0.id)/\($0.seenChildren)" } ?? "")
        guard isTraced, parent == nil || parent?.trace != nil else { return frame }
        guard tracedSamples < SampleTrace.sampleLimit else {
            parent?.trace?.omitted += 1
            return frame
        }
        tracedSamples += 1
        frame.trace = SampleTrace(sample)
        return frame
    }

    func takePosition() -> Int {
        defer { nextPosition += 1 }
        return nextPosition
    }

    private func scan(_ frame: Frame, isTop: Bool = false) {
        var index = 0
        frame.trace?.start(chain)
        while index < stages.count {
            let descriptor = chain.stages[index].descriptor
            frame.trace?.steps[index].why = descriptor.interest.words(for: frame.sample.kind)
            if descriptor.interest.wants(frame.sample.kind) {
                if frame.sample.isInPieces, !frame.sample.isSliced, !descriptor.readsPieces, !isOver {
                    guard makeWhole(frame, for: index) else { break }
                    index = 0
                    frame.trace?.start(chain)
                    continue
                }
                perform(index, on: frame) { run, out throws(StageError) in try run.inspect(frame.sample, &out) }
            }
            index += 1
        }
        if isTop {
            for index in stages.indices {
                perform(index, on: frame, isFinish: true) { run, out throws(StageError) in try run.finish(&out) }
            }
        }
        conclude(frame)
    }

    private var isOver: Bool { cancellation.isCancelled || monotonicNanoseconds() > deadline.end }

    // A stage wants all bytes at once: the sample is copied to the store, and starts again at the head of the chain.
    private func makeWhole(_ frame: Frame, for stage: Int) -> Bool {
        do {
            frame.sample = try frame.sample.whole(in: byteStore)
            return true
        } catch {
            let message =
                "the sample of \(frame.sample.size) bytes has no room: \(error); its content was not looked at"
            frame.add(Issue(.failed, stage: name(of: stage), message: message))
            return false
        }
    }

    func perform(
        _ index: Int, on frame: Frame, isFinish: Bool = false,
        _ body: (StageRun, inout Output) throws(StageError) -> Void
    ) {
        var out = Output(run: self, frame: frame, stage: index)
        do {
            try out.clock.check()
            try body(stages[index], &out)
        } catch {
            record(error, of: index, on: frame)
        }
        out.close()
        let elapsed = out.clock.elapsed
        statistics[index].nanoseconds &+= elapsed
        frame.trace?.steps[index].nanoseconds &+= elapsed
        if !isFinish {
            statistics[index].runs += 1
            frame.trace?.steps[index].calls += 1
        }
    }

    private func record(_ error: StageError, of index: Int, on frame: Frame) {
        if error.isRecorded { return }
        statistics[index].errors += 1
        frame.add(Issue(error.code, stage: name(of: index), message: error.message, offset: error.offset))
    }

    // MARK: Children

    // What the sample's own ratio and the submission's sum still allow.
    func allowance(of frame: Frame) -> Int {
        let whole = expansionLimit - expandedBytes
        let size = frame.sample.size
        let (product, overflow) = size.multipliedReportingOverflow(by: limits.expansionRatio)
        let ratio = max(limits.expansionGrace, overflow ? Int.max : product) - frame.expandedBytes
        return max(0, min(whole, ratio))
    }

    var expansionLimit: Int {
        isCollection && limits.expandedBytes > 0
            ? max(limits.collectionBytes, limits.expandedBytes) : limits.expandedBytes
    }

    func childLimit(of frame: Frame) -> Int { frame.childLimit ?? limits.childrenPerSample }

    // The seconds that the submission gets on top.
    func beginCollection(_ frame: Frame, _ origins: [TriageOrigin], members: Int) -> Double {
        for origin in origins { frame.hold(origin) }
        frame.childLimit = max(min(members, limits.collectionChildren), childLimit(of: frame))
        // Once: many small archives that look like collections do not add up.
        if isCollection { return 0 }
        isCollection = true
        let seconds = limits.seconds(forCollectionOf: size) - limits.seconds(forBytes: size)
        deadline.extend(bySeconds: seconds)
        return seconds
    }

    func admit(_ child: Child, from frame: Frame, stage: Int) throws(StageError) {
        var refusal: String?
        if frame.sample.depth >= limits.depth {
            refusal = "depth limit \(limits.depth) reached: files inside were not looked at"
        } else if frame.children >= childLimit(of: frame) {
            refusal = "limit of \(childLimit(of: frame)) members reached: the rest was not looked at"
        } else if child.bytes.count > allowance(of: frame) {
            refusal =
                "expansion limit reached (\(expansionLimit) bytes in all, \(limits.expansionRatio) times the "
                + "size): the rest was not looked at"
        }
        if let refusal {
            frame.add(Issue(.limit, stage: name(of: stage), message: refusal))
            throw StageError(.limit, refusal, offset: nil, isRecorded: true)
        }
        frame.children += 1
        frame.expandedBytes += child.bytes.count
        expandedBytes += child.bytes.count
        statistics[stage].children += 1
        frame.trace?.steps[stage].children += 1
    }

    func scan(_ child: Child, of parent: Frame) {
        let above = parent.sample
        let path = child.path ?? (child.name.isEmpty ? above.path : above.path + "/" + child.name)
        let sample = Sample(
            path: path, content: .whole(child.bytes), depth: above.depth + 1,
            unpackSource: above.unpackSource + [child.method], ancestorKinds: above.ancestorKinds + [above.kind],
            times: child.times, companions: child.companions, origin: child.origin ?? above.origin)
        scan(newFrame(sample, parent: parent))
    }

    // MARK: Records

    func makeSlot(clock: StageClock) -> BatchSlot {
        let slot = spareSlots.popLast() ?? chain.idleSlots.take(for: keys) ?? BatchSlot(keys: keys)
        slot.use(clock)
        return slot
    }

    func recycle(_ slot: BatchSlot) {
        slot.reset()
        slot.use(nil)
        spareSlots.append(slot)
    }

    func inspect(_ slot: BatchSlot, of frame: Frame, after emitter: Int) {
        recordCount += slot.count
        if frame.trace != nil {
            slot.withBatch { batch in
                for record in 0..<batch.count {
                    frame.trace?.steps[emitter].records[batch.type(of: record).name, default: 0] += 1
                }
                for own in batch.ownReasons where !chain.exclusions.excludes(own.reason) {
                    frame.trace?.steps[emitter].add(own.reason)
                }
            }
        }
        let found = BatchFindings()
        for index in stages.indices.dropFirst(emitter + 1) where chain.stages[index].descriptor.interest.records {
            var out = Output(run: self, frame: frame, stage: index, batchFindings: found)
            slot.withBatch { batch in
                do throws(StageError) {
                    try out.clock.check()
                    try stages[index].inspect(batch, of: frame.sample, &out)
                } catch {
                    record(error, of: index, on: frame)
                }
            }
            out.batchFindings = nil
            out.close()
            let elapsed = out.clock.elapsed
            statistics[index].nanoseconds &+= elapsed
            frame.trace?.steps[index].nanoseconds &+= elapsed
            frame.trace?.steps[index].recordsSeen += slot.count
        }
        slot.withBatch { batch in conclude(batch, found, of: frame) }
        slot.reset()
    }

    private func conclude(_ batch: borrowing RecordBatch, _ found: BatchFindings, of frame: Frame) {
        for own in batch.ownReasons where !chain.exclusions.excludes(own.reason) {
            found.add(own.reason, record: own.record)
        }
        if let witness {
            let records = SeenRecords(parent: frame.id, first: frame.seenRecords + 1, reasons: found.reasons)
            frame.seenRecords += batch.count
            witness.saw(batch, records)
        }
        for (record, reasons) in found.reasons.sorted(by: { $0.key < $1.key }) {
            guard frame.records.count < chain.scoring.recordFindingLimit else {
                frame.add(
                    Issue(
                        .limit, stage: "chain",
                        message: "more than \(chain.scoring.recordFindingLimit) findings in records of this sample; "
                            + "the rest is not listed"))
                return
            }
            let subject = batch.subject(of: record)
            frame.records.append(
                finding(.record(subject), module: subject.type.module, reasons, frame, includingSelf: true, []))
        }
    }

    // MARK: Findings

    private func conclude(_ frame: Frame) {
        var all: [Finding] = []
        let issues = frame.allIssues
        witness?.saw(
            SeenObject(
                id: frame.id, parent: frame.parent?.id, subject: .file(frame.fileSubject),
                reasons: frame.reasons.ordered, issues: issues, origin: frame.sample.origin ?? frame.holds))
        if !frame.reasons.isEmpty || !issues.isEmpty {
            all.append(
                finding(
                    .file(frame.fileSubject), module: "Filescan", frame.reasons, frame, includingSelf: false, issues))
        }
        all += frame.records
        if !all.isEmpty { findings.append((frame.position, all)) }
        guard var trace = frame.trace.take() else { return }
        trace.sha256 = frame.fileSubject.sha256
        trace.kind = frame.sample.kind
        trace.findings = all
        trace.issues = issues
        if let parent = frame.parent { parent.trace?.children.append(trace) } else { frame.trace = trace }
    }

    func finding(
        _ subject: Subject, module: String, _ reasons: [Reason], _ frame: Frame, includingSelf: Bool, _ issues: [Issue]
    ) -> Finding {
        let ordered = reasons.ordered
        let subscores = ordered.map(\.subscore)
        let score = Int(totalScore(of: subscores).rounded())
        return Finding(
            subject: subject, module: module, reasons: ordered, score: score,
            level: chain.scoring.levels.level(score: score, subscores: subscores),
            context: frame.context(includingSelf: includingSelf), issues: issues,
            origin: frame.sample.origin ?? frame.holds)
    }

    // MARK: Stages

    func name(of stage: Int) -> String { chain.stages[stage].descriptor.name }

    func clock(of stage: Int) -> StageClock {
        StageClock(
            stage: name(of: stage), seconds: chain.stages[stage].descriptor.seconds ?? limits.stageSeconds,
            deadline: deadline, cancellation: cancellation)
    }
}
