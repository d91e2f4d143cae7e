import Pipeline

// Rules that look at records: keyword rules at all, log rules at events and lines, registry rules at keys and values,
// and generic rules that limit themselves to a feature that works on records. One scan over the texts of a whole
// batch proposes records; each of them is then judged alone, so that a string of a neighbour neither fires a rule nor
// keeps one from firing.

/// The rules for records, compiled into one set.
struct RecordRules: Sendable {
    private enum Scope {
        case all
        case logs
        case registry
        case limited
    }

    private static let logTypes: Set<String> = [
        "log line", "eventlog entry", "journal log entry", "audit log entry",
    ]
    private static let registryTypes: Set<String> = ["registry key", "registry value"]

    private let rules: YARARules
    private let scopes: [Scope]
    // Rules that can match although none of their strings was found: they are judged on every record.
    private let isUnbound: [Bool]

    /// Compiles the rules; `limited` is the set for files, whose rules with a `limit` may be meant for records.
    init(_ environment: StageEnvironment, limited: YARARules) {
        var sources: [(source: YARASource, scope: Scope)] = []
        let kinds: [(SignatureFileKind, Scope)] = [
            (.yaraKeyword, .all), (.yaraLog, .logs), (.yaraRegistry, .registry),
        ]
        for (kind, scope) in kinds {
            sources += environment.signatures.files(of: kind).map { (YARASource($0), scope) }
        }
        let elsewhere = Set(
            limited.rules.filter { !$0.isMeant(for: YARAStage.descriptor.module) }.map { limited.sources[$0.source] })
        for file in environment.signatures.files(of: .yara) where elsewhere.contains(file.path) {
            sources.append((YARASource(file), .limited))
        }
        let rules = YARARules(compiling: sources.map(\.source), splitLimit: .max)
        self.rules = rules
        let scopeOf = Dictionary(sources.map { ($0.source.name, $0.scope) }) { first, _ in first }
        let unbound = Self.unboundRules(sources.map(\.source))
        scopes = rules.rules.map { scopeOf[rules.sources[$0.source]] ?? .limited }
        rules.tell(environment.diagnostics) { scopeOf[$0] != .limited }
        let isUnbound = rules.rules.map { unbound.contains(rules.sources[$0.source] + "\0" + $0.signature.ruleName) }
        self.isUnbound = isUnbound
        for (index, rule) in rules.rules.enumerated() where isUnbound[index] && scopes[index] != .limited {
            let message =
                "rule \(rule.signature.ruleName) is judged on every record, which is slow: it needs none of its "
                + "strings, or one at a fixed place"
            environment.diagnostics.report(
                SignatureProblem(
                    file: rules.sources[rule.source], line: nil, message: message, isRejected: false))
        }
    }

    private static func unboundRules(_ sources: [YARASource]) -> Set<String> {
        var names: Set<String> = []
        for source in sources {
            for rule in source.outline().rules
            where rule.canHold(NoStrings(), in: source.text) || rule.isTiedToEdges(in: source.text) {
                names.insert(source.name + "\0" + rule.name)
            }
        }
        return names
    }

    /// Judges the records of a batch.
    func inspect(
        _ batch: borrowing RecordBatch, of sample: Sample, timeout: Double, _ out: inout Output
    ) throws(StageError) {
        guard !rules.rules.isEmpty else { return }
        let wanted = Wanted(self, batch)
        guard wanted.isAny else { return }
        let texts = RecordTexts(batch)
        let seconds = min(timeout, out.secondsLeft)
        do throws(YARAError) {
            let externals = YARAExternals(sample, withMD5: rules.usesMD5, now: YARAStage.now)
            var next = 0
            let unjudged = try rules.scanRecords(externals: externals, seconds: seconds) {
                scanner, seconds throws(YARAError) in
                let start = ContinuousClock.now
                for record in try propose(texts, wanted, scanner, seconds) where record >= next {
                    let seconds = min(seconds - (ContinuousClock.now - start) / .seconds(1), out.secondsLeft)
                    guard seconds > 0 else { throw YARAError(.timeout, "the time is over") }
                    try judge(record, of: batch, texts, wanted, scanner, seconds, &out)
                    next = record + 1
                }
            }
            if !unjudged.isEmpty {
                out.note(
                    .timeout,
                    "YARA rules took too long or failed on records and were not judged on some: "
                        + rules.names(of: unjudged))
            }
        } catch {
            throw StageError(error, seconds: seconds, "some of \(batch.count) records were not judged")
        }
    }

