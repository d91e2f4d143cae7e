import Pipeline

// Letters in either case are the same to Sigma. A letter is compared by its lower-case form where that is one letter,
// and a letter beyond ASCII never equals one of ASCII: the Kelvin sign is no `k` and the dotted capital I no `i`, as
// on Windows file systems. So a search for ASCII text may look at bytes alone.

enum CaseFolding {
    // Lower-case forms of the first 65,536 code points.
    private static let table: [UInt16] = (0..<0x10000).map { value in
        guard let scalar = Unicode.Scalar(UInt32(value)) else { return UInt16(value) }
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        guard let first = lower.first, lower.count == 1, first.value < 0x10000 else { return UInt16(value) }
        if value >= 0x80 && first.value < 0x80 { return UInt16(value) }
        return UInt16(first.value)
    }

    // Code points from which no letter has a case any more.
    private static let casedLimit: UInt32 = 0x1EA00

    static func lower(_ scalar: UInt32) -> UInt32 {
        if scalar < 0x10000 { return UInt32(table[Int(scalar)]) }
        guard scalar < casedLimit, let unicode = Unicode.Scalar(scalar) else { return scalar }
        let lower = unicode.properties.lowercaseMapping.unicodeScalars
        guard let first = lower.first, lower.count == 1 else { return scalar }
        return first.value
    }

    /// All spellings of each code point up to 0xFFFF that share their lower-case form with others.
    private static let variants: [UInt16: [UInt16]] = {
        var groups: [UInt16: [UInt16]] = [:]
        for (value, lower) in table.enumerated() where Int(lower) != value {
            groups[lower, default: [lower]].append(UInt16(value))
        }
        return groups
    }()

    /// Spellings whose lower-case form is this (already lower-case) one.
    static func spellings(of lower: UInt32) -> [UInt32] {
        if lower < 0x10000 { return variants[UInt16(lower)]?.map(UInt32.init) ?? [lower] }
        guard lower < casedLimit, let unicode = Unicode.Scalar(lower) else { return [lower] }
        let upper = unicode.properties.uppercaseMapping.unicodeScalars
        guard let first = upper.first, upper.count == 1, first != unicode else { return [lower] }
        return [lower, first.value]
    }

    /// Appends the lower-case form of UTF-8 text; bytes that are no UTF-8 stay as they are.
    static func append(_ text: RawSpan, to arena: inout ByteArena) {
        var position = 0
        while let byte = text.uint8(at: position) {
            if byte < 0x80 {
                arena.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
                position += 1
            } else if let (scalar, width) = decodeUTF8(text, at: position) {
                append(scalar: lower(scalar), to: &arena)
                position += width
            } else {
                arena.append(byte)
                position += 1
            }
        }
    }

    /// The lower-case form of a text as UTF-8.
    static func folded(_ bytes: [UInt8]) -> [UInt8] {
        var arena = ByteArena(capacity: bytes.count)
        append(bytes.rawSpan, to: &arena)
        return arena.span.array
    }

    static func append(scalar: UInt32, to arena: inout ByteArena) {
        for byte in utf8(of: scalar) { arena.append(byte) }
    }
}

/// The UTF-8 form of a code point.
func utf8(of scalar: UInt32) -> [UInt8] {
    Unicode.Scalar(scalar).map { Array(String($0).utf8) } ?? []
}

/// The code point that begins at a byte, and its length in bytes; nil if there is no whole one.
@inline(__always)
func decodeUTF8(_ text: RawSpan, at position: Int) -> (scalar: UInt32, width: Int)? {
    guard let first = text.uint8(at: position) else { return nil }
    if first < 0x80 { return (UInt32(first), 1) }
    let width = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0
    guard width > 0, first < 0xF5 else { return nil }
    var scalar = UInt32(first) & (0xFF >> UInt32(width + 1))
    for index in 1..<width {
        guard let next = text.uint8(at: position &+ index), next & 0xC0 == 0x80 else { return nil }
        scalar = scalar << 6 | UInt32(next & 0x3F)
    }
    return (scalar, width)
}
