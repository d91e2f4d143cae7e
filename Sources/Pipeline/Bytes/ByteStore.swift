import CLinux
import Glibc
import Synchronization

// Where bytes live that are too large for the heap: memory files under one cap shared by the whole process, sealed before
// another process gets them, beyond the cap (or above a size) unlinked temporary files. Both are ours alone, so nobody can
// truncate a mapping under a running scan.

/// A failed system call: which, on what, and the error number's text.
public struct SystemError: Error, Sendable, CustomStringConvertible {
    /// What was tried, with its object.
    public let what: String
    /// The `errno` of the call.
    public let number: Int32

    /// An error with the given number; the current `errno` unless told.
    public init(_ what: String, number: Int32 = errno) {
        self.what = what
        self.number = number
    }

    /// Whether the system only lacked something for the moment, such as descriptors or memory.
    public var isShortage: Bool { [EMFILE, ENFILE, ENOMEM, EAGAIN, ENOBUFS, ETOOMANYREFS].contains(number) }

    /// What was tried and why it failed.
    public var description: String {
        "\(what): \(unsafe String(cString: strerror(number)))"
    }
}

/// Keeps large byte strings outside the heap.
public final class ByteStore: Sendable {
    // Memory files that wait for their next object: so many, and so many bytes reserved for them, at most.
    private static let unusedFileLimit = 16
    private static let unusedByteLimit = 16 << 20

    private struct Unused {
        var files: [OpenMemoryFile] = []
        var bytes = 0
    }

    /// Most bytes held in memory files at one time, all users together.
    public let memoryLimit: Int
    /// Largest single object that may go to a memory file, in bytes.
    public let largestInMemory: Int
    /// Directory of the unlinked temporary files.
    public let temporaryDirectory: String
    private let reserved = Atomic<Int>(0)
    private let unused = Mutex(Unused())
    // The temporary directory, once this process has given up opening files by name.
    private let openDirectory = Atomic<Int32>(-1)

    /// A store with its limits, in bytes.
    public init(
        memoryLimit: Int = 512 << 20, largestInMemory: Int = 64 << 20, temporaryDirectory: String = "/tmp"
    ) {
        self.memoryLimit = memoryLimit
        self.largestInMemory = largestInMemory
        self.temporaryDirectory = temporaryDirectory
    }

    deinit { closeUnusedFiles() }

    /// Bytes that objects in memory files take now.
    public var memoryInUse: Int { reserved.load(ordering: .relaxed) - unused.withLock { $0.bytes } }

    /// Opens the temporary directory, so that files can be made in it when this process may open nothing by name any
    /// more.
    ///
    /// - Returns: The descriptor, which stays this store's.
    /// - Throws: `SystemError` if it cannot be opened, or its file system has no files without a name (O_TMPFILE); large
    ///   objects beyond the limit of memory are then refused.
    public func pinTemporaryDirectory() throws(SystemError) -> Int32 {
        let directory = unsafe open(temporaryDirectory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw SystemError("cannot open \(temporaryDirectory)") }
        let file = clinux_temporary_file(directory)
        guard file >= 0 else {
            defer { close(directory) }
            throw SystemError("cannot create a file without a name in \(temporaryDirectory)")
        }
        close(file)
        openDirectory.store(directory, ordering: .relaxed)
        return directory
    }

    func makeTemporaryFile() -> Int32 {
        let directory = openDirectory.load(ordering: .relaxed)
        return directory >= 0
            ? clinux_temporary_file(directory) : unsafe clinux_unlinked_file(temporaryDirectory)
    }

    /// Starts an object whose size is not known yet.
    public func makeWriter() -> ByteWriter { ByteWriter(store: self) }