    // Records that hold a string of a rule that is meant for them, and those that need no string.
    private func propose(
        _ texts: borrowing RecordTexts, _ wanted: Wanted, _ scanner: Scanner, _ seconds: Double
    ) throws(YARAError) -> [Int] {
        var isCandidate = wanted.isUnbound
        if isCandidate.contains(false) {
            var hits: [(rule: Int, offset: Int)] = []
            let isComplete = try unsafe texts.buffer.withUnsafeBytes { data throws(YARAError) in
                try unsafe scanner.strings(in: data, seconds: seconds) { hits.append(($0, $1)) }
            }
            for hit in hits {
                let record = texts.record(at: hit.offset)
                if !isCandidate[record] { isCandidate[record] = wanted.includes(hit.rule, record) }
            }
            // libyara stops noting a string after a million places: then every record is looked at.
            if !isComplete { return Array(isCandidate.indices) }
        }
        return isCandidate.indices.filter { isCandidate[$0] }
    }

    private func judge(
        _ record: Int, of batch: borrowing RecordBatch, _ texts: borrowing RecordTexts, _ wanted: Wanted,
        _ scanner: Scanner, _ seconds: Double, _ out: inout Output
    ) throws(YARAError) {
        let type = batch.type(of: record)
        let range = texts.range(of: record, withNewline: RecordForm(type) == .registryValue)
        let result = try unsafe texts.buffer.withUnsafeBytes { all throws(YARAError) in
            try unsafe scanner.matches(in: UnsafeRawBufferPointer(rebasing: all[range]), seconds: seconds)
        }
        let text = texts.buffer.span.suffix(from: range.lowerBound).prefix(range.count)
        for match in result.matches where wanted.includes(match.rule, record) {
            let matched = match.occurrences.map { occurrence in
                let start = range.lowerBound + occurrence.offset
                let place = start..<(start + occurrence.length)
                guard let part = texts.part(holding: place) else {
                    return occurrence.text(in: text, at: occurrence.offset, shown: nil, field: nil)
                }
                let isWhole = place == part.start..<part.end
                return occurrence.text(
                    in: text, at: occurrence.offset, shown: isWhole ? nil : start - part.start,
                    field: type.pointer(to: batch.keys.name(of: batch.key(of: part.field))))
            }
            out.report(rules.rules[match.rule].reason(matched: matched), record: record)
        }
    }

    private func isMeant(_ rule: Int, for type: RecordType) -> Bool {
        guard rules.rules[rule].isMeant(for: type.module), rules.rules[rule].target != .memory else { return false }
        switch scopes[rule] {
        case .all: return true
        case .logs: return Self.logTypes.contains(type.name)
        case .registry: return Self.registryTypes.contains(type.name)
        case .limited: return rules.rules[rule].limit != nil
        }
    }

    // Which rules are meant for which records of a batch; a batch has records of few types.
    private struct Wanted {
        private struct Known {
            let type: RecordType
            let isMeant: [Bool]
            let isUnbound: Bool
        }

        private var known: [Known] = []
        private var typeOf: [UInt8] = []

        init(_ rules: RecordRules, _ batch: borrowing RecordBatch) {
            typeOf.reserveCapacity(batch.count)
            for record in 0..<batch.count {
                let type = batch.type(of: record)
                if let index = known.firstIndex(where: { $0.type == type }) {
                    typeOf.append(UInt8(truncatingIfNeeded: index))
                    continue
                }
                let isMeant = rules.scopes.indices.map { rules.isMeant($0, for: type) }
                typeOf.append(UInt8(truncatingIfNeeded: known.count))
                known.append(
                    Known(
                        type: type, isMeant: isMeant,
                        isUnbound: zip(isMeant, rules.isUnbound).contains { $0 && $1 }))
            }
        }

        var isAny: Bool { known.contains { $0.isMeant.contains(true) } }

        /// Whether each record must be judged whatever its text.
        var isUnbound: [Bool] { typeOf.map { known[Int($0)].isUnbound } }

        func includes(_ rule: Int, _ record: Int) -> Bool { known[Int(typeOf[record])].isMeant[rule] }
    }
}
