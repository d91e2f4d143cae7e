import Foundation
import Glibc
import Pipeline
import Synchronization

/// Scans many machines over ssh at the same time, and gathers what the scans left.
public final class RemoteRun: Sendable {
    /// How a run is done.
    public struct Options: Sendable {
        /// The distribution made by `make dist`.
        public var archive: String
        /// Folder for logs and reports.
        public var output = "remote-logs"
        /// Machines at one time.
        public var parallel = 10
        /// Seconds over which the starts are spread.
        public var stagger = 0
        /// Longest time of one machine in seconds.
        public var timeout = 6 * 3_600
        /// How much of each machine a scan may take.
        public var limits = RemoteScript.Limits()
        /// Program and arguments in front of the host: ssh that asks no questions.
        public var ssh = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=10"]

        /// Options with the defaults.
        public init(archive: String) { self.archive = archive }
    }

    /// Where one machine is.
    public enum State: Sendable, Equatable {
        /// It has not begun.
        case waiting
        /// What it is at, as its script says.
        case running(String)
        /// It ended; whether something was found.
        case done(found: Bool)
        /// It failed, and why.
        case failed(String)
    }

    private let hosts: [RemoteHosts.Host]
    private let options: Options
    private let states: Mutex<[State]>
    private let changed: @Sendable (Int, State) -> Void

    /// A run that has not begun.
    ///
    /// - Parameter changed: Told when a machine's state changes: its position and the state.
    /// - Throws: `ConfigurationError` when the distribution or the output folder cannot be used.
    public init(
        hosts: [RemoteHosts.Host], options: Options, changed: @escaping @Sendable (Int, State) -> Void
    ) throws(ConfigurationError) {
        guard FileManager.default.isReadableFile(atPath: options.archive) else {
            throw ConfigurationError("--archive \(options.archive) cannot be read; `make dist` makes one")
        }
        do {
            try FileManager.default.createDirectory(atPath: options.output, withIntermediateDirectories: true)
        } catch {
            throw ConfigurationError("--output \(options.output) cannot be made: \(error.localizedDescription)")
        }
        self.hosts = hosts
        self.options = options
        self.changed = changed
        states = Mutex(Array(repeating: .waiting, count: hosts.count))
    }

    /// All states, by position.
    public var snapshot: [State] { states.withLock { $0 } }

    /// Runs all machines and returns when each has ended.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            var next = 0
            var running = 0
            while next < hosts.count || running > 0 {
                while next < hosts.count, running < max(options.parallel, 1) {
                    let index = next
                    next += 1
                    running += 1
                    group.addTask { await self.scan(index) }
                }
                await group.next()
                running -= 1
            }
        }
    }

    private func set(_ index: Int, _ state: State) {
        states.withLock { $0[index] = state }
        changed(index, state)
    }

    private func scan(_ index: Int) async {
        if options.stagger > 0 {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 0...(options.stagger * 1_000))))
        }
        set(index, .running("connecting"))
        let outcome = await withCheckedContinuation { continuation in
            // Each machine waits on a thread of its own: Process blocks.
            Thread.detachNewThread { continuation.resume(returning: self.session(index)) }
        }
        set(index, outcome)
    }

    private func session(_ index: Int) -> State {
        let host = hosts[index]
        let run = String(UInt64.random(in: .min ... .max), radix: 36)
        let script = RemoteScript(host: host, limits: options.limits, run: run).text
        let name = host.name.replacing(":", with: "_") + (host.port == 22 ? "" : "-\(host.port)")
        let folder = options.output + "/" + name
        let package = folder + ".part"
        guard let archive = FileHandle(forReadingAtPath: options.archive) else {
            return .failed("\(options.archive) cannot be read")
        }
        defer { try? archive.close() }
        guard FileManager.default.createFile(atPath: package, contents: nil, attributes: [.posixPermissions: 0o600]),
            let received = FileHandle(forWritingAtPath: package)
        else { return .failed("\(package) cannot be written") }
        defer { try? FileManager.default.removeItem(atPath: package) }

        let login = (host.user.isEmpty ? "" : host.user + "@") + host.name
        let shell = (host.sudo ? "sudo -n " : "") + "sh -c " + RemoteScript.quoted(script)
        let messages = Pipe()
        let process: ChildProgram
        do {
            process = try ChildProgram(
                options.ssh + ["-p", "\(host.port)", login, shell], input: archive.fileDescriptor,
                output: received.fileDescriptor, errors: messages.fileHandleForWriting.fileDescriptor)
        } catch {
            return .failed("\(error)")
        }
        try? messages.fileHandleForWriting.close()
        let problem = follow(messages.fileHandleForReading, process, index)
        // Nobody listens from here on: that is what the script on the other side goes by when it is still there.
        try? messages.fileHandleForReading.close()
        let code = process.wait()
        try? received.close()
        guard (0...1).contains(code) else {
            return .failed(problem.isEmpty ? "ssh ended with \(code)" : problem)
        }
        if let failure = unpack(package, to: folder) { return .failed(failure) }
        return .done(found: code == 1)
    }

    // Reads what the script says until it ends or its time is over; returns the last thing that went wrong.
    private func follow(_ handle: FileHandle, _ process: ChildProgram, _ index: Int) -> String {
        let deadline = monotonicNanoseconds() &+ UInt64(options.timeout) &* 1_000_000_000
        var rest: [UInt8] = []
        var problem = ""
        while true {
            var descriptor = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&descriptor, 1, 500) == 0 {
                if monotonicNanoseconds() > deadline {
                    process.terminate()
                    return "it took longer than \(options.timeout) s and was given up"
                }
                if !process.isRunning { return problem }
                continue
            }
            let chunk = handle.availableData
            if chunk.isEmpty { break }
            rest += chunk
            // A machine that sends no ends of lines is cut off.
            if rest.count > 1 << 16 { rest.removeAll() }
            while let end = rest.firstIndex(of: 0x0A) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeSubrange(...end)
                if line.hasPrefix("step ") {
                    set(index, .running(String(line.dropFirst(5).prefix(40))))
                } else if line.hasPrefix("error ") {
                    problem = String(line.dropFirst(6).prefix(300))
                } else if line != "alive", !line.hasPrefix("note ") {
                    // ssh's own words.
                    problem = String(line.prefix(300))
                }
            }
        }
        return problem
    }

    // Only what a scan leaves is taken from the other machine's archive, as plain files.
    private func unpack(_ package: String, to folder: String) -> String? {
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let words = [
            "tar", "-xzf", package, "-C", folder, "--no-same-owner", "--no-same-permissions", "--wildcards",
            "*.jsonl", "*.html", "*.log", "*.txt",
        ]
        do {
            try ChildProgram(words).wait()
        } catch {
            return "\(error)"
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.contains { $0.hasSuffix(".jsonl") } ? nil : "the scan left no log; see \(folder)/messages.txt"
    }
}
