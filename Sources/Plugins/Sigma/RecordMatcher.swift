import PatternMatching
import Pipeline

// The plan at work on batches of records: each record is classed, the values that its class searches are gathered from
// the whole batch and searched at once, then the candidates are evaluated one by one. One per submission.

struct RecordMatcher: ~Copyable {
    private let plan: Plan
    private(set) var evaluator: Evaluator
    private var classes: ClassTable
    private var gathered: [Gatherer?]
    private var used: [Int] = []
    private var made = ByteArena()
    // Of the batch in work: class of each record, pairs of record and rule to be evaluated, and from which record on
    // lines are read with which columns.
    private var classOfRecord: [Int32] = []
    private var candidates: [UInt64] = []
    private var readers: [(record: Int, reader: LineReader)] = []

    init(plan: Plan) {
        self.plan = plan
        evaluator = Evaluator(plan: plan)
        classes = ClassTable(plan: plan)
        gathered = Array(repeating: nil, count: plan.fieldNumbers.count)
    }

    /// Finds the rules that match records of a batch.
    ///
    /// - Parameters:
    ///   - out: Asked whether time is left.
    ///   - body: Called with rule and record for each match, while the evaluator stands on the record.
    mutating func match(
        _ batch: borrowing RecordBatch, path: String, _ out: inout Output,
        _ body: (_ rule: Int, _ record: Int, borrowing RecordBatch, inout Evaluator, inout Output) -> Void
    ) throws(StageError) {
        classes.prepare(batch.keys, path: path)
        candidates.removeAll(keepingCapacity: true)
        classOfRecord.removeAll(keepingCapacity: true)
        readers = [(0, classes.lines)]
        var searchesKeywords = false
        for record in 0..<batch.count {
            if record & 255 == 0 { try out.checkpoint() }
            let number = classes.classify(record, batch)
            if classes.lineFields == nil, classes.lines.hasChanged(since: readers[readers.count - 1].reader) {
                readers.append((record, classes.lines))
            }
            classOfRecord.append(Int32(truncatingIfNeeded: number))
            if number < 0 { continue }
            let shared = classes.classes[number]
            for rule in shared.always { candidates.append(Self.pair(record, rule)) }
            if shared.searchesKeywords { searchesKeywords = true }
            if !shared.searchedFields.isEmpty { gather(record, number, batch) }
        }
        do {
            try search(batch, keywords: searchesKeywords, out)
        } catch let error as StageError {
            throw error
        } catch {
            throw StageError(.failed, "the pattern search failed: \(error); records were not matched with Sigma rules")
        }
        try evaluate(batch, &out, body)
    }

