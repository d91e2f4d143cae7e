import Pipeline
import Synchronization

// How often something happened, minute by minute, for the API's histories.

/// Counts of one kind of event by minute.
final class MinuteHistory: Sendable {
    /// One bucket of an answer.
    struct Bucket: Equatable {
        /// Start in local time, `2026-01-02 15:04`.
        var key: String
        /// Events in it.
        var count: Int
    }

    // A leap year; older minutes are forgotten.
    /// Minutes that are kept: a leap year.
    static let capacity = 366 * 24 * 60

    private struct Contents {
        var start: Int64
        var counts: [UInt32] = []
        // Minutes that were counted since they were last stored.
        var changed: Set<Int64> = []
    }

    private let contents: Mutex<Contents>

    /// A history that begins now, or with the minutes of earlier runs.
    ///
    /// - Parameter stored: Minutes since 1970 with their counts, in order.
    init(start: Timestamp = currentTime(), stored: [(minute: Int64, count: Int)] = []) {
        var contents = Contents(start: min(Self.minute(start), stored.first?.minute ?? .max))
        // A clock that was wrong once must not cost more than the history itself.
        if let last = stored.last?.minute { contents.start = max(contents.start, last - Int64(Self.capacity) + 1) }
        for (minute, count) in stored where minute >= contents.start {
            let index = Int(minute - contents.start)
            if index >= contents.counts.count {
                contents.counts += repeatElement(0, count: index + 1 - contents.counts.count)
            }
            contents.counts[index] = UInt32(clamping: count)
        }
        self.contents = Mutex(contents)
    }

    /// Minutes that have changed since the last call, with their counts.
    func takeChanges() -> [(minute: Int64, count: Int)] {
        contents.withLock { contents in
            defer { contents.changed = [] }
            return contents.changed.sorted().compactMap { minute in
                let index = Int(minute - contents.start)
                return contents.counts.indices.contains(index) ? (minute, Int(contents.counts[index])) : nil
            }
        }
    }

    /// Counts one event.
    func record(at time: Timestamp = currentTime()) {
        let minute = Self.minute(time)
        contents.withLock { contents in
            let index = Int(minute - contents.start)
            // A clock set back counts in the first minute there is.
            guard index >= 0 else {
                if contents.counts.isEmpty { contents.counts = [0] }
                contents.counts[0] &+= 1
                contents.changed.insert(contents.start)
                return
            }
            if index >= Self.capacity * 2 {
                contents = Contents(start: minute, counts: [1], changed: [minute])
                return
            }
            if index >= contents.counts.count {
                contents.counts += repeatElement(0, count: index + 1 - contents.counts.count)
            }
            contents.counts[index] &+= 1
            contents.changed.insert(minute)
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

    /// Counts of the last buckets, the current one last.
    ///
    /// - Parameters:
    ///   - step: Seconds in a bucket, whole minutes; buckets begin at multiples of it in UTC.
    ///   - start: When the first bucket begins, in seconds since 1970.
    func counts(step: Int64, from start: Int64, buckets: Int) -> [Int] {
        let (first, counts) = contents.withLock { ($0.start, $0.counts) }
        let minutes = max(step / 60, 1)
        return (0..<Int64(buckets)).map { bucket in
            let begin = start / 60 + bucket * minutes - first
            return (begin..<begin + minutes).reduce(0) { sum, minute in
                minute >= 0 && minute < counts.count ? sum + Int(counts[Int(minute)]) : sum
            }
        }
    }

    private static func minute(_ time: Timestamp) -> Int64 {
        time.seconds >= 0 ? time.seconds / 60 : (time.seconds - 59) / 60
    }
}

/// The histories of the service by what they count.
struct Histories: Sendable {
    /// What is counted; the raw value is its number in the index.
    enum Kind: Int, CaseIterable {
        case queued, scanned, denied
    }

    private let all: [MinuteHistory]

    /// Histories with the minutes of earlier runs, in the order of the kinds.
    init(stored: [[(minute: Int64, count: Int)]], now: @Sendable () -> Timestamp) {
        let start = now()
        all = stored.map { MinuteHistory(start: start, stored: $0) }
    }

    /// The history of a kind.
    subscript(kind: Kind) -> MinuteHistory { all[kind.rawValue] }

    /// What has changed since the last call.
    func takeChanges() -> [(kind: Int, minute: Int64, count: Int)] {
        Kind.allCases.flatMap { kind in
            self[kind].takeChanges().map { (kind.rawValue, $0.minute, $0.count) }
        }
    }
}
