/// The memory behind `Bytes`: allocated, or mapped from a file that nobody else can change.
///
/// Immutable once it is shared, which is why it may cross threads although it holds a raw pointer.
@usableFromInline
@safe final class BytesStorage: @unchecked Sendable {
    enum Release {
        case deallocate
        // With the descriptor of what is mapped, which other processes may have; -1 if there is none at hand.
        case unmap(descriptor: Int32)
        // The memory file unmaps itself.
        case memoryFile(MemoryFile)
    }

    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let count: Int
    private let release: Release

    init(base: UnsafeRawPointer, count: Int, release: Release) {
        unsafe self.base = base
        self.count = count
        self.release = release
    }

    // What other processes may have: nil if there is no file.
    fileprivate var file: Int32? {
        switch release {
        case .deallocate: nil
        case .unmap(let descriptor): descriptor >= 0 ? descriptor : nil
        case .memoryFile(let file): file.seal() ? file.descriptor : nil
        }
    }

    deinit {
        switch release {
        case .deallocate: unsafe base.deallocate()
        case .unmap(let descriptor): unsafe unmapMemory(base, count, descriptor: descriptor)
        case .memoryFile: break
        }
    }
}

/// An immutable, reference-counted region of bytes.
///
/// Slicing is O(1) and copies nothing; the memory lives as long as any slice of it.
@safe public struct Bytes: Sendable {
    @usableFromInline let storage: BytesStorage
    @usableFromInline let start: Int
    /// Number of bytes.
    public let count: Int

    init(storage: BytesStorage, start: Int, count: Int) {
        self.storage = storage
        self.start = start
        self.count = count
    }

    /// Bytes of nothing.
    public static let empty = Bytes([])

    /// Copies an array.
    public init(_ array: [UInt8]) {
        self = unsafe array.withUnsafeBytes { unsafe Bytes(copying: $0) }
    }

    /// Copies the UTF-8 form of a text.
    public init(utf8 text: String) {
        self.init(Array(text.utf8))
    }

    /// Copies a span.
    public init(copying span: RawSpan) {
        self = unsafe span.withUnsafeBytes { unsafe Bytes(copying: $0) }
    }

    init(copying buffer: UnsafeRawBufferPointer) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(buffer.count, 1), alignment: 16)
        if let source = buffer.baseAddress { unsafe memory.copyMemory(from: source, byteCount: buffer.count) }
        unsafe self.init(
            storage: BytesStorage(base: UnsafeRawPointer(memory), count: buffer.count, release: .deallocate),
            start: 0, count: buffer.count)
    }

    /// Whether there is no byte.
    public var isEmpty: Bool { count == 0 }

    /// The bytes for reading; cannot outlive `self`.
    @inlinable
    public var span: RawSpan {
        @_lifetime(borrow self)
        get {
            let view = unsafe RawSpan(_unsafeStart: storage.base.advanced(by: start), byteCount: count)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// A part of these bytes that shares their memory.
    ///
    /// - Returns: nil if any of it lies outside.
    public func slice(at start: Int, count: Int) -> Bytes? {
        guard start >= 0, count >= 0, start <= self.count, count <= self.count - start else { return nil }
        return Bytes(storage: storage, start: self.start + start, count: count)
    }

    /// The bytes from `start` to the end; empty if `start` lies outside.
    public func suffix(from start: Int) -> Bytes {
        let start = min(max(start, 0), count)
        return Bytes(storage: storage, start: self.start + start, count: count - start)
    }

    /// The first `count` bytes, or all if there are fewer.
    public func prefix(_ count: Int) -> Bytes {
        Bytes(storage: storage, start: start, count: min(max(count, 0), self.count))
    }

    /// A copy as an array.
    public var array: [UInt8] {
        unsafe withUnsafeBytes { unsafe Array($0) }
    }

    /// Hands the file that these bytes are mapped from to the caller for the time of the call.
    ///
    /// Another process can map it and cannot change it. The second argument is where in the file the bytes begin.
    ///
    /// - Returns: nil if the bytes are in no file.
    public func withFile<R, E: Error>(_ body: (_ descriptor: Int32, _ offset: Int) throws(E) -> R) throws(E) -> R? {
        defer { extendLifetime(storage) }
        guard let file = storage.file else { return nil }
        return try body(file, start)
    }

    /// Hands the memory to a C library for the time of the call.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { extendLifetime(storage) }
        return try unsafe body(UnsafeRawBufferPointer(start: storage.base.advanced(by: start), count: count))
    }
}

extension Bytes: Equatable {
    /// Equal if every byte is.
    public static func == (left: Bytes, right: Bytes) -> Bool {
        left.count == right.count && left.span.starts(with: right.span)
    }
}
