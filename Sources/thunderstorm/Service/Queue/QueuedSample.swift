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
    /// SHA-256 of its content, in lower-case hexadecimal.
    var sha256: String
    /// Scan id of the collection run it belongs to; empty for none.
    var collection = ""

    /// A sample with what is known of it.
    init(id: Int64, path: String, source: String, received: Timestamp, count: Int, sha256: String) {
        self.id = id
        self.path = path
        self.source = source
        self.received = received
        self.count = count
        self.sha256 = sha256
    }
}

// What is known of a sample lies behind its content, in the same file: one sync makes both durable, and the index can
// be made anew from the files alone. The file ends with the length of the JSON and a mark:
//
//     content | JSON | JSON length, 4 bytes LE | "TSQ1"

extension QueuedSample {
    /// Longest trailer that is read, in bytes: a path may have 32,767 characters, each escaped.
    static let trailerLimit = 1 << 20
    /// Bytes behind the JSON.
    static let footerCount = 8

    private static let mark = Array("TSQ1".utf8)

    /// What is put behind the content.
    var trailer: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", id)
            writer.field("path", path)
            writer.field("source", source)
            writer.field("seconds", received.seconds)
            writer.field("nanoseconds", received.nanoseconds)
            writer.field("size", count)
            writer.field("sha256", sha256)
            if !collection.isEmpty { writer.field("collection", collection) }
        }
        let length = UInt32(clamping: writer.bytes.count)
        return writer.bytes + (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + Self.mark
    }

    /// Length of the JSON that a footer tells; nil when it is no footer.
    static func trailerLength(footer: [UInt8]) -> Int? {
        guard footer.count == footerCount, Array(footer.suffix(4)) == mark else { return nil }
        let length = footer.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        return length <= trailerLimit ? length : nil
    }

    /// Reads the JSON of a trailer; nil when it is not complete.
    init?(trailer: [UInt8]) {
        guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(trailer)), stored.size >= 0 else {
            return nil
        }
        self.init(
            id: stored.id, path: stored.path, source: stored.source,
            received: Timestamp(seconds: stored.seconds, nanoseconds: stored.nanoseconds), count: stored.size,
            sha256: stored.sha256)
        collection = stored.collection ?? ""
    }

    private struct Stored: Decodable {
        var id: Int64
        var path: String
        var source: String
        var seconds: Int64
        var nanoseconds: UInt32
        var size: Int
        var sha256: String
        var collection: String?
    }
}
