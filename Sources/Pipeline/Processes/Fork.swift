import CLinux
import Glibc

/// Forks a process that does what `body` says, on a thread of its own.
///
/// Not on the thread that forks: Swift's locks know a thread by its number, which they ask the kernel for once, and in the
/// child that thread still has the number of the parent's. It would own locks in the name of somebody else, and the first
/// other thread that waited for one of them would wait for ever, or end the process.
///
/// - Parameter name: What the process is called in lists, at most 15 bytes.
/// - Returns: The number of the process; -1 with `errno` when the system refuses.
public func forkProcess(named name: String, _ body: @escaping @Sendable () -> Never) -> Int32 {
    let pid = unsafe clinux_fork(name)
    guard pid == 0 else { return pid }
    do {
        try startThread { body() }
    } catch {
        _exit(71)
    }
    while true { sleep(UInt32.max) }
}
