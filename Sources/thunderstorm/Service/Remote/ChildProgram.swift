import CLinux
import Glibc
import Pipeline
import Synchronization

/// A program that this one starts, with three descriptors and nothing else of ours.
///
/// Foundation's `Process` copies entries of the list of open files as whole `dirent` values, beyond the end of its buffer:
/// with some 1,300 open files that can end this process.
public final class ChildProgram: Sendable {
    let pid: pid_t
    private let process: Descriptor
    // How it ended, once it was waited for.
    private let code = Mutex<Int32?>(nil)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - words: Its name, found in `PATH`, or its path; then its arguments.
    ///   - input: Standard input; -1 for `/dev/null`, as for the others.
    ///   - output: Standard output.
    ///   - errors: Standard error.
    /// - Throws: `SystemError` when there is no such program, or the system refuses.
    public init(
        _ words: [String], input: Int32 = -1, output: Int32 = -1, errors: Int32 = -1
    ) throws(SystemError) {
        let copies = unsafe words.map { unsafe UnsafePointer(strdup($0)) } + [nil]
        defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        pid = unsafe copies.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return -1 }
            return unsafe clinux_run(base, input, output, errors)
        }
        guard pid > 0 else { throw SystemError("cannot start \(words.first ?? "")") }
        process = Descriptor(clinux_process_descriptor(pid))
        guard process.number >= 0 else {
            let error = SystemError("cannot watch \(words.first ?? "")")
            _ = Glibc.kill(pid, SIGKILL)
            wait()
            throw error
        }
    }

    /// Whether it still runs.
    public var isRunning: Bool {
        var descriptor = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&descriptor, 1, 0) == 0
    }

    /// Asks it to end.
    public func terminate() { signal(SIGTERM) }

    /// Ends it without a chance to do anything.
    public func kill() { signal(SIGKILL) }

    /// Waits for its end: its exit code, 128 and the signal that it died of, or -1 when the system does not tell.
    @discardableResult public func wait() -> Int32 {
        code.withLock { known in
            if let known { return known }
            var (code, number): (Int32, Int32) = (0, 0)
            let isKnown = unsafe clinux_wait(pid, &code, &number) >= 0
            let result = !isKnown ? -1 : number > 0 ? 128 + number : code
            known = result
            return result
        }
    }

    private func signal(_ number: Int32) { _ = clinux_signal(process.number, number) }
}
