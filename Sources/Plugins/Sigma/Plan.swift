import PatternMatching
import Pipeline
import Synchronization

// All rules as one plan: predicates that occur in several rules are one, conditions are nodes in one table, and the
// texts that a rule cannot match without (its triggers) lie in one Hyperscan database per field. A record is first
// put into a class by type, channel, provider and event id, which leaves few rules alive; their triggers are searched
// for in many values at once; only rules whose trigger was found, and the few without one, are evaluated.

/// A rule as the plan knows it.
struct PlannedRule: Sendable {
    var rule: SigmaRule
    /// Node of its condition; nil for rules without records and for correlations.
    var root: Int?
    /// Whether channel, provider or event id are asked for.
    var usesClass = false
    /// Predicates of which one holds whenever the rule matches; nil if there are none such.
    var triggers: [Int]?
    /// Whether a match is reported, besides what correlations make of it.
    var isReported = true
    /// Correlations that count its matches.
    var correlations: [Int] = []
}

/// A step of a condition.
struct PlanNode: Sendable {
    enum Kind: UInt8, Sendable {
        case predicate, not, all, any, atLeast
    }

    var kind: Kind
    /// Number of the predicate, or how many of the children.
    var value: Int32 = 0
    var firstChild: Int32 = 0
    var childCount: Int32 = 0
}

/// Patterns that are searched for in the values of one field; their ids are predicates.
struct TriggerSearch: Sendable {
    var texts: PatternDatabase
    var expressions: PatternSet
    /// Predicate of each expression.
    var expressionPredicates: [Int]
    /// Whether any expression is about characters instead of bytes.
    var needsUTF8: Bool

    /// Finds predicates that may hold for gathered values.
    func propose(in values: borrowing GatheredValues, into found: inout [PatternMatch]) throws(PatternError) -> Bool {
        try propose(in: values.text.span, into: &found)
    }

    /// Finds predicates that may hold; a match's `end` is the offset after a byte of the value in which it may.
    ///
    /// - Returns: Whether all were searched for; expressions about characters cannot be in text that is no UTF-8, nor
    ///   ones that explode in any.
    func propose(in text: RawSpan, into found: inout [PatternMatch]) throws(PatternError) -> Bool {
        // To find each pattern once per line takes a table of all patterns, which a short text does not pay for.
        let isLong = text.byteCount > 2_048
        try texts.scan(text, oncePerLine: isLong, limit: .max, into: &found)
        if expressions.isEmpty { return true }
        if needsUTF8 && !isValidUTF8(text) { return false }
        let start = found.count
        do {
            try expressions.propose(in: text, into: &found)
        } catch {
            // One that explodes does not hide the others: each is tried on each value by itself.
            guard error.code == .matchLimit else { throw error }
            found.removeSubrange(start...)
            return false
        }
        for index in start..<found.count { found[index].id = expressionPredicates[found[index].id] }
        return true
    }
}

/// Everything that is known of all rules.
final class Plan: Sendable {
    let rules: [PlannedRule]
    let nodes: [PlanNode]
    let children: [Int32]
    let predicates: [Predicate]
    /// For each predicate the field's number, -1 for keywords.
    let predicateFields: [Int]
    /// How each predicate's text is compared, and with what.
    let forms: [TextForm]
    let needles: [[UInt8]]
    /// For each predicate that compares two fields, the other one's number.
    let otherFields: [Int]
    /// For each predicate its compiled expression.
    let expressions: [Int: ExactRegex]
    let fieldNumbers: [String: Int]
    /// Searches by field.
    let searches: [Int: TriggerSearch]
    let keywordSearch: TriggerSearch?
    /// Rules of each trigger.
    let rulesOfTrigger: [[Int]]
    let sources: [RecordSource]
    /// Rules of each source.
    let rulesOfSource: [[Int]]
    /// Record types that have rules.
    let types: Set<String>
    /// Record types whose lines are divided into fields.
    let lineTypes: Set<String>
    /// Patterns of paths that any source asks for; what a sample's path has of them is part of its records' class.
    let pathSources: [Int]
    private let classes = Mutex<[RecordClass.Key: RecordClass]>([:])

