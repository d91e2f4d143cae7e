import Hummingbird
import NIOCore
import NIOPosix
import Pipeline

// One upload on its way in: the part `file` goes to where samples live, everything else is dropped.

/// Where the content of a sample goes while it arrives.
protocol SampleStore: ~Copyable {
    /// Takes bytes at the end; must not wait for a disk.
    mutating func append(_ bytes: RawSpan) throws(APIError)
    /// Writes out what was taken, when it is worth it.
    mutating func flush() async throws(APIError)
}

/// A sample in memory files, for sync requests.
struct MemorySample: ~Copyable, SampleStore {
    private var writer: ByteWriter
    // Nil when the digest is made of the whole content.
    private var digest: StreamingDigest?

    /// A sample that is digested on its way in, or when it is there.
    init(_ store: ByteStore, isDigestedOnItsWay: Bool) {
        writer = store.makeWriter()
        digest = isDigestedOnItsWay ? StreamingDigest() : nil
    }

    mutating func append(_ bytes: RawSpan) throws(APIError) {
        digest?.update(bytes)
        do {
            try writer.append(bytes)
        } catch {
            throw .noRoom(error)
        }
    }

    func flush() {}

    /// The content, and its SHA-256 in lower-case hexadecimal.
    consuming func finish(_ digests: KnownDigests) throws(APIError) -> (bytes: Bytes, sha256: String) {
        let (known, isOnDisk) = (digest?.value, writer.isOnDisk)
        do {
            let bytes = try writer.finish()
            if let known { return (bytes, known) }
            // Where a file is mapped, an error of the disk would end the service; a read tells of it.
            let inMemory = try isOnDisk ? Self.copy(of: bytes) : bytes
            return (bytes, digests.sha256(of: inMemory))
        } catch {
            throw .noRoom(error)
        }
    }

    private static func copy(of bytes: Bytes) throws(SystemError) -> Bytes {
        let copy = try bytes.withFile { descriptor, offset throws(SystemError) in
            try Bytes.read(descriptor, at: offset, count: bytes.count, of: "a temporary file")
        }
        guard let copy else { throw SystemError("cannot open a temporary file again") }
        return copy
    }
}

/// A sample for the upload directory, for async requests.
///
/// A small one stays in memory until the group commit writes it together with others; a larger one gets a file.
struct FileSample: ~Copyable, SampleStore {
    // Chunks come in sizes of the socket buffer; the disk gets larger ones.
    private static let blockSize = 256 << 10
    // With what is known of it, in bytes.
    private static let smallLimit = 64 << 10

    private let id: Int64
    private let directory: UploadDirectory
    private var file: SampleFile?
    private var block: [UInt8] = []
    private var digest = StreamingDigest()

    /// SHA-256 of the sample so far, in lower-case hexadecimal.
    var sha256: String { digest.value }

    init(_ id: Int64, _ directory: UploadDirectory) {
        self.id = id
        self.directory = directory
    }

    mutating func append(_ bytes: RawSpan) {
        digest.update(bytes)
        block.append(bytes)
    }

    mutating func flush() async throws(APIError) {
        if block.count >= Self.blockSize { _ = try await writeBlock() }
    }

    /// Everything that was taken, and a trailer behind it.
    mutating func finish(with trailer: [UInt8]) async throws(APIError) -> Journal.Received {
        block += trailer
        if file == nil, block.count <= Self.smallLimit { return .bytes(block) }
        return .file(try await writeBlock())
    }

    private mutating func writeBlock() async throws(APIError) -> SampleFile {
        let (bytes, known, directory, id) = (block, file, directory, id)
        block.removeAll(keepingCapacity: true)
        do {
            let file = try await spoolThreads.runIfActive {
                let file = try known ?? directory.newFile(id)
                try file.append(bytes)
                return file
            }
            self.file = file
            return file
        } catch {
            throw .noRoom(error)
        }
    }
}

/// Picks the sample out of the parts of a body.
struct UploadReceiver<Store: SampleStore & ~Copyable>: ~Copyable, MultipartReceiver {
    // Preamble, headers, other fields and epilogue together.
    private static var overheadLimit: Int { 4 << 20 }
    // What is kept of the field `source`, which the form of the page has.
    private static var fieldLimit: Int { 1 << 10 }

    var store: Store
    /// Path of the sample as its client wrote it.
    private(set) var path = ""
    /// Bytes of the sample so far.
    private(set) var count = 0
    private let sizeLimit: Int
    private var field: [UInt8] = []
    private var isFilePart = false
    private var isSourcePart = false
    private var sawFile = false
    private var received = 0

    /// What the field `source` says; nil when there is none.
    var source: String? { field.isEmpty ? nil : clientText(field) }

    init(_ store: consuming Store, sizeLimit: Int) {
        self.store = store
        self.sizeLimit = sizeLimit
    }

    /// Reads the whole body of a request.
    ///
    /// - Throws: `APIError` for a body that is damaged, too large, or holds not exactly one file.
    mutating func read(_ request: Request, boundary: [UInt8]) async throws(APIError) {
        var parser = MultipartParser(boundary: boundary)
        do {
            for try await chunk in request.body {
                received += chunk.readableBytes
                try parser.consume(chunk.readableBytesSpan, into: &self)
                guard received - count <= Self.overheadLimit else {
                    throw APIError.formTooLarge(limit: Self.overheadLimit)
                }
                try await store.flush()
            }
        } catch let error as APIError {
            throw error
        } catch is SlowClientError {
            throw .tooSlow
        } catch {
            throw .truncated
        }
        guard received > 0 else {
            throw .badRequest("empty_body", "the body is empty; send the sample in a part 'file'")
        }
        try parser.finish()
        guard sawFile else {
            throw .badRequest("no_file_part", "no part of the body is named 'file'; send the sample in a part 'file'")
        }
    }

    mutating func partBegan(_ header: PartHeader) throws(APIError) {
        isFilePart = header.name == "file"
        isSourcePart = header.name == "source" && header.filename == nil
        guard isFilePart else { return }
        if sawFile {
            throw .badRequest("multiple_files", "more than one part is named 'file'; send one sample a request")
        }
        sawFile = true
        path = clientText(header.filename ?? [])
    }

    mutating func partBytes(_ bytes: RawSpan) throws(APIError) {
        if isSourcePart { field.append(bytes.prefix(max(Self.fieldLimit - field.count, 0))) }
        guard isFilePart else { return }
        guard bytes.byteCount <= sizeLimit - count else { throw .tooLarge(limit: sizeLimit) }
        count += bytes.byteCount
        try store.append(bytes)
    }

    mutating func partEnded() {
        isFilePart = false
        isSourcePart = false
    }
}

extension APIError {
    /// Samples cannot be stored now.
    static func noRoom(_ error: any Error) -> APIError {
        var busy = APIError.busy("no_space", "the service has no room for the sample now", retryAfter: 30)
        busy.detail = "\(error)"
        return busy
    }
}
