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

    // What a replay says of files: path, host and companions.
    private func places(_ paths: [String], _ restoring: Replay.Restoring) async throws -> ([String], Replay.Summary) {
        let store = ByteStore()
        let log = PlaceLog()
        let engine = try InProcessEngine(chain: Chain(Placer()), threads: 2, byteStore: store)
        defer { engine.close() }
        let replay = Replay(
            engine: engine, events: log, byteStore: store, source: "analyst", scanID: "S-X", maximumFileSize: .max,
            restoring: restoring)
        let summary = await replay.run(paths)
        return (log.lines.withLock { $0 }, summary)
    }

    @Test func filesOfHostsHaveTheirOriginalPlace() async throws {
        let folder = try TemporaryFolder()
        for host in ["WS1", "WS2"] {
            try folder.write("\(host)/C/Windows/System32/config/SYSTEM", host)
            try folder.write("\(host)/C/Windows/System32/config/SYSTEM.LOG1", "log")
        }
        try folder.write("readme.txt", "x")
        let system = #"C:\Windows\System32\config\SYSTEM"#
        func lines(_ host: String) -> [String] {
            ["\(host) \(system)+SYSTEM.LOG1", "\(host) \(system).LOG1"]
        }
        let (found, summary) = try await places([folder.path], .pathsAndHosts)
        let told = ["WS1", "WS2"].map {
            "triage collection recognised COLLECTOR=drive folders COLLECTED_FROM=\($0) FOLDER=\(folder.path)/\($0)/ "
                + "FILES=2 RESTORED=2"
        }
        #expect(found == told + lines("WS1") + lines("WS2") + ["analyst \(folder.path)/readme.txt"])
        #expect(summary.collections.map(\.restored) == [2, 2])
        // Whichever folder of the tree is named.
        #expect(try await places([folder.path + "/WS2"], .pathsAndHosts).0.dropFirst() == lines("WS2")[...])
        #expect(try await places([folder.path + "/WS2/C"], .pathsAndHosts).0.dropFirst() == lines("WS2")[...])
        // A source that was given stays.
        #expect(try await places([folder.path + "/WS2"], .paths).0.dropFirst() == lines("analyst")[...])
        let (kept, none) = try await places([folder.path + "/WS2"], .nothing)
        #expect(kept.first == "analyst \(folder.path)/WS2/C/Windows/System32/config/SYSTEM+SYSTEM.LOG1")
        #expect(none.collections.isEmpty)
    }

    @Test func theClientOfAnUnpackedCollectionNamesTheHost() async throws {
        let folder = try TemporaryFolder()
        try folder.write("x/client_info.json", #"{"Hostname": "FS02"}"#)
        try folder.write("x/uploads/auto/C%3A/Users/a%20b/x.txt", "x")
        let (found, _) = try await places([folder.path + "/x"], .pathsAndHosts)
        #expect(found.contains(#"FS02 C:\Users\a b\x.txt"#))
        #expect(found.contains("FS02 \(folder.path)/x/client_info.json"))
    }

    // Kept samples are shown as a tree of hosts; a file system takes no colon, so drives have an underscore there.
    @Test func keptSamplesAreReplayedAsTheyCame() async throws {
        let folder = try TemporaryFolder()
        let path = #"C:\Users\bob\AppData\Local\x.exe"#
        let parts = SampleView.safeParts(of: path).joined(separator: "/")
        try folder.write("vfs/WS3/" + parts, "x")
        #expect(try await places([folder.path + "/vfs"], .pathsAndHosts).0.last == "WS3 \(path)")
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

// Says where a sample lay, and what came with it.
private struct Placer: Stage {
    static let descriptor = StageDescriptor(name: "placer", summary: "Reports places.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let text = ([sample.path] + sample.companions.map(\.name)).joined(separator: "+")
        out.report(Reason(summary: text, signature: Signature(kind: .heuristic, score: 20)))
    }
}

private final class PlaceLog: EventLog {
    let lines = Mutex<[String]>([])

    func log(_ report: Report, context: EventContext) {
        let found = report.findings.flatMap(\.reasons).map { "\(context.hostname) \($0.summary)" }
        lines.withLock { $0 += found }
    }

    func message(_ level: Level, module: String, _ text: String, fields: [(String, String)]) {
        let line = ([text] + fields.map { "\($0.0)=\($0.1)" }).joined(separator: " ")
        lines.withLock { $0.append(line) }
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
