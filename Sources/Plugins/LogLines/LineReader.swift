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
        let end = lineEnd(in: span, from: start)
        let width = encoding == .bytes ? 1 : 2
        position = end < span.byteCount ? end + width : span.byteCount
        let count = end - start
        return (start, count >= width && isReturn(span, at: end - width) ? count - width : count)
    }

    private func lineEnd(in span: RawSpan, from start: Int) -> Int {
        var search = start
        while let found = span.firstOffset(of: 0x0A, from: search) {
            switch encoding {
            case .bytes:
                return found
            case .utf16LittleEndian:
                if (found - start) & 1 == 0, span.uint8(at: found + 1) == 0 { return found }
            case .utf16BigEndian:
                if (found - start) & 1 == 1, span.uint8(at: found - 1) == 0 { return found - 1 }
            }
            search = found + 1
        }
        return span.byteCount
    }

    private func isReturn(_ span: RawSpan, at offset: Int) -> Bool {
        switch encoding {
        case .bytes: span.uint8(at: offset) == 0x0D
        case .utf16LittleEndian: span.uint16(at: offset) == 0x0D
        case .utf16BigEndian: span.bigEndianUInt16(at: offset) == 0x0D
        }
    }
}
