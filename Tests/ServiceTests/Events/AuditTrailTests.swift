import Foundation
import Glibc
import Pipeline
import Testing

@testable import ThunderstormService

/// The audit trail as gzip and Foundation read it, who are not of ours.
struct AuditTrailTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/audit.jsonl.gz"
    }

    @Test func everyObjectIsThereWithItsRelations() async throws {
        let trail = try trail()
        let engine = try InProcessEngine(
            chain: Chain(Unpacker()).appending(Matcher()), threads: 2, byteStore: ByteStore(), trail: trail)
        let text = "outer [inner [deep] evil] [other]"
        let report = await engine.scan(submission(text, number: 7), lane: .async)
        trail.close()
        engine.close()
        let elements = try elements()
        #expect(report.samples == 4 && report.records == 4)
        #expect(
            Set(elements.keys)
                == ["S-x-7", "S-x-7/1", "S-x-7/1/1", "S-x-7/2", "S-x-7#1", "S-x-7/1#1", "S-x-7/1/1#1", "S-x-7/2#1"])

        let deep = try #require(elements["S-x-7/1/1"])
        let references = try #require(deep["references"] as? [[String: String]])
        #expect(references.map { $0["target_id"] } == ["S-x-7/1", "S-x-7"])
        #expect(references.map { $0["relation_name"] } == ["parent", "topmost ancestor"])
        #expect(references.allSatisfy { $0["relation_type"] == "derives from" })
        let file = try #require(deep["object"] as? [String: Any])
        #expect(file["type"] as? String == "file" && file["path"] as? String == "/host/a.txt/b/b")
        #expect((deep["timestamps"] as? [String: String])?["/file_times/modified"] == "2026-01-02T03:04:05Z")
        let meta = try #require(deep["meta"] as? [String: String])
        #expect(meta["hostname"] == "web1" && meta["scan_id"] == "S-x-7")

        let root = try #require(elements["S-x-7"])
        #expect((root["references"] as? [Any])?.isEmpty == true)
        let hashes = try #require((root["object"] as? [String: Any])?["hashes"] as? [String: String])
        #expect(hashes["sha256"] == Digests(of: Bytes(utf8: text)).sha256)

        let record = try #require(elements["S-x-7/1#1"])
        let entry = try #require((record["object"] as? [String: Any])?["entry"] as? [String: Any])
        #expect(entry["Text"] as? String == "inner [deep] evil")
        #expect(entry["Size"] as? Int == 17 && entry["Parts"] as? String == "one, two")
        #expect(record["timestamps"] as? [String: String] == ["/entry/Time": "2026-01-02T03:04:05Z"])
        let reasons = try #require(record["reasons"] as? [[String: Any]])
        #expect(reasons.map { $0["summary"] as? String } == ["evil text"])
        #expect((elements["S-x-7/2#1"]?["reasons"] as? [Any])?.isEmpty == true)
    }

    @Test func whatATerminalOrALineWouldObeyIsEscaped() async throws {
        let trail = try trail()
        let engine = try InProcessEngine(
            chain: Chain(Unpacker()), threads: 1, byteStore: ByteStore(), trail: trail)
        let hostile = "a\u{1B}[31m\n\r\"\\\u{9B}0m\u{7F}<script>|='\u{E9}\u{202E}"
        _ = await engine.scan(submission(hostile, number: 1), lane: .async)
        trail.close()
        engine.close()
        let raw = try gunzipped()
        #expect(!raw.contains { $0 < 0x20 && $0 != 0x0A || $0 == 0x7F })
        #expect(!String(decoding: raw, as: UTF8.self).unicodeScalars.contains("\u{9B}"))
        let object = try #require(try elements()["S-x-1#1"]?["object"] as? [String: Any])
        #expect((object["entry"] as? [String: Any])?["Text"] as? String == hostile)
    }

    @Test func hugeValuesAreCutAndSaid() async throws {
        let trail = try trail()
        let engine = try InProcessEngine(chain: Chain(Unpacker()), threads: 1, byteStore: ByteStore(), trail: trail)
        // A character of two bytes stands across the limit.
        _ = await engine.scan(
            submission("a" + String(repeating: "\u{E9}", count: 3 << 20), number: 1), lane: .async)
        trail.close()
        engine.close()
        let element = try #require(try elements()["S-x-1#1"])
        let text = ((element["object"] as? [String: Any])?["entry"] as? [String: Any])?["Text"] as? String
        #expect(text?.utf8.count == TrailEncoder.valueLimit - 1)
        let issues = try #require(element["issues"] as? [[String: Any]])
        #expect((issues.first?["description"] as? String)?.contains("262144 bytes of a value") == true)
    }

    @Test func namesOfPersonsAreReplaced() async throws {
        let trail = try AuditTrail(path: path, scanID: "S-x", hostname: "scanner", hidesPersonalData: true)
        let engine = try InProcessEngine(chain: Chain(Unpacker()), threads: 1, byteStore: ByteStore(), trail: trail)
        _ = await engine.scan(submission("seen in /home/alice/x", number: 1), lane: .async)
        trail.note(skipped: [("/home/alice/big", "too large")], source: "web1")
        trail.close()
        engine.close()
        let text = String(decoding: try gunzipped(), as: UTF8.self)
        #expect(!text.contains("alice") && text.contains("/home/ANONYMIZED/x"))
        let skipped = try #require(try elements()["S-x/skipped-1"])
        #expect((skipped["object"] as? [String: Any])?["path"] as? String == "/home/ANONYMIZED/big")
    }

    @Test func anUnfinishedEndIsTakenAwayAndTheFileGoesOn() throws {
        let first = try trail()
        for number in 1...50 { first.append(line(number)) }
        first.close()
        let whole = try Data(contentsOf: URL(filePath: path))
        let second = try #require(GzipMember.compress(line(99)))
        // Whatever part of the next member was written.
        for cut in [1, 9, 19, 20, 30, second.count - 1] {
            try (whole + second.prefix(cut)).write(to: URL(filePath: path))
            let again = try trail()
            again.append(line(51))
            again.close()
            let elements = try elements()
            #expect(elements.count == 51 && elements["S-x-99"] == nil)
            let text = String(decoding: try gunzipped(), as: UTF8.self)
            #expect(text.contains("\"bytes\":\"\(cut)\""))
        }
    }

    @Test func aFileThatIsNoTrailIsNotTouched() throws {
        try folder.write("notes.txt", "keep me")
        #expect(throws: ConfigurationError.self) {
            try AuditTrail(path: folder.path + "/notes.txt", scanID: "S-x", hostname: "scanner")
        }
        #expect(try folder.read("notes.txt") == "keep me")
    }

    @Test func waitingLinesAreBoundedAndNoneIsLost() async throws {
        let trail = try trail()
        // Twice what may wait, from eight threads.
        let padding = String(repeating: "x", count: 4_000)
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    for number in 0..<1_000 {
                        trail.append(
                            Array("{\"id\":\"S-x-\(thread * 1_000 + number)\",\"padding\":\"\(padding)\"}\n".utf8))
                    }
                }
            }
        }
        trail.close()
        #expect(try elements().count == 8_000)
    }

    @Test func rotatedFilesAreWholeToo() throws {
        var rotation = LogRotation()
        rotation.size = 2_000
        rotation.kept = 200
        let trail = try AuditTrail(path: path, scanID: "S-x", hostname: "scanner", rotation: rotation)
        var generator = SystemRandomNumberGenerator()
        for number in 0..<40 {
            let noise = String(
                (0..<60_000).map { _ in Character(Unicode.Scalar(UInt8.random(in: 97...122, using: &generator))) })
            trail.append(Array("{\"id\":\"S-x-\(number)\",\"noise\":\"\(noise)\"}\n".utf8))
            usleep(10_000)
        }
        trail.close()
        let names = try folder.names()
        #expect(names.count > 1)
        var count = 0
        for name in names { count += try elements(of: folder.path + "/" + name).count }
        #expect(count == 40)
    }

    @Test func aFullDiskCostsWholeLinesAndIsSaid() throws {
        // /dev/full takes nothing; the path leads elsewhere after a reopening, as when the disk has room again.
        let link = folder.path + "/link.gz"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/full")
        let trail = try AuditTrail(path: link, scanID: "S-x", hostname: "scanner")
        trail.append(line(1))
        trail.append(line(2))
        usleep(1_500_000)
        try FileManager.default.removeItem(atPath: link)
        try trail.reopen()
        trail.append(line(3))
        trail.close()
        let text = String(decoding: try gunzipped(link), as: UTF8.self)
        #expect(text.contains("S-x-3") && !text.contains("S-x-1"))
        #expect(text.contains("\"lost\":\"2\""))
    }

    @Test func onlyWholeObjectsOfThisRunAreAccepted() throws {
        let trail = try trail()
        defer { trail.close() }
        #expect(trail.accepts(Bytes(line(1) + line(2))))
        #expect(trail.accepts(.empty))
        for bad in [
            "{\"id\":\"S-y-1\"}\n", "{\"id\":\"S-x-1\"}", "{\"id\":\"S-x-1\"\n", "\n", "{\"id\":\"S-x-1\u{1}\"}\n",
        ] {
            #expect(!trail.accepts(Bytes(utf8: bad)), "\(bad)")
        }
    }

    // MARK: Helpers

    private func trail() throws -> AuditTrail { try AuditTrail(path: path, scanID: "S-x", hostname: "scanner") }

    private func line(_ number: Int) -> [UInt8] { Array("{\"id\":\"S-x-\(number)\"}\n".utf8) }

    private func submission(_ text: String, number: Int) -> Submission {
        Submission(
            number: number, path: "/host/a.txt", source: "web1", bytes: Bytes(utf8: text),
            received: Timestamp(seconds: 1_700_000_000))
    }

    private func gunzipped(_ file: String? = nil) throws -> Data {
        let output = Pipe()
        let gzip = try ChildProgram(
            ["gzip", "-dc", file ?? path], output: output.fileHandleForWriting.fileDescriptor, errors: 2)
        try output.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        #expect(gzip.wait() == 0)
        return data
    }

    private func elements(of file: String? = nil) throws -> [String: [String: Any]] {
        var elements: [String: [String: Any]] = [:]
        for line in try gunzipped(file).split(separator: 0x0A) {
            let element = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
            if let id = element["id"] as? String { elements[id] = element }
        }
        return elements
    }
}

