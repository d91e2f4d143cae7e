import Pipeline
import Synchronization

/// How much waited and ran in the last half hour, looked at every few seconds.
final class GaugeHistory: Sendable {
    /// One look.
    struct Look: Sendable, Equatable {
        /// When it was, in seconds since 1970.
        var seconds: Int64
        /// Async samples that waited.
        var waiting: Int
        /// Scan threads that were busy.
        var busy: Int
    }

    /// Seconds that are kept.
    static let span: Int64 = 1_800

    private let looks = Mutex<[Look]>([])

    /// Adds a look.
    func add(_ look: Look) {
        looks.withLock { looks in
            looks.append(look)
            // A clock set back makes the later ones worthless.
            looks.removeAll { $0.seconds <= look.seconds - Self.span || $0.seconds > look.seconds }
        }
    }

    /// The most that waited and were busy in equal parts of the span up to now.
    func peaks(parts: Int, now: Int64) -> (waiting: [Int], busy: [Int]) {
        var (waiting, busy) = ([Int](repeating: 0, count: parts), [Int](repeating: 0, count: parts))
        let step = max(Self.span / Int64(max(parts, 1)), 1)
        for look in looks.withLock({ $0 }) {
            let index = parts - 1 - Int((now - look.seconds) / step)
            guard waiting.indices.contains(index), look.seconds <= now else { continue }
            waiting[index] = max(waiting[index], look.waiting)
            busy[index] = max(busy[index], look.busy)
        }
        return (waiting, busy)
    }
}
