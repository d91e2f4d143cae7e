// The part of a run that deals with samples that are cut in slices: handing them out, and putting together in slice
// order what was found in them.

extension ChainRun {
    // Slices of one sample may extract at least as many children, and bytes for their size, however many there are.
    private static let childrenPerSlice = 64
    private static let expansionOfSlices = 4

    /// Has all slices of a sample looked at and adds what was found to this run.
    func inspectSlices(of frame: Frame, _ plan: SlicePlan, from stage: Int) throws(StageError) {
        guard plan.overlap >= 0, plan.overlap < plan.size else {
            throw StageError(.failed, "slices of \(plan.size) bytes cannot overlap by \(plan.overlap)")
        }
        guard !frame.sample.isSliced else { throw StageError(.failed, "the sample has been cut in slices already") }
        frame.sample.isSliced = true
        let ranges = plan.ranges(of: frame.sample.size)
        guard !ranges.isEmpty else { return }
        let work = SliceWork(plan, ranges, setting(for: frame, slices: ranges.count, from: stage))
        if ranges.count > 1 { helpers?.offer(work) }
        while work.workOnOneSlice() {}
        helpers?.withdraw(work)
        add(work.allResults(), of: work, to: frame, stage: stage)
    }

    /// Hands one slice to the stages that want it.
    func inspect(_ slice: Slice, on frame: Frame, from stage: Int) {
        let stages = chain.stages.indices.dropFirst(stage).filter { chain.stages[$0].descriptor.interest.slices }
        for index in stages {
            perform(index, on: frame) { run, out throws(StageError) in
                try run.inspect(slice, of: frame.sample, &out)
            }
        }
        for index in stages {
            perform(index, on: frame, isFinish: true) { run, out throws(StageError) in try run.finish(&out) }
        }
    }

    private func setting(for frame: Frame, slices: Int, from stage: Int) -> SliceWork.Setting {
        var own = limits
        let left = max(expansionLimit - expandedBytes, 0)
        let (grown, overflow) = frame.sample.size.multipliedReportingOverflow(by: Self.expansionOfSlices)
        own.expandedBytes = limits.expandedBytes == 0 ? 0 : max(left, overflow ? .max : grown) / slices
        var samples = [frame.sample]
        var around = frame.parent
        while let outer = around {
            samples.insert(outer.sample, at: 0)
            around = outer.parent
        }
        return SliceWork.Setting(
            chain: chain, limits: own,
            childLimit: min(
                max(limits.childrenPerSample / slices, Self.childrenPerSlice), limits.childrenPerSample),
            byteStore: byteStore, cancellation: cancellation, submissionEnd: deadline.end, helpers: helpers,
            witness: witness, samples: samples, id: frame.id, firstStage: stage, isTraced: frame.trace != nil)
    }

    private func add(_ results: [SliceWork.Result], of work: SliceWork, to frame: Frame, stage: Int) {
        var before: [String: [Reason]] = [:]
        var skipped: [Int] = []
        for (index, result) in results.enumerated() {
            if result.isSkipped { skipped.append(index) }
            let range = work.ranges[index]
            let overlapEnd = index == 0 ? range.lowerBound : range.lowerBound + work.plan.overlap
            let reasons = result.reasons.compactMap { $0.without(before, upTo: overlapEnd) }
                .map { $0.placed(by: work.plan.place) }
            if let witness, !result.isSkipped {
                witness.saw(
                    SeenObject(
                        id: work.id(ofSlice: index), parent: frame.id,
                        subject: .chunk(ChunkSubject(file: frame.fileSubject, range: range)),
                        reasons: reasons.ordered, issues: result.issues,
                        origin: frame.sample.origin ?? frame.holds))
            }
            before = Dictionary(grouping: result.reasons, by: \.summary)
            let start = nextPosition
            nextPosition += max(result.positions, 1)
            var found = result.records
            if !reasons.isEmpty {
                found.insert(
                    finding(
                        .chunk(ChunkSubject(file: frame.fileSubject, range: range)), module: work.plan.module,
                        reasons, frame, includingSelf: true, []),
                    at: 0)
            }
            if !found.isEmpty { findings.append((start, found)) }
            findings += result.inner.map { (start + $0.position, $0.findings) }
            for issue in result.issues { frame.add(issue) }
            for (known, more) in zip(statistics.indices, result.statistics) { statistics[known].add(more) }
            if let slice = result.trace { frame.trace?.add(slice: slice) }
            sampleCount += result.samples
            recordCount += result.recordCount
            byteCount += result.byteCount
            expandedBytes += result.expandedBytes
        }
        guard let first = skipped.first else { return }
        let why = cancellation.isCancelled ? "the scan was cancelled" : "the submission's time is over"
        frame.add(
            Issue(
                .timeout, stage: name(of: stage),
                message: "\(why); \(skipped.count) of \(results.count) chunks were not looked at, the first at "
                    + "0x\(String(work.ranges[first].lowerBound, radix: 16))",
                offset: work.ranges[first].lowerBound))
    }
}

extension Reason {
    // What this reason says beyond the reasons of the slice before, whose bytes reach up to `end`; nil if nothing.
    //
    // A match in the overlap is told by the slice before if the same signature matched there. If it did not (its other
    // strings lie in this slice), everything is told here.
    fileprivate func without(_ before: [String: [Reason]], upTo end: Int) -> Reason? {
        guard let known = before[summary]?.first(where: { $0.signature == signature }) else { return self }
        var rest = self
        rest.matched = matched.filter { match in
            guard let offset = match.offset, match.field == nil else { return true }
            return offset + match.data.count > end
                || !known.matched.contains { $0.offset == offset && $0.name == match.name }
        }
        return rest.matched.isEmpty ? nil : rest
    }

    fileprivate func placed(by place: (Int) -> MemoryPlace?) -> Reason {
        var placed = self
        for index in placed.matched.indices where placed.matched[index].field == nil {
            placed.matched[index].place = placed.matched[index].offset.flatMap(place)
        }
        return placed
    }
}

extension StageStatistics {
    fileprivate mutating func add(_ other: StageStatistics) {
        runs += other.runs
        nanoseconds &+= other.nanoseconds
        errors += other.errors
        children += other.children
        records += other.records
        reasons += other.reasons
    }
}
