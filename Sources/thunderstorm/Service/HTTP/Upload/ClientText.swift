// Bytes from clients that ought to be text: percent codes, and names in no declared encoding. Code page 1252 after
// the table of the WHATWG Encoding Standard ("windows-1252"), in which every byte has a character.

/// Reads bytes as UTF-8 when they are valid, otherwise as code page 1252.
func clientText(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var text = String.UnicodeScalarView()
    for byte in bytes {
        let code = (0x80...0x9F).contains(byte) ? codePage1252[Int(byte) - 0x80] : UInt16(byte)
        text.append(Unicode.Scalar(code) ?? "\u{FFFD}")
    }
    return String(text)
}

/// A short text of a client as it is kept, at most 255 bytes: one that was longer ends in `…`.
///
/// Names of hosts take at most 253. A million queued samples, accounts and collections hold such texts in memory.
func boundedClientText(_ text: String) -> String {
    let (limit, mark) = (255, "…")
    return text.utf8.count > limit ? text.prefix(utf8: limit - mark.utf8.count) + mark : text
}

/// Decodes every `%XX`; what is no percent code stays as it is.
func percentDecoded(_ bytes: some Collection<UInt8>, plusIsBlank: Bool = false) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var rest = bytes[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"), let value = hexadecimalByte(rest.prefix(2)) {
            decoded.append(value)
            rest = rest.dropFirst(2)
        } else if byte == UInt8(ascii: "+"), plusIsBlank {
            decoded.append(UInt8(ascii: " "))
        } else {
            decoded.append(byte)
        }
    }
    return decoded
}

/// The value of two hexadecimal digits, nil if they are not that.
func hexadecimalByte(_ digits: some Collection<UInt8>) -> UInt8? {
    guard digits.count == 2 else { return nil }
    var value: UInt8 = 0
    for digit in digits {
        switch digit {
        case 0x30...0x39: value = value << 4 | (digit - 0x30)
        case 0x41...0x46: value = value << 4 | (digit - 0x41 + 10)
        case 0x61...0x66: value = value << 4 | (digit - 0x61 + 10)
        default: return nil
        }
    }
    return value
}

// 0x80...0x9F; the five bytes without a character stand for the control characters of the same number.
private let codePage1252: [UInt16] = [
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D,
    0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
    0x0153, 0x009D, 0x017E, 0x0178,
]
