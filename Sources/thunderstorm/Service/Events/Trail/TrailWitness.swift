import Pipeline
import Synchronization

/// Writes down the objects of one submission for the audit trail, in chunks of whole lines.
///
/// Its scan may run in another process than the trail: the chunks then travel.
final class TrailWitness: ScanWitness {
    /// Lines are handed on when there are so many bytes of them.
    static let chunkSize = 256 << 10

    private let encoder: TrailEncoder
    private let deliver: @Sendable ([UInt8]) -> Void
    private let waiting = Mutex<[UInt8]>([])

    /// A witness of one scan.
    ///
    /// - Parameters:
    ///   - context: Time and source of the submission; its scan id is the id of the submitted sample.
    ///   - deliver: Takes lines, from any thread.
    init(context: EventContext, hidesPersonalData: Bool, deliver: @escaping @Sendable ([UInt8]) -> Void) {
        encoder = TrailEncoder(context: context, hidesPersonalData: hidesPersonalData)
        self.deliver = deliver
    }

    func saw(_ object: SeenObject) {
        var writer = JSONWriter()
        encoder.write(object, to: &writer)
        add(writer.take())
    }

    func saw(_ batch: borrowing RecordBatch, _ records: SeenRecords) {
        var writer = JSONWriter()
        var shared = encoder.shared(by: records)
        for record in 0..<batch.count {
            encoder.write(record, of: batch, records, &shared, to: &writer)
            if writer.bytes.count >= Self.chunkSize { add(writer.take()) }
        }
        add(writer.take())
    }

    /// Hands on what is left.
    func finish() {
        let rest = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        if !rest.isEmpty { deliver(rest) }
    }

    private func add(_ lines: [UInt8]) {
        let full = waiting.withLock { waiting -> [UInt8]? in
            waiting += lines
            guard waiting.count >= Self.chunkSize else { return nil }
            defer { waiting = [] }
            return waiting
        }
        if let full { deliver(full) }
    }
}
