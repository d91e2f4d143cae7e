import Pipeline
import Synchronization

// How often something happened, minute by minute, for the API's histories.

/// Counts of one kind of event by minute since the service started.
final class MinuteHistory: Sendable {
    /// One bucket of an answer.
    struct Bucket: Equatable {
        /// Start in local time, `2026-01-02 15:04`.
        var key: String
        /// Events in it.
        var count: Int
    }

    // A leap year; older minutes are forgotten.
    private static let capacity = 366 * 24 * 60

    private struct Contents {
        var start: Int64
        var counts: [UInt32] = []
    }

    private let contents: Mutex<Contents>

    init(start: Timestamp = currentTime()) { contents = Mutex(Contents(start: Self.minute(start))) }

    /// Counts one event.
    func record(at time: Timestamp = currentTime()) {
        let minute = Self.minute(time)
        contents.withLock { contents in
            let index = Int(minute - contents.start)
            // A clock set back counts in the first minute there is.
            guard index >= 0 else {
                if contents.counts.isEmpty { contents.counts = [0] }
                contents.counts[0] &+= 1
                return
            }
            if index >= Self.capacity * 2 {
                contents = Contents(start: minute, counts: [1])
                return
            }
            if index >= contents.counts.count {
                contents.counts += repeatElement(0, count: index + 1 - contents.counts.count)
            }
            contents.counts[index] &+= 1
            let excess = contents.counts.count - Self.capacity
            if excess > 0 {
                contents.counts.removeFirst(excess)
                contents.start += Int64(excess)
            }
        }
    }

    /// All buckets up to now, the empty ones too.
    ///
    /// - Parameters:
    ///   - aggregate: Minutes in a bucket; buckets begin at multiples of it after local midnight.
    ///   - limit: Only the last so many minutes; 0 for all.
    func buckets(aggregate: Int, limit: Int, now: Timestamp = currentTime()) -> [Bucket] {
        let (start, counts) = contents.withLock { ($0.start, $0.counts) }
        let last = max(Self.minute(now), start)
        let wanted = limit > 0 ? min(limit, Self.capacity) : Self.capacity
        let first = max(start, last - Int64(wanted) + 1)
        let step = max(aggregate, 1)
        var buckets: [Bucket] = []
        var minute = first
        while minute <= last {
            let local = LocalTime(Timestamp(seconds: minute * 60))
            let offset = Int64((local.hour * 60 + local.minute) % step)
            let key = LocalTime(Timestamp(seconds: (minute - offset) * 60)).minuteKey
            let end = min(minute - offset + Int64(step), last + 1)
            var count = 0
            for index in (minute - start)..<(end - start) where index < counts.count {
                count += Int(counts[Int(index)])
            }
            // The hour that is repeated in autumn has the same names again.
            if buckets.last?.key == key {
                buckets[buckets.count - 1].count += count
            } else {
                buckets.append(Bucket(key: key, count: count))
            }
            minute = end
        }
        return buckets
    }

    private static func minute(_ time: Timestamp) -> Int64 {
        time.seconds >= 0 ? time.seconds / 60 : (time.seconds - 59) / 60
    }
}
