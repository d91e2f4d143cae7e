import Synchronization

/// Counts the sync requests inside the service and refuses more than it can hold, before their bodies are read.
final class SyncAdmission: Sendable {
    private let limit: Int
    private let inside = Mutex(0)

    /// Places for so many requests, those being scanned included.
    init(limit: Int) { self.limit = max(limit, 1) }

    /// Requests inside now.
    var count: Int { inside.withLock { $0 } }

    /// Takes a place, to be given back with `leave`; false when all are taken.
    func enter() -> Bool {
        inside.withLock { inside in
            guard inside < limit else { return false }
            inside += 1
            return true
        }
    }

    /// Gives a place back.
    func leave() { inside.withLock { $0 -= 1 } }
}
