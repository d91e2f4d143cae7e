import Pipeline

// The door of the parser: opens a Windows event log (.evtx), goes through its chunks to the end of the file whatever
// the header says, and finds the records of each chunk, also behind damage.
// Layout after J. Metz, "Windows XML Event Log (EVTX) format", chapters 2 and 3.

/// A Windows event log, read chunk by chunk.
///
///     var log = EventLog(bytes)
///     while log.nextChunk() {
///         while let record = log.nextRecord() {
///             try log.render(record, into: &builder)   // or log.fields(of: record)
///         }
///     }
///     print(log.damage)
public struct EventLog: ~Copyable {
    /// One record as it was found.
    public struct Record: Sendable, Equatable {
        /// Position in the file, in bytes.
        public let offset: Int
        /// Size with its header, in bytes.
        public let size: Int
        /// Record number, counted through the life of the log.
        public let id: UInt64
        /// When it was written.
        public let written: Timestamp
    }

    /// What could not be read, or not be trusted.
    public struct Damage: Sendable, Equatable {
        /// Records that could not be read at all.
        public internal(set) var lostRecords = 0
        /// Records of which only the first fields could be read.
        public internal(set) var partialRecords = 0
        /// Chunks in which records were lost.
        public internal(set) var damagedChunks = 0
        /// Places where a chunk should be and none begins.
        public internal(set) var missingChunks = 0
        /// Chunks whose header or records do not have the checksum they should have; they are read all the same.
        public internal(set) var badChecksums = 0
        /// What was wrong first, with its position in the file.
        public internal(set) var first: ParseError?
        /// What is wrong with the file header, if anything.
        public internal(set) var header: ParseError?

        /// Whether nothing was wrong.
        public var isNone: Bool { self == Damage() }
    }

    static let chunkSize = 65_536
    static let headerSize = 4_096
    static let chunkMagic: [UInt8] = [0x45, 0x6C, 0x66, 0x43, 0x68, 0x6E, 0x6B, 0]

    /// What was found wrong so far.
    public private(set) var damage = Damage()
    private let file: Bytes
    private var chunk = EventLogChunk.none
    private var renderer: EventRenderer
    // Where the next chunk is expected, and the first place after it where one begins.
    private var position: Int
    private var nextMagic = -1

    /// Opens a log; a damaged file header is noted and the chunks are looked for.
    public init(_ file: Bytes) {
        self.file = file
        renderer = EventRenderer(keys: KeyTable())
        let span = file.span
        position = Self.headerSize
        if !span.matches([UInt8]("ElfFile\0".utf8), at: 0) {
            damage.header = ParseError(.badMagic, "file header: the signature is not ElfFile", at: 0)
            position = 0
        } else if span.byteCount < Self.headerSize {
            damage.header = ParseError(
                .truncated, "file header: need \(Self.headerSize) bytes, have \(span.byteCount)", at: 0)
        } else if span.uint32(at: 124) != CRC32.update(0, span, at: 0, count: 120) {
            damage.header = ParseError(.invalid, "file header: the checksum is wrong", at: 124)
        }
    }

    // MARK: Chunks

    /// Goes to the next chunk, or to a region of the size of one that may hold records.
    ///
    /// - Returns: whether there is one.
    public mutating func nextChunk() -> Bool {
        closeChunk()
        let file = file
        let span = file.span
        guard position < span.byteCount else { return false }
        if span.matches(Self.chunkMagic, at: position) {
            openChunk(span)
            return true
        }
        if nextMagic < position {
            nextMagic = span.firstOffset(of: Self.chunkMagic, from: position) ?? span.byteCount
        }
        // Space for chunks that were never written is zero.
        guard let used = span.firstNonZero(from: position, to: nextMagic) else {
            position = nextMagic
            guard position < span.byteCount else { return false }
            openChunk(span)
            return true
        }
        let start = position + (used - position) / Self.chunkSize * Self.chunkSize
        let end = min(start + Self.chunkSize, nextMagic)
        damage.missingChunks += 1
        note(.badMagic, "no chunk begins where one should", at: start)
        chunk = EventLogChunk(regionAt: start, count: end - start)
        position = end
        renderer.startChunk()
        return true
    }

