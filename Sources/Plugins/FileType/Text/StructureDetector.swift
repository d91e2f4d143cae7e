import Pipeline

// Texts recognised by the shape of their lines: JSON, tables, logs, settings.

/// Whether the window is JSON as far as it goes: one object or array, or one per line.
func isJSON(_ lower: [UInt8]) -> Bool {
    guard lower.first == 0x7B || lower.first == 0x5B else { return false }
    var scanner = JSONScanner(bytes: lower)
    return scanner.isPrefixOfJSON()
}

// A scanner without recursion: hostile nesting costs one byte a level.
private struct JSONScanner {
    let bytes: [UInt8]
    private var index = 0
    private var open: [UInt8] = []
    private var values = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    // False at the first byte that no JSON text can have there. The window may end anywhere behind the first values.
    mutating func isPrefixOfJSON() -> Bool {
        var expectsValue = true
        while let byte = next() {
            switch byte {
            case 0x7B, 0x5B:
                guard expectsValue, open.count < 4096 else { return false }
                open.append(byte)
                if peek() == (byte == 0x7B ? 0x7D : 0x5D) { continue }
                if byte == 0x7B, !skipKey() { return index >= bytes.count && values > 0 }
            case 0x7D, 0x5D:
                guard open.popLast() == (byte == 0x7D ? 0x7B : 0x5B) else { return false }
                values += 1
                // Another text may follow on the next line.
                expectsValue = open.isEmpty
            case 0x2C:
                guard let container = open.last, !expectsValue else { return false }
                if container == 0x7B, !skipKey() { return index >= bytes.count && values > 0 }
                expectsValue = true
            default:
                guard expectsValue, !open.isEmpty, skipScalar(byte) else { return false }
                values += 1
                expectsValue = false
            }
        }
        return values > 0
    }

    private mutating func next() -> UInt8? {
        guard let byte = peek() else { return nil }
        index += 1
        return byte
    }

    private mutating func peek() -> UInt8? {
        while index < bytes.count && isSpace(bytes[index]) { index += 1 }
        return index < bytes.count ? bytes[index] : nil
    }

    private mutating func skipKey() -> Bool {
        guard next() == 0x22, skipString() else { return false }
        return next() == 0x3A
    }

    private mutating func skipString() -> Bool {
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == 0x22 { return true }
            if byte == 0x5C { index += 1 }
        }
        return values > 0
    }

    private mutating func skipScalar(_ first: UInt8) -> Bool {
        if first == 0x22 { return skipString() }
        let start = index - 1
        while index < bytes.count, !isSpace(bytes[index]), ![0x2C, 0x5D, 0x7D].contains(bytes[index]) { index += 1 }
        let word = bytes[start..<index]
        if isDigit(first) || first == 0x2D {
            return word.dropFirst().allSatisfy { isDigit($0) || [0x2E, 0x2B, 0x2D, 0x65].contains($0) }
        }
        return ["true", "false", "null"].contains { literal in
            word.elementsEqual(literal.utf8) || index >= bytes.count && literal.utf8.starts(with: word)
        }
    }
}

/// Whether the first lines have the same number of separators: at least two, or one on many lines.
func isTable(_ window: TextWindow) -> Bool {
    // The last line of a full window may be cut.
    let complete = window.lower.count < TextWindow.limit / 2 ? window.lines : window.lines.dropLast()
    let lines = complete.prefix(12)
    guard lines.count >= 2, let header = lines.first, !hasTime(window.lower[header]) else { return false }
    for separator: UInt8 in [0x2C, 0x3B, 0x09, 0x7C] {
        let expected = separators(separator, window.lower[header])
        guard expected > 0, lines.count >= (expected >= 3 ? 2 : expected == 2 ? 3 : 6) else { continue }
        // Prose has commas too, each before a space; code ends its lines with `;`.
        let isProse = window.lower[header].split(separator: separator, omittingEmptySubsequences: false).dropFirst()
            .allSatisfy { $0.isEmpty || $0.first == 0x20 }
        if isProse && separator != 0x09 { continue }
        if lines.allSatisfy({ separators(separator, window.lower[$0]) == expected }) { return true }
    }
    return false
}

