// Small conversions that every artefact needs: UTF-16 texts, GUIDs, hexadecimal.

extension String {
    /// Decodes UTF-16LE; unpaired surrogates become U+FFFD.
    public init(utf16 span: RawSpan) {
        var arena = ByteArena(capacity: span.byteCount * 2)
        arena.append(utf16: span)
        self = arena.span.utf8Text
    }

    /// Decodes UTF-16LE up to the first NUL unit or the end of the span.
    public init(utf16NullTerminated span: RawSpan) {
        self.init(utf16: span.prefix(utf16Length(span)))
    }

    /// Decodes bytes of unknown encoding: UTF-8 when valid, otherwise Latin-1.
    public init(lossy span: RawSpan) {
        var arena = ByteArena(capacity: span.byteCount * 2)
        arena.append(lossy: span)
        self = arena.span.utf8Text
    }

    /// Two lower-case hexadecimal digits for each byte.
    public init(hex span: RawSpan, uppercase: Bool = false) {
        var arena = ByteArena(capacity: span.byteCount * 2)
        arena.append(hexBytes: span, uppercase: uppercase)
        self = arena.span.utf8Text
    }
}

/// Number of bytes before the first NUL unit of a UTF-16 text, or all whole units if there is none.
public func utf16Length(_ span: RawSpan) -> Int {
    var offset = 0
    // Four units at a time: a borrow reaches the highest bit of a unit only if that unit, or one before it, is zero.
    while let four = span.uint64(at: offset),
        (four &- 0x0001_0001_0001_0001) & ~four & 0x8000_8000_8000_8000 == 0
    { offset &+= 8 }
    while let unit = span.uint16(at: offset), unit != 0 { offset &+= 2 }
    return offset
}

/// A Windows GUID as it lies in a file: three little-endian numbers and eight bytes.
public struct GUID: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// Reads 16 bytes at `offset`; nil if they are not all there.
    public init?(_ span: RawSpan, at offset: Int = 0) {
        guard let first = span.uint32(at: offset), let second = span.uint16(at: offset &+ 4),
            let third = span.uint16(at: offset &+ 6), let rest = span.bigEndianUInt64(at: offset &+ 8)
        else { return nil }
        high = UInt64(first) << 32 | UInt64(second) << 16 | UInt64(third)
        low = rest
    }

    /// Upper-case text without braces, as in `01020304-0506-0708-090A-0B0C0D0E0F10`.
    public var description: String {
        var arena = ByteArena(capacity: 64)
        append(to: &arena)
        return arena.span.utf8Text
    }

    /// Appends the text form to an arena.
    public func append(to arena: inout ByteArena, uppercase: Bool = true) {
        arena.append(hexadecimal: high >> 32, width: 8, uppercase: uppercase)
        arena.append(0x2D)
        arena.append(hexadecimal: high >> 16 & 0xFFFF, width: 4, uppercase: uppercase)
        arena.append(0x2D)
        arena.append(hexadecimal: high & 0xFFFF, width: 4, uppercase: uppercase)
        arena.append(0x2D)
        arena.append(hexadecimal: low >> 48, width: 4, uppercase: uppercase)
        arena.append(0x2D)
        arena.append(hexadecimal: low & 0xFFFF_FFFF_FFFF, width: 12, uppercase: uppercase)
    }
}
