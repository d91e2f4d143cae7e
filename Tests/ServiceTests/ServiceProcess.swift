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
    private var process: ChildProgram?

    init() throws {
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
        let words = [
            Self.program, "serve", "--server-port", "0", "--rules", folder.path + "/rules", "--pure-yara", "--threads",
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

    /// Ends it without a chance to do anything.
    func kill() {
        guard let process else { return }
        self.process = nil
        process.kill()
        process.wait()
    }
}
