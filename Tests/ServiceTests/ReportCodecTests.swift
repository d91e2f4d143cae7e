import Pipeline
import PipelineTesting
import Testing

@testable import ThunderstormService

struct ReportCodecTests {
    @Test func everyKindOfFindingComesBackAsItWas() throws {
        let report = Self.report
        let decoded = try #require(ReportCodec.decode(Bytes(ReportCodec.encode(report))))
        #expect(decoded == report)
        // Record types are equal by name, so their parts are compared too.
        guard case .record(let before) = report.findings[2].subject,
            case .record(let after) = decoded.findings[2].subject
        else {
            Issue.record("the third finding is about a record")
            return
        }
        #expect(after.type.module == before.type.module && after.type.container == before.type.container)
        #expect(after.type.numbers == before.type.numbers && after.type.lists == before.type.lists)
        #expect(after.type.booleans == before.type.booleans)
        #expect(ReportCodec.encode(decoded) == ReportCodec.encode(report))
    }

    @Test func anEmptyAndAFailedReportComeBack() {
        var failed = Report()
        failed.failure = "the engine ended"
        for report in [Report(), failed] {
            #expect(ReportCodec.decode(Bytes(ReportCodec.encode(report))) == report)
        }
    }

    @Test func aReportThatIsCutOffIsRefused() {
        let bytes = Bytes(ReportCodec.encode(Self.report))
        for count in 0..<bytes.count { #expect(ReportCodec.decode(bytes.prefix(count)) == nil) }
        #expect(ReportCodec.decode(Bytes(bytes.array + [0])) == nil)
        #expect(ReportCodec.decode(Bytes([ReportCodec.version &+ 1] + bytes.array.dropFirst())) == nil)
    }

    /// What a hostile process sends decodes or not, and what does can be logged, counted and encoded again.
    @Test func damagedReportsNeverTrap() {
        let bytes = ReportCodec.encode(Self.report)
        var generator = SplitMix64(seed: 6)
        var decoded = 0
        let context = EventContext(time: Timestamp(seconds: 0), hostname: "h", scanID: "S-1")
        for _ in 0..<3_000 {
            var damaged = bytes
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                let index = Int.random(in: damaged.indices, using: &generator)
                damaged[index] = UInt8.random(in: 0...255, using: &generator)
            }
            guard let report = ReportCodec.decode(Bytes(damaged)) else { continue }
            decoded += 1
            for finding in EventWords.shown(report, minimumLevel: .debug) {
                var line: [UInt8] = []
                EventEncoder(format: .text).append(finding, context, to: &line)
                #expect(line.count { $0 == 0x0A } == 1)
                var writer = JSONWriter()
                FindingEncoderV3().write(finding, context, to: &writer)
                #expect(!writer.bytes.isEmpty)
            }
            #expect(ReportCodec.decode(Bytes(ReportCodec.encode(report))) == report)
        }
        #expect(decoded > 20)
    }

