import CHyperscan
import Glibc

// What Hyperscan's callback writes to. The callback runs inside C: it only appends to an array; everything else
// happens after the scan has returned.

@safe struct MatchCollector {
    var matches: [PatternMatch] = []
    private let ids: [Int]
    private let limit: Int
    private var found = 0
    // For each pattern the last match that was kept, and the end of its line; empty unless once per line.
    private var lines: [Line]
    private var text: UnsafeRawPointer?
    private var length = 0

    private struct Line {
        var match: UInt32 = 0
        var end: UInt32 = 0
    }

    init(ids: [Int], oncePerLine: Bool, limit: Int) {
        self.ids = ids
        self.limit = limit
        lines = oncePerLine ? Array(repeating: Line(), count: ids.count) : []
    }

    // Scans with one database; false when the limit stopped it.
    mutating func run(
        _ database: Handle, _ scratch: Handle, _ span: RawSpan, length: UInt32
    ) throws(PatternError) -> Bool {
        let status = unsafe span.withUnsafeBytes { buffer in
            unsafe text = buffer.baseAddress
            self.length = buffer.count
            return unsafe withUnsafeMutablePointer(to: &self) { collector in
                unsafe hs_scan(
                    database.pointer, buffer.baseAddress, length, 0, scratch.pointer,
                    { id, from, to, _, context in
                        let collector = unsafe context?.assumingMemoryBound(to: MatchCollector.self)
                        return unsafe collector?.pointee.add(id, from, to) ?? 1
                    }, collector)
            }
        }
        unsafe text = nil
        if status == HS_SCAN_TERMINATED { return false }
        guard status == HS_SUCCESS else { throw PatternError(.engine, "Hyperscan failed with code \(status)") }
        return true
    }

    private mutating func add(_ id: UInt32, _ from: UInt64, _ to: UInt64) -> Int32 {
        let index = Int(id)
        guard index < ids.count else { return 1 }
        if !lines.isEmpty {
            let end = UInt32(truncatingIfNeeded: to)
            if lines[index].match <= end && end <= lines[index].end { return 0 }
            lines[index] = Line(match: end, end: lineEnd(after: end))
        }
        matches.append(
            PatternMatch(id: ids[index], start: Int(truncatingIfNeeded: from), end: Int(truncatingIfNeeded: to)))
        found += 1
        return found >= limit ? 1 : 0
    }

    private func lineEnd(after end: UInt32) -> UInt32 {
        let last = max(Int(end) - 1, 0)
        guard let text = unsafe text, last < length,
            let newline = unsafe memchr(text + last, 0x0A, length - last)
        else { return UInt32(truncatingIfNeeded: length) }
        return UInt32(truncatingIfNeeded: unsafe text.distance(to: UnsafeRawPointer(newline)))
    }
}

func releaseMemory(_ pointer: UnsafeMutableRawPointer) { unsafe free(pointer) }