    init(_ builder: borrowing PlanBuilder) {
        rules = builder.rules
        nodes = builder.nodes
        children = builder.children
        predicates = builder.predicates
        predicateFields = predicates.map { predicate in
            predicate.field.map { builder.fieldNumbers[$0] ?? -1 } ?? -1
        }
        forms = predicates.map { predicate in
            if case .text(let pattern) = predicate.test { return pattern.form }
            return .other
        }
        needles = predicates.map { predicate in
            if case .text(let pattern) = predicate.test { return pattern.longestLiteral }
            return []
        }
        otherFields = predicates.map { predicate in
            guard case .field(let name, _, _, _) = predicate.test else { return -1 }
            return builder.fieldNumbers[name] ?? -1
        }
        expressions = builder.expressions
        fieldNumbers = builder.fieldNumbers
        searches = builder.searches
        keywordSearch = builder.keywordSearch
        rulesOfTrigger = builder.predicates.indices.map { builder.rulesOfTrigger[$0] ?? [] }
        sources = builder.sources
        rulesOfSource = builder.rulesOfSource
        types = Set(sources.flatMap(\.types))
        lineTypes = Set(sources.filter { $0.form != nil }.flatMap(\.types))
        pathSources = sources.indices.filter { builder.sources[$0].needsPath }
    }

    /// The class of records of this kind; made when it is met first.
    func recordClass(_ key: RecordClass.Key) -> RecordClass {
        if let known = classes.withLock({ $0[key] }) { return known }
        let made = RecordClass(key, plan: self)
        // A hostile log may name any number of channels; what lies beyond is made anew each time.
        classes.withLock { if $0.count < 16_384 { $0[key] = made } }
        return made
    }

    /// Which of the sources that ask for a path take this one.
    func pathSources(taking path: String) -> [Int] {
        let bytes = Array(path.lowercased().utf8).map { $0 == 0x5C ? 0x2F : $0 }
        return pathSources.filter { sources[$0].takes(path: bytes) }
    }
}

extension RecordSource {
    var needsPath: Bool { !paths.isEmpty }
}

/// Fields whose values are part of a record's class.
enum ClassField: Int, CaseIterable {
    case channel, provider, event

    static let names = ["channel", "provider_name", "eventid"]
}

/// Records that the same rules may match.
final class RecordClass: Sendable {
    struct Key: Hashable {
        /// Record type in lower case.
        var type: String
        /// Values of the fields in `ClassField`; nil where the record has none.
        var values: [[UInt8]?]
        var form: LineForm?
        /// Sources whose paths take the sample's.
        var pathSources: [Int]
    }

    /// One bit for each rule that may match.
    let alive: [UInt64]
    /// Rules that are evaluated on every record.
    let always: [Int]
    /// Fields that are searched for triggers.
    let searchedFields: Set<Int>
    let searchesKeywords: Bool
    /// Whether any field of a rule may be the same as another of the record.
    let aliases: [FieldAlias]
    /// Whether any rule is left.
    let isEmpty: Bool

    func isAlive(_ rule: Int) -> Bool { alive[rule >> 6] >> UInt64(rule & 63) & 1 == 1 }

