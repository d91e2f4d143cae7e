// The condition of a rule: names of search identifiers joined by and, or, not, parentheses and quantifiers, as in the
// Sigma rules specification, section "Condition" (https://sigmahq.io/sigma-specification/).

/// A condition as a tree over search identifiers.
indirect enum Condition: Equatable {
    case identifier(String)
    case not(Condition)
    case all([Condition])
    case any([Condition])
    /// At least so many of them.
    case atLeast(Int, [Condition])
}

/// What is wrong with a rule: it cannot be used.
struct RuleError: Error, Equatable {
    var line: Int?
    var message: String

    init(_ message: String, line: Int? = nil) {
        self.message = message
        self.line = line
    }
}

extension Condition {
    static let depthLimit = 64
    static let tokenLimit = 4_096

    /// Reads a condition.
    ///
    /// - Parameter identifiers: Names that the rule defines.
    init(_ text: String, identifiers: [String]) throws(RuleError) {
        var parser = try ConditionParser(text, identifiers: identifiers)
        self = try parser.whole()
    }
}

private struct ConditionParser {
    private let tokens: [String]
    private let identifiers: [String]
    private var position = 0
    private var depth = 0

    init(_ text: String, identifiers: [String]) throws(RuleError) {
        var tokens: [String] = []
        var word = ""
        for character in text.unicodeScalars {
            switch character {
            case "(", ")", "|", ",":
                if !word.isEmpty { tokens.append(word) }
                word = ""
                tokens.append(String(character))
            case " ", "\t", "\n", "\r":
                if !word.isEmpty { tokens.append(word) }
                word = ""
            default:
                word.unicodeScalars.append(character)
            }
        }
        if !word.isEmpty { tokens.append(word) }
        guard tokens.count <= Condition.tokenLimit else {
            throw RuleError("the condition has \(tokens.count) words; \(Condition.tokenLimit) are allowed")
        }
        self.tokens = tokens
        self.identifiers = identifiers
    }

    mutating func whole() throws(RuleError) -> Condition {
        guard !tokens.isEmpty else { throw RuleError("the condition is empty") }
        let condition = try alternatives()
        guard let rest = peek else { return condition }
        if rest == "|" {
            throw RuleError("aggregation in a condition ('|') is not supported; write a correlation rule")
        }
        throw RuleError("unexpected '\(rest)' in the condition")
    }

    private var peek: String? { position < tokens.count ? tokens[position] : nil }

    private func isNext(_ keyword: String) -> Bool { peek?.lowercased() == keyword }

    private mutating func next(_ expected: String) throws(RuleError) -> String {
        guard let token = peek else { throw RuleError("the condition ends where \(expected) should follow") }
        position += 1
        return token
    }

    private mutating func alternatives() throws(RuleError) -> Condition {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Condition.depthLimit else {
            throw RuleError("the condition is nested more than \(Condition.depthLimit) deep")
        }
        var parts = [try conjunction()]
        while isNext("or") {
            position += 1
            parts.append(try conjunction())
        }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(RuleError) -> Condition {
        var parts = [try negation()]
        while isNext("and") {
            position += 1
            parts.append(try negation())
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func negation() throws(RuleError) -> Condition {
        var isNegated = false
        while isNext("not") {
            position += 1
            isNegated.toggle()
        }
        let operand = try primary()
        return isNegated ? .not(operand) : operand
    }

    private mutating func primary() throws(RuleError) -> Condition {
        let token = try next("a name")
        if token == "(" {
            let inner = try alternatives()
            guard try next("')'") == ")" else { throw RuleError("')' is missing in the condition") }
            return inner
        }
        if isNext("of") {
            position += 1
            return try quantified(token)
        }
        guard identifiers.contains(token) else {
            throw RuleError("the condition names '\(token)', which the rule does not define")
        }
        return .identifier(token)
    }

    private mutating func quantified(_ quantifier: String) throws(RuleError) -> Condition {
        let chosen = try targets().map { Condition.identifier($0) }
        switch quantifier.lowercased() {
        case "all": return .all(chosen)
        case "any", "1": return .any(chosen)
        default:
            guard let count = Int(quantifier), count > 0 else {
                throw RuleError("'\(quantifier) of' is no quantifier; use all, any or a number")
            }
            guard count <= chosen.count else {
                throw RuleError("the condition wants \(count) of \(chosen.count) identifiers")
            }
            return .atLeast(count, chosen)
        }
    }

    private mutating func targets() throws(RuleError) -> [String] {
        let token = try next("what the quantifier is about")
        var patterns = [token]
        if token == "(" {
            patterns = []
            while true {
                patterns.append(try next("a name"))
                let separator = try next("')'")
                if separator == ")" { break }
                guard separator == "," else { throw RuleError("',' or ')' is missing in the condition") }
            }
        }
        var chosen: [String] = []
        for pattern in patterns {
            let found = identifiers.filter { Self.pattern(pattern, takes: $0) }
            if found.isEmpty { throw RuleError("no search identifier fits '\(pattern)' in the condition") }
            chosen += found.filter { !chosen.contains($0) }
        }
        return chosen
    }

    // Identifiers that begin with `_` are meant only when the pattern says so.
    private static func pattern(_ pattern: String, takes name: String) -> Bool {
        if pattern.lowercased() == "them" { return !name.hasPrefix("_") }
        if name.hasPrefix("_") && !pattern.hasPrefix("_") { return false }
        return globMatches(Array(pattern.utf8), Array(name.utf8))
    }
}

/// Whether a pattern with `*` for any text takes a whole text.
func globMatches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
    var patternIndex = 0
    var textIndex = 0
    var star: (pattern: Int, text: Int)?
    while textIndex < text.count {
        if patternIndex < pattern.count, pattern[patternIndex] == 0x2A {
            star = (patternIndex + 1, textIndex)
            patternIndex += 1
        } else if patternIndex < pattern.count, pattern[patternIndex] == text[textIndex] {
            patternIndex += 1
            textIndex += 1
        } else if let last = star {
            star = (last.pattern, last.text + 1)
            patternIndex = last.pattern
            textIndex = last.text + 1
        } else {
            return false
        }
    }
    return pattern[patternIndex...].allSatisfy { $0 == 0x2A }
}
