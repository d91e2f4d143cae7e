import FoundationEssentials
import Pipeline

/// A sample in the upload directory that waits for its scan.
struct QueuedSample: Sendable, Equatable {
    /// Async id, as the client knows it.
    var id: Int64
    /// Path on the machine it came from.
    var path: String
    /// Host or collector that it came from.
    var source: String
    /// When it was received.
    var received: Timestamp
    /// Its size in bytes.
    var count: Int
    /// Monotonic time of its arrival in this run, in nanoseconds.
    var arrival = monotonicNanoseconds()

    /// What is kept beside the sample to find it again after a restart.
    var metadata: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", id)
            writer.field("path", path)
            writer.field("source", source)
            writer.field("seconds", received.seconds)
            writer.field("nanoseconds", received.nanoseconds)
            writer.field("size", count)
        }
        return writer.bytes
    }

    init(id: Int64, path: String, source: String, received: Timestamp, count: Int) {
        self.id = id
        self.path = path
        self.source = source
        self.received = received
        self.count = count
    }

    /// Reads what `metadata` wrote; nil when it is not complete.
    init?(metadata: [UInt8]) {
        guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(metadata)) else { return nil }
        self.init(
            id: stored.id, path: stored.path, source: stored.source,
            received: Timestamp(seconds: stored.seconds, nanoseconds: stored.nanoseconds), count: stored.size)
    }

    private struct Stored: Decodable {
        var id: Int64
        var path: String
        var source: String
        var seconds: Int64
        var nanoseconds: UInt32
        var size: Int
    }
}
