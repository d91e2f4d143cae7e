// A cursor over a span whose every read has a name, so that a damaged file says what was missing and where.

/// A sample or structure that could not be read.
public struct ParseError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was.
    public struct Code: Sendable, Equatable, CustomStringConvertible {
        /// The code's constant name.
        public let description: String

        /// More bytes were needed than are there.
        public static let truncated = Code(description: "truncated")
        /// A magic number or signature is not the expected one.
        public static let badMagic = Code(description: "bad-magic")
        /// A value contradicts the format.
        public static let invalid = Code(description: "invalid")
        /// A version or feature that the parser does not read.
        public static let unsupported = Code(description: "unsupported")
        /// The structure is nested deeper, or is longer, than is accepted.
        public static let limit = Code(description: "limit")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence with the names and numbers of this case.
    public let message: String
    /// Position in the sample, in bytes from its start.
    public let offset: Int

    /// An error of the given kind at `offset` bytes from the start of the sample.
    public init(_ code: Code, _ message: String, at offset: Int) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    /// Two errors are equal if their codes are.
    public static func == (left: ParseError, right: ParseError) -> Bool { left.code == right.code }

    /// Message and position.
    public var description: String { "\(message) (at 0x\(String(offset, radix: 16)))" }

    @usableFromInline
    static func truncated(_ what: StaticString, need: Int, have: Int, at offset: Int) -> ParseError {
        ParseError(.truncated, "\(what): need \(need) bytes, have \(max(have, 0))", at: offset)
    }
}

/// A bounds-checked cursor; numbers are little-endian unless the name says otherwise.
public struct ByteReader: ~Escapable {
    /// All the bytes that can be read.
    public let span: RawSpan
    /// Position of the next read, from the start of `span`.
    public var offset: Int
    /// Added to positions in errors: where `span` begins in the sample.
    public let base: Int

    /// A cursor at `offset` of `span`; `base` is where the span begins in the sample.
    @inlinable
    @_lifetime(copy span)
    public init(_ span: RawSpan, at offset: Int = 0, base: Int = 0) {
        self.span = span
        self.offset = offset
        self.base = base
    }

    /// Bytes left after the cursor.
    @inlinable
    public var remaining: Int { Swift.max(span.byteCount &- Swift.max(offset, 0), 0) }

    /// Position of the next read in the sample.
    @inlinable
    public var position: Int { base &+ offset }

    /// Reads a byte.
    ///
    /// - Throws: `ParseError.truncated`, as do all reads.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func uint8(_ what: StaticString) throws(ParseError) -> UInt8 {
        guard let value = span.uint8(at: offset) else { throw missing(what, 1) }
        offset &+= 1
        return value
    }

    /// Reads a 16-bit number.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func uint16(_ what: StaticString) throws(ParseError) -> UInt16 {
        guard let value = span.uint16(at: offset) else { throw missing(what, 2) }
        offset &+= 2
        return value
    }

    /// Reads a 32-bit number.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func uint32(_ what: StaticString) throws(ParseError) -> UInt32 {
        guard let value = span.uint32(at: offset) else { throw missing(what, 4) }
        offset &+= 4
        return value
    }

    /// Reads a 64-bit number.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func uint64(_ what: StaticString) throws(ParseError) -> UInt64 {
        guard let value = span.uint64(at: offset) else { throw missing(what, 8) }
        offset &+= 8
        return value
    }

    /// Reads `count` bytes as a span of their own.
    @inlinable
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func bytes(_ count: Int, _ what: StaticString) throws(ParseError) -> RawSpan {
        guard let part = span.slice(at: offset, count: count) else { throw missing(what, count) }
        offset &+= count
        return part
    }

    /// Moves the cursor forward.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int, _ what: StaticString) throws(ParseError) {
        guard count >= 0, offset >= 0, count <= remaining else { throw missing(what, count) }
        offset &+= count
    }

    @usableFromInline
    func missing(_ what: StaticString, _ need: Int) -> ParseError {
        .truncated(what, need: need, have: remaining, at: position)
    }
}
