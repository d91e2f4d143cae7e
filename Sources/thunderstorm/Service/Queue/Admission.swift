import Synchronization

/// Counts requests of one kind inside the service and refuses more than it can hold.
final class Admission: Sendable {
    private let limit: Int
    private let inside = Mutex(0)

    /// Places for so many requests.
    init(limit: Int) { self.limit = max(limit, 1) }

    /// Requests inside now.
    var count: Int { inside.withLock { $0 } }

    /// Whether all places are taken.
    var isFull: Bool { inside.withLock { $0 >= limit } }

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
