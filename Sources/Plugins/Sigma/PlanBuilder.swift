import PatternMatching
import Pipeline

// Compiles rules into a plan.

struct PlanBuilder: ~Copyable {
    /// Most nodes of one rule's condition.
    static let nodeLimit = 200_000

    private(set) var rules: [PlannedRule] = []
    private(set) var nodes: [PlanNode] = []
    private(set) var children: [Int32] = []
    private(set) var predicates: [Predicate] = []
    private(set) var expressions: [Int: ExactRegex] = [:]
    private(set) var fieldNumbers: [String: Int] = [:]
    private(set) var searches: [Int: TriggerSearch] = [:]
    private(set) var keywordSearch: TriggerSearch?
    private(set) var rulesOfTrigger: [Int: [Int]] = [:]
    private(set) var sources: [RecordSource] = []
    private(set) var rulesOfSource: [[Int]] = []
    /// Logsources that no record here has, with the number of their rules.
    private(set) var unmapped: [LogSource: Int] = [:]

    private var predicateNumbers: [Predicate: Int] = [:]
    private var sourceNumbers: [RecordSource: Int] = [:]
    private var uses: [Int] = []
    private var detections: [Int: Detection] = [:]

    init() {
        // The fields of a class have the first numbers.
        for name in ClassField.names { fieldNumbers[name] = fieldNumbers.count }
    }

    /// Adds a rule; its records are found by the map.
    ///
    /// - Returns: Its numbers in the plan: one for each set of conditions that the map makes on fields.
    mutating func add(_ rule: SigmaRule, map: LogSourceMap) throws(RuleError) -> [Int] {
        guard case .detection(let logSource, let written) = rule.body else {
            rules.append(PlannedRule(rule: rule))
            return [rules.count - 1]
        }
        let found = map.sources(of: logSource)
        if found.isEmpty {
            unmapped[logSource, default: 0] += 1
            rules.append(PlannedRule(rule: rule))
            return [rules.count - 1]
        }
        var numbers: [Int] = []
        var rest = found
        while let first = rest.first {
            let group = rest.filter { $0.conditions == first.conditions }
            rest.removeAll { $0.conditions == first.conditions }
            let detection = first.detection.map { .all([$0, written]) } ?? written
            var budget = Self.nodeLimit
            var planned = PlannedRule(rule: rule, root: Int(try addNode(detection, &budget)))
            detection.forEach { predicate in
                if let field = predicate.field, ClassField.names.contains(field) { planned.usesClass = true }
            }
            detections[rules.count] = detection
            for source in group { add(source, rule: rules.count) }
            numbers.append(rules.count)
            rules.append(planned)
        }
        return numbers
    }

    private mutating func add(_ source: RecordSource, rule number: Int) {
        var source = source
        source.conditions = [:]
        let index = sourceNumbers[source] ?? sources.count
        if index == sources.count {
            sourceNumbers[source] = index
            sources.append(source)
            rulesOfSource.append([])
            for alias in source.aliases { addField(alias.field) }
        }
        if rulesOfSource[index].last != number { rulesOfSource[index].append(number) }
    }

    /// Connects a correlation with the rules it is about.
    mutating func connect(_ correlation: Int, rules targets: [Int], generate: Bool, fields: [String]) {
        for target in targets {
            rules[target].correlations.append(correlation)
            if !generate { rules[target].isReported = false }
        }
        for field in fields { addField(field) }
    }

