import PatternMatching

// The modifiers after a field name (`CommandLine|contains|all`), as in the Sigma specification, appendix "Modifiers".

struct Modifiers {
    enum Kind: Equatable {
        case text, regex, network, number, field, exists
    }

    /// A change of a text before it is compared.
    enum Step: Equatable {
        case expand, dashes, base64, base64Offsets
        case utf16(bigEndian: Bool, mark: Bool)
    }

    var kind = Kind.text
    /// All values must fit, instead of one.
    var all = false
    var isNegated = false
    var isCased = false
    /// Any text may stand before or after the value.
    var before = false
    var after = false
    var steps: [Step] = []
    var flags: Pattern.Flags = [.utf8]
    var comparison: Comparison?
    var part: TimePart?

    /// Reads the modifiers of one field.
    init(_ words: [String]) throws(RuleError) {
        for word in words { try add(word) }
        if flags != [.utf8] && kind != .regex {
            throw RuleError("the modifiers i, m and s have a meaning after 're' only")
        }
        if !steps.isEmpty && kind != .text && steps != [.expand] {
            throw RuleError("these modifiers do not go together: \(words.joined(separator: ", "))")
        }
    }

    private mutating func add(_ word: String) throws(RuleError) {
        switch word.lowercased() {
        case "all": all = true
        case "neq": isNegated = true
        case "cased": isCased = true
        case "contains": (before, after) = (true, true)
        case "startswith": after = true
        case "endswith": before = true
        case "re": try set(.regex)
        case "i", "ignorecase": flags.insert(.caseless)
        case "m", "multiline": flags.insert(.multiline)
        case "s", "dotall": flags.insert(.dotAll)
        case "cidr": try set(.network)
        case "exists": try set(.exists)
        case "fieldref": try set(.field)
        case "expand": steps.append(.expand)
        case "windash": steps.append(.dashes)
        case "base64": steps.append(.base64)
        case "base64offset": steps.append(.base64Offsets)
        case "wide", "utf16le": steps.append(.utf16(bigEndian: false, mark: false))
        case "utf16be": steps.append(.utf16(bigEndian: true, mark: false))
        case "utf16": steps.append(.utf16(bigEndian: false, mark: true))
        default:
            if let comparison = Comparison(rawValue: word), comparison != .equal {
                try set(.number)
                self.comparison = comparison
            } else if let part = TimePart(rawValue: word) {
                try set(.number)
                self.part = part
            } else {
                throw RuleError("unknown modifier '\(word)'")
            }
        }
    }

    private mutating func set(_ kind: Kind) throws(RuleError) {
        guard self.kind == .text || self.kind == kind else {
            throw RuleError("a value cannot be two of: regular expression, network, number, field, exists")
        }
        self.kind = kind
    }
}

/// Base64 as in RFC 4648 section 4.
func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    var position = 0
    while position < bytes.count {
        let rest = bytes.count - position
        let triple =
            UInt32(bytes[position]) << 16 | (rest > 1 ? UInt32(bytes[position + 1]) << 8 : 0)
            | (rest > 2 ? UInt32(bytes[position + 2]) : 0)
        text.append(alphabet[Int(triple >> 18)])
        text.append(alphabet[Int(triple >> 12 & 63)])
        text.append(rest > 1 ? alphabet[Int(triple >> 6 & 63)] : 0x3D)
        text.append(rest > 2 ? alphabet[Int(triple & 63)] : 0x3D)
        position += 3
    }
    return text
}

/// What base64 text holds wherever these bytes stand in the encoded data: three forms, without the characters that
/// depend on the bytes around.
func base64Offsets(_ bytes: [UInt8]) -> [[UInt8]] {
    (0..<3).map { offset in
        let text = base64(Array(repeating: 0x20, count: offset) + bytes)
        let leading = [0, 2, 3][offset]
        let trailing = [0, 3, 2][(bytes.count + offset) % 3]
        return Array(text.dropFirst(leading).dropLast(trailing))
    }
}

/// A text as UTF-16; bytes that are no UTF-8 become U+FFFD.
func utf16Bytes(_ text: [UInt8], bigEndian: Bool, mark: Bool) -> [UInt8] {
    let units = (mark ? [0xFEFF] : []) + Array(String(decoding: text, as: UTF8.self).utf16)
    return units.flatMap { unit in
        let (high, low) = (UInt8(truncatingIfNeeded: unit >> 8), UInt8(truncatingIfNeeded: unit))
        return bigEndian ? [high, low] : [low, high]
    }
}
