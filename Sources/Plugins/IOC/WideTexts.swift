import Pipeline

// Texts in binary data: memory of Windows holds most of its texts as UTF-16, so what is ASCII in every second byte is
// put together for the matchers, which know bytes only.

/// The ASCII texts that some bytes hold as UTF-16LE, one a line, and where each stood.
struct WideTexts: ~Copyable {
    // Shorter runs are chance.
    private static let shortest = 4

    /// The texts as ASCII.
    private(set) var bytes = Bytes.empty
    private var starts: [(text: Int, place: Int)] = []

    init(in span: RawSpan) {
        var arena = ByteArena(capacity: 1 << 16)
        var done = 0
        var offset = 0
        // A run of four characters has four bytes at a multiple of four, whether it begins at an odd or even place.
        while let word = span.uint32(at: offset) {
            if word & 0xFF00_FF00 == 0, word != 0 {
                offset = take(span, from: offset, &done, &arena)
            } else if word & 0x00FF_00FF == 0, word != 0 {
                offset = take(span, from: offset &+ 1, &done, &arena)
            }
            offset = (offset &+ 4) & ~3
        }
        bytes = Bytes(copying: arena.span)
    }

    // Adds the run around a character; answers where to go on.
    private mutating func take(
        _ span: RawSpan, from middle: Int, _ done: inout Int, _ arena: inout ByteArena
    ) -> Int {
        var start = middle
        while start &- 2 >= done, isText(span, start &- 2) { start &-= 2 }
        var end = middle
        while isText(span, end) { end &+= 2 }
        guard (end &- start) / 2 >= Self.shortest else { return max(middle & ~3, end & ~3 &- 4) }
        starts.append((arena.count, start))
        for place in stride(from: start, to: end, by: 2) { arena.append(span.uint8(at: place) ?? 0x20) }
        arena.append(0x0A)
        done = end
        return max(middle & ~3, end & ~3 &- 4)
    }

    private func isText(_ span: RawSpan, _ offset: Int) -> Bool {
        guard let unit = span.uint16(at: offset) else { return false }
        return (0x20...0x7E).contains(unit) || unit == 9
    }

    /// Where a match in `bytes` stood in the data.
    func place(of match: Range<Int>) -> Range<Int> {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle].text <= match.lowerBound { low = middle } else { high = middle }
        }
        guard low < starts.count else { return 0..<0 }
        let start = starts[low].place + (match.lowerBound - starts[low].text) * 2
        return start..<(start + match.count * 2)
    }
}
