import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

// Both forms of JSON events against what readers of the published definitions rely on; Tests/Outputs/jsonlog.py reads
// whole logs the same way.

private let value = RecordType("registry value", module: "RegistryHive", numbers: ["size"])
private let service = RecordType("Windows service", module: "ServiceCheck")
private let audit = RecordType("audit log entry", module: "Auditlog", container: "entry", lists: ["type"])
private let region = RecordType("memory region", module: "MemoryDump")

struct JSONFormTests {
    private let context = EventContext(
        time: Timestamp(seconds: 1_700_000_000), hostname: "web01", scanID: "S-AAAAAAAAAA-1")

    private func event(
        _ subject: Subject, _ matched: [MatchedText] = [], issues: [Pipeline.Issue] = [], _ form: JSONForm
    ) throws -> [String: Any] {
        let reason = Reason(summary: "a", signature: Signature(kind: .keyword, score: 70), matched: matched)
        let finding = Finding(
            subject: subject, module: "Test", reasons: matched.isEmpty ? [] : [reason],
            score: matched.isEmpty ? 0 : 70, level: .warning, context: [], issues: issues)
        var options = EventOptions()
        options.jsonForm = form
        var line: [UInt8] = []
        EventEncoder(format: .json, options: options).append(finding, context, to: &line)
        return try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
    }

    private func record(_ type: RecordType, _ fields: KeyValuePairs<String, String>) -> Subject {
        .record(RecordSubject(type: type, offset: 0, fields: fields.map { .init(key: $0.key, value: $0.value) }))
    }

    private func match(_ event: [String: Any]) throws -> [String: Any] {
        let reasons = try #require(event["reasons"] as? [[String: Any]])
        return try #require((reasons.first?["matched"] as? [[String: Any]])?.first)
    }

    @Test func recordsHoldWhatIsPublishedAndDetailsTheRest() throws {
        let subject = record(
            value,
            ["key": "K\\Run", "modified": "2020-01-01T00:00:00Z", "value": "x.exe", "size": "5", "value_name": "Run"]
        )
        let hits = [MatchedText("x.exe", offset: 0, field: "/value"), MatchedText("Run", field: "/value_name")]
        let whole = try event(subject, hits, .finding)
        #expect(whole["type"] as? String == "THOR finding")
        #expect((whole["subject"] as? [String: Any])?["value_name"] as? String == "Run")
        #expect(whole["details"] == nil)
        #expect(try match(whole)["data"] as? String == "x.exe")
        let strict = try event(subject, hits, .assessment)
        #expect(strict["type"] as? String == "THOR assessment")
        let fields = try #require(strict["subject"] as? [String: Any])
        #expect(fields.keys.sorted() == ["key", "modified", "size", "type", "value"])
        #expect(fields["size"] as? Int == 5)
        #expect(strict["details"] as? [String: String] == ["value_name": "Run"])
        #expect(try match(strict)["data"] as? [String: String] == ["data": "x.exe", "encoding": "plain"])
        #expect(try match(strict)["field"] as? String == "/value")
        // A reader that follows a pointer into nothing refuses the event.
        let other = try event(subject, [hits[1]], .assessment)
        #expect(try match(other)["field"] == nil)
        #expect(try match(try event(subject, [hits[1]], .finding))["field"] as? String == "/value_name")
    }

    @Test func filesThatRecordsNameAreObjects() throws {
        let subject = record(service, ["key": "K", "image": "C:\\a\\B.EXE"])
        for form in JSONForm.allCases {
            let event = try event(subject, [MatchedText("B.EXE", field: "/image")], form)
            let image = (event["subject"] as? [String: Any])?["image"] as? [String: String]
            #expect(image == ["type": "file", "path": "C:\\a\\B.EXE", "exists": "unknown", "extension": ".exe"])
            #expect(try match(event)["field"] as? String == "/image/path")
        }
    }

    @Test func mapsHoldTextsOnly() throws {
        let subject = record(audit, ["type": "SYSCALL", "type": "EXECVE", "exe": "/bin/sh"])
        for form in JSONForm.allCases {
            let event = try event(subject, [MatchedText("sh", field: "/entry/exe")], form)
            let entry = (event["subject"] as? [String: Any])?["entry"] as? [String: String]
            #expect(entry == ["type": "SYSCALL, EXECVE", "exe": "/bin/sh"])
            #expect(try match(event)["field"] as? String == "/entry/exe")
        }
    }

    @Test func typesOfOursAreWholeAndTheirTypeIsTheirs() throws {
        let subject = record(region, ["type": "MEM_IMAGE", "address": "0x1"])
        for form in JSONForm.allCases {
            let event = try event(subject, [MatchedText("MEM", field: "/type")], form)
            #expect(
                event["subject"] as? [String: String]
                    == ["type": "memory region", "subtype": "MEM_IMAGE", "address": "0x1"])
            #expect(try match(event)["field"] as? String == (form == .finding ? "/subtype" : nil))
        }
    }

    @Test func bytesThatAreNoTextAreHexadecimal() throws {
        let file = FileSubject(Sample(path: "x", bytes: Bytes([0x41, 0xFF, 0x00])))
        let event = try event(.file(file), [MatchedText(data: [0xFF, 0x00], offset: 1)], .assessment)
        #expect(try match(event)["data"] as? [String: String] == ["data": "ff00", "encoding": "hex"])
        #expect(try match(event)["field"] as? String == "/content")
    }

    @Test func aChunkIsPublishedWithoutItsFileWhichIsItsParent() throws {
        let file = FileSubject(Sample(path: "mem.dmp", bytes: Bytes([1, 2, 3, 4])))
        let subject = Subject.chunk(ChunkSubject(file: file, range: 2..<4))
        let strict = try event(subject, [MatchedText(data: [4], offset: 3)], .assessment)
        #expect((strict["subject"] as? [String: Any])?["file"] == nil)
        #expect(try match(strict)["offset"] as? Int == 1)
        let parent = try #require((strict["context"] as? [[String: Any]])?.first)
        #expect((parent["object"] as? [String: Any])?["path"] as? String == "mem.dmp")
        let names = (parent["relations"] as? [[String: Any]])?.map { $0["relation_name"] as? String }
        #expect(names == ["parent", "topmost ancestor"])
        let whole = try event(subject, [MatchedText(data: [4], offset: 3)], .finding)
        #expect((whole["subject"] as? [String: Any])?["file"] != nil)
        #expect(try match(whole)["offset"] as? Int == 3)
    }

    @Test func whatWasNotLookedAtIsAFindingWithoutReasons() throws {
        let file = FileSubject(Sample(path: "x", bytes: .empty))
        let event = try event(
            .file(file), issues: [Pipeline.Issue(.limit, stage: "archive", message: "the rest")], .finding)
        #expect(event["type"] as? String == "THOR finding")
        #expect(event["score"] as? Int == 0)
        #expect(event["reasons"] is NSNull)
        #expect((event["issues"] as? [[String: Any]])?.count == 1)
    }

    @Test func formsOfSettingsAreNamed() throws {
        var settings = OutputSettings()
        settings.jsonForm = "assessment"
        #expect(try settings.eventOptions().jsonForm == .assessment)
        settings.jsonForm = "assesment"
        let error = #expect(throws: ConfigurationError.self) { try settings.eventOptions() }
        #expect(error?.description.contains("finding, assessment") == true)
    }
}
