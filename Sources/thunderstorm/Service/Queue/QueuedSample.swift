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
// be made anew from the files alone. The file ends with the length of the fields and a mark:
//
//     content | fields | length of the fields, 4 bytes LE | "TSQ2"

extension QueuedSample {
    /// Longest fields that are read, in bytes: a path may have 32,767 characters.
    static let fieldLimit = 1 << 20
    /// Bytes behind the fields.
    static let footerCount = 8

    private static let mark = Array("TSQ2".utf8)

    /// What is put behind the content.
    var trailer: [UInt8] {
        var writer = BinaryWriter()
        writer.signed(id)
        writer.text(path)
        writer.text(source)
        writer.write(received)
        writer.integer(count)
        writer.text(sha256)
        writer.text(collection)
        let length = UInt32(clamping: writer.bytes.count)
        return writer.bytes + (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + Self.mark
    }

    /// Length of the fields that a footer tells; nil when it is no footer.
    static func fieldCount(footer: [UInt8]) -> Int? {
        guard footer.count == footerCount, Array(footer.suffix(4)) == mark else { return nil }
        let length = footer.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        return length <= fieldLimit ? length : nil
    }

    /// Reads the fields.
    ///
    /// - Throws: `CodecError` when they are not complete.
    init(fields: [UInt8]) throws(CodecError) {
        var reader = BinaryReader(Bytes(fields))
        id = try reader.signed("id")
        path = try reader.text("path")
        source = try reader.text("source")
        received = try reader.time()
        count = try reader.count("size")
        sha256 = try reader.text("SHA-256")
        collection = try reader.text("collection")
        guard reader.remaining == 0 else { throw reader.invalid("end") }
    }
}
