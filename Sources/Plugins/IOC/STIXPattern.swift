import Pipeline

// The patterning language of STIX 2 (STIX 2.1 specification, section 9), as far as files and registry values go
// (REFERENCE C.10): comparisons joined by AND and OR inside an observation, observations joined by AND and OR. What
// relates observations in time has no meaning for files that are uploaded together and is refused by name.

/// A whole pattern: observations, each fulfilled by one object, and how they are joined.
public indirect enum STIXPattern: Sendable, Equatable {
    /// All of them were observed, on the same or on different objects of a submission.
    case all([STIXPattern])
    /// Any of them was observed.
    case any([STIXPattern])
    /// An object fulfils the condition.
    case observation(STIXCondition)
}

/// A condition on one object.
public indirect enum STIXCondition: Sendable, Equatable {
    /// All of them hold.
    case all([STIXCondition])
    /// Any of them holds.
    case any([STIXCondition])
    /// A single comparison.
    case test(STIXTest)
}

/// A comparison of one property with a value.
public struct STIXTest: Sendable, Equatable {
    /// How the property is compared.
    public enum Comparison: String, Sendable {
        /// Same value.
        case equal = "="
        /// Other value.
        case notEqual = "!="
        /// Smaller.
        case less = "<"
        /// Smaller or same.
        case lessOrEqual = "<="
        /// Greater.
        case greater = ">"
        /// Greater or same.
        case greaterOrEqual = ">="
        /// `%` and `_` stand for any characters or one.
        case like = "LIKE"
        /// Regular expression.
        case matches = "MATCHES"
        /// One of several.
        case oneOf = "IN"
    }

    /// Type of the object and path of the property: `file:hashes.MD5`.
    public var path: String
    /// How it is compared.
    public var comparison: Comparison
    /// Whether the outcome is turned round.
    public var isNegated: Bool
    /// What it is compared with, numbers and times as written; only `IN` has more than one.
    public var values: [String]
}

/// Why a pattern cannot be used.
public struct STIXPatternError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Parses a pattern.
///
/// - Throws: what is wrong or not supported.
public func parseSTIXPattern(_ text: String) throws(STIXPatternError) -> STIXPattern {
    var parser = STIXPatternParser(tokens: try stixTokens(of: Array(text.utf8)))
    return try parser.pattern()
}

private struct STIXPatternParser {
    private static let depthLimit = 50
    private static let testLimit = 10_000

    let tokens: [STIXToken]
    private var position = 0
    private var depth = 0
    private var tests = 0

    init(tokens: [STIXToken]) { self.tokens = tokens }

    private var current: STIXToken { position < tokens.count ? tokens[position] : .end }

    private mutating func advance() -> STIXToken {
        defer { position += 1 }
        return current
    }

    private mutating func take(_ token: STIXToken) -> Bool {
        guard current == token else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ symbol: String) throws(STIXPatternError) {
        guard take(.symbol(symbol)) else {
            throw STIXPatternError("expected '\(symbol)', found \(current.text)")
        }
    }

    private mutating func descend() throws(STIXPatternError) {
        depth += 1
        guard depth <= Self.depthLimit else {
            throw STIXPatternError("the pattern is nested more than \(Self.depthLimit) deep")
        }
    }

    mutating func pattern() throws(STIXPatternError) -> STIXPattern {
        let pattern = try observations()
        guard current == .end else { throw STIXPatternError("\(current.text) after the end of the pattern") }
        return pattern
    }

    private mutating func observations() throws(STIXPatternError) -> STIXPattern {
        try descend()
        defer { depth -= 1 }
        var alternatives = [try joinedObservations()]
        while take(.word("OR")) { alternatives.append(try joinedObservations()) }
        if case .word(let word) = current, ["FOLLOWEDBY", "WITHIN", "REPEATS", "START"].contains(word) {
            throw STIXPatternError("\(word) is not supported: files of one upload have no order in time")
        }
        return alternatives.count == 1 ? alternatives[0] : .any(alternatives)
    }

