// The bytes in which reports travel between processes and wait in the store: numbers as LEB128, texts once each.
// https://dwarfstd.org/doc/DWARF5.pdf (section 7.6, variable length data) describes LEB128.

/// Writes values that `BinaryReader` reads back in the same order.
struct BinaryWriter {
    /// What was written so far.
    private(set) var bytes: [UInt8] = []
    // Position of each text among those that were written: findings repeat names, paths and keys thousands of times.
    private var texts: [String: UInt64] = [:]
    // Texts written so far, also those that nobody will look for.
    private(set) var textCount = 0
    /// Values of records that are so long are written without a look whether they were there before.
    ///
    /// Shorter ones come again often, and longer ones make a report too large when they do.
    static let unsearched = 65...256

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func unsigned(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    // Small numbers of either sign stay short: 0, -1, 1, -2 are 0, 1, 2, 3.
    mutating func signed(_ value: Int64) {
        unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    mutating func integer(_ value: Int) { signed(Int64(value)) }

    mutating func data(_ value: [UInt8]) {
        unsigned(UInt64(value.count))
        bytes += value
    }

    // 0 and the text when it is new, else its position from 1.
    mutating func text(_ value: String) {
        if let index = texts.index(forKey: value) {
            // Other spellings of the same characters (a letter with its accent, or behind it) are equal; evidence is not.
            guard texts[index].key.utf8.elementsEqual(value.utf8) else { return newText(value) }
            return unsigned(texts[index].value)
        }
        texts[value] = UInt64(textCount + 1)
        newText(value)
    }

    // A text that is likely to be the only one of its kind: looking for it would cost more than it saves.
    mutating func newText(_ value: String) {
        textCount += 1
        unsigned(0)
        unsigned(UInt64(value.utf8.count))
        bytes.append(text: value)
    }

    // Bytes that this writer wrote before, all texts of which are positions.
    mutating func again(_ known: [UInt8]) { bytes.append(known.rawSpan) }

    mutating func optional<T>(_ value: T?, _ write: (inout BinaryWriter, T) -> Void) {
        flag(value != nil)
        if let value { write(&self, value) }
    }

    mutating func list<T>(_ values: some Collection<T>, _ write: (inout BinaryWriter, T) -> Void) {
        unsigned(UInt64(values.count))
        for value in values { write(&self, value) }
    }
}
