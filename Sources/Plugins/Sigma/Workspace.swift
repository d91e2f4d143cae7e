import PatternMatching
import Pipeline

// Working memory of one submission: the record that is being evaluated, what is known of its predicates, and values
// gathered from many records to be searched at once.

/// A value of a record under one of the names that rules use.
struct RecordValue {
    /// Number of the field in the plan; -1 for a field no rule names.
    var field: Int
    /// Where it lies, in the batch's text or among the derived values.
    var start: Int
    var count: Int
    /// Field of the batch that it is, or is made from.
    var batchField = -1
    var isDerived = false
    /// The record's next value of the same field, -1 if there is none.
    var next = -1
    var foldedStart = -1
    var foldedCount = 0
}

/// Values of one field from many records, joined by newlines; each different value stands there once.
struct GatheredValues: ~Copyable {
    private struct Value {
        var start: Int32
        var count: Int32
        var lastMention: Int32
    }

    private struct Mention {
        var record: Int32
        /// The mention of the same value before, -1 if there is none.
        var previous: Int32
    }

    private(set) var text = ByteArena(capacity: 4 << 10)
    private var values: [Value] = []
    private var mentions: [Mention] = []
    // Positions in `values` by hash, -1 where there is none; the size is a power of two.
    private var table: [Int32] = []

    init() {}

    var isEmpty: Bool { values.isEmpty }

    mutating func removeAll() {
        text.truncate(to: 0)
        values.removeAll(keepingCapacity: true)
        mentions.removeAll(keepingCapacity: true)
        for index in table.indices { table[index] = -1 }
    }

    /// Adds a record's value.
    mutating func add(_ value: RawSpan, record: Int) {
        if values.count &* 2 >= table.count { grow() }
        var slot = mixedHash(value) & (table.count - 1)
        while table[slot] >= 0 {
            let index = Int(table[slot])
            if Int(values[index].count) == value.byteCount,
                text.span.suffix(from: Int(values[index].start)).starts(with: value)
            {
                mentions.append(
                    Mention(record: Int32(truncatingIfNeeded: record), previous: values[index].lastMention))
                values[index].lastMention = Int32(truncatingIfNeeded: mentions.count - 1)
                return
            }
            slot = (slot + 1) & (table.count - 1)
        }
        table[slot] = Int32(truncatingIfNeeded: values.count)
        mentions.append(Mention(record: Int32(truncatingIfNeeded: record), previous: -1))
        values.append(
            Value(
                start: Int32(truncatingIfNeeded: text.count), count: Int32(truncatingIfNeeded: value.byteCount),
                lastMention: Int32(truncatingIfNeeded: mentions.count - 1)))
        text.append(value)
        text.append(0x0A)
    }

    private mutating func grow() {
        let size = max(64, table.count * 2)
        table = Array(repeating: -1, count: size)
        for index in values.indices {
            var slot = hash(ofValue: index) & (size - 1)
            while table[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            table[slot] = Int32(truncatingIfNeeded: index)
        }
    }

    private func hash(ofValue index: Int) -> Int {
        mixedHash(text.span.suffix(from: Int(values[index].start)).prefix(Int(values[index].count)))
    }

    /// Calls `body` for every record that has the value at this offset of the text.
    func forEachRecord(at offset: Int, _ body: (Int) -> Void) {
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) / 2
            if Int(values[middle].start) <= offset { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return }
        var mention = values[low - 1].lastMention
        while mention >= 0 {
            body(Int(mentions[Int(mention)].record))
            mention = mentions[Int(mention)].previous
        }
    }

    /// Calls `body` for every record that has any value.
    func forEachRecord(_ body: (Int) -> Void) {
        for mention in mentions { body(Int(mention.record)) }
    }
}

/// Holds gathered values, so that a list of them can be.
final class Gatherer {
    var values = GatheredValues()
}

/// Numbers for byte strings that occur again and again.
struct Interner {
    /// Most strings that get a number; a hostile file may have any number of them.
    static let limit = 4_096

    private var known: [[UInt8]] = []
    private var table: [Int16] = []
    private var last: Int32 = -1

    /// The number of a string; the largest possible one when there are too many.
    mutating func number(of text: RawSpan) -> Int32 {
        // Neighbours are mostly the same.
        if last >= 0, isEqual(known[Int(last)], text) { return last }
        if known.count * 2 >= table.count { grow() }
        var slot = mixedHash(text) & (table.count - 1)
        while table[slot] >= 0 {
            if isEqual(known[Int(table[slot])], text) {
                last = Int32(table[slot])
                return last
            }
            slot = (slot + 1) & (table.count - 1)
        }
        guard known.count < Self.limit else { return .max }
        table[slot] = Int16(truncatingIfNeeded: known.count)
        known.append(text.array)
        last = Int32(known.count - 1)
        return last
    }

    private mutating func grow() {
        let size = max(32, table.count * 2)
        table = Array(repeating: -1, count: size)
        for (index, bytes) in known.enumerated() {
            var slot = mixedHash(bytes.rawSpan) & (size - 1)
            while table[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            table[slot] = Int16(truncatingIfNeeded: index)
        }
    }

    private func isEqual(_ bytes: [UInt8], _ text: RawSpan) -> Bool {
        bytes.count == text.byteCount && text.starts(with: bytes.rawSpan)
    }
}

// Mixes eight bytes at a time; long values by their length, start and end.
func mixedHash(_ value: RawSpan) -> Int {
    var state = UInt64(truncatingIfNeeded: value.byteCount) &* 0x9E37_79B9_7F4A_7C15
    var position = 0
    let end = value.byteCount
    while position + 8 <= end {
        state = (state ^ (value.uint64(at: position) ?? 0)) &* 0xFF51_AFD7_ED55_8CCD
        state ^= state >> 32
        position += position >= 256 ? max(8, (end - 264) / 16 & ~7) : 8
    }
    if end >= 8 {
        state = (state ^ (value.uint64(at: end - 8) ?? 0)) &* 0xC4CE_B9FE_1A85_EC53
    } else {
        while position < end {
            state = (state ^ UInt64(value.uint8(at: position) ?? 0)) &* 0xC4CE_B9FE_1A85_EC53
            position += 1
        }
    }
    return Int(truncatingIfNeeded: (state ^ (state >> 29)) & 0x7FFF_FFFF)
}