    private static func pair(_ record: Int, _ rule: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: record) << 32 | UInt64(truncatingIfNeeded: rule)
    }

    // MARK: Candidates

    private mutating func gather(_ record: Int, _ number: Int, _ batch: borrowing RecordBatch) {
        for field in batch.fields(of: record) {
            let index = classes.route(ofKey: batch.key(of: field), class: number)
            if index < 0 { continue }
            let route = classes.routes[index]
            for target in route.searched { add(batch.value(of: field), to: Int(classes.targets[target]), record) }
            for position in route.derived where classes.derivations[position].isSearched {
                let derivation = classes.derivations[position]
                made.truncate(to: 0)
                appendDerived(batch.value(of: field), derivation.form, to: &made)
                gatherer(derivation.field).values.add(made.span, record: record)
            }
        }
        guard let line = classes.lineFields, let field = lineField(of: record, batch) else { return }
        for part in line.fields {
            for target in classes.route(ofLineField: part.name, class: number).searched {
                if let value = batch.value(of: field).slice(at: part.range.lowerBound, count: part.range.count) {
                    add(value, to: Int(classes.targets[target]), record)
                }
            }
        }
    }

    private func lineField(of record: Int, _ batch: borrowing RecordBatch) -> Int? {
        batch.field(named: batch.keys.id(of: "line"), of: record)
    }

    private mutating func add(_ value: RawSpan, to field: Int, _ record: Int) {
        gatherer(field).values.add(value, record: record)
    }

    private mutating func gatherer(_ field: Int) -> Gatherer {
        if let known = gathered[field] {
            if known.values.isEmpty { used.append(field) }
            return known
        }
        let made = Gatherer()
        gathered[field] = made
        used.append(field)
        return made
    }

    private mutating func search(
        _ batch: borrowing RecordBatch, keywords: Bool, _ out: borrowing Output
    ) throws {
        var found: [PatternMatch] = []
        for field in used {
            try out.checkpoint()
            guard let gatherer = gathered[field], let search = plan.searches[field] else { continue }
            found.removeAll(keepingCapacity: true)
            let isComplete = try search.propose(in: gatherer.values, into: &found)
            for match in found { gatherer.values.forEachRecord(at: match.end - 1) { propose(match.id, $0) } }
            if !isComplete {
                for predicate in search.expressionPredicates {
                    gatherer.values.forEachRecord { propose(predicate, $0) }
                }
            }
            gatherer.values.removeAll()
        }
        used.removeAll(keepingCapacity: true)
        guard keywords, let search = plan.keywordSearch else { return }
        try out.checkpoint()
        found.removeAll(keepingCapacity: true)
        let isComplete = try search.propose(in: batch.text, into: &found)
        for match in found {
            if let field = batch.field(at: match.end - 1) { propose(match.id, batch.record(of: field)) }
        }
        if !isComplete {
            for predicate in search.expressionPredicates {
                for record in 0..<batch.count { propose(predicate, record) }
            }
        }
    }

    private mutating func propose(_ predicate: Int, _ record: Int) {
        let number = Int(classOfRecord[record])
        if number < 0 { return }
        let shared = classes.classes[number]
        for rule in plan.rulesOfTrigger[predicate] where shared.isAlive(rule) {
            candidates.append(Self.pair(record, rule))
        }
    }

    // MARK: Evaluation

    private mutating func evaluate(
        _ batch: borrowing RecordBatch, _ out: inout Output,
        _ body: (_ rule: Int, _ record: Int, borrowing RecordBatch, inout Evaluator, inout Output) -> Void
    ) throws(StageError) {
        candidates.sort()
        var current = -1
        var last = UInt64.max
        for index in candidates.indices {
            let candidate = candidates[index]
            if candidate == last { continue }
            last = candidate
            let record = Int(candidate >> 32)
            if record != current {
                try out.checkpoint()
                current = record
                load(record, batch)
            }
            let rule = Int(candidate & 0xFFFF_FFFF)
            if evaluator.holds(rule: rule, batch) { body(rule, record, batch, &evaluator, &out) }
        }
    }

    // Puts a record's values under all the names that rules have for them.
    private mutating func load(_ record: Int, _ batch: borrowing RecordBatch) {
        let number = Int(classOfRecord[record])
        evaluator.begin()
        for field in batch.fields(of: record) {
            let range = batch.textRange(of: field)
            let index = classes.route(ofKey: batch.key(of: field), class: number)
            if index < 0 {
                evaluator.add(field: -1, range: range, batchField: field)
                continue
            }
            let route = classes.routes[index]
            for target in route.fields {
                let known = Int(classes.targets[target])
                // The class of a record is settled by the first of these fields.
                let isSecond = known < ClassField.allCases.count && evaluator.hasValue(ofField: known)
                evaluator.add(field: isSecond ? -1 : known, range: range, batchField: field)
            }
            if route.fields.isEmpty { evaluator.add(field: -1, range: range, batchField: field) }
            for position in route.derived {
                let derivation = classes.derivations[position]
                evaluator.add(
                    field: derivation.field, form: derivation.form, of: batch.value(of: field), batchField: field)
            }
        }
        guard classes.usesLines[number], let field = lineField(of: record, batch) else { return }
        var reader = readers.last { $0.record <= record }?.reader ?? LineReader()
        let start = batch.textRange(of: field).lowerBound
        for part in reader.read(batch.value(of: field))?.fields ?? [] {
            for target in classes.route(ofLineField: part.name, class: number).fields {
                evaluator.add(
                    field: Int(classes.targets[target]),
                    range: (start + part.range.lowerBound)..<(start + part.range.upperBound), batchField: field)
            }
        }
    }
}
