import Pipeline

/// Walks over the lines of a log up to a limit; counts them, and those that are cut.
struct LogLineWalk {
    /// A line and where it lies in the file, in bytes, at most as long as lines may be.
    struct Line {
        var number: Int
        var start: Int
        var count: Int

        var isEmpty: Bool { count == 0 }
    }

    /// Lines that were longer than lines may be.
    private(set) var cut = 0
    /// Where the first line beyond the limit begins; nil if there is none.
    private(set) var stop: Int?

    private let encoding: TextEncoding
    private let lineLimit: Int
    private let lineBytes: Int
    private var lines: LineReader
    private var number = 0

    init(_ encoding: TextEncoding, _ start: Int, lineLimit: Int, lineBytes: Int) {
        self.encoding = encoding
        self.lineLimit = lineLimit
        self.lineBytes = lineBytes
        lines = LineReader(encoding: encoding, start: start)
    }

    /// The next line, which may be empty; nil at the end or beyond the limit.
    mutating func next(in span: RawSpan) -> Line? {
        guard let line = lines.next(in: span) else { return nil }
        // Empty lines have a number and count for nothing.
        if line.count > 0, number >= lineLimit {
            stop = line.start
            return nil
        }
        number += 1
        if line.count <= lineBytes { return Line(number: number, start: line.start, count: line.count) }
        cut += 1
        return Line(number: number, start: line.start, count: shortened(span, line))
    }

    // A long line is cut between two characters: half a character would make it no UTF-8.
    private func shortened(_ span: RawSpan, _ line: (start: Int, count: Int)) -> Int {
        guard encoding == .bytes else { return lineBytes & ~1 }
        var count = lineBytes
        while count > lineBytes - 4, count > 0, let byte = span.uint8(at: line.start + count), byte & 0xC0 == 0x80 {
            count -= 1
        }
        return count
    }
}
