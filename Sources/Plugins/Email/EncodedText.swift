import Pipeline

// Text in headers: encoded words (RFC 2047) and character sets.

/// A header's value as text, with its encoded words decoded; what is not encoded is UTF-8 or Latin-1.
func decodedHeader(_ bytes: [UInt8]) -> String {
    guard let first = firstMark(bytes, from: 0) else { return String(lossy: bytes.rawSpan) }
    var text = ""
    var plainStart = 0
    var mark: Int? = first
    var isBehindWord = false
    while let start = mark {
        guard let word = encodedWord(bytes, at: start) else {
            mark = firstMark(bytes, from: start + 2)
            continue
        }
        let between = bytes[plainStart..<start]
        // White space between two encoded words is not part of the text (section 6.2).
        if !(isBehindWord && between.allSatisfy({ $0 <= 0x20 })) { text += String(lossy: Array(between).rawSpan) }
        text += decodedText(word.bytes, charset: word.charset)
        plainStart = word.end
        isBehindWord = true
        mark = firstMark(bytes, from: word.end)
    }
    return text + String(lossy: Array(bytes[plainStart...]).rawSpan)
}

private func firstMark(_ bytes: [UInt8], from: Int) -> Int? {
    bytes.rawSpan.firstOffset(of: [0x3D, 0x3F], from: from)
}

// `=?charset?B?text?=`
private func encodedWord(_ bytes: [UInt8], at start: Int) -> (bytes: [UInt8], charset: String, end: Int)? {
    let head = bytes[(start + 2)...]
    guard let first = head.firstIndex(of: 0x3F), first - start < 64, first + 2 < bytes.count, bytes[first + 2] == 0x3F
    else { return nil }
    let textStart = first + 3
    guard let end = bytes.rawSpan.firstOffset(of: [0x3F, 0x3D], from: textStart) else { return nil }
    let text = Array(bytes[textStart..<end])
    let charset = String(decoding: bytes[(start + 2)..<first].prefix { $0 != 0x2A }, as: UTF8.self)
    switch bytes[first + 1] | 0x20 {
    case 0x62: return (decodedBase64(text.rawSpan), charset, end + 2)
    case 0x71: return (decodedEscapes(text.map { $0 == 0x5F ? 0x20 : $0 }, escape: 0x3D), charset, end + 2)
    default: return nil
    }
}

/// Text of a character set; of those that are not known here, ASCII is right and the rest Latin-1.
func decodedText(_ bytes: [UInt8], charset: String) -> String {
    switch charset.lowercased() {
    case "utf-16", "utf-16le": return String(utf16: bytes.rawSpan)
    case "windows-1252", "cp1252", "iso-8859-1", "latin1", "iso-8859-15":
        var text = String.UnicodeScalarView()
        for byte in bytes {
            text.append((0x80..<0xA0).contains(byte) ? codePage1252[Int(byte) - 0x80] : Unicode.Scalar(byte))
        }
        return String(text)
    case "windows-1251", "cp1251":
        // The letters; the signs around them are rare in names.
        return String(String.UnicodeScalarView(bytes.map { $0 < 0xC0 ? .init($0) : cyrillic(UInt32($0) - 0xC0) }))
    default: return String(lossy: bytes.rawSpan)
    }
}

private func cyrillic(_ index: UInt32) -> Unicode.Scalar { Unicode.Scalar(0x410 + index) ?? "?" }

// 0x80 to 0x9F of Windows code page 1252; what is undefined there is a control character.
private let codePage1252 = Array(
    "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ".unicodeScalars)
