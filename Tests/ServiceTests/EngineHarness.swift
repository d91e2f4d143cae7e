import Foundation
import Pipeline
import Synchronization

@testable import ThunderstormService

/// A process engine over the host of tests, with a rules folder whose one file marks every result.
struct EngineHarness {
    let folder: TemporaryFolder
    let log = EventLogDouble()
    let engine: ProcessEngine

    var parked: String { folder.path + "/parked" }

    init(
        marker: String = "one", seconds: Double = 60, memory: Int = 1 << 30,
        _ configure: (inout EngineOptions) -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder()
        try folder.makeFolder("rules")
        try folder.makeFolder("temporary")
        try folder.write("rules/marker.yar", marker)
        var launch = EngineLaunch(
            rules: [folder.path + "/rules"], temporaryDirectory: folder.path + "/temporary", memoryLimit: memory)
        launch.limits.seconds = seconds
        var options = EngineOptions()
        options.program = Self.host
        options.overrunSeconds = 0.3
        options.parkedDirectory = folder.path + "/parked"
        configure(&options)
        engine = ProcessEngine(options, launch: launch, events: log)
    }

    // Built beside the tests, of which it is a dependency.
    private static let host: String = {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("EngineTestHost").path
    }()

    /// Starts the engine, runs the test and ends the engine.
    func run<T>(_ test: (EngineHarness) async throws -> T) async throws -> T {
        _ = try await engine.start()
        defer { engine.close() }
        return try await test(self)
    }

    /// Scans a text.
    func scan(_ text: String, number: Int = 1, lane: Lane = .async) async -> Report {
        await scan(Bytes(utf8: text), number: number, lane: lane)
    }

    /// Scans bytes.
    func scan(_ bytes: Bytes, number: Int = 1, lane: Lane = .async, companions: [Companion] = []) async -> Report {
        await engine.scan(
            Submission(
                number: number, path: "/s/\(number)", source: "test", bytes: bytes,
                received: Timestamp(seconds: 0), companions: companions), lane: lane)
    }

    /// Processes of engines that take samples now.
    var engines: [Int32] {
        engine.state.withLock { $0.children.values.filter { $0.isReady && !$0.isRetired }.map(\.pid) }
    }
}

extension Report {
    /// What the stage of the test host said.
    var words: String { findings.first?.reasons.first?.summary ?? "" }

    /// The process that scanned.
    var process: String { findings.first?.reasons.first?.signature.description ?? "" }
}
