import CLinux
import Glibc
import Synchronization

/// A complete object in a memory file.
///
/// Nobody but this process has the file until it is sealed. One that never was is used again by the next object: its pages
/// are there, and new ones cost more than what is written to them.
final class MemoryFile: Sendable {
    private let file: OpenMemoryFile
    private let count: Int
    private let store: ByteStore
    private let isSealed = Mutex(false)

    /// Takes the file over, which has so many bytes of the object and is mapped as far.
    init(_ file: OpenMemoryFile, count: Int, store: ByteStore) {
        self.file = file
        self.count = count
        self.store = store
    }

    deinit {
        if isSealed.withLock({ $0 }) { store.end(file) } else { store.takeBack(file) }
    }

    /// The file itself.
    var descriptor: Int32 { file.descriptor }

    /// Makes the file one that other processes may have: exactly the object, never to change.
    ///
    /// - Returns: Whether that worked.
    func seal() -> Bool {
        isSealed.withLock { isSealed in
            if !isSealed { isSealed = ftruncate(descriptor, off_t(count)) == 0 && clinux_seal(descriptor) == 0 }
            return isSealed
        }
    }
}

/// A memory file that one owner writes to, and the memory its beginning is mapped to.
///
/// It has one owner at a time, a writer, an object or the store, which is why it may cross threads although it holds a raw
/// pointer.
@safe struct OpenMemoryFile: @unchecked Sendable {
    let descriptor: Int32
    /// Bytes that are reserved for it in its store.
    var reserved = 0
    private var base: UnsafeMutableRawPointer?
    private var mapped = 0

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        unsafe base = nil
    }

    /// The memory with the first bytes of the file, which has so many at least.
    ///
    /// - Throws: `SystemError` if they cannot be mapped.
    mutating func map(_ count: Int) throws(SystemError) -> UnsafeRawPointer {
        if let base = unsafe base, mapped >= count { return UnsafeRawPointer(base) }
        unmap()
        guard let memory = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            unsafe memory != MAP_FAILED
        else { throw SystemError("cannot map \(count) bytes") }
        unsafe base = memory
        mapped = count
        return UnsafeRawPointer(memory)
    }

    /// Writes where an earlier object was mapped: that takes neither a page nor a system call.
    ///
    /// - Returns: Whether there was room; nothing is written otherwise.
    func writeAgain(_ span: RawSpan, at offset: Int) -> Bool {
        guard let base = unsafe base, offset + span.byteCount <= mapped else { return false }
        unsafe span.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(start: base + offset, count: bytes.count).copyMemory(from: bytes)
        }
        return true
    }

    /// Ends the mapping.
    mutating func unmap() {
        guard let memory = unsafe base else { return }
        unsafe munmap(memory, mapped)
        unsafe base = nil
        mapped = 0
    }
}
