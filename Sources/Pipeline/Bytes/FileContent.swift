import Glibc

// A file that somebody else may change while it is scanned. Mapping it would hand others the power to end the process
// (a truncated mapping is a SIGBUS), copying it would need as much room again: so it is read piece by piece into memory
// of our own. A read that finds less than the file had when it was opened is an error, not a crash.

/// An open file that is read in pieces.
public final class FileContent: Sendable {
    /// Path, for messages.
    public let path: String
    /// Size when it was opened, in bytes; nothing beyond is read.
    public let count: Int
    private let descriptor: Int32

    /// Opens a regular file.
    ///
    /// - Throws: `SystemError` if it cannot be opened or is not a regular file.
    public convenience init(path: String) throws(SystemError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SystemError("cannot open \(path)") }
        try self.init(owning: descriptor, path: path)
    }

    /// Takes over an open descriptor of a regular file; it is closed with this object, or at once when this throws.
    ///
    /// - Parameter count: Size that it had when it was opened first, in bytes; nil takes the size it has now.
    /// - Throws: `SystemError` if it is not a regular file.
    public init(owning descriptor: Int32, path: String, count: Int? = nil) throws(SystemError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw SystemError("\(path) is no regular file", number: EINVAL)
        }
        self.descriptor = descriptor
        self.path = path
        self.count = max(count ?? Int(status.st_size), 0)
    }

    deinit { close(descriptor) }

    /// Hands the descriptor, which cannot write, to the caller for the time of the call.
    public func withDescriptor<R>(_ body: (Int32) -> R) -> R {
        defer { extendLifetime(self) }
        return body(descriptor)
    }

    /// Reads `count` bytes at `start` into fresh memory.
    ///
    /// - Throws: `SystemError` if that lies outside, cannot be read, or is not there any more.
    public func read(at start: Int, count: Int) throws(SystemError) -> Bytes {
        guard start >= 0, count >= 0, start <= self.count, count <= self.count - start else {
            throw SystemError("cannot read beyond the end of \(path)", number: EINVAL)
        }
        return try Bytes.read(descriptor, at: start, count: count, of: path)
    }

    /// Copies the whole file into a store.
    ///
    /// - Throws: `SystemError` if it cannot be read or the store has no room.
    public func copy(into store: ByteStore) throws(SystemError) -> Bytes {
        var writer = store.makeWriter()
        var position = 0
        while position < count {
            let piece = try read(at: position, count: min(4 << 20, count - position))
            try writer.append(piece.span)
            position += piece.count
        }
        return try writer.finish()
    }
}

extension Bytes {
    /// Reads a part of an open file into fresh memory.
    ///
    /// - Parameter path: Path of the file, for messages.
    /// - Throws: `SystemError` if it cannot be read, or ends before.
    public static func read(
        _ descriptor: Int32, at start: Int, count: Int, of path: String
    ) throws(SystemError) -> Bytes {
        guard count > 0 else { return .empty }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
        var done = 0
        while done < count {
            let got = unsafe pread(descriptor, memory + done, count - done, off_t(start + done))
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else {
                let error =
                    got < 0
                    ? SystemError("cannot read \(path) at \(start + done)")
                    : SystemError("\(path) became shorter while it was scanned, at \(start + done)", number: EIO)
                unsafe memory.deallocate()
                throw error
            }
            done += got
        }
        return unsafe Bytes(
            storage: BytesStorage(base: UnsafeRawPointer(memory), count: count, release: .deallocate),
            start: 0, count: count)
    }
}

extension ByteStore {
    /// Opens a file for a scan: what is small is read into memory of ours, a larger regular file is read in pieces.
    ///
    /// - Throws: `SystemError` if the file cannot be opened or read.
    public func content(ofFile path: String) throws(SystemError) -> Content {
        var status = stat()
        if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Int(status.st_size) > largestInMemory {
            return .file(try FileContent(path: path))
        }
        return .whole(try read(file: path))
    }
}

/// What a sample consists of: bytes at hand, or a file that is read in pieces.
public enum Content: Sendable {
    /// All of it is in memory, or mapped from a file of ours.
    case whole(Bytes)
    /// It is read when it is needed.
    case file(FileContent)

    /// Size in bytes.
    public var count: Int {
        switch self {
        case .whole(let bytes): bytes.count
        case .file(let file): file.count
        }
    }

    /// A part of it: shares the memory of bytes at hand, is read from a file.
    ///
    /// - Throws: `SystemError` if it lies outside or cannot be read.
    public func piece(at start: Int, count: Int) throws(SystemError) -> Bytes {
        switch self {
        case .whole(let bytes):
            guard let slice = bytes.slice(at: start, count: count) else {
                throw SystemError("cannot read beyond the end of the sample", number: EINVAL)
            }
            return slice
        case .file(let file): return try file.read(at: start, count: count)
        }
    }

    /// All of it: the bytes at hand, or a copy of the file in a store.
    ///
    /// - Throws: `SystemError` if the file cannot be read or the store has no room.
    public func whole(in store: ByteStore) throws(SystemError) -> Bytes {
        switch self {
        case .whole(let bytes): bytes
        case .file(let file): try file.copy(into: store)
        }
    }

    /// What there is of a part that may reach beyond the end; empty when it cannot be read.
    public func available(at start: Int, count: Int) -> Bytes {
        guard start >= 0, start < self.count, count > 0 else { return .empty }
        return (try? piece(at: start, count: min(count, self.count - start))) ?? .empty
    }
}
