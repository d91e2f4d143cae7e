import Pipeline

// One chunk of an event log: its header and the records in it. Where a record is damaged the next one is looked for.

struct EventLogChunk {
    static let headerSize = 512
    // Signature, size, number, time; at the end the size again.
    static let recordHead = 24
    static let recordMagic: [UInt8] = [0x2A, 0x2A, 0, 0]
    // More records than this cannot be in a chunk; a larger gap between two numbers says nothing.
    static let mostRecords: UInt64 = 2_400

    struct Found {
        var offset: Int
        var size: Int
        var id: UInt64
        var written: UInt64
    }

    /// Where it begins in the file.
    let start: Int
    /// Bytes that belong to it, fewer than 64 KiB when the file is cut.
    let count: Int
    /// Whether the file has a whole chunk here.
    let isWhole: Bool
    /// Records that should be there and cannot be found.
    private(set) var lost = 0
    /// Records that were found and could not be read.
    var unreadable = 0
    /// Where the first lost one should be.
    private(set) var firstLoss = 0
    private var cursor: Int
    // Where records end, as far as the header can be believed.
    private let limit: Int
    private let ids: ClosedRange<UInt64>?
    private var previous: UInt64?
    // What the search for whole records found last, and how far it came.
    private var upcoming: Found?
    private var searched = 0

    /// No chunk.
    static let none = EventLogChunk(start: 0, count: 0, isWhole: true)

    private init(start: Int, count: Int, isWhole: Bool) {
        self.start = start
        self.count = count
        self.isWhole = isWhole
        cursor = 0
        limit = count
        ids = nil
    }

    /// A region in which a chunk should begin, but none does.
    init(regionAt start: Int, count: Int) { self.init(start: start, count: count, isWhole: true) }

    /// Reads the header of a chunk.
    init(_ span: RawSpan, start: Int, count: Int) {
        self.start = start
        self.count = count
        isWhole = count == EventLog.chunkSize
        cursor = min(Self.headerSize, count)
        let free = Int(span.uint32(at: 48) ?? 0)
        limit = free >= Self.headerSize && free <= count ? free : count
        if let first = span.uint64(at: 24), let last = span.uint64(at: 32), first <= last,
            last - first < Self.mostRecords
        {
            ids = first...last
        } else {
            ids = nil
        }
    }

    /// Whether header and records have the checksums that the header tells.
    func hasGoodChecksums(_ span: RawSpan) -> Bool {
        let header = CRC32.update(CRC32.update(0, span, at: 0, count: 120), span, at: 128, count: 384)
        guard header == span.uint32(at: 124) else { return false }
        return CRC32.update(0, span, at: Self.headerSize, count: limit - Self.headerSize) == span.uint32(at: 52)
    }

    /// The next record; nil at the end.
    mutating func next(_ span: RawSpan) -> Found? {
        guard cursor < limit else {
            if !isWhole { end(isDamaged: true, at: limit) }
            return nil
        }
        if let found = whole(span, at: cursor) { return take(found) }
        let gap = cursor
        let following = nextWhole(span, after: gap)
        if let found = damaged(span, at: gap, before: following?.offset ?? limit) { return take(found) }
        guard let following else {
            end(isDamaged: isCounted && span.firstNonZero(from: gap, to: limit) != nil, at: gap)
            return nil
        }
        // Bytes before the first record of a region are no loss that could be counted.
        if isCounted { lose(missing(before: following.id), at: gap) }
        return take(following)
    }

    private var isCounted: Bool { ids != nil || previous != nil }

    private mutating func take(_ found: Found) -> Found {
        cursor = found.offset &+ found.size
        previous = found.id
        return found
    }

    // No more records will be found: the header may know of some. Without damage and without more numbers in the
    // header the rest is unused space.
    private mutating func end(isDamaged: Bool, at offset: Int) {
        cursor = limit
        var expected = 0
        if let ids, let previous {
            if ids.contains(previous) { expected = Int(ids.upperBound - previous) }
        } else if let ids {
            expected = Int(ids.upperBound - ids.lowerBound) + 1
        }
        if isDamaged { expected = max(expected, 1) }
        if expected > 0 { lose(expected, at: offset) }
    }

    private mutating func lose(_ count: Int, at offset: Int) {
        if lost == 0 { firstLoss = offset }
        lost += count
    }

    private func missing(before id: UInt64) -> Int {
        let expected = previous.map { $0 &+ 1 } ?? ids?.lowerBound ?? id
        guard id > expected, id &- expected <= Self.mostRecords else { return 1 }
        return Int(id &- expected)
    }

    // A record that is whole: it ends with a copy of its size.
    private func whole(_ span: RawSpan, at offset: Int) -> Found? {
        guard let found = head(span, at: offset), found.size <= count &- offset,
            span.uint32(at: offset &+ found.size &- 4) == UInt32(truncatingIfNeeded: found.size)
        else { return nil }
        return found
    }

    // The search goes through a chunk once, however many damaged records lie before what it finds.
    private mutating func nextWhole(_ span: RawSpan, after offset: Int) -> Found? {
        if let upcoming, upcoming.offset >= offset { return upcoming }
        upcoming = nil
        searched = max(searched, offset)
        while let candidate = span.firstOffset(of: Self.recordMagic, from: searched) {
            searched = candidate &+ 1
            if let found = whole(span, at: candidate) {
                upcoming = found
                return found
            }
        }
        searched = count
        return nil
    }

    // A record whose end is missing or whose size is wrong, where the next record should be: what lies before the
    // following one is tried.
    private func damaged(_ span: RawSpan, at offset: Int, before next: Int) -> Found? {
        guard var found = head(span, at: offset), next > offset, isCounted,
            found.id == previous.map({ $0 &+ 1 }) ?? ids?.lowerBound ?? found.id
        else { return nil }
        found.size = min(found.size, next &- offset)
        return found.size >= Self.recordHead &+ 4 ? found : nil
    }

    private func head(_ span: RawSpan, at offset: Int) -> Found? {
        guard span.uint32(at: offset) == 0x2A2A, let size = span.uint32(at: offset &+ 4),
            let id = span.uint64(at: offset &+ 8), let written = span.uint64(at: offset &+ 16),
            size >= Self.recordHead + 4
        else { return nil }
        return Found(offset: offset, size: Int(size), id: id, written: written)
    }
}

extension RawSpan {
    /// Offset of the first byte that is not zero, in `start..<end`.
    func firstNonZero(from start: Int, to end: Int? = nil) -> Int? {
        let end = Swift.min(end ?? byteCount, byteCount)
        var position = start
        while position &+ 8 <= end, let word = uint64(at: position) {
            if word != 0 { return position &+ word.trailingZeroBitCount / 8 }
            position &+= 8
        }
        while position < end, let byte = uint8(at: position) {
            if byte != 0 { return position }
            position &+= 1
        }
        return nil
    }
}
