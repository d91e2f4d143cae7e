import CLinux
import Dispatch
import Glibc
import Pipeline
import Synchronization

// Niceness alone leaves scans of queued samples a third of the processors while uploads come in: the kernel has threads of
// the reception wait behind each other although another processor does nothing but such a scan. It counts one as free whose
// thread has the idle policy. That policy gets so little beside anything else that a scan would run into its time limits,
// so it holds for the first seconds of a scan only, and never beside scans that a client waits for.

extension ProcessEngine.Child {
    private static let idleNanoseconds: UInt64 = 2_000_000_000

    /// Whether its scans of queued samples may have what nobody else wants.
    func canWait(now: UInt64) -> Bool {
        jobs.values.allSatisfy { entry in
            entry.job.lane == .async && entry.started.map { now <= $0 + Self.idleNanoseconds } ?? true
        }
    }
}

extension ProcessEngine {
    /// Gives an engine's threads for queued samples the idle policy, or takes it from them.
    func placeQueueThreads(of number: UInt64, _ child: Child, now: UInt64) {
        guard launch.niceness > EngineLaunch.mostForClients, Self.mayLeaveIdlePolicy, child.pid > 0, !child.isAtEnd
        else { return }
        let isIdle = child.canWait(now: now) && isReceiving.withLock { $0() }
        guard isIdle != child.isIdle else { return }
        for thread in Self.queueThreads(of: child.pid) { _ = clinux_set_idle(thread, isIdle ? 1 : 0) }
        state.withLock { $0.children[number]?.isIdle = isIdle }
    }

    // Those that stand back further than what clients wait for; the first thread has the niceness of the service.
    private static func queueThreads(of process: Int32) -> [Int32] {
        func niceness(_ thread: Int32) -> Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(thread)) }
        let most = niceness(process) + Int32(EngineLaunch.mostForClients)
        return entries(of: "/proc/\(process)/task").compactMap { Int32($0) }.filter { niceness($0) > most }
    }

    /// Whether threads may leave the idle policy, which takes a privilege or RLIMIT_NICE: tried with a thread that ends.
    static let mayLeaveIdlePolicy: Bool = {
        let mayLeave = Mutex(false)
        let isTried = DispatchSemaphore(value: 0)
        do {
            try startThread {
                let isBack = clinux_set_idle(0, 1) == 0 && clinux_set_idle(0, 0) == 0
                mayLeave.withLock { $0 = isBack }
                isTried.signal()
            }
        } catch {
            return false
        }
        isTried.wait()
        return mayLeave.withLock { $0 }
    }()
}
