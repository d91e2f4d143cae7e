import Pipeline

/// What is known of a submission besides its bytes, as it travels between processes.
struct SubmissionHeader: Equatable, Sendable {
    /// Name and size of a companion.
    struct CompanionHeader: Equatable, Sendable {
        /// Name without directories.
        var name: String
        /// Size in bytes.
        var count: Int
    }

    /// Number of the sample within the run.
    var number: Int
    /// Path on the machine it came from.
    var path: String
    /// Host or collector that it came from.
    var source: String
    /// When it was received.
    var received: Timestamp
    /// Size in bytes.
    var count: Int
    /// Files that belong to it.
    var companions: [CompanionHeader]

    private static let version: UInt8 = 1

    init(_ submission: Submission) {
        number = submission.number
        path = submission.path
        source = submission.source
        received = submission.received
        count = submission.content.count
        companions = submission.companions.map { CompanionHeader(name: $0.name, count: $0.bytes.count) }
    }

    /// Writes the header.
    func write(to writer: inout BinaryWriter) {
        writer.byte(Self.version)
        writer.integer(number)
        writer.text(path)
        writer.text(source)
        writer.write(received)
        writer.integer(count)
        writer.list(companions) { writer, companion in
            writer.text(companion.name)
            writer.integer(companion.count)
        }
    }

    /// Reads a header.
    init(from reader: inout BinaryReader) throws(CodecError) {
        guard try reader.byte("header version") == Self.version else { throw reader.invalid("header version") }
        number = try reader.count("number")
        path = try reader.text("path")
        source = try reader.text("source")
        received = try reader.time()
        count = try reader.count("size")
        companions = try reader.list("companions") { reader throws(CodecError) in
            CompanionHeader(name: try reader.text("companion"), count: try reader.count("companion size"))
        }
    }

    /// The submission with its content; nil when there are not as many companions.
    func submission(content: Content, companions others: [Bytes]) -> Submission? {
        guard others.count == companions.count else { return nil }
        return Submission(
            number: number, path: path, source: source, content: content, received: received,
            companions: zip(companions, others).map { Companion(name: $0.name, bytes: $1) })
    }
}