    /// Reads a whole file into memory that only this process can change.
    ///
    /// - Throws: `SystemError` if the file cannot be opened or read.
    public func read(file path: String) throws(SystemError) -> Bytes {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("cannot open \(path)") }
        defer { close(descriptor) }
        var writer = makeWriter()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { unsafe buffer.deallocate() }
        while true {
            let got = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw SystemError("cannot read \(path)") }
            if got == 0 { break }
            try unsafe writer.append(RawSpan(_unsafeStart: buffer.baseAddress.unsafelyUnwrapped, byteCount: got))
        }
        return try writer.finish()
    }

    /// Maps an open file that the caller promises nobody will change; the descriptor may be closed afterwards, the
    /// bytes keep one of their own for `withFile`.
    ///
    /// - Throws: `SystemError` if it cannot be mapped.
    public static func map(descriptor: Int32, count: Int) throws(SystemError) -> Bytes {
        guard count > 0 else { return .empty }
        guard let memory = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0),
            unsafe memory != MAP_FAILED
        else { throw SystemError("cannot map \(count) bytes") }
        return unsafe Bytes(
            storage: BytesStorage(
                base: UnsafeRawPointer(memory), count: count,
                release: .unmap(descriptor: fcntl(descriptor, F_DUPFD_CLOEXEC, 0))),
            start: 0, count: count)
    }

    // MARK: Memory files

    /// Reserves bytes of the limit.
    ///
    /// - Returns: Whether there were so many.
    func reserve(_ count: Int) -> Bool {
        if reserved.add(count, ordering: .relaxed).newValue <= memoryLimit { return true }
        closeUnusedFiles()
        if reserved.load(ordering: .relaxed) <= memoryLimit { return true }
        free(count)
        return false
    }

    /// Whether more than half of the limit is reserved.
    var isTight: Bool { reserved.load(ordering: .relaxed) > memoryLimit / 2 }

    /// Gives reserved bytes back.
    func free(_ count: Int) { reserved.subtract(count, ordering: .relaxed) }

    /// A memory file that had an object before; nil when there is none.
    func unusedFile() -> OpenMemoryFile? {
        unused.withLock { unused in
            let file = unused.files.popLast()
            unused.bytes -= file?.reserved ?? 0
            return file
        }
    }

    /// Keeps a file that no other process has for the next object, or closes it.
    func takeBack(_ file: OpenMemoryFile) {
        let isKept = unused.withLock { unused in
            guard unused.files.count < Self.unusedFileLimit, file.reserved <= Self.unusedByteLimit - unused.bytes
            else { return false }
            unused.files.append(file)
            unused.bytes += file.reserved
            return true
        }
        if !isKept { end(file) }
    }

    private func closeUnusedFiles() {
        let files = unused.withLock { unused in
            defer { unused = Unused() }
            return unused.files
        }
        for file in files { end(file) }
    }

    /// Closes a file and gives back what was reserved for it.
    func end(_ file: OpenMemoryFile) {
        var file = file
        file.unmap()
        close(file.descriptor)
        free(file.reserved)
    }
}

/// One object on its way into a `ByteStore`: small ones stay in the heap, larger ones go to a memory file, and from
/// there to an unlinked file when the store's cap or size limit is reached.
public struct ByteWriter: ~Copyable {
    private static let heapLimit = 64 << 10

    private let store: ByteStore
    private var heap: [UInt8] = []
    private var memoryFile: OpenMemoryFile?
    // The temporary file of an object that is too large for memory, -1 if there is none.
    private var descriptor: Int32 = -1
    /// Bytes written so far.
    public private(set) var count = 0

    init(store: ByteStore) { self.store = store }

    deinit {
        if let memoryFile { store.takeBack(memoryFile) }
        if descriptor >= 0 { close(descriptor) }
    }

    private var isInHeap: Bool { memoryFile == nil && descriptor < 0 }

    /// Whether the object is in a temporary file.
    public var isOnDisk: Bool { descriptor >= 0 }

    /// Adds bytes at the end.
    ///
    /// - Throws: `SystemError` when neither memory nor the temporary directory takes them.
    public mutating func append(_ span: RawSpan) throws(SystemError) {
        guard span.byteCount > 0 else { return }
        if isInHeap {
            if count + span.byteCount <= Self.heapLimit {
                unsafe span.withUnsafeBytes { unsafe heap.append(contentsOf: $0) }
                count += span.byteCount
                return
            }
            try leaveHeap()
        }
        try makeRoom(for: span.byteCount)
        try write(span)
        count += span.byteCount
    }

