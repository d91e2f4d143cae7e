import Pipeline

/// How the characters of a text file are stored.
enum TextEncoding: Equatable {
    /// ASCII, UTF-8, or single bytes of some code page.
    case bytes
    /// UTF-16, low byte first.
    case utf16LittleEndian
    /// UTF-16, high byte first.
    case utf16BigEndian

    /// Bytes looked at before a file counts as text.
    static let probe = 64 << 10

    /// The encoding of a text and where it begins behind its byte order mark; nil for what is no text.
    static func detect(_ span: RawSpan) -> (encoding: TextEncoding, start: Int)? {
        let padding = leadingZeros(span)
        if padding >= zeroRun {
            return detect(unpadded: span.suffix(from: padding)).map { ($0.encoding, $0.start + padding) }
        }
        return detect(unpadded: span)
    }

    // A machine that loses power leaves blocks of zeros in the logs it was writing, at their head after a rotation:
    // runs of zeros count for nothing, neither for text nor against it.
    private static let zeroRun = 16
    // How far the text behind zeros is looked for.
    private static let paddingLimit = 64 << 20

    private static func leadingZeros(_ span: RawSpan) -> Int {
        var offset = 0
        while offset < paddingLimit, span.uint64(at: offset) == 0 { offset += 8 }
        while offset < paddingLimit, span.uint8(at: offset) == 0 { offset += 1 }
        return offset
    }

    private static func detect(unpadded span: RawSpan) -> (encoding: TextEncoding, start: Int)? {
        let head = span.prefix(probe)
        if head.matches([0xEF, 0xBB, 0xBF], at: 0) { return isText(head) ? (.bytes, 3) : nil }
        if head.matches([0xFF, 0xFE], at: 0) { return isUTF16(head, highByteAt: 1) ? (.utf16LittleEndian, 2) : nil }
        if head.matches([0xFE, 0xFF], at: 0) { return isUTF16(head, highByteAt: 0) ? (.utf16BigEndian, 2) : nil }
        if isText(head) { return (.bytes, 0) }
        // Without a mark only mostly-ASCII UTF-16 can be told from binary data.
        let (even, odd) = zeros(head)
        let units = head.byteCount / 2
        guard units >= 8 else { return nil }
        if odd * 10 > units * 8, isUTF16(head, highByteAt: 1) { return (.utf16LittleEndian, 0) }
        if even * 10 > units * 8, isUTF16(head, highByteAt: 0) { return (.utf16BigEndian, 0) }
        return nil
    }

    // At most one control character or single NUL in a hundred bytes: logs carry escape codes, binaries carry more.
    private static func isText(_ span: RawSpan) -> Bool {
        var controls = 0
        var text = 0
        var zeros = 0
        for offset in 0..<span.byteCount {
            guard let byte = span.uint8(at: offset) else { break }
            if byte == 0 {
                zeros += 1
                continue
            }
            if zeros < zeroRun { controls += zeros }
            zeros = 0
            if isControl(byte) { controls += 1 } else { text += 1 }
        }
        return text > 0 && controls * 100 <= text
    }

    private static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && !(0x09...0x0D).contains(byte) && byte != 0x1B || byte == 0x7F
    }

    private static func zeros(_ span: RawSpan) -> (even: Int, odd: Int) {
        var even = 0
        var odd = 0
        for offset in 0..<span.byteCount where span.uint8(at: offset) == 0 {
            if offset & 1 == 0 { even += 1 } else { odd += 1 }
        }
        return (even, odd)
    }

    private static func isUTF16(_ span: RawSpan, highByteAt high: Int) -> Bool {
        var controls = 0
        var units = 0
        for offset in stride(from: 0, to: span.byteCount - 1, by: 2) {
            guard let first = span.uint8(at: offset), let second = span.uint8(at: offset + 1) else { break }
            let (top, bottom) = high == 0 ? (first, second) : (second, first)
            units += 1
            if top == 0, isControl(bottom) { controls += 1 }
        }
        return units > 0 && controls * 100 <= units
    }
}
