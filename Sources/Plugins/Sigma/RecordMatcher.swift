import PatternMatching
import Pipeline

// The plan at work on batches of records: each record is classed, the values that its class searches are gathered from
// the whole batch and searched at once, then the candidates are evaluated one by one. One per submission.

final class RecordMatcher {
    let plan: Plan
    private(set) var evaluator: Evaluator
    private var classes: ClassTable
    private var gathered: [GatheredValues?]
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
    func match(
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
            if classes.lines.hasChanged(since: readers[readers.count - 1].reader) {
                readers.append((record, classes.lines))
            }
            classOfRecord.append(Int32(truncatingIfNeeded: number))
            if number < 0 { continue }
            let shared = classes.entries[number].shared
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

    private func gather(_ record: Int, _ number: Int, _ batch: borrowing RecordBatch) {
        for field in batch.fields(of: record) {
            let index = classes.route(ofKey: batch.key(of: field), class: number)
            if index < 0 { continue }
            let route = classes.entries[number].routes[index]
            for searched in route.searched { add(batch.value(of: field), to: searched, record) }
            for derived in route.derived where derived.isSearched {
                made.truncate(to: 0)
                appendDerived(batch.value(of: field), derived.form, to: &made)
                add(made.span, to: derived.field, record)
            }
        }
        guard let line = classes.lineFields, let field = lineField(of: record, batch) else { return }
        for part in line.fields {
            for searched in classes.route(ofLineField: part.name, class: number).searched {
                if let value = batch.value(of: field).slice(at: part.range.lowerBound, count: part.range.count) {
                    add(value, to: searched, record)
                }
            }
        }
    }

    private func lineField(of record: Int, _ batch: borrowing RecordBatch) -> Int? {
        batch.field(named: batch.keys.id(of: "line"), of: record)
    }

    private func add(_ value: RawSpan, to field: Int, _ record: Int) {
        if let values = gathered[field] {
            if values.isEmpty { used.append(field) }
            values.add(value, record: record)
        } else {
            let values = GatheredValues()
            values.add(value, record: record)
            gathered[field] = values
            used.append(field)
        }
    }

    private func search(
        _ batch: borrowing RecordBatch, keywords: Bool, _ out: borrowing Output
    ) throws {
        var found: [PatternMatch] = []
        for field in used {
            try out.checkpoint()
            guard let values = gathered[field], let search = plan.searches[field] else { continue }
            found.removeAll(keepingCapacity: true)
            let isComplete = try search.propose(in: values.text.span, into: &found)
            for match in found { values.forEachRecord(at: match.end - 1) { propose(match.id, $0) } }
            if !isComplete {
                for predicate in search.expressionPredicates { values.forEachRecord { propose(predicate, $0) } }
            }
            values.removeAll()
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

    private func propose(_ predicate: Int, _ record: Int) {
        let number = Int(classOfRecord[record])
        if number < 0 { return }
        let shared = classes.entries[number].shared
        for rule in plan.rulesOfTrigger[predicate] where shared.isAlive(rule) {
            candidates.append(Self.pair(record, rule))
        }
    }

    // MARK: Evaluation

    private func evaluate(
        _ batch: borrowing RecordBatch, _ out: inout Output,
        _ body: (_ rule: Int, _ record: Int, borrowing RecordBatch, inout Evaluator, inout Output) -> Void
    ) throws(StageError) {
        candidates.sort()
        var current = -1
        var last = UInt64.max
        for candidate in candidates {
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
    private func load(_ record: Int, _ batch: borrowing RecordBatch) {
        let number = Int(classOfRecord[record])
        evaluator.begin()
        var seen = [Bool](repeating: false, count: ClassField.allCases.count)
        for field in batch.fields(of: record) {
            let range = batch.textRange(of: field)
            let index = classes.route(ofKey: batch.key(of: field), class: number)
            if index < 0 {
                evaluator.add(field: -1, range: range, batchField: field)
                continue
            }
            let route = classes.entries[number].routes[index]
            for known in route.fields {
                // The class of a record is settled by the first of these fields.
                let isSecond = known < seen.count && seen[known]
                if known < seen.count { seen[known] = true }
                evaluator.add(field: isSecond ? -1 : known, range: range, batchField: field)
            }
            if route.fields.isEmpty { evaluator.add(field: -1, range: range, batchField: field) }
            for derived in route.derived {
                evaluator.add(field: derived.field, form: derived.form, of: batch.value(of: field), batchField: field)
            }
        }
        guard classes.entries[number].usesLines, let field = lineField(of: record, batch) else { return }
        var reader = readers.last { $0.record <= record }?.reader ?? LineReader()
        let start = batch.textRange(of: field).lowerBound
        for part in reader.read(batch.value(of: field))?.fields ?? [] {
            for known in classes.route(ofLineField: part.name, class: number).fields {
                evaluator.add(
                    field: known, range: (start + part.range.lowerBound)..<(start + part.range.upperBound),
                    batchField: field)
            }
        }
    }
}
