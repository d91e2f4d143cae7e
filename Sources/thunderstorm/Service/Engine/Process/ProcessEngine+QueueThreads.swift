import CLinux
import Dispatch
import Glibc
import Pipeline
import Synchronization

// Niceness alone leaves scans of queued samples a third of the processors while uploads come in: the kernel has threads of
// the reception wait behind each other although another processor does nothing but such a scan. It counts one as free whose
// thread has the idle policy. That policy gets so little beside anything else that a scan would run into its time limits,
// so it holds for the first seconds of a scan only, and never beside scans that a client waits for. Beside other programs that
// are busy, the lowest niceness gets a hundredth of a processor: a scan that has taken a good part of its time limits comes
// forward.

/// How far the threads for queued samples stand back.
enum QueuePlace: Equatable {
    /// They have what nobody else wants.
    case idle
    /// They have the niceness of `--engine-nice`.
    case back
    /// They have the niceness of scans that a client waits for.
    case forward
}

extension ProcessEngine.Child {
    private static let idleNanoseconds: UInt64 = 2_000_000_000
    // A quarter of the time that a stage has.
    private static let backNanoseconds: UInt64 = 30_000_000_000

    /// Where its threads for queued samples belong now.
    ///
    /// - Parameter isReceiving: Whether samples come in.
    func queuePlace(now: UInt64, isReceiving: Bool) -> QueuePlace {
        let entries = jobs.values
        func isQueued(within time: UInt64) -> Bool {
            entries.allSatisfy { $0.job.lane == .sync || $0.started.map { now <= $0 + time } ?? true }
        }
        guard isQueued(within: Self.backNanoseconds) else { return .forward }
        let isAlone = entries.allSatisfy { $0.job.lane == .async }
        return isReceiving && isAlone && isQueued(within: Self.idleNanoseconds) ? .idle : .back
    }
}

extension ProcessEngine {
    /// Puts an engine's threads for queued samples where they belong.
    func placeQueueThreads(of number: UInt64, _ child: Child, now: UInt64) {
        guard launch.niceness > EngineLaunch.mostForClients, Self.mayComeForward, child.pid > 0, !child.isAtEnd
        else { return }
        let place = child.queuePlace(now: now, isReceiving: isReceiving.withLock { $0() })
        guard place != child.queuePlace else { return }
        let threads = child.queueThreads ?? Self.queueThreads(of: child.pid)
        let steps = place == .forward ? EngineLaunch.mostForClients : launch.niceness
        let niceness = Self.niceness(of: child.pid) + Int32(steps)
        for thread in threads {
            _ = setpriority(Self.process, id_t(thread), niceness)
            _ = clinux_set_idle(thread, place == .idle ? 1 : 0)
        }
        state.withLock { state in
            state.children[number]?.queueThreads = threads
            state.children[number]?.queuePlace = place
        }
    }

    private static let process = __priority_which_t(PRIO_PROCESS.rawValue)

    private static func niceness(of thread: Int32) -> Int32 { getpriority(process, id_t(thread)) }

    // Those that stand back further than what clients wait for; the first thread has the niceness of the service.
    private static func queueThreads(of child: Int32) -> [Int32] {
        let most = niceness(of: child) + Int32(EngineLaunch.mostForClients)
        return entries(of: "/proc/\(child)/task").compactMap { Int32($0) }.filter { niceness(of: $0) > most }
    }

    /// Whether threads that stand back may come forward, which takes a privilege or RLIMIT_NICE: tried with a thread that
    /// ends.
    static let mayComeForward: Bool = {
        let mayCome = Mutex(false)
        let isTried = DispatchSemaphore(value: 0)
        do {
            try startThread {
                let forward = nice(Int32(EngineLaunch.mostForClients))
                _ = nice(19)
                let isForward = setpriority(process, 0, forward) == 0
                let isBack = clinux_set_idle(0, 1) == 0 && clinux_set_idle(0, 0) == 0
                mayCome.withLock { $0 = isForward && isBack }
                isTried.signal()
            }
        } catch {
            return false
        }
        isTried.wait()
        return mayCome.withLock { $0 }
    }()
}
