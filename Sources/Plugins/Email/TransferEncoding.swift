import Pipeline

// Transfer encodings (RFC 2045, section 6): decoded as mail programs do it, rubbish between the letters included.

/// A content transfer encoding.
enum TransferEncoding: Sendable, Equatable {
    case none, base64, quotedPrintable, uuencode

    init(_ value: [UInt8]?) {
        let name = value.map { String(decoding: trimmed($0[...]), as: UTF8.self).lowercased() } ?? ""
        if name.hasPrefix("base64") {
            self = .base64
        } else if name.hasPrefix("quoted-printable") {
            self = .quotedPrintable
        } else if ["x-uuencode", "uuencode", "x-uue", "uue"].contains(name) {
            self = .uuencode
        } else {
            self = .none
        }
    }

    /// The decoded content; never longer than the encoded one.
    func decode(_ span: RawSpan) -> [UInt8] {
        switch self {
        case .none: span.array
        case .base64: decodedBase64(span)
        case .quotedPrintable: decodedQuotedPrintable(span)
        case .uuencode: UuencodedFile.first(in: span, from: 0)?.content ?? span.array
        }
    }
}

/// Base64 without its rubbish: other characters are skipped, missing padding does not matter.
///
/// Behind padding the text goes on only if nothing but letters of the alphabet follow; a mailing list's footer does
/// not.
func decodedBase64(_ span: RawSpan) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(span.byteCount / 4 * 3 + 3)
    var bits: UInt32 = 0
    var count = 0
    func flush(_ decoded: inout [UInt8]) {
        if count >= 2 { decoded.append(UInt8(truncatingIfNeeded: (bits << UInt32(6 * (4 - count))) >> 16)) }
        if count == 3 { decoded.append(UInt8(truncatingIfNeeded: (bits << 6) >> 8)) }
    }
    var offset = 0
    while let byte = span.uint8(at: offset) {
        offset &+= 1
        let value = base64Values[Int(byte)]
        if value < 64 {
            bits = bits << 6 | UInt32(value)
            count &+= 1
            if count == 4 {
                decoded.append(UInt8(truncatingIfNeeded: bits >> 16))
                decoded.append(UInt8(truncatingIfNeeded: bits >> 8))
                decoded.append(UInt8(truncatingIfNeeded: bits))
                bits = 0
                count = 0
            }
        } else if byte == 0x3D, count >= 2 {
            flush(&decoded)
            bits = 0
            count = 0
            while span.uint8(at: offset) == 0x3D { offset &+= 1 }
            if !isAlphabet(span, from: offset) { return decoded }
        }
    }
    flush(&decoded)
    return decoded
}

private func isAlphabet(_ span: RawSpan, from start: Int) -> Bool {
    var offset = start
    while let byte = span.uint8(at: offset) {
        if base64Values[Int(byte)] >= 64, byte > 0x20, byte != 0x3D { return false }
        offset &+= 1
    }
    return true
}

private let base64Values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (index, byte) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
        values[Int(byte)] = UInt8(index)
    }
    return values
}()

/// Quoted-printable: `=41`, and `=` at the end of a line joins it with the next.
func decodedQuotedPrintable(_ span: RawSpan) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(span.byteCount)
    var offset = 0
    while let byte = span.uint8(at: offset) {
        offset += 1
        guard byte == 0x3D else {
            decoded.append(byte)
            continue
        }
        if let high = hexDigit(span.uint8(at: offset)), let low = hexDigit(span.uint8(at: offset + 1)) {
            decoded.append(high << 4 | low)
            offset += 2
            continue
        }
        var end = offset
        while let blank = span.uint8(at: end), blank == 0x20 || blank == 0x09 { end += 1 }
        if span.uint8(at: end) == 0x0D { end += 1 }
        if span.uint8(at: end) == 0x0A || end >= span.byteCount {
            offset = end + 1
        } else {
            decoded.append(byte)
        }
    }
    return decoded
}

/// Decodes `%41` or `=41`; what is no escape stays.
func decodedEscapes(_ bytes: [UInt8], escape: UInt8) -> [UInt8] {
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
        if bytes[index] == escape, index + 2 < bytes.count, let high = hexDigit(bytes[index + 1]),
            let low = hexDigit(bytes[index + 2])
        {
            decoded.append(high << 4 | low)
            index += 3
        } else {
            decoded.append(bytes[index])
            index += 1
        }
    }
    return decoded
}

private func hexDigit(_ byte: UInt8?) -> UInt8? {
    switch byte {
    case .some(0x30...0x39): byte.map { $0 - 0x30 }
    case .some(0x41...0x46): byte.map { $0 - 0x37 }
    case .some(0x61...0x66): byte.map { $0 - 0x57 }
    default: nil
    }
}

/// A file in uuencode inside a text: `begin 644 name` to `end`.
struct UuencodedFile {
    let name: String
    let content: [UInt8]
    let end: Int

    /// The first file at or behind `start`.
    static func first(in span: RawSpan, from start: Int) -> UuencodedFile? {
        var from = start
        while let hit = span.firstOffset(of: Array("begin ".utf8), from: from) {
            from = hit + 6
            guard hit == 0 || span.uint8(at: hit - 1) == 0x0A else { continue }
            let lineEnd = span.firstOffset(of: 0x0A, from: hit).map { $0 + 1 } ?? span.byteCount
            let line = trimmedLine(span, hit + 6, lineEnd)
            guard let text = span.slice(at: line.lowerBound, count: min(line.count, 300)) else { continue }
            let words = String(lossy: text).split(separator: " ", maxSplits: 1)
            guard words.count == 2, (3...4).contains(words[0].count), words[0].allSatisfy({ ("0"..."7").contains($0) })
            else { continue }
            let body = decode(span, from: lineEnd)
            return UuencodedFile(name: String(words[1]), content: body.content, end: body.end)
        }
        return nil
    }

    // Lines of a length character and groups of four; the first line that is none ends the file.
    private static func decode(_ span: RawSpan, from start: Int) -> (content: [UInt8], end: Int) {
        var content: [UInt8] = []
        var offset = start
        while offset < span.byteCount {
            let lineEnd = span.firstOffset(of: 0x0A, from: offset).map { $0 + 1 } ?? span.byteCount
            let line = trimmedLine(span, offset, lineEnd)
            guard let first = span.uint8(at: offset), (0x20...0x60).contains(first), !line.isEmpty else { break }
            let count = Int((first - 0x20) & 63)
            if count == 0 { break }
            var decoded: [UInt8] = []
            var position = line.lowerBound + 1
            while decoded.count < count {
                var bits: UInt32 = 0
                for index in 0..<4 {
                    // Blanks at the end of a line get lost on the way.
                    let byte = position + index < line.upperBound ? span.uint8(at: position + index) ?? 0x20 : 0x20
                    bits = bits << 6 | UInt32((byte &- 0x20) & 63)
                }
                position += 4
                decoded += [UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)]
            }
            content += decoded.prefix(count)
            offset = lineEnd
        }
        return (content, offset)
    }
}