    /// Chooses triggers and compiles them; to be called once, after the last rule.
    mutating func finish() {
        for (number, detection) in detections {
            rules[number].triggers = trigger(of: detection)?.predicates
        }
        for (number, rule) in rules.enumerated() {
            for predicate in rule.triggers ?? [] { rulesOfTrigger[predicate, default: []].append(number) }
        }
        let pool = ScratchPool()
        var refused: [Int] = []
        var byField: [Int: [Int]] = [:]
        for predicate in rulesOfTrigger.keys.sorted() {
            byField[predicates[predicate].field.flatMap { fieldNumbers[$0] } ?? -1, default: []].append(predicate)
        }
        for (field, triggers) in byField.sorted(by: { $0.key < $1.key }) {
            let search = Self.search(triggers.map { ($0, predicates[$0].test) }, pool: pool, &refused)
            if field < 0 { keywordSearch = search } else { searches[field] = search }
        }
        // What cannot be searched for does not hide a match: its rules are evaluated on every record.
        for predicate in refused {
            for number in rulesOfTrigger[predicate] ?? [] { rules[number].triggers = nil }
        }
    }

    // Adds to `refused` the predicates that cannot be searched for.
    private static func search(
        _ triggers: [(number: Int, test: Test)], pool: ScratchPool, _ refused: inout [Int]
    ) -> TriggerSearch {
        var texts: [Pattern] = []
        var expressions: [Pattern] = []
        for trigger in triggers {
            guard var pattern = trigger.test.proposal else { continue }
            pattern.id = trigger.number
            if pattern.isLiteral { texts.append(pattern) } else { expressions.append(pattern) }
        }
        let literals = PatternDatabase(texts, pool: pool)
        let set = PatternSet(expressions, pool: pool)
        refused += literals.refused.map(\.id) + set.rejected.map { expressions[$0.index].id }
        return TriggerSearch(
            texts: literals, expressions: set, expressionPredicates: expressions.map(\.id),
            needsUTF8: expressions.contains { $0.flags.contains(.utf8) })
    }

    private mutating func addField(_ name: String) {
        if fieldNumbers[name] == nil { fieldNumbers[name] = fieldNumbers.count }
    }

    private mutating func addNode(_ detection: Detection, _ budget: inout Int) throws(RuleError) -> Int32 {
        budget -= 1
        guard budget >= 0 else { throw RuleError("the condition has more than \(Self.nodeLimit) parts") }
        var node = PlanNode(kind: .predicate)
        var inner: [Detection] = []
        switch detection {
        case .test(let predicate): node.value = Int32(truncatingIfNeeded: try number(of: predicate))
        case .not(let one): (node.kind, inner) = (.not, [one])
        case .all(let parts): (node.kind, inner) = (.all, parts)
        case .any(let parts): (node.kind, inner) = (.any, parts)
        case .atLeast(let count, let parts):
            (node.kind, inner) = (.atLeast, parts)
            node.value = Int32(truncatingIfNeeded: count)
        }
        var indices: [Int32] = []
        for part in inner { indices.append(try addNode(part, &budget)) }
        node.firstChild = Int32(truncatingIfNeeded: children.count)
        node.childCount = Int32(truncatingIfNeeded: indices.count)
        children += indices
        nodes.append(node)
        return Int32(truncatingIfNeeded: nodes.count - 1)
    }

    private mutating func number(of predicate: Predicate) throws(RuleError) -> Int {
        if let known = predicateNumbers[predicate] {
            uses[known] += 1
            return known
        }
        let number = predicates.count
        if case .regex(let text, let flags) = predicate.test {
            do {
                expressions[number] = try ExactRegex(text, flags: flags)
            } catch {
                throw RuleError("'\(text)' is no regular expression: \(error)")
            }
        }
        if let field = predicate.field { addField(field) }
        if case .field(let other, _, _, _) = predicate.test { addField(other) }
        predicates.append(predicate)
        predicateNumbers[predicate] = number
        uses.append(1)
        return number
    }

    // MARK: Triggers

    private struct Trigger {
        var predicates: [Int]
        var cost: Double
    }

    // Of parts that must all hold, the one that is found least often; of alternatives, all of them.
    private func trigger(of detection: Detection) -> Trigger? {
        switch detection {
        case .test(let predicate): return trigger(of: predicate)
        case .not(.not(let inner)): return trigger(of: inner)
        case .not: return nil
        case .all(let parts): return parts.compactMap { trigger(of: $0) }.min { $0.cost < $1.cost }
        case .any(let parts): return union(parts, missing: 0)
        case .atLeast(let count, let parts): return union(parts, missing: count - 1)
        }
    }