    /// Ends the object.
    ///
    /// - Throws: `SystemError` when the file cannot be mapped.
    public consuming func finish() throws(SystemError) -> Bytes {
        if isInHeap { return Bytes(heap) }
        giveSurplusBack()
        let storage: BytesStorage
        if let start = try unsafe memoryFile?.map(count), let file = memoryFile {
            memoryFile = nil
            storage = unsafe BytesStorage(
                base: start, count: count, release: .memoryFile(MemoryFile(file, count: count, store: store)))
        } else {
            guard let memory = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0),
                unsafe memory != MAP_FAILED
            else { throw SystemError("cannot map \(count) bytes") }
            // Only a descriptor that cannot write leaves this process.
            storage = unsafe BytesStorage(
                base: UnsafeRawPointer(memory), count: count,
                release: .unmap(descriptor: open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC)))
        }
        return Bytes(storage: storage, start: 0, count: count)
    }

    // A small object may have got the file of a large one, and may have to wait long for its scan.
    private mutating func giveSurplusBack() {
        let needed = Self.wholeSteps(count)
        guard let file = memoryFile, file.reserved > needed, store.isTight,
            ftruncate(file.descriptor, off_t(count)) == 0
        else { return }
        store.free(file.reserved - needed)
        memoryFile?.reserved = needed
        // Nothing may be written behind the new end.
        memoryFile?.unmap()
    }

    private mutating func leaveHeap() throws(SystemError) {
        if let file = store.unusedFile() {
            memoryFile = file
        } else {
            let created = unsafe clinux_memory_file("thunderstorm-sample")
            if created >= 0 { memoryFile = OpenMemoryFile(created) } else { try openTemporary() }
        }
        // None of it is in the file yet, should that have to go to the disk now.
        count = 0
        try makeRoom(for: heap.count)
        try write(heap.rawSpan)
        count = heap.count
        heap = []
    }

    // Bytes are reserved in steps of 1 MiB, so that the shared counter is not touched by every chunk.
    private static func wholeSteps(_ count: Int) -> Int { ((count + (1 << 20) - 1) >> 20) << 20 }

    private mutating func makeRoom(for more: Int) throws(SystemError) {
        guard let file = memoryFile else { return }
        let needed = count + more
        if needed <= file.reserved { return }
        let step = Self.wholeSteps(needed - file.reserved)
        if needed <= store.largestInMemory, store.reserve(step) {
            memoryFile?.reserved += step
            return
        }
        try moveToDisk(file)
    }

    private mutating func moveToDisk(_ file: OpenMemoryFile) throws(SystemError) {
        memoryFile = nil
        defer { store.end(file) }
        try openTemporary()
        var offset: off_t = 0
        while offset < count {
            let sent = unsafe sendfile(descriptor, file.descriptor, &offset, count - Int(offset))
            if sent < 0 && errno == EINTR { continue }
            guard sent > 0 else { throw SystemError("cannot write a temporary file in \(store.temporaryDirectory)") }
        }
    }

    private mutating func openTemporary() throws(SystemError) {
        descriptor = store.makeTemporaryFile()
        guard descriptor >= 0 else {
            throw SystemError("cannot create a temporary file in \(store.temporaryDirectory)")
        }
    }

    private func write(_ span: RawSpan) throws(SystemError) {
        if let memoryFile, memoryFile.writeAgain(span, at: count) { return }
        let target = memoryFile?.descriptor ?? descriptor
        var done = 0
        while done < span.byteCount {
            let put = unsafe span.withUnsafeBytes { buffer in
                unsafe pwrite(
                    target, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, off_t(count + done))
            }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else {
                throw SystemError(
                    memoryFile != nil
                        ? "cannot write a memory file"
                        : "cannot write a temporary file in \(store.temporaryDirectory)")
            }
            done += put
        }
    }
}

// Called by BytesStorage; here because mapping and unmapping belong together.
func unmapMemory(_ base: UnsafeRawPointer, _ count: Int, descriptor: Int32) {
    unsafe munmap(UnsafeMutableRawPointer(mutating: base), count)
    if descriptor >= 0 { close(descriptor) }
}