    private mutating func joinedObservations() throws(STIXPatternError) -> STIXPattern {
        var parts = [try observation()]
        while take(.word("AND")) { parts.append(try observation()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func observation() throws(STIXPatternError) -> STIXPattern {
        if take(.symbol("(")) {
            let inner = try observations()
            try expect(")")
            return inner
        }
        try expect("[")
        let inner = try disjunction()
        try expect("]")
        return .observation(inner)
    }

    private mutating func disjunction() throws(STIXPatternError) -> STIXCondition {
        try descend()
        defer { depth -= 1 }
        var alternatives = [try conjunction()]
        while take(.word("OR")) { alternatives.append(try conjunction()) }
        return alternatives.count == 1 ? alternatives[0] : .any(alternatives)
    }

    private mutating func conjunction() throws(STIXPatternError) -> STIXCondition {
        var parts = [try primary()]
        while take(.word("AND")) { parts.append(try primary()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func primary() throws(STIXPatternError) -> STIXCondition {
        if take(.symbol("(")) {
            let inner = try disjunction()
            try expect(")")
            return inner
        }
        tests += 1
        guard tests <= Self.testLimit else {
            throw STIXPatternError("the pattern has more than \(Self.testLimit) comparisons")
        }
        let path = try objectPath()
        let isNegated = take(.word("NOT"))
        let written = advance()
        let name: String
        switch written {
        case .symbol(let symbol): name = symbol == "==" ? "=" : symbol == "<>" ? "!=" : symbol
        case .word(let word): name = word
        default: name = ""
        }
        guard let comparison = STIXTest.Comparison(rawValue: name) else {
            throw STIXPatternError("the operator \(written.text) is not supported")
        }
        let values = comparison == .oneOf ? try set() : [try value()]
        return .test(STIXTest(path: path, comparison: comparison, isNegated: isNegated, values: values))
    }

    // `file:hashes.'SHA-256'`, `win-registry-key:values[*].name`: parts joined by dots, indices left out.
    private mutating func objectPath() throws(STIXPatternError) -> String {
        guard case .word(let type) = advance(), take(.symbol(":")) else {
            throw STIXPatternError("a comparison begins with TYPE:PROPERTY")
        }
        var path = type + ":"
        while true {
            switch advance() {
            case .word(let name), .string(let name): path += name
            default: throw STIXPatternError("the property after '\(path)' has no name")
            }
            if take(.symbol("[")) {
                guard take(.symbol("*")) || take(number: true) else {
                    throw STIXPatternError("an index in '\(path)' is a number or *")
                }
                try expect("]")
            }
            guard take(.symbol(".")) else { return path }
            path += "."
        }
    }

    private mutating func take(number: Bool) -> Bool {
        guard case .number = current else { return false }
        position += 1
        return number
    }

    private mutating func set() throws(STIXPatternError) -> [String] {
        try expect("(")
        var values = [try value()]
        while take(.symbol(",")) { values.append(try value()) }
        try expect(")")
        return values
    }

    private mutating func value() throws(STIXPatternError) -> String {
        let token = advance()
        switch token {
        case .string(let text), .number(let text), .time(let text): return text
        case .word("true"), .word("false"): return token.text
        default: throw STIXPatternError("\(token.text) is no value")
        }
    }
}

// MARK: Tokens

enum STIXToken: Equatable {
    case word(String)
    case string(String)
    case number(String)
    case time(String)
    case symbol(String)
    case end

    var text: String {
        switch self {
        case .word(let text), .number(let text): text
        case .string(let text): "'\(text.prefix(60))'"
        case .time(let text): "t'\(text)'"
        case .symbol(let text): "'\(text)'"
        case .end: "the end"
        }
    }
}

private func stixTokens(of text: [UInt8]) throws(STIXPatternError) -> [STIXToken] {
    var tokens: [STIXToken] = []
    var index = 0
    while index < text.count {
        let byte = text[index]
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D:
            index += 1
        case 0x27:
            tokens.append(.string(try stixString(text, &index)))
        case 0x30...0x39, 0x2D, 0x2B:
            let start = index
            index += 1
            while index < text.count, (0x30...0x39).contains(text[index]) || text[index] == 0x2E { index += 1 }
            tokens.append(.number(String(decoding: text[start..<index], as: UTF8.self)))
        case 0x41...0x5A, 0x61...0x7A, 0x5F:
            let start = index
            while index < text.count, isHostByte(text[index]) { index += 1 }
            let word = String(decoding: text[start..<index], as: UTF8.self)
            guard index < text.count, text[index] == 0x27, ["t", "h", "b"].contains(word) else {
                tokens.append(.word(word))
                continue
            }
            guard word == "t" else { throw STIXPatternError("binary values (\(word)'…') are not supported") }
            tokens.append(.time(try stixString(text, &index)))
        default:
            let two = String(decoding: text[index..<min(index + 2, text.count)], as: UTF8.self)
            if ["!=", "<=", ">=", "==", "<>"].contains(two) {
                tokens.append(.symbol(two))
                index += 2
            } else if "[]().,:*=<>".utf8.contains(byte) {
                tokens.append(.symbol(String(decoding: [byte], as: UTF8.self)))
                index += 1
            } else {
                throw STIXPatternError("the byte 0x\(String(byte, radix: 16)) at \(index) has no meaning")
            }
        }
    }
    return tokens
}

// From the opening quote; a backslash escapes a quote or itself.
private func stixString(_ text: [UInt8], _ index: inout Int) throws(STIXPatternError) -> String {
    var value: [UInt8] = []
    index += 1
    while index < text.count {
        let byte = text[index]
        index += 1
        if byte == 0x27 { return String(decoding: value, as: UTF8.self) }
        if byte == 0x5C, index < text.count, text[index] == 0x27 || text[index] == 0x5C {
            value.append(text[index])
            index += 1
        } else {
            value.append(byte)
        }
    }
    throw STIXPatternError("a text has no closing quote")
}
