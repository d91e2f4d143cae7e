import Pipeline

// The text forms of a value's data: what matchers see (`value`) and what Sysmon would have logged (`Details`).

/// How the data of a value is written as text.
enum ValueText {
    /// Appends the data as matchers see it: texts as they are with `\0` between parts, numbers in decimal, all other
    /// bytes in upper-case hexadecimal.
    ///
    /// - Returns: For texts, where in the arena stands what Sysmon shows of them, so that `appendDetails` need not decode
    ///   it again; nil for other types.
    static func append(_ type: UInt32, _ data: RawSpan, to arena: inout ByteArena) -> Range<Int>? {
        switch type {
        case ValueType.string, ValueType.expandString:
            let start = arena.count
            let end = appendTexts(data, to: &arena)
            return start..<end
        case ValueType.link, ValueType.multi:
            let start = arena.count
            appendTexts(data, to: &arena)
            return start..<arena.count
        case ValueType.dword where data.byteCount == 4: arena.append(decimal: UInt64(data.uint32(at: 0) ?? 0))
        case ValueType.bigEndian where data.byteCount == 4:
            arena.append(decimal: UInt64(data.bigEndianUInt32(at: 0) ?? 0))
        case ValueType.qword where data.byteCount == 8: arena.append(decimal: data.uint64(at: 0) ?? 0)
        default: arena.append(hexBytes: data, uppercase: true)
        }
        return nil
    }

    /// Appends the data as Sysmon writes it into `Details`.
    ///
    /// - Parameter text: What `append` answered for the same value.
    static func appendDetails(_ type: UInt32, _ data: RawSpan, text: Range<Int>?, to arena: inout ByteArena) {
        switch type {
        case ValueType.string where text?.isEmpty != false, ValueType.expandString where text?.isEmpty != false:
            arena.append(literal: "(Empty)")
        case ValueType.string, ValueType.expandString, ValueType.link, ValueType.multi:
            if let text { arena.append(again: text) }
        case ValueType.dword where data.byteCount == 4:
            arena.append(literal: "DWORD (0x")
            arena.append(hexadecimal: UInt64(data.uint32(at: 0) ?? 0), width: 8)
            arena.append(0x29)
        case ValueType.qword where data.byteCount == 8:
            arena.append(literal: "QWORD (0x")
            arena.append(hexadecimal: UInt64(data.uint32(at: 4) ?? 0), width: 8)
            arena.append(literal: "-0x")
            arena.append(hexadecimal: UInt64(data.uint32(at: 0) ?? 0), width: 8)
            arena.append(0x29)
        default: arena.append(literal: "Binary Data")
        }
    }

    // Texts that follow one another with NULs between. NULs at the end are no text; what stands behind a NUL in a
    // plain string is kept, because programs that show only the part before it are a known hiding place. Answers where
    // the first text ends in the arena.
    @discardableResult
    private static func appendTexts(_ data: RawSpan, to arena: inout ByteArena) -> Int {
        var end = data.byteCount & ~1
        while end > 0, data.uint16(at: end &- 2) == 0 { end &-= 2 }
        var start = 0
        var first = arena.count
        while start < end {
            let rest = data.suffix(from: start).prefix(end &- start)
            let length = utf16Length(rest)
            arena.append(utf16: rest.prefix(length))
            if start == 0 { first = arena.count }
            start = start &+ length &+ 2
            if start < end { arena.append(literal: "\\0") }
        }
        return first
    }
}