    init(_ key: Key, plan: Plan) {
        var alive = [UInt64](repeating: 0, count: plan.rules.count / 64 + 1)
        var always: [Int] = []
        var searched: Set<Int> = []
        var keywords = false
        var aliases: Set<FieldAlias> = []
        var isEmpty = true
        var values: [RecordValue] = []
        let text = Self.joined(key.values, &values)
        let matcher = ClassMatcher(plan: plan, values: values, text: text)
        for (index, source) in plan.sources.enumerated() where source.takes(key, index: index) {
            aliases.formUnion(source.aliases)
            for rule in plan.rulesOfSource[index] where alive[rule >> 6] >> UInt64(rule & 63) & 1 == 0 {
                let planned = plan.rules[rule]
                guard let root = planned.root, !planned.usesClass || matcher.mayHold(root) else { continue }
                alive[rule >> 6] |= 1 << UInt64(rule & 63)
                isEmpty = false
                guard let triggers = planned.triggers else {
                    always.append(rule)
                    continue
                }
                for trigger in triggers {
                    let field = plan.predicateFields[trigger]
                    if field < 0 { keywords = true } else { searched.insert(field) }
                }
            }
        }
        self.alive = alive
        self.always = always
        searchedFields = searched
        searchesKeywords = keywords
        self.aliases = aliases.sorted { ($0.field, $0.actual) < ($1.field, $1.actual) }
        self.isEmpty = isEmpty
    }

    private static func joined(_ parts: [[UInt8]?], _ values: inout [RecordValue]) -> [UInt8] {
        var text: [UInt8] = []
        for (index, part) in parts.enumerated() {
            guard let part else { continue }
            values.append(RecordValue(field: index, start: text.count, count: part.count))
            text += part
        }
        return text
    }
}

extension RecordSource {
    /// Whether records of a class are this source's.
    fileprivate func takes(_ key: RecordClass.Key, index: Int) -> Bool {
        func fits(_ wanted: Set<String>, _ field: ClassField) -> Bool {
            if wanted.isEmpty { return true }
            guard let value = key.values[field.rawValue] else { return false }
            return wanted.contains(String(decoding: value, as: UTF8.self).lowercased())
        }
        guard types.contains(key.type), form == nil || form == key.form else { return false }
        guard paths.isEmpty || key.pathSources.contains(index) else { return false }
        return fits(channels, .channel) && fits(providers, .provider) && fits(events, .event)
    }
}

/// Evaluates what is known of a whole class: a rule that cannot hold for any of its records is left out.
private struct ClassMatcher {
    let plan: Plan
    let values: [RecordValue]
    let text: [UInt8]

    func mayHold(_ root: Int) -> Bool { truth(root) != false }

    private func truth(_ index: Int) -> Bool? {
        let node = plan.nodes[index]
        let children = plan.children[Int(node.firstChild)..<Int(node.firstChild + node.childCount)]
        switch node.kind {
        case .predicate: return truth(ofPredicate: Int(node.value))
        case .not: return children.first.flatMap { truth(Int($0)) }.map { !$0 }
        case .all:
            var isOpen = false
            for child in children {
                switch truth(Int(child)) {
                case false?: return false
                case nil: isOpen = true
                case true?: continue
                }
            }
            return isOpen ? nil : true
        case .any: return count(children, atLeast: 1)
        case .atLeast: return count(children, atLeast: Int(node.value))
        }
    }

    private func count(_ children: ArraySlice<Int32>, atLeast wanted: Int) -> Bool? {
        var held = 0
        var open = 0
        for child in children {
            switch truth(Int(child)) {
            case true?: held += 1
            case nil: open += 1
            case false?: continue
            }
            if held >= wanted { return true }
        }
        return held + open >= wanted ? nil : false
    }

    private func truth(ofPredicate number: Int) -> Bool? {
        let predicate = plan.predicates[number]
        guard let name = predicate.field, let field = ClassField.names.firstIndex(of: name) else { return nil }
        let value = values.first { $0.field == field }
        switch predicate.test {
        case .exists: return value != nil
        case .empty: return value.map { $0.count == 0 } ?? true
        case .text(let pattern):
            guard let value, let raw = text.rawSpan.slice(at: value.start, count: value.count) else { return false }
            if pattern.isCased { return pattern.match(raw) != nil }
            return pattern.match(CaseFolding.folded(raw.array).rawSpan) != nil
        default: return nil
        }
    }
}