// Extracts what stands between the outermost brackets, and emits one record of each sample.
private struct Unpacker: Stage {
    static let descriptor = StageDescriptor(name: "unpacker", summary: "Unpacks brackets.", interest: .samples)
    static let type = RecordType(
        "test entry", module: "Test", container: "entry", numbers: ["Size"], lists: ["Parts"])

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let bytes = sample.bytes.array
        try out.emit(Self.type, offset: 0) { builder throws(StageError) in
            builder.field("Text", sample.bytes.span.utf8Text)
            builder.field("Time", Timestamp(seconds: 1_767_323_045))
            builder.field("Size", bytes.count)
            builder.field("Parts", "one")
            builder.field("Parts", "two")
        }
        var depth = 0
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == 0x5B || byte == 0x5D {
            if byte == 0x5B {
                if depth == 0 { start = index + 1 }
                depth += 1
            } else if depth > 0 {
                depth -= 1
                guard depth == 0, let part = sample.bytes.slice(at: start, count: index - start) else { continue }
                try out.extract(
                    Child(
                        name: "b", bytes: part, method: "TEST",
                        times: FileTimes(modified: Timestamp(seconds: 1_767_323_045))))
            }
        }
    }
}

// Reports records that hold `evil`.
private struct Matcher: Stage {
    static let descriptor = StageDescriptor(name: "matcher", summary: "Finds evil.", interest: .records)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        for record in 0..<records.count where sample.depth == 1 {
            for field in records.fields(of: record)
            where records.value(of: field).firstOffset(of: Array("evil".utf8)) != nil {
                out.report(
                    Reason(summary: "evil text", signature: Signature(kind: .keyword, score: 70)), record: record)
            }
        }
    }
}
