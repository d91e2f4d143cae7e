import Synchronization

/// Tells a running scan to stop, from any thread.
public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Not cancelled yet.
    public init() {}

    /// Asks the scan to stop at its next checkpoint.
    public func cancel() { flag.store(true, ordering: .relaxed) }

    /// Whether it was asked to stop.
    public var isCancelled: Bool { flag.load(ordering: .relaxed) }
}

/// When a submission has to be done; only its own thread moves it.
final class Deadline {
    private(set) var end: UInt64

    init(_ end: UInt64) { self.end = end }

    func extend(bySeconds seconds: Double) {
        let (later, overflow) = end.addingReportingOverflow(UInt64(min(max(seconds, 0), 1e9) * 1e9))
        end = overflow ? .max : later
    }
}

/// Watches the time of one stage on one sample.
///
/// It stands still while the stages downstream work on what the stage extracted or emitted.
final class StageClock {
    private let stage: String
    private var limit: UInt64
    private let deadline: Deadline
    private var seconds: Double
    private let cancellation: Cancellation
    private var started: UInt64
    private var pausedAt: UInt64 = 0
    private var calls: UInt32 = 0

    init(stage: String, seconds: Double, deadline: Deadline, cancellation: Cancellation) {
        self.stage = stage
        self.seconds = seconds
        limit = UInt64(max(seconds, 0) * 1e9)
        self.deadline = deadline
        self.cancellation = cancellation
        started = monotonicNanoseconds()
    }

    /// Gives the stage more time, as much as the submission got.
    func extend(bySeconds more: Double) {
        seconds += min(max(more, 0), 1e9)
        limit = UInt64(max(seconds, 0) * 1e9)
    }

    /// Time the stage itself has used, in nanoseconds.
    var elapsed: UInt64 { monotonicNanoseconds() &- started }

    /// Seconds left for the stage, never negative.
    var secondsLeft: Double {
        let now = monotonicNanoseconds()
        let own = limit > now &- started ? limit - (now &- started) : 0
        let whole = deadline.end > now ? deadline.end - now : 0
        return Double(min(own, whole)) / 1e9
    }

    func pause() { pausedAt = monotonicNanoseconds() }

    func resume() { started &+= monotonicNanoseconds() &- pausedAt }

    // The clock is read at every 16th call only: a checkpoint stands in the innermost loops.
    func checkpoint() throws(StageError) {
        calls &+= 1
        if calls & 15 == 1 { try check() }
    }

    func check() throws(StageError) {
        if cancellation.isCancelled {
            throw StageError(.timeout, "the scan was cancelled; \(stage) did not look at the rest")
        }
        let now = monotonicNanoseconds()
        if now &- started > limit {
            throw StageError(.timeout, "\(stage) used its \(seconds) s; it did not look at the rest")
        }
        if now > deadline.end {
            throw StageError(.timeout, "the submission's time is over; \(stage) did not look at the rest")
        }
    }
}
