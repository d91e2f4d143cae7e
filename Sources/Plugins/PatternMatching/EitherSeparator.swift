import Pipeline

// Paths come with `/` or `\`, and expressions for them with one of the two. Instead of searching each text twice, as it
// is and with both exchanged, the expression is made wider: where it takes one separator, it takes the other, too.

/// An expression that finds whatever the given one finds in a text, or in the text with both exchanged.
///
/// It may find more. Nil if the expression has parts that are not understood here.
func withEitherSeparator(_ expression: [UInt8]) -> [UInt8]? {
    var widener = SeparatorWidener(expression: expression)
    return widener.widened()
}

/// A plain text as such an expression.
func withEitherSeparator(literal: [UInt8]) -> [UInt8] {
    literal.flatMap { isSeparator($0) ? eitherSeparator : escapedForRegex([$0]) }
}

/// A copy with `/` and `\` exchanged.
public func withSeparatorsExchanged(_ text: RawSpan) -> [UInt8] {
    var copy = text.array
    var bytes = copy.mutableSpan
    for index in bytes.indices {
        switch bytes[index] {
        case 0x2F: bytes[index] = 0x5C
        case 0x5C: bytes[index] = 0x2F
        default: continue
        }
    }
    return copy
}

private let eitherSeparator = Array(#"[/\\]"#.utf8)

private func isSeparator(_ byte: UInt8) -> Bool { byte == 0x2F || byte == 0x5C }

private struct SeparatorWidener {
    let expression: [UInt8]
    private var index = 0
    private var result: [UInt8] = []

    init(expression: [UInt8]) { self.expression = expression }

    private func byte(at index: Int) -> UInt8? { index < expression.count ? expression[index] : nil }

    mutating func widened() -> [UInt8]? {
        while let byte = byte(at: index) {
            switch byte {
            case UInt8(ascii: "["):
                guard takeClass() else { return nil }
            case UInt8(ascii: "\\"):
                guard let escaped = self.byte(at: index + 1), !mayHideSeparator(escaped) else { return nil }
                if isSeparator(escaped) { result += eitherSeparator } else { result += [byte, escaped] }
                index += 2
            case UInt8(ascii: "/"):
                result += eitherSeparator
                index += 1
            case UInt8(ascii: "("):
                // What must not follow would be made wider, and the whole narrower.
                if isNegativeLook { return nil }
                result.append(byte)
                index += 1
            default:
                result.append(byte)
                index += 1
            }
        }
        return result
    }

    private var isNegativeLook: Bool {
        let start = expression[index...]
        return start.starts(with: "(?!".utf8) || start.starts(with: "(?<!".utf8)
    }

    // Characters by number, quoted text, properties: none of them is in use for file names.
    private func mayHideSeparator(_ escaped: UInt8) -> Bool { "0xoQcpPN".utf8.contains(escaped) }

    // Takes a class, from its bracket on. A separator that a class takes alone brings the other along; one that it
    // refuses alone is taken.
    private mutating func takeClass() -> Bool {
        var place = index + 1
        let isNegated = byte(at: place) == UInt8(ascii: "^")
        if isNegated { place += 1 }
        var members: [UInt8] = []
        var separators: Set<UInt8> = []
        var isFirst = true
        while let byte = byte(at: place), isFirst || byte != UInt8(ascii: "]") {
            isFirst = false
            var count = 1
            switch byte {
            case UInt8(ascii: "["):
                return false
            case UInt8(ascii: "\\"):
                guard let escaped = self.byte(at: place + 1), !mayHideSeparator(escaped) else { return false }
                count = 2
                if isSeparator(escaped) { separators.insert(escaped) }
            case UInt8(ascii: "/"):
                separators.insert(byte)
            default:
                break
            }
            if let end = rangeEnd(after: place + count) {
                guard count == 1, byte <= end, end != 0x5C else { return false }
                let inside = [0x2F, 0x5C].filter { (byte...end).contains($0) }
                // One of the two cannot be taken out of a range.
                if isNegated, inside.count == 1 { return false }
                separators.formUnion(inside)
                members += [byte, UInt8(ascii: "-"), end]
                place += 3
                continue
            }
            let isAlone = count == 2 ? isSeparator(expression[place + 1]) : byte == 0x2F
            if !isAlone {
                // At another place a bracket or dash would have its meaning.
                if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "-") { members.append(0x5C) }
                members += expression[place..<(place + count)]
            }
            place += count
        }
        guard byte(at: place) == UInt8(ascii: "]") else { return false }
        index = place + 1
        let keepsSeparators = isNegated ? separators.count == 2 : !separators.isEmpty
        if keepsSeparators { members = Array(#"/\\"#.utf8) + members }
        if members.isEmpty {
            result += Array("(?s:.)".utf8)
        } else {
            if !isNegated, members.first == UInt8(ascii: "^") { members.insert(0x5C, at: 0) }
            result += [UInt8(ascii: "[")] + (isNegated ? [UInt8(ascii: "^")] : []) + members + [UInt8(ascii: "]")]
        }
        return true
    }

    // The end of a range whose dash is at `place`; nil if there is none.
    private func rangeEnd(after place: Int) -> UInt8? {
        guard byte(at: place) == UInt8(ascii: "-"), let end = byte(at: place + 1), end != UInt8(ascii: "]") else {
            return nil
        }
        return end
    }
}