    private mutating func openChunk(_ span: RawSpan) {
        let start = position
        var end = min(start + Self.chunkSize, span.byteCount)
        // Where a piece of the file is missing, the next chunk begins too early.
        if !span.matches(Self.chunkMagic, at: end),
            let inside = span.slice(at: start, count: end - start)?.firstOffset(of: Self.chunkMagic, from: 8)
        {
            end = start + inside
        }
        position = end
        guard let bytes = span.slice(at: start, count: end - start) else { return }
        chunk = EventLogChunk(bytes, start: start, count: end - start)
        renderer.startChunk()
        if chunk.isWhole, !chunk.hasGoodChecksums(bytes) {
            damage.badChecksums += 1
            note(.invalid, "chunk: a checksum is wrong", at: start)
        } else if !chunk.isWhole {
            note(
                .truncated, "chunk: need \(Self.chunkSize) bytes, have \(chunk.count)", at: start)
        }
    }

    private mutating func closeChunk() {
        if chunk.lost > 0 {
            damage.lostRecords += chunk.lost
            note(.invalid, "no record stands where one should", at: chunk.start + chunk.firstLoss)
        }
        if chunk.lost > 0 || chunk.unreadable > 0 { damage.damagedChunks += 1 }
        chunk = .none
    }

    private mutating func note(_ code: ParseError.Code, _ message: String, at offset: Int) {
        if damage.first == nil { damage.first = ParseError(code, message, at: offset) }
    }

    // MARK: Records

    /// Finds the next record of the chunk.
    ///
    /// - Returns: nil at the end of the chunk.
    public mutating func nextRecord() -> Record? {
        let file = file
        guard let span = file.span.slice(at: chunk.start, count: chunk.count), let found = chunk.next(span) else {
            return nil
        }
        return Record(
            offset: chunk.start + found.offset, size: found.size, id: found.id,
            written: Timestamp(filetime: found.written))
    }

    /// Writes the fields of a record of the current chunk, in the order of its XML.
    ///
    /// A record that breaks behind its EventID keeps the fields before the break and is counted as partial.
    ///
    /// - Returns: the EventID, if it is a number.
    /// - Throws: `ParseError` when nothing of use could be read; the record is counted as lost.
    @discardableResult
    public mutating func render(
        _ record: Record, into builder: inout RecordBuilder
    ) throws(ParseError) -> UInt32? {
        do {
            try write(record, into: &builder)
        } catch {
            note(error.code, error.message, at: error.offset)
            guard renderer.eventID != nil else {
                damage.lostRecords += 1
                chunk.unreadable += 1
                throw error
            }
            damage.partialRecords += 1
        }
        return renderer.eventID
    }

    /// The fields of a record of the current chunk, for use without a chain.
    ///
    /// - Throws: `ParseError` where the record breaks; nothing is counted.
    public mutating func fields(of record: Record) throws(ParseError) -> [Field] {
        var list = EventFieldList(keys: renderer.keys)
        try write(record, into: &list)
        return list.fields
    }

    private mutating func write<W: EventFieldWriter & ~Copyable>(
        _ record: Record, into writer: inout W
    ) throws(ParseError) {
        let start = record.offset - chunk.start + EventLogChunk.recordHead
        let end = record.offset - chunk.start + record.size - 4
        let file = file
        guard let span = file.span.slice(at: chunk.start, count: chunk.count), start >= 0, start <= end else {
            throw ParseError(.invalid, "the record is not of this chunk", at: record.offset)
        }
        do throws(ParseError) {
            try renderer.render(span, from: start, to: end, into: &writer)
        } catch {
            throw ParseError(error.code, "record \(record.id): \(error.message)", at: chunk.start + error.offset)
        }
    }
}

extension EventLog {
    /// A field with its value as text.
    public struct Field: Sendable, Equatable {
        /// Name; repeated for lists.
        public let name: String
        /// Value.
        public let value: String
    }
}

/// Fields as a list of texts.
private struct EventFieldList: EventFieldWriter, ~Copyable {
    let keys: KeyTable
    private(set) var fields: [EventLog.Field] = []

    init(keys: KeyTable) { self.keys = keys }

    mutating func field<E: Error>(
        _ key: KeyTable.ID, _ write: (inout ByteArena) throws(E) -> Void
    ) throws(E) {
        var arena = ByteArena(capacity: 64)
        try write(&arena)
        fields.append(EventLog.Field(name: keys.name(of: key), value: arena.span.utf8Text))
    }
}
