import Pipeline

/// Walks over the lines of a text; line ends are LF or CR LF and do not belong to the line.
struct LineReader {
    private let encoding: TextEncoding
    private var position: Int

    init(encoding: TextEncoding, start: Int) {
        self.encoding = encoding
        position = start
    }

    /// Where the next line lies in the text, in bytes; nil at the end.
    mutating func next(in span: RawSpan) -> (start: Int, count: Int)? {
        guard position < span.byteCount else { return nil }
        let start = position
        if encoding == .bytes {
            let end = span.firstOffset(of: 0x0A, from: start) ?? span.byteCount
            position = end &+ 1
            return (start, end > start && span.uint8(at: end &- 1) == 0x0D ? end &- start &- 1 : end &- start)
        }
        let end = lineEnd(in: span, from: start)
        position = end < span.byteCount ? end + 2 : span.byteCount
        let count = end - start
        return (start, count >= 2 && isReturn(span, at: end - 2) ? count - 2 : count)
    }

    // UTF-16.
    private func lineEnd(in span: RawSpan, from start: Int) -> Int {
        var search = start
        while let found = span.firstOffset(of: 0x0A, from: search) {
            if encoding == .utf16LittleEndian {
                if (found - start) & 1 == 0, span.uint8(at: found + 1) == 0 { return found }
            } else if (found - start) & 1 == 1, span.uint8(at: found - 1) == 0 {
                return found - 1
            }
            search = found + 1
        }
        return span.byteCount
    }

    private func isReturn(_ span: RawSpan, at offset: Int) -> Bool {
        (encoding == .utf16LittleEndian ? span.uint16(at: offset) : span.bigEndianUInt16(at: offset)) == 0x0D
    }
}
