import Pipeline

// The head of a text as ASCII, whatever its encoding was, as written and in lower case: all text heuristics read this.

struct TextWindow {
    /// Most characters that are looked at.
    static let limit = 16 << 10

    /// The text; characters beyond ASCII are 0x80.
    let text: [UInt8]
    /// The same in lower case, with white space before the first character left out.
    let lower: [UInt8]
    /// Lines of `lower`, without their ends and without white space before and after; empty ones are left out.
    let lines: [Range<Int>]
    /// Whether it is UTF-16.
    let isWide: Bool

    /// The head of a sample; nil when it is no text.
    init?(_ span: RawSpan) {
        guard let encoding = TextEncoding(span.prefix(Self.limit)) else { return nil }
        var characters: [UInt8] = []
        let body = span.suffix(from: encoding.mark)
        switch encoding {
        case .bytes:
            isWide = false
            characters = body.prefix(Self.limit).array
            for index in characters.indices where characters[index] > 0x80 { characters[index] = 0x80 }
        case .utf16LittleEndian, .utf16BigEndian:
            isWide = true
            var isLittle = true
            if case .utf16BigEndian = encoding { isLittle = false }
            characters.reserveCapacity(min(body.byteCount / 2, Self.limit))
            for index in 0..<min(body.byteCount / 2, Self.limit) {
                let unit = isLittle ? body.uint16(at: index * 2) : body.bigEndianUInt16(at: index * 2)
                characters.append(unit.map { $0 < 0x80 ? UInt8(truncatingIfNeeded: $0) : 0x80 } ?? 0x80)
            }
        }
        let start = characters.firstIndex { !isSpace($0) } ?? characters.endIndex
        text = characters
        var small = Array(characters[start...])
        for index in small.indices where (0x41...0x5A).contains(small[index]) { small[index] += 0x20 }
        lower = small
        lines = Self.lines(of: small)
    }

    /// Whether the text begins with this, white space before it left out.
    func begins(_ text: String) -> Bool { lower.starts(with: text.utf8) }

    /// Position of the first occurrence in `lower`.
    func position(of text: String) -> Int? { lower.rawSpan.firstOffset(of: Array(text.utf8)) }

    /// Whether the text holds this.
    func contains(_ text: String) -> Bool { position(of: text) != nil }

    /// How many of the texts it holds.
    func count(of texts: [String]) -> Int { texts.count { contains($0) } }

    private static func lines(of characters: [UInt8]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        while start < characters.count {
            var end = start
            while end < characters.count && characters[end] != 0x0A && characters[end] != 0x0D { end += 1 }
            var first = start
            var last = end
            while first < last && isSpace(characters[first]) { first += 1 }
            while last > first && isSpace(characters[last - 1]) { last -= 1 }
            if first < last { lines.append(first..<last) }
            start = end + 1
        }
        return lines
    }
}

@inline(__always)
func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

@inline(__always)
func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) }
