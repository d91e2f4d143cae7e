import Pipeline

// Lines of a signature file as people and editors leave them: with or without byte order mark, LF or CRLF, UTF-8,
// UTF-16 or a Windows code page.

struct SignatureLine {
    var number: Int
    var text: String
    // Bytes that were no UTF-8 and are read as Latin-1.
    var isLatin: Bool
}

private let lineByteLimit = 32 << 10

/// All lines that hold something, without their ends; those that are too long are told as problems.
func signatureLines(of file: SignatureFile, problems: inout [SignatureProblem]) -> [SignatureLine] {
    let span = file.bytes.span
    if span.uint16(at: 0) == 0xFEFF {
        let text = Bytes(utf8: String(utf16: span.suffix(from: 2)))
        return lines(of: text.span, path: file.path, problems: &problems)
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    return lines(of: span.suffix(from: span.starts(with: mark.rawSpan) ? 3 : 0), path: file.path, problems: &problems)
}

private func lines(of span: RawSpan, path: String, problems: inout [SignatureProblem]) -> [SignatureLine] {
    var lines: [SignatureLine] = []
    var start = 0
    var number = 0
    while start < span.byteCount {
        number += 1
        let newline = span.firstOffset(of: 0x0A, from: start) ?? span.byteCount
        var end = newline
        while end > start, span.uint8(at: end - 1) == 0x0D { end -= 1 }
        defer { start = newline + 1 }
        guard let line = span.slice(at: start, count: end - start), line.byteCount > 0 else { continue }
        guard line.byteCount <= lineByteLimit else {
            problems.append(
                SignatureProblem(
                    file: path, line: number, message: "the line is longer than \(lineByteLimit) bytes; left out"))
            continue
        }
        let isValid = isValidUTF8(line)
        let text = isValid ? line.utf8Text : String(lossy: line)
        if text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
        lines.append(SignatureLine(number: number, text: text, isLatin: !isValid))
    }
    return lines
}

/// A text without blanks at its ends.
func trimmed(_ text: some StringProtocol) -> String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    let text = Substring(text)
    guard let first = text.utf8.firstIndex(where: { !isBlank($0) }),
        let last = text.utf8.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(text[first...last])
}
