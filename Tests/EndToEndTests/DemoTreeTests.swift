import Foundation
import Pipeline
import PipelineTesting
import Plugins
import Synchronization
import Testing

@testable import ThunderstormService

/// The demo tree, scanned with the shipped signatures, gives what `samples/expected.tsv` says.
@Suite(.serialized)
struct DemoTreeTests {
    private static let root = Shared.packageRoot
    private static let tree = Result { try unpack() }
    private static let setup = Result {
        try ScanSetup(ScanSetup.Request(rules: [root + "/rules"]), registry: StageRegistry(BuiltinStages.all))
    }

    private static let folder = FileManager.default.temporaryDirectory.appending(
        path: "thunderstorm-demo-\(UUID().uuidString)")

    private static func unpack() throws -> String {
        // All tests have it, so it goes with the process.
        atexit { try? FileManager.default.removeItem(at: DemoTreeTests.folder) }
        #expect(try ChildProgram([root + "/samples/unpack.sh", folder.path], errors: 2).wait() == 0)
        return folder.path
    }

    private struct Expectation: CustomTestStringConvertible {
        let path: String
        let level: String
        let rules: [String]

        var testDescription: String { path }
    }

    private static let expectations: [Expectation] = {
        let text = (try? String(contentsOfFile: root + "/samples/expected.tsv", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Expectation(
                path: columns[0], level: columns[1], rules: columns[2].split(separator: ",").map(String.init))
        }
    }()

    @Test func thereAreEnoughFilesOfEveryLevel() {
        #expect(Self.expectations.count >= 30)
        let levels = Set(Self.expectations.map(\.level))
        #expect(levels == ["none", "Info", "Notice", "Warning", "Alert"])
    }

    @Test func everySignatureLoads() throws {
        let state = try Self.setup.get().signatures
        #expect(state.problems.filter(\.isRejected).map(\.description) == [])
        #expect(state.counts["YARA Rule", default: 0] >= 40)
        for kind in ["Hash IOC", "Filename IOC", "Keyword IOC", "Domain IOC", "Sigma Rule", "STIX IOC"] {
            #expect(state.counts[kind, default: 0] > 0, "\(kind)")
        }
    }

    @Test(arguments: expectations)
    private func fileHasItsLevelAndRules(expected: Expectation) throws {
        let bytes = try ByteStore().read(file: try Self.tree.get() + "/" + expected.path)
        let report = try Self.setup.get().chain.scan(Sample(path: "samples/tree/" + expected.path, bytes: bytes))
        // What is said of the file itself; a memory dump is looked at in chunks.
        let own = report.findings.filter { finding in
            switch finding.subject {
            case .file(let file): file.unpackSource.isEmpty
            case .chunk(let chunk): chunk.file.unpackSource.isEmpty
            case .record: false
            }
        }.flatMap(\.reasons)
        expect(own, expected.rules, expected.level)
    }

    // Heuristics, STIX and correlations over a log's lines may add to a level; what the tables promise is what YARA rules
    // and lists say of the file itself.
    private func expect(_ reasons: [Reason], _ expectedRules: [String], _ expectedLevel: String) {
        let rules = reasons.filter { $0.signature.kind == .yara }.map(\.signature.ruleName).sorted()
        #expect(rules == expectedRules.sorted())
        let ofTable: Set<Signature.Kind> = [.yara, .filename, .hash]
        let subscores = reasons.filter { ofTable.contains($0.signature.kind) }.map(\.subscore)
        let score = Int(totalScore(of: subscores).rounded())
        let level = LevelRules.v11.level(score: score, subscores: subscores)
        #expect((level == .debug ? "none" : level.name) == expectedLevel)
    }

    private struct Inside: CustomTestStringConvertible {
        let path: String
        let number: Int
        let level: String
        let rules: [String]

        var testDescription: String { "\(path) \(number)" }
    }

    private static let inside: [Inside] = {
        let text = (try? String(contentsOfFile: root + "/samples/expected-inside.tsv", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Inside(
                path: columns[0], number: Int(columns[1]) ?? 0, level: columns[2],
                rules: columns[3].split(separator: ",").map(String.init))
        }
    }()

    @Test func compressedFilesAreListed() { #expect(Self.inside.count >= 6) }

    // What is said of the members of compressed files, which are told apart by their order.
    @Test(arguments: inside)
    private func memberHasItsLevelAndRules(expected: Inside) throws {
        let bytes = try ByteStore().read(file: try Self.tree.get() + "/" + expected.path)
        let members = Members()
        let report = try Self.setup.get().chain.appending(members).scan(
            Sample(path: "samples/tree/" + expected.path, bytes: bytes))
        let digests = members.digests.withLock { $0 }
        try #require(digests.indices.contains(expected.number - 1))
        let own = report.findings.filter { finding in
            guard case .file(let file) = finding.subject else { return false }
            return file.unpackSource.count == 1 && file.sha256 == digests[expected.number - 1]
        }.flatMap(\.reasons)
        expect(own, expected.rules, expected.level)
    }

    private struct Artefact: CustomTestStringConvertible {
        let path: String
        let type: String
        let level: String
        let heuristics: [String]

        var testDescription: String { "\(path) \(type)" }
    }

    private static let artefacts: [Artefact] = {
        let text = (try? String(contentsOfFile: root + "/samples/expected-artefacts.tsv", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Artefact(
                path: columns[0], type: columns[1], level: columns[2],
                heuristics: columns[3] == "-" ? [] : columns[3].split(separator: ",").map(String.init))
        }
    }()

    // Records of the artefact, the level of the worst of them, and what is suspicious about them by itself.
    @Test(arguments: artefacts)
    private func artefactHasItsRecordsAndHeuristics(expected: Artefact) throws {
        let path = try Self.tree.get() + "/" + expected.path
        let store = ByteStore()
        let companions = try companionsBeside(path, byteStore: store)
        let sample = Sample(
            path: "samples/tree/" + expected.path, bytes: try store.read(file: path), companions: companions)
        let counter = TypeCounter()
        let report = try Self.setup.get().chain.appending(counter).scan(sample)
        #expect(counter.counts.withLock { $0[expected.type, default: 0] } > 0)
        var found: Set<String> = []
        var level = Level.debug
        for finding in report.findings {
            guard case .record(let record) = finding.subject, record.type.name == expected.type else { continue }
            found.formUnion(
                finding.reasons.filter { $0.signature.kind == .heuristic }.map(\.signature.ruleName))
            level = max(level, finding.level)
        }
        #expect(found == Set(expected.heuristics))
        #expect((level < .info ? "none" : level.name) == expected.level)
    }

    // Every type of record that a stage of ours has is shown by the tree.
    @Test func everyFormatHasADemo() {
        let types = Set(Self.artefacts.map(\.type))
        let wanted: Set<String> = [
            "eventlog entry", "registry value", "autorun entry", "Windows service", "registered debugger",
            "registry scheduled task", "AmCache entry", "shim cache entry", "TeamViewer password", "prefetch info",
            "link info", "jump list entry", "wer info", "recycle bin info",
            "PowerShell module analysis cache module entry", "scheduled task", "at job", "cron job",
            "environment variable", "authorized_keys entry", "groups.xml user", "Tomcat user", "hosts file entry",
            "log line", "audit log entry",
        ]
        #expect(wanted.subtracting(types).sorted() == [])
    }

    @Test func benignFilesAreClean() throws {
        let benign = Self.expectations.filter {
            $0.level == "none" && $0.rules.isEmpty && !$0.path.contains("auth.log")
        }
        #expect(benign.count >= 10)
        for expected in benign where expected.path.hasPrefix("docs/") || expected.path.hasPrefix("data/") {
            let bytes = try ByteStore().read(file: try Self.tree.get() + "/" + expected.path)
            let report = try Self.setup.get().chain.scan(Sample(path: "samples/tree/" + expected.path, bytes: bytes))
            #expect(report.findings.allSatisfy { $0.level < .info }, "\(expected.path)")
        }
    }

    @Test func replayOfTheTreeEndsWithFindings() async throws {
        let store = ByteStore()
        let engine = try InProcessEngine(chain: try Self.setup.get().chain, threads: 2, byteStore: store)
        defer { engine.close() }
        let sinks = EventSinks([], hostname: "h", scanID: "S-1")
        let replay = Replay(
            engine: engine, events: sinks, byteStore: store, source: "h", scanID: "S-1", maximumFileSize: .max)
        let summary = await replay.run([try Self.tree.get()])
        #expect(summary.exitCode == 1)
        #expect(summary.files == Self.expectations.count)
        #expect(summary.errors.isEmpty)
        #expect(summary.skipped.isEmpty)
        #expect(summary.findings[.alert, default: 0] > 0)
    }

    @Test func pureYARAIsAChainOfOneStage() throws {
        var request = ScanSetup.Request(rules: [Self.root + "/rules"])
        request.chain = "pure-yara"
        let setup = try ScanSetup(request, registry: StageRegistry(BuiltinStages.all))
        #expect(setup.chain.descriptors.map(\.name) == ["yara"])
        request.chain = "nothing"
        let error = #expect(throws: ConfigurationError.self) {
            try ScanSetup(request, registry: StageRegistry(BuiltinStages.all))
        }
        #expect(error?.description == "there is no chain 'nothing'; chains are: full, pure-yara")
    }
}

// Digests of what lies directly in the sample, in order.
private final class Members: Stage {
    static let descriptor = StageDescriptor(name: "members", summary: "Keeps digests.", interest: .samples)
    let digests = Mutex<[String]>([])

    init() {}

    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        if sample.depth == 1 { digests.withLock { $0.append(sample.digests.sha256) } }
    }
}

// Counts records by type, as the last stage of a chain.
private final class TypeCounter: Stage {
    static let descriptor = StageDescriptor(
        name: "type-counter", summary: "Counts records for a test.", interest: .records)
    let counts = Mutex<[String: Int]>([:])

    init() {}

    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        var found: [String: Int] = [:]
        for record in 0..<records.count { found[records.type(of: record).name, default: 0] += 1 }
        let more = found
        counts.withLock { $0.merge(more, uniquingKeysWith: +) }
    }
}
