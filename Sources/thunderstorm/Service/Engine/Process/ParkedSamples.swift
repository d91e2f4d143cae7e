import Glibc
import Pipeline

/// Keeps samples that end the engine, for those who mend it: the bytes as they are, and what is known of them as JSON.
struct ParkedSamples: Sendable {
    // Most bytes of all kept samples: a flood of killers must not fill the disk of the queue.
    private static let byteLimit = 4 << 30

    /// Where they are kept; nil keeps none.
    let directory: String?

    /// Keeps a sample.
    ///
    /// - Returns: Path of its bytes; nil when the directory is full, or there is none.
    /// - Throws: `SystemError` when the disk does not take it.
    func keep(_ submission: Submission, reason: String, signatures: String) throws(SystemError) -> String? {
        guard let directory else { return nil }
        if !fileExists(directory), unsafe mkdir(directory, 0o700) != 0 {
            throw SystemError("cannot create \(directory)")
        }
        let kept = (try? DirectoryWalk(directory).files.reduce(0) { $0 + $1.size }) ?? 0
        guard submission.content.count <= Self.byteLimit - kept else { return nil }
        let now = currentTime()
        let name = "\(directory)/parked-\(now.seconds)-\(submission.number)"
        var writer = JSONWriter(pretty: true)
        writer.object { writer in
            writer.field("path", submission.path)
            writer.field("source", submission.source)
            writer.field("received", submission.received.rfc3339())
            writer.field("parked", now.rfc3339())
            writer.field("size", submission.content.count)
            writer.field("sha256", Digests(of: submission.content).sha256)
            writer.field("reason", reason)
            writer.field("thunderstorm", thunderstormVersion)
            writer.field("signatures", signatures)
            writer.field("companions", submission.companions.map(\.name))
        }
        try write(.whole(Bytes(writer.bytes)), to: name + ".json")
        try write(submission.content, to: name + ".data")
        for (index, companion) in submission.companions.enumerated() {
            try write(.whole(companion.bytes), to: "\(name).companion-\(index)")
        }
        return name + ".data"
    }

    private func write(_ content: Content, to path: String) throws(SystemError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("cannot create \(path)") }
        let file = Descriptor(descriptor)
        var position = 0
        while position < content.count {
            let piece = try content.piece(at: position, count: min(1 << 20, content.count - position))
            let put = unsafe piece.withUnsafeBytes { buffer in
                unsafe Glibc.write(file.number, buffer.baseAddress, buffer.count)
            }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { throw SystemError("cannot write \(path)") }
            position += put
        }
    }
}
