import Pipeline
import Synchronization

/// Numbers for samples: of scan ids within this run, and of async ids over all runs.
///
/// Async ids begin at the time in microseconds, so that an id of an earlier run is not taken for one of this run; they
/// stay exact in programs that read numbers as doubles.
final class SampleNumbers: Sendable {
    private let samples = Atomic<Int>(0)
    private let asyncIDs: Mutex<Int64>

    /// - Parameter after: An async id that is in use; all new ones are higher.
    init(after used: Int64, now: Timestamp = currentTime()) {
        asyncIDs = Mutex(max(used, now.seconds * 1_000_000 + Int64(now.nanoseconds / 1000)))
    }

    /// The number of the next sample, counted from 1.
    func nextSample() -> Int { samples.add(1, ordering: .relaxed).newValue }

    /// The next async id.
    func nextAsyncID() -> Int64 {
        asyncIDs.withLock { last in
            last += 1
            return last
        }
    }
}
