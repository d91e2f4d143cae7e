/// Builds one record: fields are appended in order, values as UTF-8.
///
/// Handed to the closures of `Output.emit` and `emitMany`; one that throws takes its record back.
public struct RecordBuilder: ~Copyable {
    /// Most bytes that the values of one record may have.
    public static let recordByteLimit = 64 << 20

    @usableFromInline var batch: RecordBatch
    var clock: StageClock?
    @usableFromInline var added: UInt32 = 0

    init(batch: consuming RecordBatch) { self.batch = batch }

    /// Names of the fields; a parser may keep the numbers as long as this is the same object.
    public var keys: KeyTable { batch.keys }

    /// Bytes that the values of this batch have so far.
    @inlinable public var byteCount: Int { batch.arena.count }

    /// Whether the batch is to be handed on before more is added.
    @inlinable public var isFull: Bool { batch.isFull }

    /// Adds one record, in `Output.emitMany`.
    ///
    /// - Throws: what `build` throws (its record is taken back), or `timeout`.
    @inlinable
    public mutating func add(
        _ type: RecordType, offset: Int, _ build: (inout RecordBuilder) throws(StageError) -> Void
    ) throws(StageError) {
        let fields = batch.fieldTable.count
        let bytes = batch.arena.count
        let index = batch.index(of: type)
        batch.entries.append(
            RecordBatch.Entry(type: index, firstField: Int32(truncatingIfNeeded: fields), offset: offset))
        do {
            try build(&self)
            added &+= 1
            if added & 15 == 0 { try lookAtClock() }
            if batch.arena.count > RecordBatch.byteLimit { try checkpoint() }
            batch.entries[batch.entries.count - 1].fieldCount = Int32(
                truncatingIfNeeded: batch.fieldTable.count - fields)
        } catch {
            rollBack(toFields: fields, bytes: bytes)
            throw error
        }
    }

    @usableFromInline
    func lookAtClock() throws(StageError) { try clock?.check() }

    @usableFromInline
    mutating func rollBack(toFields fields: Int, bytes: Int) {
        batch.entries.truncate(to: batch.entries.count - 1)
        batch.fieldTable.truncate(to: fields)
        batch.arena.truncate(to: bytes)
        let record = batch.entries.count
        batch.ownReasons.removeAll { $0.record == record }
    }

    /// Adds a field; `write` appends its value to the arena it is handed.
    @inlinable
    @inline(__always)
    public mutating func field<E: Error>(
        _ key: KeyTable.ID, _ write: (inout ByteArena) throws(E) -> Void
    ) throws(E) {
        let start = batch.arena.count
        try write(&batch.arena)
        close(key, start: start)
    }

    /// Adds a field with a text that is UTF-8 already, or Latin-1.
    @inlinable
    public mutating func field(_ key: KeyTable.ID, _ value: RawSpan) {
        let start = batch.arena.count
        batch.arena.append(lossy: value)
        close(key, start: start)
    }

    /// Adds a field.
    public mutating func field(_ key: String, _ value: String) {
        let start = batch.arena.count
        batch.arena.append(value)
        close(keys.id(of: key), start: start)
    }

    /// Adds a field with a decimal number.
    public mutating func field(_ key: String, _ value: Int) {
        let start = batch.arena.count
        batch.arena.append(decimal: Int64(value))
        close(keys.id(of: key), start: start)
    }

    /// Adds a field if there is a value.
    public mutating func field(_ key: String, _ value: String?) {
        if let value { field(key, value) }
    }

    /// Adds a field with a time in RFC 3339 if there is one.
    public mutating func field(_ key: String, _ value: Timestamp?) {
        if let value { field(key, value.rfc3339()) }
    }

    /// Says that the record itself is suspicious: the parser's own heuristics.
    public mutating func report(_ reason: Reason) {
        batch.ownReasons.append((record: batch.entries.count - 1, reason: reason))
    }

    /// To be called in every loop whose length the file controls.
    ///
    /// - Throws: `StageError` when the time is over or the scan was cancelled, or when the record is too large.
    public func checkpoint() throws(StageError) {
        guard batch.arena.count <= RecordBatch.byteLimit + Self.recordByteLimit else {
            throw StageError(
                .limit, "a record has more than \(Self.recordByteLimit) bytes of values; the rest was not read")
        }
        try clock?.checkpoint()
    }

    @inlinable
    @inline(__always)
    mutating func close(_ key: KeyTable.ID, start: Int) {
        batch.fieldTable.append(
            RecordBatch.Field(
                key: UInt32(truncatingIfNeeded: key.index), start: UInt32(truncatingIfNeeded: start),
                length: UInt32(truncatingIfNeeded: batch.arena.count - start)))
        batch.arena.append(0x0A)
    }
}
