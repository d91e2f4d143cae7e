import CHyperscan
import Synchronization

/// Working memory for Hyperscan scans; databases that are scanned in turn on one thread share a pool.
public final class ScratchPool: Sendable {
    struct Scratch: Sendable {
        let handle: Handle
        let generation: Int
    }

    private struct Prototype {
        var handle: Handle?
        var generation = 0
    }

    private let prototype = Mutex(Prototype())
    private let idle = LeasePool<Scratch>()

    /// An empty pool.
    public init() {}

    // Grows the prototype so that copies of it serve this database too.
    func reserve(for database: Handle) throws(PatternError) {
        try prototype.withLock { prototype throws(PatternError) in
            var grown: OpaquePointer?
            if let known = prototype.handle {
                guard unsafe hs_clone_scratch(known.pointer, &grown) == HS_SUCCESS else { throw .noMemory }
            }
            guard unsafe hs_alloc_scratch(database.pointer, &grown) == HS_SUCCESS, let grown = unsafe grown else {
                throw .noMemory
            }
            prototype.handle = unsafe Self.owned(grown)
            prototype.generation += 1
        }
        idle.clear()
    }

    func lease() throws(PatternError) -> Scratch {
        if let scratch = idle.take() { return scratch }
        return try prototype.withLock { prototype throws(PatternError) in
            var copy: OpaquePointer?
            guard let known = prototype.handle, unsafe hs_clone_scratch(known.pointer, &copy) == HS_SUCCESS,
                let copy = unsafe copy
            else { throw .noMemory }
            return Scratch(handle: unsafe Self.owned(copy), generation: prototype.generation)
        }
    }

    func giveBack(_ scratch: Scratch) {
        // A database was added meanwhile: this one is too small for it.
        guard prototype.withLock({ $0.generation }) == scratch.generation else { return }
        idle.giveBack(scratch)
    }

    private static func owned(_ scratch: OpaquePointer) -> Handle {
        unsafe Handle(scratch) { unsafe _ = hs_free_scratch($0) }
    }
}

extension PatternError {
    static let noMemory = PatternError(.engine, "Hyperscan has no memory for a scan")
}