    @Test func aListThatAsksForTooMuchMemoryIsRefused() {
        // A million findings in a few bytes each would be a gigabyte of memory.
        var writer = BinaryWriter()
        writer.unsigned(1_000_000)
        for _ in 0..<1_000_000 { writer.byte(0) }
        var reader = BinaryReader(Bytes(writer.bytes), memory: 1 << 20)
        #expect(throws: CodecError.self) {
            try reader.list("values") { reader throws(CodecError) in try reader.unsigned("value") }
        }
        var small = BinaryReader(Bytes(writer.bytes), memory: 8 << 20)
        #expect(throws: Never.self) {
            try small.list("values") { reader throws(CodecError) in try reader.unsigned("value") }
        }
    }

    @Test func numbersOfEverySizeComeBack() throws {
        let numbers: [Int64] = [0, 1, -1, 63, 64, -64, -65, 1 << 40, .max, .min]
        var writer = BinaryWriter()
        for number in numbers { writer.signed(number) }
        writer.unsigned(.max)
        var reader = BinaryReader(Bytes(writer.bytes))
        for number in numbers { #expect(try reader.signed("number") == number) }
        #expect(try reader.unsigned("number") == .max)
        #expect(reader.remaining == 0)
        // A number of more than 64 bits, and one without end.
        for bytes in [[UInt8](repeating: 0xFF, count: 9) + [2], [UInt8](repeating: 0x80, count: 11)] {
            var reader = BinaryReader(Bytes(bytes))
            #expect(throws: CodecError.self) { try reader.unsigned("number") }
        }
    }

    @Test func spellingsOfTheSameCharactersStayApart() throws {
        let spellings = ["caf\u{E9}", "cafe\u{301}", "caf\u{E9}", "cafe\u{301}"]
        var writer = BinaryWriter()
        for text in spellings { writer.text(text) }
        var reader = BinaryReader(Bytes(writer.bytes))
        for text in spellings { #expect(try Array(reader.text("text").utf8) == Array(text.utf8)) }
    }

    @Test func contextsThatAreEqualForUnicodeOnlyStayApart() throws {
        let paths = ["/caf\u{E9}.zip", "/cafe\u{301}.zip", "/caf\u{E9}.zip", "/caf\u{E9}.zip", "/cafe\u{301}.zip"]
        var report = Self.report
        report.findings = paths.map { path in
            var finding = report.findings[0]
            finding.context = [
                ContextObject(file: FileSubject(Sample(path: path, bytes: Bytes(utf8: "PK"))), relations: [.parent])
            ]
            return finding
        }
        let decoded = try #require(ReportCodec.decode(Bytes(ReportCodec.encode(report))))
        #expect(decoded.findings.map { Array($0.context[0].file.path.utf8) } == paths.map { Array($0.utf8) })
        var shared: SharedParts? = SharedParts()
        for (finding, path) in zip(decoded.findings, paths) {
            var writer = JSONWriter()
            let context = EventContext(time: Timestamp(seconds: 1), hostname: "h", scanID: "s")
            FindingEncoderV3().write(finding, context, &shared, to: &writer)
            #expect(Bytes(writer.take()).span.firstOffset(of: Array(#""path":"\#(path)""#.utf8), from: 0) != nil)
        }
    }

    @Test func aReportThatIsTooLongSaysWhatIsMissing() throws {
        var report = Self.report
        let record = report.findings[2]
        for index in 0..<2_000 {
            var more = record
            more.module = "module \(index)"
            report.findings.append(more)
        }
        let limit = 40_000
        let bytes = ReportCodec.encode(report, limit: limit)
        #expect(bytes.count <= limit)
        let decoded = try #require(ReportCodec.decode(Bytes(bytes)))
        let kept = decoded.findings.count
        #expect(kept > 100 && kept < report.findings.count)
        #expect(decoded.findings.dropFirst() == report.findings.prefix(kept).dropFirst())
        let said = decoded.findings[0].issues.last?.message ?? ""
        #expect(said.contains("the last \(report.findings.count - kept) findings are not listed"), "\(said)")
        let none = try #require(ReportCodec.decode(Bytes(ReportCodec.encode(report, limit: 10))))
        #expect(none.findings.isEmpty && none.failure?.contains("longer than 10 bytes") == true)
    }

    @Test func aSubmissionComesBackWithItsCompanions() throws {
        let submission = Submission(
            number: 7, path: "C:\\Users\\ü\\NTUSER.DAT", source: "pc-1", bytes: Bytes(utf8: "hive"),
            received: Timestamp(seconds: 1_700_000_000, nanoseconds: 5),
            companions: [Companion(name: "NTUSER.DAT.LOG1", bytes: Bytes(utf8: "log"))])
        var writer = BinaryWriter()
        let header = SubmissionHeader(submission)
        header.write(to: &writer)
        var reader = BinaryReader(Bytes(writer.bytes))
        let decoded = try SubmissionHeader(from: &reader)
        #expect(decoded == header)
        #expect(decoded.submission(content: submission.content, companions: []) == nil)
        let again = try #require(decoded.submission(content: submission.content, companions: [Bytes(utf8: "log")]))
        #expect(SubmissionHeader(again) == header && again.companions[0].bytes == Bytes(utf8: "log"))
    }

    // A report with a finding of every kind, every optional value both there and not.
    private static var report: Report {
        var file = FileSubject(Sample(path: "/tmp/ä.zip", bytes: Bytes(utf8: "PK\u{3}\u{4} evil")))
        file.kind = FileKind("ZIP")
        var member = FileSubject(Sample(path: "/tmp/ä.zip/a.exe", bytes: Bytes([0x4D, 0x5A, 0, 255])))
        member.unpackSource = ["ZIP"]
        member.times = FileTimes(
            modified: Timestamp(seconds: 1, nanoseconds: 999_999_999), created: Timestamp(seconds: -11_644_473_600))
        let yara = Reason(
            summary: "YARA rule Evil / Finds evil",
            signature: Signature(
                kind: .yara, score: 85, ruleName: "Evil", description: "Finds evil", author: "A",
                references: ["https://example.org"], date: "2026-01-02", tags: ["TEST", "T1059.001"], id: "id-1",
                falsePositives: ["tests"], origin: .custom),
            matched: [
                MatchedText(data: [0, 1, 255], name: "$s1", context: [9, 0, 1, 255, 9], offset: 4_000_000_000),
                MatchedText("text", field: "/entry/CommandLine"),
            ])
        var placed = yara
        placed.matched[0].place = MemoryPlace(address: .max, module: "C:\\ä.dll")
        let trusted = Reason(summary: "known", signature: Signature(kind: .hash, score: -100))
        let record = RecordSubject(
            type: RecordType(
                "eventlog entry", module: "EVTX", container: "entry", numbers: ["EventID", "a"], booleans: ["flag"],
                lists: ["Data"]),
            offset: 4_096,
            fields: [
                .init(key: "EventID", value: "1"), .init(key: "Data", value: ""), .init(key: "Data", value: "x\u{0}y"),
            ])
        let plain = RecordSubject(type: RecordType("log line", module: "LogScan"), offset: 0, fields: [])
        let issues = [
            Pipeline.Issue(.limit, stage: "decompress", message: "depth limit 8 reached"),
            Pipeline.Issue(.damaged, stage: "evtx", message: "chunk", offset: 65_536),
        ]
        let parent = ContextObject(file: file, relations: [.parent, .topmostAncestor])
        var report = Report()
        report.findings = [
            Finding(
                subject: .file(file), module: "Filescan", reasons: [yara, trusted], score: 0, level: .debug,
                context: [], issues: []),
            Finding(
                subject: .file(member), module: "Filescan", reasons: [], score: 0, level: .debug, context: [parent],
                issues: issues),
            Finding(
                subject: .record(record), module: "EVTX", reasons: [yara], score: 85, level: .alert,
                context: [ContextObject(file: member, relations: [.parent]), parent], issues: []),
            Finding(
                subject: .record(plain), module: "LogScan", reasons: [trusted], score: 100, level: .warning,
                context: [], issues: []),
            Finding(
                subject: .chunk(ChunkSubject(file: file, range: 11_534_336..<24_117_248)), module: "DumpScan",
                reasons: [placed], score: 85, level: .alert, context: [parent], issues: []),
        ]
        report.samples = 2
        report.records = 3
        report.bytes = 1 << 33
        var stage = StageStatistics(name: "yara")
        stage.runs = 2
        stage.nanoseconds = 5_000_000_000
        stage.reasons = 1
        report.stages = [stage, StageStatistics(name: "sigma")]
        return report
    }
}
