import CLinux
import Glibc
import Pipeline
import Synchronization

// An engine may start no programs: so it forks, before it has scan threads and is locked in, a broker that does nothing
// else. They speak over one socket for each scan thread. The broker starts only the program that was configured, whatever
// an engine asks for; all an engine chooses is the sample and the time. The broker ends with its engine, and running
// programs with the broker.
//
//   engine -> broker: milliseconds (4 bytes), with standard input, output, errors and the sample as descriptors
//   broker -> engine: 1 if its time was over or 0, exit code, signal (4 bytes each); -1 and the error number when it was
//                     not started

/// The way from an engine to the process that starts its programs.
final class CommandBroker: Sendable {
    private let program: Program
    private let free: Mutex<[Descriptor]>

    /// Forks the broker.
    ///
    /// To be called while no other thread of this process does anything.
    /// - Throws: `SystemError` when the system refuses a socket or a process.
    init(_ program: Program, connections: Int) throws(SystemError) {
        self.program = program
        var ours: [Descriptor] = []
        var theirs: [Descriptor] = []
        for _ in 0..<max(connections, 1) {
            var (first, second): (Int32, Int32) = (-1, -1)
            guard unsafe clinux_socket_pair(&first, &second) == 0 else { throw SystemError("cannot create a socket") }
            ours.append(Descriptor(first))
            theirs.append(Descriptor(second))
        }
        let sockets = theirs.map(\.number)
        let pid = forkProcess(named: "thunder-broker") { Self.serve(program, sockets) }
        guard pid >= 0 else { throw SystemError("cannot fork a broker for programs") }
        free = Mutex(ours)
    }

    /// Has the program run and waits for its end.
    ///
    /// - Throws: `SystemError` when it cannot be started, or the broker is gone.
    func run(_ run: ProgramRun) throws(SystemError) -> ProgramEnding {
        guard let connection = free.withLock({ $0.popLast() }) else {
            throw SystemError("no connection to the broker for programs is left", number: ENOTCONN)
        }
        var request = run.milliseconds
        let sent = unsafe withUnsafeBytes(of: &request) { bytes in
            guard let base = bytes.baseAddress else { return -1 }
            return unsafe clinux_send(connection.number, base, bytes.count, run.descriptors, 4, 1)
        }
        guard sent == MemoryLayout<Int32>.size else { throw SystemError("the broker for programs is gone") }
        var answer: [Int32] = [-1, 0, 0]
        var numbers = [Int32](repeating: -1, count: Int(CLINUX_DESCRIPTOR_LIMIT))
        var count = 0
        let got = unsafe answer.withUnsafeMutableBytes { buffer -> Int in
            guard let base = buffer.baseAddress else { return -1 }
            return unsafe clinux_receive(connection.number, base, buffer.count, &numbers, &count)
        }
        for number in numbers.prefix(count) { close(number) }
        guard got == 3 * MemoryLayout<Int32>.size else {
            throw SystemError("the broker for programs is gone", number: EPIPE)
        }
        free.withLock { $0.append(connection) }
        guard answer[0] >= 0 else {
            throw SystemError("cannot start \(program.arguments[0])", number: answer[1])
        }
        return run.ending(isLate: answer[0] == 1, code: answer[1], signal: answer[2])
    }

    // MARK: In the broker

    private static func serve(_ program: Program, _ sockets: [Int32]) -> Never {
        clinux_become_broker()
        // The engine's own descriptors must not stay open here: whoever waits for its end would wait for the broker's.
        var moved: [Int32] = []
        for socket in sockets {
            let number = fcntl(socket, F_DUPFD_CLOEXEC, Int32(3 + sockets.count))
            guard number >= 0 else { _exit(1) }
            moved.append(number)
        }
        for (index, number) in moved.enumerated() where dup2(number, Int32(3 + index)) < 0 { _exit(1) }
        clinux_close_from(Int32(3 + moved.count))
        for index in moved.indices {
            _ = fcntl(Int32(3 + index), F_SETFD, FD_CLOEXEC)
        }
        for index in moved.indices.dropFirst() {
            let socket = Int32(3 + index)
            guard (try? startThread { answer(program, socket) }) != nil else { _exit(1) }
        }
        answer(program, 3)
        // The engine is gone: all connections end together.
        _exit(0)
    }

    private static func answer(_ program: Program, _ socket: Int32) {
        var numbers = [Int32](repeating: -1, count: Int(CLINUX_DESCRIPTOR_LIMIT))
        while true {
            var milliseconds: Int32 = 0
            var count = 0
            let got = unsafe clinux_receive(socket, &milliseconds, MemoryLayout<Int32>.size, &numbers, &count)
            guard got > 0 else { return }
            let files = Array(numbers.prefix(count))
            defer { for file in files { close(file) } }
            guard got == MemoryLayout<Int32>.size, files.count == 4 else { return }
            var answer: [Int32]
            do {
                let (isLate, code, signal) = try program.run(
                    files, milliseconds: max(0, min(milliseconds, Int32(program.seconds * 1000))))
                answer = [isLate ? 1 : 0, code, signal]
            } catch {
                answer = [-1, error.number, 0]
            }
            let sent = unsafe answer.withUnsafeBytes { bytes -> Int in
                guard let base = bytes.baseAddress else { return -1 }
                return unsafe clinux_send(socket, base, bytes.count, nil, 0, 1)
            }
            guard sent > 0 else { return }
        }
    }
}
