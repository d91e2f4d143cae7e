/// Times a container or file system knows of a file; nil where it does not say.
public struct FileTimes: Sendable, Equatable {
    /// Content last changed.
    public var modified: Timestamp?
    /// Content last read.
    public var accessed: Timestamp?
    /// Metadata last changed.
    public var changed: Timestamp?
    /// File created.
    public var created: Timestamp?

    /// Times that are known.
    public init(
        modified: Timestamp? = nil, accessed: Timestamp? = nil, changed: Timestamp? = nil, created: Timestamp? = nil
    ) {
        self.modified = modified
        self.accessed = accessed
        self.changed = changed
        self.created = created
    }
}

/// A file that belongs to a sample and helps to read it: a hive's transaction log, the `$R` of an `$I`.
public struct Companion: Sendable {
    /// Name without directories.
    public let name: String
    /// Its whole content.
    public let bytes: Bytes

    /// A companion with its name and content.
    public init(name: String, bytes: Bytes) {
        self.name = name
        self.bytes = bytes
    }
}

/// One file under examination, submitted or found inside another.
public struct Sample: Sendable {
    /// Path as the client sent it, or parent path and member name joined by `/`.
    ///
    /// Never a path of this machine.
    public let path: String
    /// The content; only its beginning if `isInPieces`.
    public let bytes: Bytes
    /// The content as a whole or as a file that is read in pieces.
    public let content: Content
    /// Whether its content has been handed to the stages in slices (`Output.slice`).
    public internal(set) var isSliced = false
    /// Type by content; `unknown` until a stage has classified the sample.
    public internal(set) var kind = FileKind.unknown
    /// 0 for what was submitted, one more for each level of extraction.
    public let depth: Int
    /// How it was unpacked, outermost first: `["EMAIL", "ZIP"]`; empty for what was submitted.
    public let unpackSource: [String]
    /// Kinds of the samples around it, outermost first; as many as `depth`.
    public let ancestorKinds: [FileKind]
    /// Times that the container or file system tells.
    public let times: FileTimes
    /// Files that belong to it.
    public let companions: [Companion]
    /// The triage collection that it lay in; nil for files that lay in none.
    public let origin: TriageOrigin?
    /// Digests of the content, computed when asked for and kept.
    public let digests: Digests

    /// A submitted sample.
    public init(path: String, bytes: Bytes, times: FileTimes = FileTimes(), companions: [Companion] = []) {
        self.init(path: path, content: .whole(bytes), times: times, companions: companions)
    }

    /// A submitted sample that may be a file that is read in pieces.
    public init(path: String, content: Content, times: FileTimes = FileTimes(), companions: [Companion] = []) {
        self.init(
            path: path, content: content, depth: 0, unpackSource: [], ancestorKinds: [], times: times,
            companions: companions, origin: nil)
    }

    init(
        path: String, content: Content, depth: Int, unpackSource: [String], ancestorKinds: [FileKind], times: FileTimes,
        companions: [Companion], origin: TriageOrigin?
    ) {
        self.path = path
        self.content = content
        bytes =
            switch content {
            case .whole(let bytes): bytes
            case .file: content.available(at: 0, count: Self.beginningSize)
            }
        self.depth = depth
        self.unpackSource = unpackSource
        self.ancestorKinds = ancestorKinds
        self.times = times
        self.companions = companions
        self.origin = origin
        digests = Digests(of: content)
    }

    // What stages see of a sample that is read in pieces: enough to tell its type.
    private static let beginningSize = 1 << 20

    /// Size of the content in bytes.
    public var size: Int { content.count }

    /// Whether `bytes` is only the beginning, and the rest is read through `content`.
    public var isInPieces: Bool {
        if case .file = content { return true }
        return false
    }

    // The same sample with all its bytes in the store.
    func whole(in store: ByteStore) throws(SystemError) -> Sample {
        Sample(
            path: path, content: .whole(try content.whole(in: store)), depth: depth, unpackSource: unpackSource,
            ancestorKinds: ancestorKinds, times: times, companions: companions, origin: origin)
    }

    /// Text after the last `/` or `\`: both separate directories, whatever system the path is from.
    public var name: String { String(pathName(path)) }

    /// Path without the name and without a trailing separator.
    public var directory: String {
        let name = pathName(path)
        let directory = path[..<name.startIndex]
        return String(directory.count > 1 ? directory.dropLast() : directory)
    }

    /// From the last dot of the name, lower case, with the dot; empty when there is none.
    public var fileExtension: String {
        let name = pathName(path)
        guard let dot = name.utf8.lastIndex(of: 0x2E), name.utf8.index(after: dot) < name.endIndex else { return "" }
        return name[dot...].lowercased()
    }

    /// How it was unpacked last (`ZIP`), or empty.
    public var unpackParent: String { unpackSource.last ?? "" }
}

/// The part of a path after its last `/` or `\`.
func pathName(_ path: String) -> Substring {
    guard let separator = path.utf8.lastIndex(where: { $0 == 0x2F || $0 == 0x5C }) else { return path[...] }
    return path[path.utf8.index(after: separator)...]
}
