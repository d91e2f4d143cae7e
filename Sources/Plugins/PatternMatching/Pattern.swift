// The vocabulary of pattern matching: what is searched for, what was found, and what could not be compiled.

/// A text or regular expression that is searched for together with many others.
public struct Pattern: Sendable, Equatable {
    /// How a pattern is read and matched.
    public struct Flags: OptionSet, Sendable, Hashable {
        /// The bits.
        public let rawValue: Int

        /// Flags with the given bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Letters match in either case.
        public static let caseless = Flags(rawValue: 1)
        /// The dot matches newlines too.
        public static let dotAll = Flags(rawValue: 2)
        /// `^` and `$` match at each line.
        public static let multiline = Flags(rawValue: 4)
        /// Pattern and text are UTF-8: the dot matches a character, other than ASCII letters have a case.
        public static let utf8 = Flags(rawValue: 8)
        /// Reported at most once in a scan.
        public static let singleMatch = Flags(rawValue: 16)
        /// Matches say where they start; costs speed and memory, not for use with `approximate`.
        public static let startOffset = Flags(rawValue: 32)
        /// Takes look-arounds and back references too, but then may report what is no match.
        public static let approximate = Flags(rawValue: 64)
        /// `PatternSet` proposes it for values, too, in which it matches once `/` and `\` are exchanged.
        public static let eitherSeparator = Flags(rawValue: 128)
    }

    /// The caller's number for it, reported with each match; several patterns may share one.
    public var id: Int
    /// The expression in PCRE syntax, or the text itself.
    public var expression: [UInt8]
    /// Whether the expression is plain text.
    public var isLiteral: Bool
    /// How it is matched.
    public var flags: Flags

    /// A regular expression in PCRE syntax.
    public init(id: Int, regex: String, flags: Flags = []) {
        self.id = id
        expression = Array(regex.utf8)
        isLiteral = false
        self.flags = flags
    }

    /// A plain text.
    public init(id: Int, literal: String, flags: Flags = []) {
        self.init(id: id, literal: Array(literal.utf8), flags: flags)
    }

    /// Plain bytes; without the flag `utf8` they need not be UTF-8.
    public init(id: Int, literal: [UInt8], flags: Flags = []) {
        self.id = id
        expression = literal
        isLiteral = true
        self.flags = flags
    }

    /// The expression as a regular expression.
    public var regex: [UInt8] { isLiteral ? escapedForRegex(expression) : expression }
}

/// Escapes bytes so that a regular expression matches just them.
public func escapedForRegex(_ text: [UInt8]) -> [UInt8] {
    var escaped: [UInt8] = []
    escaped.reserveCapacity(text.count * 2)
    for byte in text {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...: escaped.append(byte)
        default: escaped += [0x5C, 0x78, hexDigit(byte >> 4), hexDigit(byte & 15)]
        }
    }
    return escaped
}

private func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

/// Something that was found.
public struct PatternMatch: Sendable, Hashable {
    /// Number of the pattern.
    public var id: Int
    /// Offset of the first byte; 0 unless the pattern has the flag `startOffset`.
    public var start: Int
    /// Offset after the last byte.
    public var end: Int

    /// A match.
    public init(id: Int, start: Int = 0, end: Int) {
        self.id = id
        self.start = start
        self.end = end
    }
}

/// A pattern that an engine does not take.
public struct RefusedPattern: Sendable, Equatable {
    /// Position in the list that was given.
    public let index: Int
    /// Number of the pattern.
    public let id: Int
    /// Why, in the engine's words.
    public let reason: String
}

/// Why a search did not come to an end, or an expression could not be compiled.
public struct PatternError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was.
    public struct Code: Sendable, Equatable {
        /// The code's constant name.
        public let name: String

        /// The expression is not valid or not supported.
        public static let badExpression = Code(name: "bad-expression")
        /// The search used up its match, depth or memory limit.
        public static let matchLimit = Code(name: "match-limit")
        /// The text is longer than the engine takes (4 GiB).
        public static let tooLong = Code(name: "too-long")
        /// The library failed otherwise.
        public static let engine = Code(name: "engine")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence.
    public let description: String

    /// An error of the given kind.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Two errors are equal if their codes are.
    public static func == (left: PatternError, right: PatternError) -> Bool { left.code == right.code }
}

// Both engines walk groups by recursion; PCRE2 has the same limit by default.
let groupDepthLimit = 250
let expressionByteLimit = 32 << 10

/// Why an expression is not even tried; nil if it may be.
func structuralProblem(_ expression: [UInt8], isLiteral: Bool) -> String? {
    // A text grows fourfold when it is escaped.
    let limit = isLiteral ? expressionByteLimit / 4 : expressionByteLimit
    if expression.isEmpty { return "the expression is empty" }
    if expression.count > limit { return "the expression is longer than \(limit) bytes" }
    if isLiteral { return nil }
    if expression.contains(0) { return "the expression holds a NUL byte; write \\x00" }
    var depth = 0
    var deepest = 0
    var isEscaped = false
    for byte in expression {
        defer { isEscaped = !isEscaped && byte == 0x5C }
        if isEscaped { continue }
        if byte == 0x28 { depth += 1 } else if byte == 0x29 { depth -= 1 }
        deepest = max(deepest, depth)
    }
    return deepest > groupDepthLimit ? "groups are nested more than \(groupDepthLimit) deep" : nil
}