    private func union(_ parts: [Detection], missing allowed: Int) -> Trigger? {
        var all = Trigger(predicates: [], cost: 0)
        var missing = 0
        for part in parts {
            if let one = trigger(of: part) {
                all.predicates += one.predicates
                all.cost += one.cost
            } else {
                missing += 1
                if missing > allowed { return nil }
            }
        }
        return all.predicates.isEmpty ? nil : all
    }

    private func trigger(of predicate: Predicate) -> Trigger? {
        // The class of a record has settled these already.
        if let field = predicate.field, ClassField.names.contains(field) { return nil }
        guard let number = predicateNumbers[predicate], let pattern = predicate.test.proposal else { return nil }
        // What many rules ask for is common in logs; a long text is rare.
        let length = pattern.isLiteral ? min(pattern.expression.count, 16) : 4
        var rarity = 1.0
        for _ in 0..<length { rarity *= 0.7 }
        return Trigger(predicates: [number], cost: rarity * Double(1 + uses[number]))
    }
}

extension Test {
    /// What a search looks for so that no value on which the test holds is missed; nil if nothing is certain.
    var proposal: Pattern? {
        switch self {
        case .text(let pattern): return pattern.proposal
        case .regex(let text, let flags):
            let pattern = Pattern(id: 0, regex: text, flags: flags)
            let nothing: [UInt8] = []
            // An empty match has no place in joined values.
            guard let regex = try? ExactRegex(pattern), let none = try? regex.matches(nothing.rawSpan), !none else {
                return nil
            }
            return pattern
        case .network, .number, .time, .field, .exists, .empty: return nil
        }
    }
}

extension TextPattern {
    // As many bytes of a text say that all of it may be there.
    private static let searchedBytes = 256

    fileprivate var proposal: Pattern? {
        let literal = longestLiteral
        if literal.isEmpty { return nil }
        let isPlain = literal.allSatisfy { $0 < 0x80 }
        let isInside = parts.first == .anyText && parts.last == .anyText && !parts.contains(.dash)
        if isPlain && (isInside || literal.count >= 4) {
            return Pattern(id: 0, literal: Array(literal.prefix(Self.searchedBytes)), flags: [.caseless])
        }
        return Pattern(id: 0, regex: regexText, flags: [.caseless])
    }

    // The pattern as an expression over bytes: letters beyond ASCII as their spellings in either case.
    private var regexText: String {
        var text = parts.first == .anyText ? "" : "^"
        for (index, part) in parts.enumerated() {
            switch part {
            case .literal(let bytes): text += Self.expression(for: bytes)
            case .anyText: if index > 0 && index < parts.count - 1 { text += "[\\x00-\\xFF]*" }
            case .anyCharacter: text += "[\\x00-\\xFF]{1,4}"
            case .dash: text += "(?:" + Self.dashes.map { Self.escaped($0) }.joined(separator: "|") + ")"
            }
        }
        return text + (parts.last == .anyText ? "" : "$")
    }

    private static func expression(for bytes: [UInt8]) -> String {
        var text = ""
        var position = 0
        while position < bytes.count {
            guard bytes[position] >= 0x80, let (scalar, width) = decodeUTF8(bytes.rawSpan, at: position) else {
                text += escaped([bytes[position]])
                position += 1
                continue
            }
            let spellings = CaseFolding.spellings(of: CaseFolding.lower(scalar)).map { escaped(utf8(of: $0)) }
            text += spellings.count == 1 ? spellings[0] : "(?:" + spellings.joined(separator: "|") + ")"
            position += width
        }
        return text
    }

    private static func escaped(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return String(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                return "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }.joined()
    }
}
