import Pipeline

/// Lines of events on their way to where they are written: bytes, and where each line ends.
struct LineBatch {
    /// Lines are written when there are so many bytes of them.
    static let size = 512 << 10

    /// The lines, each with its end.
    var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// How many lines there are.
    var count: Int { ends.count }

    /// The end of a line, unless nothing was appended to `bytes` since the last one.
    mutating func endLine() {
        if bytes.count > ends.last ?? 0 { ends.append(bytes.count) }
    }

    /// Forgets the lines and keeps the memory.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    /// Each line by itself.
    var lines: [[UInt8]] {
        var start = 0
        return ends.map { end in
            defer { start = end }
            return bytes.rawSpan.slice(at: start, count: end - start)?.array ?? []
        }
    }
}
