// Records in bulk: all values of thousands of records in one UTF-8 arena, with a table of who owns which part.
// Matchers search the arena once and map hits back; strings are made only for what is reported.

/// Records that matchers look at together.
///
/// Values are UTF-8, separated by one newline in `text`.
public struct RecordBatch: ~Copyable {
    /// A batch is handed on when its values have this many bytes.
    public static let byteLimit = 4 << 20
    /// A batch is handed on when it has this many records.
    public static let recordLimit = 64 << 10

    @usableFromInline
    struct Entry: BitwiseCopyable {
        @usableFromInline var type: Int32
        @usableFromInline var firstField: Int32
        @usableFromInline var fieldCount: Int32 = 0
        @usableFromInline var offset: Int

        @inlinable
        init(type: Int32, firstField: Int32, offset: Int) {
            self.type = type
            self.firstField = firstField
            self.offset = offset
        }
    }

    @usableFromInline
    struct Field: BitwiseCopyable {
        @usableFromInline var key: UInt32
        @usableFromInline var start: UInt32
        @usableFromInline var length: UInt32

        @inlinable
        init(key: UInt32, start: UInt32, length: UInt32) {
            self.key = key
            self.start = start
            self.length = length
        }
    }

    @usableFromInline var arena = ByteArena(capacity: 64 << 10)
    @usableFromInline var entries = PlainTable<Entry>(capacity: 256)
    @usableFromInline var fieldTable = PlainTable<Field>(capacity: 1024)
    var types: [RecordType] = []
    // Where the type of the last record stands in `types`.
    private var lastType = 0
    var ownReasons: [(record: Int, reason: Reason)] = []
    /// Names of the fields.
    public internal(set) var keys: KeyTable

    init(keys: KeyTable) { self.keys = keys }

    /// Number of records.
    public var count: Int { entries.count }

    /// All values, one after another, each followed by a newline.
    public var text: RawSpan {
        @_lifetime(borrow self)
        get { arena.span }
    }

    /// Hands all values to a C library for the time of the call.
    public func withUnsafeText<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try unsafe arena.withUnsafeBytes(body)
    }

    /// Type of a record.
    public func type(of record: Int) -> RecordType { types[Int(entries[record].type)] }

    /// Position of a record in its sample.
    public func offset(of record: Int) -> Int { entries[record].offset }

    /// The record's fields as numbers for `key(of:)` and `value(of:)`.
    public func fields(of record: Int) -> Range<Int> {
        let entry = entries[record]
        return Int(entry.firstField)..<(Int(entry.firstField) + Int(entry.fieldCount))
    }

    /// Name of a field, as a number of `keys`.
    public func key(of field: Int) -> KeyTable.ID { KeyTable.ID(index: Int(fieldTable[field].key)) }

    /// Value of a field.
    @_lifetime(borrow self)
    public func value(of field: Int) -> RawSpan {
        let entry = fieldTable[field]
        return unsafe arena.span.extracting(
            unchecked: Int(entry.start)..<(Int(entry.start) + Int(entry.length)))
    }

    /// Where the value of a field lies in `text`.
    public func textRange(of field: Int) -> Range<Int> {
        let entry = fieldTable[field]
        return Int(entry.start)..<(Int(entry.start) + Int(entry.length))
    }

    /// The field whose value holds the byte at `position` of `text`; nil between values.
    public func field(at position: Int) -> Int? {
        var low = 0
        var high = fieldTable.count
        while low < high {
            let middle = (low + high) / 2
            if Int(fieldTable[middle].start) <= position { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let entry = fieldTable[low - 1]
        return position < Int(entry.start) + Int(entry.length) ? low - 1 : nil
    }

    /// The record that a field belongs to.
    public func record(of field: Int) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if Int(entries[middle].firstField) <= field { low = middle + 1 } else { high = middle }
        }
        // Records without fields share their first field's number with the next one.
        var record = low - 1
        while record > 0 && entries[record].fieldCount == 0 { record -= 1 }
        return record
    }

    /// The first field of a record with the given name, nil if it has none.
    public func field(named key: KeyTable.ID, of record: Int) -> Int? {
        fields(of: record).first { Int(fieldTable[$0].key) == key.index }
    }

    /// A record with its texts, for reporting.
    public func subject(of record: Int) -> RecordSubject {
        RecordSubject(
            type: type(of: record), offset: offset(of: record),
            fields: fields(of: record).map { field in
                RecordSubject.Field(key: keys.name(of: key(of: field)), value: value(of: field).utf8Text)
            })
    }

    mutating func reset() {
        arena.truncate(to: 0)
        entries.truncate(to: 0)
        fieldTable.truncate(to: 0)
        ownReasons.removeAll()
        if keys.count >= KeyTable.limit { keys = KeyTable() }
    }

    // Makes an empty batch one of another run.
    mutating func begin(_ keys: KeyTable) {
        types.removeAll(keepingCapacity: true)
        self.keys = keys
    }

    // Whether it has grown beyond what a batch needs, for the sake of one huge record: 8 MiB of values, or a million fields
    // (12 MiB).
    var isOversized: Bool { arena.capacity > 2 * Self.byteLimit || fieldTable.capacity > 1 << 20 }

    @inlinable var isFull: Bool { entries.count >= Self.recordLimit || arena.count >= Self.byteLimit }

    // Types are few (one to a dozen per format) and come in runs: the last one first, then one after another.
    @usableFromInline
    mutating func index(of type: RecordType) -> Int32 {
        if lastType < types.count, types[lastType] == type { return Int32(truncatingIfNeeded: lastType) }
        if let index = types.firstIndex(where: { $0 == type }) {
            lastType = index
        } else {
            types.append(type)
            lastType = types.count - 1
        }
        return Int32(truncatingIfNeeded: lastType)
    }
}
