import Pipeline

// A text in a rule as it is compared with values: literal parts, wildcards and dashes of any kind. Escapes as in the
// Sigma rules specification, "Escaping": a backslash takes the meaning away from a wildcard or a backslash after it,
// and is an ordinary character before anything else.

/// A text with wildcards.
struct TextPattern: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        /// Just these bytes.
        case literal([UInt8])
        /// `*`: any text, also none.
        case anyText
        /// `?`: one character.
        case anyCharacter
        /// One of the characters that Windows programs take for the dash of an option.
        case dash
    }

    /// What a dash may be: hyphen, slash, en dash, em dash, horizontal bar.
    static let dashes: [[UInt8]] = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"].map { Array($0.utf8) }

    /// Parts in order; no two literals or two `anyText` stand side by side.
    private(set) var parts: [Part] = []
    /// Whether upper and lower case differ; if not, literals are in lower case.
    private(set) var isCased = false

    /// A pattern of parts.
    init(_ parts: [Part]) { for part in parts { append(part) } }

    /// Reads a text of a rule; with `wildcards` false, every character stands for itself.
    init(_ text: String, wildcards: Bool = true) {
        guard wildcards else {
            append(.literal(Array(text.utf8)))
            return
        }
        var literal: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                if byte != 0x2A && byte != 0x3F && byte != 0x5C { literal.append(0x5C) }
                literal.append(byte)
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else if byte == 0x2A || byte == 0x3F {
                append(.literal(literal))
                literal = []
                append(byte == 0x2A ? .anyText : .anyCharacter)
            } else {
                literal.append(byte)
            }
        }
        if isEscaped { literal.append(0x5C) }
        append(.literal(literal))
    }

    private mutating func append(_ part: Part) {
        switch (parts.last, part) {
        case (_, .literal(let bytes)) where bytes.isEmpty: return
        case (.anyText, .anyText): return
        case (.literal(let before), .literal(let bytes)): parts[parts.count - 1] = .literal(before + bytes)
        default: parts.append(part)
        }
    }

    /// The literal if there is nothing else; nil if there are wildcards.
    var plain: [UInt8]? {
        if parts.isEmpty { return [] }
        if parts.count == 1, case .literal(let bytes) = parts[0] { return bytes }
        return nil
    }

    /// The pattern with any text allowed around it.
    func extended(before: Bool, after: Bool) -> TextPattern {
        var result = TextPattern((before ? [.anyText] : []) + parts + (after ? [.anyText] : []))
        result.isCased = isCased
        return result
    }

    /// The pattern as it is compared: literals in lower case unless case matters.
    func comparable(isCased: Bool) -> TextPattern {
        var result =
            isCased
            ? self
            : TextPattern(
                parts.map { part in
                    if case .literal(let bytes) = part { return .literal(CaseFolding.folded(bytes)) }
                    return part
                })
        result.isCased = isCased
        return result
    }

    /// The pattern with each dash or slash that begins a word taken for any dash.
    func withDashes() -> TextPattern {
        var result: [Part] = []
        for part in parts {
            guard case .literal(let bytes) = part else {
                result.append(part)
                continue
            }
            var literal: [UInt8] = []
            for (index, byte) in bytes.enumerated() {
                let isStart = index == 0 || !isWord(bytes[index - 1])
                let isBeforeWord = index + 1 < bytes.count && isWord(bytes[index + 1])
                if (byte == 0x2D || byte == 0x2F) && isStart && isBeforeWord {
                    result += [.literal(literal), .dash]
                    literal = []
                } else {
                    literal.append(byte)
                }
            }
            result.append(.literal(literal))
        }
        return TextPattern(result)
    }

    /// The longest literal, which every matching text holds; empty if there is none.
    var longestLiteral: [UInt8] {
        parts.reduce(into: []) { longest, part in
            if case .literal(let bytes) = part, bytes.count > longest.count { longest = bytes }
        }
    }

    /// Whether it takes any text.
    var takesEverything: Bool { parts == [.anyText] }
}

private func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...: true
    default: false
    }
}

// MARK: Matching

