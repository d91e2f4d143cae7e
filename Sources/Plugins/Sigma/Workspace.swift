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
    var foldedStart = -1
    var foldedCount = 0
}

/// Values of one field from many records, joined by newlines; each different value stands there once.
final class GatheredValues {
    private(set) var text = ByteArena(capacity: 16 << 10)
    private var starts: [Int] = []
    private var counts: [Int] = []
    private var firstRecord: [Int] = []
    // For each mention of a value its record and the next mention.
    private var mentions: [(record: Int, next: Int)] = []
    private var table: [Int32] = []

    init() {}

    var isEmpty: Bool { starts.isEmpty }

    func removeAll() {
        guard !starts.isEmpty else { return }
        text.truncate(to: 0)
        starts.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        firstRecord.removeAll(keepingCapacity: true)
        mentions.removeAll(keepingCapacity: true)
        for index in table.indices { table[index] = -1 }
    }

    /// Adds a record's value.
    func add(_ value: RawSpan, record: Int) {
        if starts.count * 2 >= table.count { grow() }
        var slot = mixedHash(value) & (table.count - 1)
        while table[slot] >= 0 {
            let index = Int(table[slot])
            if counts[index] == value.byteCount, text.span.suffix(from: starts[index]).starts(with: value) {
                mentions.append((record, firstRecord[index]))
                firstRecord[index] = mentions.count - 1
                return
            }
            slot = (slot + 1) & (table.count - 1)
        }
        table[slot] = Int32(truncatingIfNeeded: starts.count)
        starts.append(text.count)
        counts.append(value.byteCount)
        mentions.append((record, -1))
        firstRecord.append(mentions.count - 1)
        text.append(value)
        text.append(0x0A)
    }

    private func grow() {
        let size = max(64, table.count * 2)
        table = Array(repeating: -1, count: size)
        for index in starts.indices {
            guard let value = text.span.slice(at: starts[index], count: counts[index]) else { continue }
            var slot = mixedHash(value) & (size - 1)
            while table[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            table[slot] = Int32(truncatingIfNeeded: index)
        }
    }

    /// Calls `body` for every record that has the value at this offset of the text.
    func forEachRecord(at offset: Int, _ body: (Int) -> Void) {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return }
        var mention = firstRecord[low - 1]
        while mention >= 0 {
            body(mentions[mention].record)
            mention = mentions[mention].next
        }
    }

    /// Calls `body` for every record that has any value.
    func forEachRecord(_ body: (Int) -> Void) {
        for mention in mentions { body(mention.record) }
    }
}

/// Where the fields of a class's records go: by the number of the field's name in the batch.
struct FieldRoute {
    /// Numbers under which rules know the field.
    var fields: [Int] = []
    /// Those of them that are searched.
    var searched: [Int] = []
    /// Values that are made from it.
    var derived: [(field: Int, form: FieldAlias.Form, isSearched: Bool)] = []
    var isUsed: Bool { !fields.isEmpty || !derived.isEmpty }
}

/// Numbers for byte strings that occur again and again.
struct Interner {
    /// Most strings that get a number; a hostile file may have any number of them.
    static let limit = 4_096

    private var known: [[UInt8]] = []
    private var table: [Int16] = Array(repeating: -1, count: 4 * limit)
    private var last: Int32 = -1

    /// The number of a string; the largest possible one when there are too many.
    mutating func number(of text: RawSpan) -> Int32 {
        // Neighbours are mostly the same.
        if last >= 0, isEqual(known[Int(last)], text) { return last }
        var slot = mixedHash(text) & (table.count - 1)
        while table[slot] >= 0 {
            if isEqual(known[Int(table[slot])], text) {
                last = Int32(table[slot])
                return last
            }
            slot = (slot + 1) & (table.count - 1)
        }
        guard known.count < Self.limit else { return .max }
        table[slot] = Int16(known.count)
        known.append(text.array)
        last = Int32(known.count - 1)
        return last
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
