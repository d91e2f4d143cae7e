import Glibc
import Synchronization

// The batch that one stage is filling, and the reasons that later stages find against its records.

/// A batch with its builder.
///
/// One thread has it at a time, and `IdleSlots` alone hands it from one run to the next: that is why it may cross threads.
final class BatchSlot: @unchecked Sendable {
    private(set) var builder: RecordBuilder

    init(keys: KeyTable) { builder = RecordBuilder(batch: RecordBatch(keys: keys)) }

    var count: Int { builder.batch.count }
    var isFull: Bool { builder.batch.isFull }
    var isOversized: Bool { builder.batch.isOversized }
    var keys: KeyTable { builder.batch.keys }

    func use(_ clock: StageClock?) { builder.clock = clock }

    func begin(_ keys: KeyTable) { builder.batch.begin(keys) }

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

/// Empty batches between two runs: their memory is used again instead of being asked of the system page by page.
///
/// At most one for each processor is kept, and none that one huge record has made larger than a batch needs.
final class IdleSlots: Sendable {
    private static let limit = max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)

    private let slots = Mutex<[BatchSlot]>([])

    func take(for keys: KeyTable) -> BatchSlot? {
        let slot = slots.withLock { $0.popLast() }
        slot?.begin(keys)
        return slot
    }

    func keep(_ slots: [BatchSlot]) {
        for slot in slots where !slot.isOversized {
            slot.begin(KeyTable())
            self.slots.withLock { if $0.count < Self.limit { $0.append(slot) } }
        }
    }
}

/// Reasons against the records of one batch.
final class BatchFindings {
    private(set) var reasons: [Int: [Reason]] = [:]

    func add(_ reason: Reason, record: Int) { reasons[record, default: []].append(reason) }
}
