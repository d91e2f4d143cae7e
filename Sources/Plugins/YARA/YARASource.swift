import Pipeline

/// Text of one rule file, and what its text tells before libyara reads it.
public struct YARASource: Sendable {
    /// Name that problems carry, unique in a set.
    public let name: String
    /// Shipped with the program, or brought by the user.
    public let origin: Signature.Origin
    let text: [UInt8]

    /// A rule file with its text, which is UTF-8 or any other superset of ASCII.
    public init(name: String, text: Bytes, origin: Signature.Origin = .internal) {
        self.name = name
        self.origin = origin
        // libyara takes a byte order mark for a syntax error, and a zero byte for the end.
        if text.span.uint16(at: 0) == 0xFEFF {
            self.text = Array(String(utf16: text.span.suffix(from: 2)).utf8)
        } else if text.span.starts(with: ([0xEF, 0xBB, 0xBF] as [UInt8]).rawSpan) {
            self.text = text.suffix(from: 3).array
        } else {
            self.text = text.array
        }
    }

    /// A rule file with its text.
    public init(name: String, text: String, origin: Signature.Origin = .internal) {
        self.init(name: name, text: Bytes(utf8: text), origin: origin)
    }

    private init(name: String, origin: Signature.Origin, text: [UInt8]) {
        self.name = name
        self.origin = origin
        self.text = text
    }

    func with(_ text: [UInt8]) -> YARASource { YARASource(name: name, origin: origin, text: text) }

    // libyara reads up to the first NUL and would take the rest of the file for empty.
    var problem: YARAProblem? {
        guard let end = text.firstIndex(of: 0) else { return nil }
        let line = text[..<end].count { $0 == 0x0A } + 1
        return YARAProblem(
            source: name, line: line,
            message: "the file has a NUL byte (is it UTF-16 without its mark?); save it as UTF-8",
            isError: true)
    }
}

/// Something that libyara says about a rule file.
public struct YARAProblem: Sendable, Equatable {
    /// Name of the source.
    public let source: String
    /// Rule that it is about; nil for the source as a whole.
    public let rule: String?
    /// Line, counted from 1; nil for the source as a whole.
    public let line: Int?
    /// What is wrong, in libyara's words.
    public let message: String
    /// Whether it cannot be used; otherwise it is slow or not as meant.
    public let isError: Bool

    init(source: String, rule: String? = nil, line: Int?, message: String, isError: Bool) {
        self.source = source
        self.rule = rule
        self.line = line
        self.message = message
        self.isError = isError
    }
}
