import CLinux
import Glibc
import Synchronization

/// A complete object in a memory file.
///
/// Nobody but this process has the file until it is sealed. One that never was is used again by the next object: its pages
/// are there, and new ones cost more than what is written to them.
final class MemoryFile: Sendable {
    let descriptor: Int32
    private let count: Int
    private let reserved: Int
    private let store: ByteStore
    private let isSealed = Mutex(false)

    /// Takes the descriptor over, and so many bytes that are reserved for it in the store.
    init(descriptor: Int32, count: Int, reserved: Int, store: ByteStore) {
        self.descriptor = descriptor
        self.count = count
        self.reserved = reserved
        self.store = store
    }

    deinit {
        if isSealed.withLock({ $0 }) {
            close(descriptor)
            store.free(reserved)
        } else {
            store.takeBack(UnusedFile(descriptor: descriptor, reserved: reserved))
        }
    }

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

/// A memory file for the next object, with the bytes that stay reserved for it.
struct UnusedFile {
    let descriptor: Int32
    let reserved: Int
}