/// The common forms of texts, which need no general search.
enum TextForm: UInt8, Sendable {
    case equal, prefix, suffix, inside, other

    /// Where a text in lower case has the needle.
    func match(_ needle: [UInt8], _ text: RawSpan) -> Range<Int>? {
        switch self {
        case .equal:
            return text.byteCount == needle.count && text.starts(with: needle.rawSpan) ? 0..<needle.count : nil
        case .prefix:
            return text.starts(with: needle.rawSpan) ? 0..<needle.count : nil
        case .suffix:
            let start = text.byteCount - needle.count
            return start >= 0 && text.matches(needle, at: start) ? start..<text.byteCount : nil
        case .inside:
            return text.firstOffset(of: needle).map { $0..<($0 + needle.count) }
        case .other:
            return nil
        }
    }
}

extension TextPattern {
    /// Where the pattern matches the whole of a text.
    ///
    /// - Parameter text: In lower case unless the pattern is cased.
    /// - Returns: The bytes between leading and trailing `*`, nil if it does not match.
    func match(_ text: RawSpan) -> Range<Int>? {
        if parts.isEmpty { return text.byteCount == 0 ? 0..<0 : nil }
        let form = form
        return form == .other ? search(text) : form.match(longestLiteral, text)
    }

    /// The common form that the pattern has; `other` when it is cased, too.
    var form: TextForm {
        if isCased { return .other }
        switch parts.count {
        case 1:
            if case .literal = parts[0] { return .equal }
        case 2:
            if case .literal = parts[0], parts[1] == .anyText { return .prefix }
            if parts[0] == .anyText, case .literal = parts[1] { return .suffix }
        case 3:
            if parts[0] == .anyText, parts[2] == .anyText, case .literal = parts[1] { return .inside }
        default: break
        }
        return .other
    }

    // Leftmost match of each stretch between two `*`: nothing is gained by looking further right.
    private func search(_ text: RawSpan) -> Range<Int>? {
        var position = 0
        var start: Int?
        var index = 0
        while index < parts.count {
            let stretchStart = index
            var stretchEnd = index
            while stretchEnd < parts.count, parts[stretchEnd] != .anyText { stretchEnd += 1 }
            let isFirst = stretchStart == 0
            let isLast = stretchEnd == parts.count
            let stretch = parts[stretchStart..<stretchEnd]
            index = stretchEnd + 1
            if stretch.isEmpty { continue }
            guard let found = place(stretch, in: text, from: position, fixedStart: isFirst, toEnd: isLast) else {
                return nil
            }
            if start == nil { start = found.lowerBound }
            position = found.upperBound
        }
        // A `*` at the end takes the rest; without one the last stretch has reached the end.
        if parts.last != .anyText && position != text.byteCount { return nil }
        return (start ?? 0)..<position
    }

    private func place(
        _ stretch: ArraySlice<Part>, in text: RawSpan, from: Int, fixedStart: Bool, toEnd: Bool
    ) -> Range<Int>? {
        var candidate = from
        while candidate <= text.byteCount {
            if !fixedStart, case .literal(let bytes)? = stretch.first, candidate < text.byteCount {
                guard let next = text.firstOffset(of: bytes, from: candidate) else { return nil }
                candidate = next
            }
            if let end = end(of: stretch, in: text, at: candidate), !toEnd || end == text.byteCount {
                return candidate..<end
            }
            if fixedStart { return nil }
            candidate += decodeUTF8(text, at: candidate)?.width ?? 1
        }
        return nil
    }

    private func end(of stretch: ArraySlice<Part>, in text: RawSpan, at start: Int) -> Int? {
        var position = start
        for part in stretch {
            switch part {
            case .literal(let bytes):
                guard text.matches(bytes, at: position) else { return nil }
                position += bytes.count
            case .anyCharacter:
                guard position < text.byteCount else { return nil }
                position += decodeUTF8(text, at: position)?.width ?? 1
            case .dash:
                guard let dash = Self.dashes.first(where: { text.matches($0, at: position) }) else { return nil }
                position += dash.count
            case .anyText:
                return nil
            }
        }
        return position
    }
}
