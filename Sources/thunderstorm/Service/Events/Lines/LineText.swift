// Values of events as part of one line: nothing that a sample says can start a new line, speak to a terminal, or turn
// the direction of what people read.

/// What a value must not contain besides control characters.
enum LineQuoting {
    /// Nothing more: text log.
    case none
    /// `'` and `\`: KEY='value'.
    case single
    /// `=` and `\`: an extension of CEF.
    case cefValue
    /// `|` and `\`: the header of CEF.
    case cefHeader
}

extension [UInt8] {
    /// Appends a value, safe for a line.
    ///
    /// - Parameter limit: Most characters; what is cut is marked.
    mutating func append(safe value: String, limit: Int, quoting: LineQuoting = .none) {
        value.withUTF8Bytes { append(safe: $0, limit: limit, quoting: quoting) }
    }

    private mutating func append(safe text: RawSpan, limit: Int, quoting: LineQuoting) {
        let plain = Self.plain(quoting)
        var left = limit
        var second: UInt8 = 0
        // Bytes of the character that is being looked at, kept back until it is known to be harmless.
        var held: [UInt8] = []
        var index = 0
        while let byte = text.uint8(at: index) {
            if byte & 0xC0 != 0x80 {
                if !held.isEmpty {
                    append(contentsOf: held)
                    held.removeAll(keepingCapacity: true)
                }
                if left == 0 {
                    append(text: "... (truncated)")
                    return
                }
                // Plain ASCII: a byte is a character.
                let count = byte < 0x80 ? Swift.min(plain.end(in: text, from: index) - index, left) : 0
                if count > 0, let stretch = text.slice(at: index, count: count) {
                    append(stretch)
                    index += count
                    left -= count
                    continue
                }
                left -= 1
            }
            index += 1
            switch byte {
            case 0x0A: append(text: "\\n")
            case 0x0D: append(text: "\\r")
            case 0..<0x20, 0x7F: appendEscape(UInt32(byte))
            case 0x27 where quoting == .single, 0x3D where quoting == .cefValue, 0x7C where quoting == .cefHeader:
                append(0x5C)
                append(byte)
            case 0x5C where quoting != .none:
                append(0x5C)
                append(0x5C)
            case 0xC2, 0xE2:
                held.append(byte)
                second = 0
            case 0x80...0xBF where !held.isEmpty:
                held.append(byte)
                if held[0] == 0xC2 {
                    if byte < 0xA0 { appendEscape(UInt32(byte)) } else { append(contentsOf: held) }
                    held.removeAll(keepingCapacity: true)
                } else if held.count == 2 {
                    second = byte
                } else {
                    let scalar = 0x2000 | UInt32(second & 0x3F) << 6 | UInt32(byte & 0x3F)
                    if Self.turnsText(scalar) { appendEscape(scalar) } else { append(contentsOf: held) }
                    held.removeAll(keepingCapacity: true)
                }
            default: append(byte)
            }
        }
        append(contentsOf: held)
    }

    private static func plain(_ quoting: LineQuoting) -> PlainText {
        switch quoting {
        case .none: .ascii
        case .single: PlainText(except: (0x27, 0x5C, 0x7F), onlyASCII: true)
        case .cefValue: PlainText(except: (0x3D, 0x5C, 0x7F), onlyASCII: true)
        case .cefHeader: PlainText(except: (0x7C, 0x5C, 0x7F), onlyASCII: true)
        }
    }

    // Line and paragraph separators, and the marks that embed, override or isolate a direction.
    private static func turnsText(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private mutating func appendEscape(_ scalar: UInt32) {
        let digits = String(scalar, radix: 16)
        let width = scalar > 0xFF ? 4 : 2
        append(contentsOf: (scalar > 0xFF ? "\\u" : "\\x").utf8)
        append(contentsOf: repeatElement(0x30, count: Swift.max(0, width - digits.utf8.count)))
        append(contentsOf: digits.utf8)
    }
}

/// A text for a terminal: `?` for control characters and for those that turn the direction of writing.
public func oneLine(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                let category = scalar.properties.generalCategory
                return category == .control || category == .format ? "?" : scalar
            }))
}