private func separators(_ separator: UInt8, _ line: ArraySlice<UInt8>) -> Int {
    var count = 0
    var isQuoted = false
    for byte in line {
        if byte == 0x22 { isQuoted.toggle() }
        if byte == separator && !isQuoted { count += 1 }
    }
    return count
}

/// Whether most of the first lines carry a time of day or a date near their start.
func isLog(_ window: TextWindow) -> Bool {
    let lines = window.lines.prefix(40)
    guard lines.count >= 2 else { return false }
    let timed = lines.count { hasTime(window.lower[$0.prefix(120)]) }
    return timed * 5 >= lines.count * 3
}

// hh:mm, or yyyy-mm-dd, yyyy/mm/dd, dd/mmm/yyyy, dd.mm.yyyy.
func hasTime(_ line: ArraySlice<UInt8>) -> Bool {
    let bytes = Array(line)
    guard bytes.count >= 8 else { return false }
    func digits(_ start: Int, _ count: Int) -> Bool {
        start >= 0 && start + count <= bytes.count && bytes[start..<(start + count)].allSatisfy(isDigit)
    }
    for index in 2..<(bytes.count - 2) {
        switch bytes[index] {
        case 0x3A:
            if digits(index - 2, 2), digits(index + 1, 2), index + 3 < bytes.count, bytes[index + 3] == 0x3A,
                digits(index + 4, 2)
            {
                return true
            }
        case 0x2D, 0x2F, 0x2E:
            guard index + 3 < bytes.count, bytes[index + 3] == bytes[index], digits(index + 1, 2) else { continue }
            if digits(index - 4, 4) && digits(index + 4, 2) || digits(index - 2, 2) && digits(index + 4, 4) {
                return true
            }
        default: continue
        }
    }
    return false
}

/// Sections and `key=value` lines.
func kindOfSettings(_ window: TextWindow) -> FileKind? {
    let lines = window.lines.filter { ![0x3B, 0x23].contains(window.lower[$0.lowerBound]) }.prefix(60)
    guard let first = lines.first else { return nil }
    func isSection(_ line: Range<Int>) -> Bool {
        let text = window.lower[line]
        return text.first == 0x5B && text.last == 0x5D && line.count > 2 && !text.contains(0x28) && !text.contains(0x2C)
    }
    func isPair(_ line: Range<Int>) -> Bool {
        let text = window.lower[line]
        guard let sign = text.firstIndex(of: 0x3D), sign > text.startIndex, text.last != 0x3B, text.last != 0x7B else {
            return false
        }
        return text[..<sign].allSatisfy { isLetter($0) || isDigit($0) || [0x20, 0x2E, 0x5F, 0x2D].contains($0) }
    }
    let pairs = lines.count(where: isPair)
    let sections = lines.count(where: isSection)
    guard isSection(first), pairs + sections >= 2 || lines.count == 1, (pairs + sections) * 2 >= lines.count else {
        return nil
    }
    if window.contains("signature") && (window.contains("$chicago$") || window.contains("$windows nt$")) {
        return FileKind("INF")
    }
    return FileKind("INI")
}

/// A document start, or keys and lists on nearly all lines.
func isYAML(_ window: TextWindow) -> Bool {
    let lines = window.lines.filter { window.lower[$0.lowerBound] != 0x23 }.prefix(60)
    guard lines.count >= 2 else { return false }
    func isKey(_ line: Range<Int>) -> Bool {
        let text = window.lower[line].drop { $0 == 0x2D || $0 == 0x20 }
        guard let colon = text.firstIndex(of: 0x3A), colon > text.startIndex,
            text.index(after: colon) == text.endIndex || text[colon + 1] == 0x20
        else { return false }
        return text[..<colon].allSatisfy {
            isLetter($0) || isDigit($0) || [0x2E, 0x5F, 0x2D, 0x22, 0x27, 0x2F].contains($0)
        }
    }
    let keys = lines.count(where: isKey)
    let items = lines.count { window.lower[$0].starts(with: [0x2D, 0x20]) && !isKey($0) }
    let isMarked = window.begins("---") || window.begins("%yaml")
    guard let first = lines.first, isMarked || isKey(first) else { return false }
    return keys >= (isMarked ? 1 : 2) && (keys + items) * 10 >= lines.count * (isMarked ? 3 : 6)
}
