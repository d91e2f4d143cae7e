import Pipeline

/// How a text is encoded, told from its byte order mark or from the look of its first bytes.
///
/// UTF-8 and the 8-bit encodings are one case: a reader takes valid UTF-8 as such and everything else as Latin-1.
public enum TextEncoding: Sendable, Equatable {
    /// UTF-8, ASCII or an 8-bit code page; `mark` bytes of byte order mark stand before the text.
    case bytes(mark: Int)
    /// UTF-16, little-endian.
    case utf16LittleEndian(mark: Int)
    /// UTF-16, big-endian.
    case utf16BigEndian(mark: Int)

    /// Bytes of the byte order mark.
    public var mark: Int {
        switch self {
        case .bytes(let mark), .utf16LittleEndian(let mark), .utf16BigEndian(let mark): mark
        }
    }

    /// The encoding of a text by its first bytes; nil when they are no text.
    ///
    /// - Parameter head: the first kilobytes of the sample.
    public init?(_ head: RawSpan) {
        let found: TextEncoding
        switch (head.uint8(at: 0), head.uint8(at: 1), head.uint8(at: 2)) {
        case (0xEF, 0xBB, 0xBF): found = .bytes(mark: 3)
        case (0xFF, 0xFE, _): found = .utf16LittleEndian(mark: 2)
        case (0xFE, 0xFF, _): found = .utf16BigEndian(mark: 2)
        case (nil, _, _): return nil
        default: found = Self.unmarkedUTF16(head) ?? .bytes(mark: 0)
        }
        guard found.looksLikeText(head.suffix(from: found.mark)) else { return nil }
        self = found
    }

    /// Whether a part of a sample is text in this encoding: nearly no control characters, no NUL.
    public func looksLikeText(_ part: RawSpan) -> Bool {
        switch self {
        case .bytes: Self.isByteText(part)
        case .utf16LittleEndian: Self.isUTF16Text(part, isLittle: true)
        case .utf16BigEndian: Self.isUTF16Text(part, isLittle: false)
        }
    }

    // Without a mark: ASCII characters leave a NUL in every second place.
    private static func unmarkedUTF16(_ head: RawSpan) -> TextEncoding? {
        let count = min(head.byteCount, 1024) & ~1
        guard count >= 8 else { return nil }
        var even = 0
        var odd = 0
        for index in stride(from: 0, to: count, by: 2) {
            if head.uint8(at: index) == 0 { even += 1 }
            if head.uint8(at: index + 1) == 0 { odd += 1 }
        }
        let units = count / 2
        if odd * 2 > units, even * 20 <= units { return .utf16LittleEndian(mark: 0) }
        if even * 2 > units, odd * 20 <= units { return .utf16BigEndian(mark: 0) }
        return nil
    }

    private static func isByteText(_ part: RawSpan) -> Bool {
        var controls = 0
        var high = 0
        for index in 0..<part.byteCount {
            guard let byte = part.uint8(at: index) else { break }
            if byte == 0 { return false }
            if byte < 0x20 {
                // Tab to carriage return, escape (coloured logs) and the old end-of-file mark are usual.
                if !(0x08...0x0D).contains(byte) && byte != 0x1B && byte != 0x1A { controls += 1 }
            } else if byte >= 0x7F {
                high += 1
            }
        }
        if controls * 50 > part.byteCount { return false }
        // Much beyond ASCII: UTF-8, or a code page without a single control character.
        return high * 10 <= part.byteCount * 3 || controls == 0 && (high * 2 <= part.byteCount || isUTF8(part))
    }

    // A window may end inside a character.
    private static func isUTF8(_ part: RawSpan) -> Bool {
        (0...3).contains { isValidUTF8(part.prefix(part.byteCount - $0)) }
    }

    private static func isUTF16Text(_ part: RawSpan, isLittle: Bool) -> Bool {
        let units = part.byteCount / 2
        var odd = 0
        for index in 0..<units {
            guard let unit = isLittle ? part.uint16(at: index * 2) : part.bigEndianUInt16(at: index * 2) else { break }
            switch unit {
            case 0x08...0x0D, 0x1A, 0x1B: continue
            case 0..<0x20, 0x7F..<0xA0, 0xE000...0xF8FF, 0xFFF0...0xFFFF: odd += 1
            default: continue
            }
        }
        return units > 0 && odd * 50 <= units
    }
}
