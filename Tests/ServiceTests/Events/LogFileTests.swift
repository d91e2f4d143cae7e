import Foundation
import Glibc
import Pipeline
import Testing

@testable import ThunderstormService

struct LogFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func lines(_ name: String) throws -> [String] {
        try folder.read(name).split(separator: "\n").map(String.init)
    }

    @Test func largeFilesArePutAsideAndTheOldestGoes() throws {
        var rotation = LogRotation()
        rotation.size = 20
        rotation.kept = 2
        let file = try LogFile(path: folder.path + "/log", rotation: rotation, header: Array("head\n".utf8))
        for number in 0..<8 { file.append(Array("line \(number)\n".utf8), lines: 1) }
        #expect(try folder.names() == ["log", "log.1", "log.2"])
        #expect(try lines("log") == ["head", "line 6", "line 7"])
        #expect(try lines("log.1") == ["head", "line 4", "line 5"])
        #expect(try lines("log.2") == ["head", "line 2", "line 3"])
    }

    @Test func aFileOfYesterdayIsPutAside() throws {
        try folder.write("log", "old\n")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_000_000)], ofItemAtPath: folder.path + "/log")
        var rotation = LogRotation()
        rotation.seconds = 3_600
        let file = try LogFile(path: folder.path + "/log", rotation: rotation)
        file.append(Array("new\n".utf8), lines: 1)
        file.append(Array("newer\n".utf8), lines: 1)
        #expect(try lines("log.1") == ["old"])
        #expect(try lines("log") == ["new", "newer"])
    }

    @Test func aFileThatWasMovedAwayIsOpenedAnew() throws {
        let path = folder.path + "/log"
        let sinks = EventSinks(
            [try EventSink(file: path, format: .text, minimumLevel: .notice)], hostname: "h", scanID: "S-1")
        sinks.message(.info, module: "Test", "before", fields: [])
        try FileManager.default.moveItem(atPath: path, toPath: path + ".moved")
        sinks.message(.info, module: "Test", "between", fields: [])
        sinks.reopen()
        sinks.message(.info, module: "Test", "after", fields: [])
        #expect(try lines("log.moved").count == 2)
        #expect(try lines("log").map { $0.contains("MESSAGE: after") } == [true])
    }

    @Test func rotationWhileManyThreadsWriteLosesNothing() async throws {
        var rotation = LogRotation()
        rotation.size = 4_000
        rotation.kept = 1_000
        let file = try LogFile(path: folder.path + "/log", rotation: rotation)
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<500 { file.append(Array("\(writer) \(number)\n".utf8), lines: 1) }
                }
            }
        }
        let names = try folder.names()
        #expect(names.count > 5)
        let all = try names.flatMap { try lines($0) }
        #expect(all.count == 4_000)
        #expect(Set(all).count == 4_000)
    }

    // A file size limit refuses writes as a full disk does: partly first, then wholly. It holds for a whole process,
    // so the test runs in one of its own.
    @Test func aFullDiskCostsWholeLinesAndIsSaid() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = folder.path + "/log"
            let sink = try EventSink(file: path, format: .text, minimumLevel: .notice)
            let context = EventContext(time: Timestamp(seconds: 0), hostname: "h", scanID: "S-1")
            _ = signal(SIGXFSZ, SIG_IGN)
            let message = EventMessage(level: .info, module: "Test", text: "one line", fields: [])
            sink.log(message, context)
            let size = try folder.read("log").utf8.count
            var limit = rlimit(rlim_cur: rlim_t(size + 10), rlim_max: rlim_t.max)
            precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            for _ in 0..<3 { sink.log(message, context) }
            let kept = try folder.read("log").utf8.count
            precondition(kept == size, "half a line stayed")
            limit.rlim_cur = rlim_t.max
            precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            sink.log(message, context)
            let lines = try folder.read("log").split(separator: "\n")
            precondition(lines.count == 3)
            precondition(lines[2].contains("Events are missing here") && lines[2].contains("LOST: 3"))
        }
    }
}
