import Foundation
import Glibc
import Pipeline
import Synchronization

@testable import ThunderstormService

/// Port of a service that is started again and again.
final class CurrentPort: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .relaxed) }

    func set(_ port: Int) { number.store(port, ordering: .relaxed) }
}

/// The program as a process of its own, which can be killed and started again; for one thread.
final class ServiceProcess {
    /// The program beside the tests; it is there unless they were built alone.
    static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "thunderstorm").path

    /// Where it answers, or answered last.
    let port = CurrentPort()
    private let folder: TemporaryFolder
    private let prefix: [String]
    private var process: ChildProgram?

    /// - Parameter prefix: Words of a program that runs the service in its own place.
    init(prefix: [String] = []) throws {
        self.prefix = prefix
        folder = try TemporaryFolder()
        try folder.write(
            "rules/kill.yar", "rule Kill_Test { meta: score = 80 strings: $a = \"find this\" condition: $a }\n")
        try start()
    }

    deinit { kill() }

    /// Starts the service and waits until it listens.
    func start() throws {
        let log = folder.path + "/log-\(UUID().uuidString)"
        try Data().write(to: URL(filePath: log))
        let words =
            prefix + [
                Self.program, "serve", "--server-port", "0", "--rules", folder.path + "/rules", "--pure-yara",
                "--threads",
                "2",
                "--server-upload-dir", folder.path + "/uploads", "--server-result-cache-size", "1000000",
            ]
        let errors = try FileHandle(forWritingTo: URL(filePath: log))
        let process = try ChildProgram(words, errors: errors.fileDescriptor)
        try errors.close()
        while true {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            if let match = text.firstMatch(of: /listening on http:\/\/127\.0\.0\.1:([0-9]+)/),
                let port = Int(match.1)
            {
                self.process = process
                self.port.set(port)
                return
            }
            guard process.isRunning else { throw SystemError("the service ended: \(text)", number: ECHILD) }
            usleep(5_000)
        }
    }

    /// How many files it has open.
    var openFiles: Int { process.map { entries(of: "/proc/\($0.pid)/fd").count } ?? 0 }

    /// Replaces its only file of rules.
    func write(rules: String) throws { try folder.write("rules/kill.yar", rules) }

    /// Ends an engine of it, if there is one now, without a chance to do anything.
    ///
    /// - Returns: Whether there was one.
    func killEngine() -> Bool {
        guard let own = process?.pid else { return false }
        // Name and parent of each process, from the line behind its number.
        let found = entries(of: "/proc").compactMap { Int32($0) }.compactMap { pid -> (Int32, String, Int32)? in
            let line = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
            guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")") else { return nil }
            let rest = line[close...].split(separator: " ")
            guard rest.count > 2, let parent = Int32(rest[2]) else { return nil }
            return (pid, String(line[line.index(after: open)..<close]), parent)
        }
        let loaders = Set(found.filter { $0.2 == own }.map(\.0))
        let engine = found.first { $0.1 == "thunder-engine" && loaders.contains($0.2) }?.0
        return engine.map { Glibc.kill($0, SIGKILL) == 0 } ?? false
    }

    /// Ends it without a chance to do anything.
    func kill() {
        guard let process else { return }
        self.process = nil
        process.kill()
        process.wait()
    }
}
