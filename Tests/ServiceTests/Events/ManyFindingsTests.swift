import Pipeline
import PipelineTesting
import Testing

@testable import ThunderstormService

// Reports with many findings: what they share is encoded once, and nobody can tell from the lines.

struct ManyFindingsTests {
    private let context = EventContext(
        time: Timestamp(seconds: 1_700_000_000, nanoseconds: 5), hostname: "host", scanID: "S-A-1")

    // Findings in two files, with three rules in turns and two types of records; every fifth has a host of its own.
    private static func report(_ count: Int) -> Report {
        let files = ["a.log", "b.log"].map { name in
            FileSubject(Sample(path: "C:\\Users\\jane\\" + name, bytes: Bytes(utf8: "content of " + name)))
        }
        let rules = (0..<3).map { number in
            Signature(
                kind: .sigma, score: 60 + number, ruleName: "rule \(number)", description: "it's \"bad\"",
                references: ["https://example.org/\(number)"], tags: ["T\(number)"], id: "id-\(number)")
        }
        // Types are equal by name; these differ in what is a number.
        let types = [RecordType("line", module: "LogScan", numbers: ["n"]), RecordType("line", module: "LogScan")]
        var report = Report()
        for number in 0..<count {
            let value = String(repeating: "x", count: number % 80) + "\u{85}\n'\(number)"
            let fields = [
                RecordSubject.Field(key: "n", value: "\(number)"), RecordSubject.Field(key: "Line", value: value),
                RecordSubject.Field(key: number % 7 == 0 ? "Line" : "line", value: "again"),
            ]
            let reasons = (0...(number % 3)).map { index in
                Reason(
                    summary: "Rule \(index)", signature: rules[(number + index) % 3],
                    matched: [
                        MatchedText(data: Array(value.utf8), context: [0xFF, 0x22, 0x5C], offset: number),
                        MatchedText(value, field: "/entry/Line"),
                    ])
            }
            let file = files[number / 4 % 2]
            report.findings.append(
                Finding(
                    subject: .record(RecordSubject(type: types[number / 3 % 2], offset: number, fields: fields)),
                    module: "LogScan", reasons: reasons, score: 70, level: .warning,
                    context: number % 11 == 0 ? [] : [ContextObject(file: file, relations: [.parent])], issues: [],
                    origin: number % 5 == 0 ? TriageOrigin(collector: .kape, host: "OTHER-\(number % 2)") : nil))
        }
        return report
    }

    @Test(arguments: EventFormat.allCases, [false, true])
    func linesAreThoseOfTheFindingsOneByOne(_ format: EventFormat, _ hides: Bool) {
        var options = EventOptions()
        options.utc = true
        options.hidesPersonalData = hides
        let encoder = EventEncoder(format: format, options: options, priority: format == .text ? nil : 190)
        var shared = EventEncoder.Shared()
        var together: [UInt8] = []
        var alone: [UInt8] = []
        for finding in Self.report(60).findings {
            encoder.append(finding, context, &shared, to: &together)
            encoder.append(finding, context, to: &alone)
        }
        #expect(together == alone)
        // Every eleventh finding has no file, and then no place in CSV.
        #expect(together.count { $0 == 0x0A } == (format == .csv ? 54 : 60))
    }

    @Test func reportsComeBackAsTheyWere() throws {
        let report = Self.report(200)
        let decoded = try #require(ReportCodec.decode(Bytes(ReportCodec.encode(report))))
        #expect(decoded == report)
        for (before, after) in zip(report.findings, decoded.findings) {
            guard case .record(let before) = before.subject, case .record(let after) = after.subject else {
                Issue.record("no record")
                return
            }
            #expect(after.type.numbers == before.type.numbers)
        }
        #expect(ReportCodec.encode(decoded) == ReportCodec.encode(report))
    }

    @Test func sinksOfOneFormatGetTheSameLinesAndOthersTheirOwn() throws {
        let folder = try TemporaryFolder()
        let warning = try ["one.json", "two.json"].map {
            try EventSink(file: folder.path + "/" + $0, format: .json, minimumLevel: .warning)
        }
        let alert = try EventSink(file: folder.path + "/alert.json", format: .json, minimumLevel: .alert)
        let text = try EventSink(file: folder.path + "/log.txt", format: .text, minimumLevel: .warning)
        let sinks = EventSinks(warning + [alert, text], hostname: "host", scanID: "S")
        // More than goes out in one piece.
        let report = Self.report(2_000)
        sinks.log(report, context: context)
        let json = try folder.read("one.json")
        #expect(json.utf8.count > LineBatch.size)
        #expect(json.utf8.count { $0 == 0x0A } == 2_000)
        #expect(try folder.read("two.json") == json)
        #expect(try folder.read("alert.json").isEmpty)
        #expect(try folder.read("log.txt").utf8.count { $0 == 0x0A } == 2_000)
    }

    @Test func rotationKeepsEveryLineWhole() throws {
        let folder = try TemporaryFolder()
        var rotation = LogRotation()
        rotation.size = 600 << 10
        rotation.kept = 50
        let sink = try EventSink(
            file: folder.path + "/log.json", format: .json, minimumLevel: .warning, rotation: rotation)
        EventSinks([sink], hostname: "host", scanID: "S").log(Self.report(3_000), context: context)
        let names = try folder.names()
        #expect(names.count > 2)
        var lines = 0
        for name in names {
            let text = try folder.read(name)
            #expect(text.hasPrefix(#"{"type":"#) && text.hasSuffix("}\n"))
            lines += text.utf8.count { $0 == 0x0A }
        }
        #expect(lines == 3_000)
    }

    @Test func plainStretchesEndWhereAByteNeedsAnEscape() {
        var generator = SplitMix64(seed: 9)
        let kinds: [(PlainText, (UInt8) -> Bool)] = [
            (.json, { $0 >= 0x20 && ![0x22, 0x5C, 0x7F, 0xC2].contains($0) }),
            (.ascii, { (0x20...0x7E).contains($0) }),
            (.noControl, { $0 >= 0x20 && $0 != 0x7F }),
            (PlainText(except: (0x20, 0x22, 0x7F), onlyASCII: true), { (0x21...0x7E).contains($0) && $0 != 0x22 }),
        ]
        for _ in 0..<20_000 {
            var bytes = [UInt8](repeating: 0x61, count: Int.random(in: 0...40, using: &generator))
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let start = Int.random(in: 0...bytes.count, using: &generator)
            for (kind, isPlain) in kinds {
                let end = bytes[start...].firstIndex { !isPlain($0) } ?? bytes.count
                #expect(kind.end(in: bytes.rawSpan, from: start) == end, "\(bytes) from \(start)")
            }
        }
    }
}
