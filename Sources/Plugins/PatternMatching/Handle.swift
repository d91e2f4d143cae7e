import Synchronization

// Objects of the C libraries: freed once, lent to one scan at a time.

/// Owns one object of a C library.
///
/// Compiled objects (databases, codes) are read-only, so that many threads may use them at once; working memory is
/// handed to one thread at a time by a `LeasePool`. That is why it may cross threads although it holds a raw pointer.
@safe final class Handle: @unchecked Sendable {
    let pointer: OpaquePointer
    private let free: @Sendable (OpaquePointer) -> Void

    init(_ pointer: OpaquePointer, free: @escaping @Sendable (OpaquePointer) -> Void) {
        unsafe self.pointer = pointer
        unsafe self.free = free
    }

    deinit { unsafe free(pointer) }
}

/// Working memory that is made when none is idle, and kept for the next scan.
final class LeasePool<Resource: Sendable>: Sendable {
    private let idle = Mutex<[Resource]>([])

    func take() -> Resource? { idle.withLock { $0.popLast() } }

    func giveBack(_ resource: Resource) { idle.withLock { $0.append(resource) } }

    func clear() { idle.withLock { $0.removeAll() } }
}
