import Foundation
import Pipeline
import PipelineTesting
import Plugins
import Synchronization
import Testing

@testable import ThunderstormService

/// A triage collection sent as one file yields what replaying its unpacked tree yields.
@Suite(.serialized)
struct CollectionTests {
    private static let setup = Result {
        try ScanSetup(
            ScanSetup.Request(rules: [Shared.packageRoot + "/rules"]), registry: StageRegistry(BuiltinStages.all))
    }

    // The demo tree's Windows host, or its Linux host.
    private static func files(_ system: String) throws -> [(path: String, content: [UInt8])] {
        let root = Shared.packageRoot + "/samples/source/" + (system == "windows" ? "win/C/" : "linux/")
        return try Shared.files(below: String(root.dropLast())).map { file in
            var bytes = try ByteStore().read(file: file).array
            var name = String(file.dropFirst(root.count))
            if name.hasSuffix(".b64") {
                name.removeLast(4)
                bytes = Array(try #require(Data(base64Encoded: Data(bytes), options: .ignoreUnknownCharacters)))
            }
            let path = system == "windows" ? #"C:\"# + name.replacing("/", with: #"\"#) : "/" + name
            return (path, bytes)
        }
    }

    private func bare(_ file: FileSubject) -> FileSubject {
        var file = file
        file.unpackSource = []
        file.times = FileTimes()
        return file
    }

    // Correlations are over all events of a submission, and said of it as a whole.
    private func correlations(_ findings: [Finding]) -> [String] {
        findings.flatMap { finding -> [String] in
            guard case .file = finding.subject else { return [] }
            return finding.reasons.filter { $0.signature.kind == .sigma }.map { "\($0.summary) \($0.matched)" }
        }.sorted()
    }

    private func withoutCorrelations(_ finding: Finding) -> Finding? {
        guard case .file = finding.subject, finding.reasons.contains(where: { $0.signature.kind == .sigma }) else {
            return finding
        }
        var rest = finding
        rest.reasons.removeAll { $0.signature.kind == .sigma }
        rest.score = Int(totalScore(of: rest.reasons.map(\.subscore)).rounded())
        return rest.reasons.isEmpty && rest.issues.isEmpty ? nil : rest
    }

    // What findings say of the host's files: everything but where the file came in.
    private func words(_ finding: Finding, host: String) -> String {
        var subject = finding.subject
        var file = finding.context.first?.file
        switch subject {
        case .file(let own): (subject, file) = (.file(bare(own)), own)
        case .chunk(let chunk): subject = .chunk(ChunkSubject(file: bare(chunk.file), range: chunk.range))
        case .record: break
        }
        let reasons = finding.reasons.map { "\($0.summary) \($0.subscore) \($0.matched)" }
        let issues = finding.issues.map { "\($0.stage) \($0.message)" }
        return
            "\(host) \(file?.path ?? "") \(finding.module) \(finding.score) \(finding.level) \(subject) \(reasons) \(issues)"
    }

    @Test(arguments: [
        (SyntheticCollection.Layout.kape, "windows"), (.velociraptor, "windows"), (.cylr, "windows"),
        (.folders, "windows"), (.uac, "linux"), (.velociraptor, "linux"), (.cylr, "linux"),
    ])
    func theArchiveYieldsWhatItsTreeYields(layout: SyntheticCollection.Layout, system: String) async throws {
        let host = "WS-0815"
        let collection = SyntheticCollection(host: host, files: try Self.files(system))
        #expect(collection.files.count > 20)
        let chain = try Self.setup.get().chain

        let name = collection.containerName(layout)
        let report = chain.scan(Sample(path: "upload/\(name).zip", bytes: Bytes(collection.zip(layout))))
        let paths = Set(collection.files.map(\.path))
        let isOfHost = { (path: String) in
            paths.contains(path) || paths.contains { path.hasPrefix($0 + "/") }
        }
        let sent = report.findings.filter { ($0.subjectPath.map(isOfHost) ?? false) }

        let folder = FileManager.default.temporaryDirectory.appending(path: "thunderstorm-collection-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // A tree unpacked from `export.zip` has the host's folder in it already.
        let root = layout == .folders ? folder : folder + "/" + name
        for member in collection.members(layout) {
            let file = URL(filePath: root + "/" + member.name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(member.content).write(to: file)
        }
        let store = ByteStore()
        let engine = try InProcessEngine(chain: chain, threads: 2, byteStore: store)
        defer { engine.close() }
        let log = FindingLog()
        let replay = Replay(
            engine: engine, events: log, byteStore: store, source: "analyst", scanID: "S-1", maximumFileSize: .max)
        let summary = await replay.run([folder])
        #expect(summary.errors == [])
        #expect(summary.collections.map(\.restored) == [collection.files.count])
        let replayed = log.findings.withLock { $0 }.filter { ($0.finding.subjectPath.map(isOfHost) ?? false) }

        #expect(correlations(report.findings) == correlations(replayed.map(\.finding)))
        #expect(report.findings.allSatisfy { $0.origin?.host == host })
        let one = sent.compactMap(withoutCorrelations).map { words($0, host: $0.origin?.host ?? "") }.sorted()
        let other = replayed.compactMap { found in
            withoutCorrelations(found.finding).map { words($0, host: found.host) }
        }
        .sorted()
        #expect(one.count > 10)
        #expect(one.count == other.count)
        for (left, right) in zip(one, other) where left != right {
            Testing.Issue.record("sent:     \(left)\nreplayed: \(right)")
            break
        }
    }

    @Test func findingsCarryTheHostAndWhoSentIt() throws {
        let collection = SyntheticCollection(host: "WS-0815", files: try Self.files("windows"))
        let report = try Self.setup.get().chain.scan(Sample(path: "c.zip", bytes: Bytes(collection.zip(.velociraptor))))
        let finding = try #require(report.findings.first { $0.origin != nil && $0.level >= .warning })
        let context = EventContext(time: Timestamp(seconds: 0), hostname: "collector-7", scanID: "S-1")
        var json: [UInt8] = []
        EventEncoder(format: .json).append(finding, context, to: &json)
        let text = String(decoding: json, as: UTF8.self)
        #expect(text.contains(#""hostname":"WS-0815""#))
        #expect(text.contains(#""collection":{"collector":"Velociraptor","host":"WS-0815","source":"collector-7"}"#))
        var line: [UInt8] = []
        EventEncoder(format: .text).append(finding, context, to: &line)
        let words = String(decoding: line, as: UTF8.self)
        #expect(words.contains(" WS-0815 THOR: "))
        #expect(words.contains("COLLECTOR: Velociraptor COLLECTION_SOURCE: collector-7"))
        #expect(ReportCodec.decode(Bytes(ReportCodec.encode(report)))?.findings == report.findings)
    }
}

extension Finding {
    fileprivate var subjectPath: String? {
        switch subject {
        case .file(let file): file.path
        case .chunk(let chunk): chunk.file.path
        case .record: context.first?.file.path
        }
    }
}

private final class FindingLog: EventLog {
    let findings = Mutex<[(finding: Finding, host: String)]>([])

    func log(_ report: Report, context: EventContext) {
        findings.withLock { $0 += report.findings.map { ($0, context.hostname) } }
    }

    func message(_ level: Level, module: String, _ text: String, fields: [(String, String)]) {}
}
