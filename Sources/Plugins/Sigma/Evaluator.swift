import PatternMatching
import Pipeline

// Exact evaluation of conditions on one record. Every predicate is tested once per record, in whatever rules it occurs.

struct Evaluator: ~Copyable {
    let plan: Plan
    private(set) var values: [RecordValue] = []
    /// Rules whose expression took too long on a value.
    private(set) var explodedRules: Set<Int> = []

    private var folded = ByteArena()
    private var derived = ByteArena()
    // For each predicate the record it was tested on, doubled, plus its truth.
    private var known: [UInt32] = []
    // For each field its first and last value of the record, -1 if it has none.
    private var firstOfField: [Int32]
    private var lastOfField: [Int32]
    private var generation: UInt32 = 0
    private var hasExploded = false

    init(plan: Plan) {
        self.plan = plan
        firstOfField = Array(repeating: -1, count: plan.fieldNumbers.count)
        lastOfField = firstOfField
    }

    // MARK: The record

    /// Forgets the record before.
    mutating func begin() {
        for value in values where value.field >= 0 { firstOfField[value.field] = -1 }
        values.removeAll(keepingCapacity: true)
        folded.truncate(to: 0)
        derived.truncate(to: 0)
        if known.isEmpty { known = Array(repeating: 0, count: plan.predicates.count) }
        generation &+= 2
        if generation < 2 {
            generation = 2
            for index in known.indices { known[index] = 0 }
        }
    }

    /// Adds a value that lies in the batch's text.
    mutating func add(field: Int, range: Range<Int>, batchField: Int) {
        append(RecordValue(field: field, start: range.lowerBound, count: range.count, batchField: batchField))
    }

    /// Adds a value that is made from another.
    mutating func add(field: Int, form: FieldAlias.Form, of text: RawSpan, batchField: Int) {
        let start = derived.count
        appendDerived(text, form, to: &derived)
        append(
            RecordValue(
                field: field, start: start, count: derived.count - start, batchField: batchField, isDerived: true))
    }

    private mutating func append(_ value: RecordValue) {
        let field = value.field
        if field >= 0 {
            if firstOfField[field] < 0 {
                firstOfField[field] = Int32(truncatingIfNeeded: values.count)
            } else {
                values[Int(lastOfField[field])].next = values.count
            }
            lastOfField[field] = Int32(truncatingIfNeeded: values.count)
        }
        values.append(value)
    }

    /// Whether the record has a value under this field.
    func hasValue(ofField field: Int) -> Bool { firstOfField[field] >= 0 }

    /// The bytes of a value.
    func bytes(of value: Int, _ batch: borrowing RecordBatch) -> [UInt8] {
        let value = values[value]
        if value.isDerived { return copy(derived.span, value) }
        return copy(batch.text, value)
    }

    /// The first value of a field as text; empty if there is none.
    func text(ofField field: Int, _ batch: borrowing RecordBatch) -> String {
        let index = Int(firstOfField[field])
        return index < 0 ? "" : bytes(of: index, batch).rawSpan.utf8Text
    }

    // MARK: Conditions

    /// Whether a rule's condition holds.
    mutating func holds(rule: Int, _ batch: borrowing RecordBatch) -> Bool {
        guard let root = plan.rules[rule].root else { return false }
        hasExploded = false
        let truth = holds(node: root, batch)
        if hasExploded { explodedRules.insert(rule) }
        return truth
    }

    private mutating func holds(node index: Int, _ batch: borrowing RecordBatch) -> Bool {
        let node = plan.nodes[index]
        let first = Int(node.firstChild)
        let end = first + Int(node.childCount)
        switch node.kind {
        case .predicate: return test(Int(node.value), batch)
        case .not: return first < end && !holds(node: Int(plan.children[first]), batch)
        case .all:
            for child in first..<end where !holds(node: Int(plan.children[child]), batch) { return false }
            return true
        case .any:
            for child in first..<end where holds(node: Int(plan.children[child]), batch) { return true }
            return false
        case .atLeast:
            var count = 0
            for child in first..<end where holds(node: Int(plan.children[child]), batch) { count += 1 }
            return count >= Int(node.value)
        }
    }

    /// Predicates that hold and make a rule's condition hold.
    mutating func satisfied(rule: Int, _ batch: borrowing RecordBatch) -> [Int] {
        guard let root = plan.rules[rule].root else { return [] }
        var found: [Int] = []
        collect(root, batch, &found)
        return found
    }

    private mutating func collect(_ index: Int, _ batch: borrowing RecordBatch, _ found: inout [Int]) {
        let node = plan.nodes[index]
        switch node.kind {
        case .predicate: found.append(Int(node.value))
        case .not: return
        case .all, .any, .atLeast:
            for child in Int(node.firstChild)..<Int(node.firstChild + node.childCount) {
                let inner = Int(plan.children[child])
                if holds(node: inner, batch) { collect(inner, batch, &found) }
            }
        }
    }

    // MARK: Predicates

    private mutating func test(_ number: Int, _ batch: borrowing RecordBatch) -> Bool {
        if known[number] & ~1 == generation { return known[number] & 1 == 1 }
        let truth = firstValue(satisfying: number, batch) != nil
        known[number] = generation | (truth ? 1 : 0)
        return truth
    }

