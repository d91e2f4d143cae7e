import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

// Reports the names of samples, so that the order of events shows.
private struct Namer: Stage {
    static let descriptor = StageDescriptor(name: "namer", summary: "Reports names.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let score = sample.bytes.span.utf8Text == "bad" ? 90 : 20
        let names = ([sample.name] + sample.companions.map(\.name)).joined(separator: "+")
        out.report(Reason(summary: names, signature: Signature(kind: .heuristic, score: score)))
    }
}

private final class CollectingLog: EventLog {
    let lines = Mutex<[String]>([])

    func log(_ report: Report, context: EventContext) {
        let found = report.findings.flatMap(\.reasons).map { "\(context.scanID) \($0.summary)" }
        lines.withLock { $0 += found }
    }

    func message(_ level: Level, module: String, _ text: String, fields: [(String, String)]) {}
}

struct ReplayTests {
    private func replay(_ paths: [String], limit: Int = .max) async throws -> (Replay.Summary, [String]) {
        let store = ByteStore()
        let log = CollectingLog()
        let engine = try InProcessEngine(chain: Chain(Namer()), threads: 3, byteStore: store)
        defer { engine.close() }
        let replay = Replay(
            engine: engine, events: log, byteStore: store, source: "host", scanID: "S-X", maximumFileSize: limit)
        let summary = await replay.run(paths)
        return (summary, log.lines.withLock { $0 })
    }

    @Test func filesComeInAFixedOrderWithNumbers() async throws {
        let folder = try TemporaryFolder()
        for index in 0..<300 { try folder.write("d\(index % 7)/f\(1000 + index)", "x\(index)") }
        let (summary, lines) = try await replay([folder.path])
        #expect(summary.files == 300)
        #expect(lines.count == 300)
        let names = lines.map { String($0.split(separator: " ")[1]) }
        let expected = (0..<300).sorted { ($0 % 7, $0) < ($1 % 7, $1) }.map { "f\(1000 + $0)" }
        #expect(names == expected)
        #expect(lines.first?.hasPrefix("S-X-1 ") == true)
        #expect(lines.last?.hasPrefix("S-X-300 ") == true)
        #expect(summary.exitCode == 0)
    }

    @Test func exitCodesAndSkippedFiles() async throws {
        let folder = try TemporaryFolder()
        try folder.write("good", "fine")
        try folder.write("bad", "bad")
        try folder.write("large", "0123456789")
        let (summary, _) = try await replay([folder.path], limit: 5)
        #expect(summary.exitCode == 1)
        #expect(summary.findings[.alert] == 1)
        #expect(summary.skipped.map(\.reason) == ["10 bytes are more than --max-file-size 5"])
        let (missing, _) = try await replay([folder.path + "/nothing"])
        #expect(missing.exitCode == 2)
        #expect(missing.errors.first?.contains("/nothing") == true)
    }

    @Test func filesThatBelongTogetherAreCompanions() async throws {
        let folder = try TemporaryFolder()
        for name in ["SYSTEM", "SYSTEM.LOG1", "system.log2", "$I0001.txt", "$R0001.txt"] {
            try folder.write(name, "x")
        }
        let (_, lines) = try await replay([folder.path])
        let found = Set(lines.map { String($0.split(separator: " ")[1]) })
        #expect(found.contains("SYSTEM+SYSTEM.LOG1+system.log2"))
        #expect(found.contains("$I0001.txt+$R0001.txt"))
        let beside = try companionsBeside(folder.path + "/SYSTEM", byteStore: ByteStore())
        #expect(beside.map(\.name) == ["SYSTEM.LOG1", "system.log2"])
    }

    @Test func aReservedThreadIsFreeForSyncJobs() async throws {
        let gate = Gate()
        let engine = try InProcessEngine(
            chain: Chain(Blocking(gate: gate)), threads: 2, syncOnly: 1, byteStore: ByteStore())
        defer { engine.close() }
        func submission(_ path: String) -> Submission {
            Submission(number: 1, path: path, source: "x", bytes: .empty, received: currentTime())
        }
        async let first = engine.scan(submission("block"), lane: .async)
        async let second = engine.scan(submission("block"), lane: .async)
        let answer = await engine.scan(submission("quick"), lane: .sync)
        #expect(answer.samples == 1)
        gate.open()
        #expect(await first.samples + second.samples == 2)
    }
}

private final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }
    var isClosed: Bool { !isOpen.load(ordering: .acquiring) }
}

// Holds its thread until the gate opens.
private struct Blocking: Stage {
    static let descriptor = StageDescriptor(name: "blocking", summary: "Blocks.", interest: .samples)
    let gate: Gate

    init(gate: Gate) { self.gate = gate }
    init(options: NoOptions, environment: StageEnvironment) { gate = Gate() }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        while sample.path == "block", gate.isClosed { try out.checkpoint() }
    }
}
