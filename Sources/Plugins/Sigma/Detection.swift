import PatternMatching

// What a rule looks for, as a tree of predicates on fields: the meaning of its search identifiers and condition
// together, without names.

/// How a value is compared.
enum Comparison: String, Hashable, Sendable {
    case less = "lt"
    case lessOrEqual = "lte"
    case greater = "gt"
    case greaterOrEqual = "gte"
    case equal = "eq"

    func holds(_ left: Double, _ right: Double) -> Bool {
        switch self {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .equal: left == right
        }
    }
}

/// A part of a point in time.
enum TimePart: String, Hashable, Sendable, CaseIterable {
    case minute, hour, day, week, month, year
}

/// What a predicate asks of one value.
enum Test: Hashable, Sendable {
    case text(TextPattern)
    case regex(String, Pattern.Flags)
    case network(IPNetwork)
    case number(Comparison, Double)
    case time(TimePart, Comparison, Double)
    /// Compares with the value of another field, which may be only a part of it.
    case field(String, before: Bool, after: Bool, isCased: Bool)
    /// The field is there.
    case exists
    /// The field is not there, or empty.
    case empty
}

/// A test of a field; without a field, of all values of a record.
struct Predicate: Hashable, Sendable {
    /// Name in lower case; nil for a keyword.
    var field: String?
    var test: Test
}

/// Predicates joined by logic.
indirect enum Detection: Sendable {
    case test(Predicate)
    case not(Detection)
    case all([Detection])
    case any([Detection])
    case atLeast(Int, [Detection])

    /// The meaning of a condition.
    init(_ condition: Condition, identifiers: [String: Detection]) throws(RuleError) {
        func list(_ conditions: [Condition]) throws(RuleError) -> [Detection] {
            var detections: [Detection] = []
            for condition in conditions { detections.append(try Detection(condition, identifiers: identifiers)) }
            return detections
        }
        switch condition {
        case .identifier(let name):
            guard let detection = identifiers[name] else { throw RuleError("'\(name)' is not defined") }
            self = detection
        case .not(let inner): self = .not(try Detection(inner, identifiers: identifiers))
        case .all(let inner): self = .all(try list(inner))
        case .any(let inner): self = .any(try list(inner))
        case .atLeast(let count, let inner): self = .atLeast(count, try list(inner))
        }
    }

    /// Calls `body` for every predicate.
    func forEach(_ body: (Predicate) -> Void) {
        switch self {
        case .test(let predicate): body(predicate)
        case .not(let inner): inner.forEach(body)
        case .all(let inner), .any(let inner), .atLeast(_, let inner): inner.forEach { $0.forEach(body) }
        }
    }
}