    /// The value on which a predicate holds, and the part of it that was meant; value -1 when none is needed.
    mutating func firstValue(
        satisfying number: Int, _ batch: borrowing RecordBatch
    ) -> (value: Int, range: Range<Int>)? {
        let field = plan.predicateFields[number]
        if field < 0 {
            for index in values.indices where isOwn(index) {
                if let range = range(number, value: index, batch) { return (index, range) }
            }
            return nil
        }
        var index = Int(firstOfField[field])
        switch plan.forms[number] {
        case .other:
            switch plan.predicates[number].test {
            case .exists: return index < 0 ? nil : (index, 0..<values[index].count)
            case .empty:
                while index >= 0 {
                    if values[index].count > 0 { return nil }
                    index = values[index].next
                }
                return (-1, 0..<0)
            default: break
            }
        default: break
        }
        while index >= 0 {
            if let range = range(number, value: index, batch) { return (index, range) }
            index = values[index].next
        }
        return nil
    }

    // A keyword looks at each field of the record once.
    private func isOwn(_ index: Int) -> Bool {
        if values[index].isDerived { return false }
        return index == 0 || values[index - 1].batchField != values[index].batchField
    }

    private mutating func range(
        _ number: Int, value index: Int, _ batch: borrowing RecordBatch
    ) -> Range<Int>? {
        let form = plan.forms[number]
        if form != .other {
            fold(index, batch)
            return Self.match(form, plan.needles[number], values[index], folded: folded.span)
        }
        let test = plan.predicates[number].test
        if case .text(let pattern) = test, !pattern.isCased {
            fold(index, batch)
            return Self.match(pattern, values[index], folded: folded.span)
        }
        if case .field(_, let before, let after, let isCased) = test {
            return compare(index, plan.otherFields[number], before, after, isCased, batch)
        }
        let value = values[index]
        let expression = plan.expressions[number]
        var isExploding = false
        defer { if isExploding { hasExploded = true } }
        if value.isDerived { return Self.range(of: test, expression, value, in: derived.span, &isExploding) }
        return Self.range(of: test, expression, value, in: batch.text, &isExploding)
    }

    private static func match(
        _ form: TextForm, _ needle: [UInt8], _ value: RecordValue, folded: RawSpan
    ) -> Range<Int>? {
        form.match(needle, folded.suffix(from: value.foldedStart).prefix(value.foldedCount))
    }

    private static func match(_ pattern: TextPattern, _ value: RecordValue, folded: RawSpan) -> Range<Int>? {
        pattern.match(folded.suffix(from: value.foldedStart).prefix(value.foldedCount))
    }

    private static func range(
        of test: Test, _ expression: ExactRegex?, _ value: RecordValue, in all: RawSpan, _ hasExploded: inout Bool
    ) -> Range<Int>? {
        guard let text = all.slice(at: value.start, count: value.count) else { return nil }
        let whole = 0..<text.byteCount
        switch test {
        case .text(let pattern): return pattern.match(text)
        case .regex:
            do {
                return try expression?.firstMatch(in: text)
            } catch {
                hasExploded = true
                return nil
            }
        case .network(let network):
            return IPAddress(text).map { network.contains($0) } == true ? whole : nil
        case .number(let comparison, let limit):
            guard let value = Sigma.number(in: text), comparison.holds(value, limit) else { return nil }
            return whole
        case .time(let part, let comparison, let limit):
            guard let time = TimeText(text), comparison.holds(Double(time.value(of: part)), limit) else { return nil }
            return whole
        case .field, .exists, .empty: return nil
        }
    }

    private func compare(
        _ index: Int, _ other: Int, _ before: Bool, _ after: Bool, _ isCased: Bool, _ batch: borrowing RecordBatch
    ) -> Range<Int>? {
        guard other >= 0 else { return nil }
        var candidate = Int(firstOfField[other])
        while candidate >= 0 {
            defer { candidate = values[candidate].next }
            let wanted: [UInt8]
            if isCased {
                wanted = bytes(of: candidate, batch)
            } else {
                wanted = CaseFolding.folded(bytes(of: candidate, batch))
            }
            var pattern = TextPattern([.literal(wanted)]).extended(before: before, after: after)
            pattern = pattern.comparable(isCased: true)
            let text = isCased ? bytes(of: index, batch) : CaseFolding.folded(bytes(of: index, batch))
            if let range = pattern.match(text.rawSpan) { return range }
        }
        return nil
    }

    private func copy(_ all: RawSpan, _ value: RecordValue) -> [UInt8] {
        all.slice(at: value.start, count: value.count)?.array ?? []
    }

    private static func appendFolded(_ all: RawSpan, _ value: RecordValue, _ folded: inout ByteArena) {
        if let text = all.slice(at: value.start, count: value.count) { CaseFolding.append(text, to: &folded) }
    }

    // The value in lower case, made when it is first asked for.
    private mutating func fold(_ index: Int, _ batch: borrowing RecordBatch) {
        let value = values[index]
        if value.foldedStart >= 0 { return }
        let start = folded.count
        if value.isDerived {
            CaseFolding.append(copy(derived.span, value).rawSpan, to: &folded)
        } else {
            Self.appendFolded(batch.text, value, &folded)
        }
        values[index].foldedStart = start
        values[index].foldedCount = folded.count - start
    }
}
