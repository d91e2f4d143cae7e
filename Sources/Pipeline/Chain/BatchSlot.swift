// The batch that one stage is filling, and the reasons that later stages find against its records.

final class BatchSlot {
    private(set) var builder: RecordBuilder

    init(keys: KeyTable) { builder = RecordBuilder(batch: RecordBatch(keys: keys)) }

    var count: Int { builder.batch.count }
    var isFull: Bool { builder.batch.isFull }
    var keys: KeyTable { builder.batch.keys }

    func use(_ clock: StageClock?) { builder.clock = clock }

    func add(
        _ type: RecordType, offset: Int, _ build: (inout RecordBuilder) throws(StageError) -> Void
    ) throws(StageError) {
        try builder.add(type, offset: offset, build)
    }

    // Access to the builder is checked once for as many records as `build` adds.
    func fill(_ build: (inout RecordBuilder) throws(StageError) -> Void) throws(StageError) { try build(&builder) }

    func reset() { builder.batch.reset() }

    func withBatch<R>(_ body: (borrowing RecordBatch) -> R) -> R { body(builder.batch) }
}

/// Reasons against the records of one batch.
final class BatchFindings {
    private(set) var reasons: [Int: [Reason]] = [:]

    func add(_ reason: Reason, record: Int) { reasons[record, default: []].append(reason) }
}
