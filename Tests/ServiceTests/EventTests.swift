import Pipeline
import PipelineTesting
import Testing

@testable import ThunderstormService

// One report with everything an event can carry; its encodings are golden files.

private let line = RecordType("log line", module: "LogScan", numbers: ["line_index"])

private struct Reporter: Stage {
    static let descriptor = StageDescriptor(name: "reporter", summary: "Reports.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        out.classify(FileKind(sample.depth == 0 ? "ZIP" : "PHP"))
        if sample.depth == 0 {
            out.note(.limit, "limit of 2 members reached: the rest was not looked at")
            try out.extract(
                Child(
                    name: "in/shell.php", bytes: Bytes(utf8: "<?php evil(); ?>"), method: "ZIP",
                    times: FileTimes(modified: Timestamp(seconds: 1_600_000_000))))
            return
        }
        out.report(
            Reason(
                summary: "YARA rule WEBSHELL_Test / A test \"rule\"",
                signature: Signature(
                    kind: .yara, score: 75, ruleName: "WEBSHELL_Test", description: "A test \"rule\"",
                    author: "Thunderstorm project", references: ["https://example.org/1", "report"],
                    date: "2026-01-02", tags: ["WEBSHELL", "T1505_003"], id: "0-1", falsePositives: ["none"],
                    origin: .custom),
                matched: [
                    MatchedText(data: Array("evil(".utf8), context: Array("<?php evil();".utf8), offset: 6),
                    MatchedText(data: [0x65, 0, 0x76, 0, 0x69, 0, 0x6C, 0], offset: 11),
                    MatchedText(data: [0xFF, 0x0A, 0x22], offset: 13),
                ]))
        out.report(
            Reason(
                summary: "Filename IOC match: shell", signature: Signature(kind: .filename, score: 60),
                matched: [MatchedText("in/shell.php", field: "/path")]))
        try out.emit(line, offset: 4) { builder in
            builder.field("line_index", 7)
            builder.field("line", "GET /x\u{1B}[31m\n")
            builder.report(
                Reason(
                    summary: "Keyword IOC", signature: Signature(kind: .keyword, score: 81),
                    matched: [MatchedText("GET", offset: 0, field: "/line")]))
        }
    }
}

struct EventTests {
    private let context = EventContext(
        time: Timestamp(seconds: 1_700_000_000, nanoseconds: 5), hostname: "web\n01", scanID: "S-AAAAAAAAAA-1")

    private var report: Report {
        Chain(Reporter()).scan(Sample(path: "C:\\x\\a.zip", bytes: Bytes(utf8: "PK\u{3}\u{4}")))
    }

    private func encoded(_ format: ReportFormat, _ level: Level = .notice) -> String {
        String(
            decoding: ReportEncoder(minimumLevel: level).encode(report, as: format, context: context, pretty: true),
            as: UTF8.self) + "\n"
    }

    @Test func version3() { #expect(goldenDifference("events-v3.json", encoded(.v3)) == nil) }

    @Test func legacy() { #expect(goldenDifference("events-legacy.json", encoded(.legacy)) == nil) }

    @Test func textLog() {
        // The time is local, so the golden file starts behind it.
        let lines = EventWords.shown(report, minimumLevel: .notice).map { finding in
            var line: [UInt8] = []
            EventEncoder(format: .text).append(finding, context, to: &line)
            return String(String(decoding: line, as: UTF8.self).dropFirst(16))
        }
        #expect(goldenDifference("events.txt", lines.joined()) == nil)
        #expect(lines.allSatisfy { $0.dropLast().allSatisfy { !$0.isNewline } && !$0.contains("\u{1B}") })
    }

    @Test func findingsBelowTheLevelAreLeftOutAndLimitsAreAlwaysSaid() {
        #expect(encoded(.v3, .alert).contains("Malicious log line found"))
        let warnings = Chain(Reporter()).scan(Sample(path: "x", bytes: .empty), limits: shallow)
        let shown = EventWords.shown(warnings, minimumLevel: .alert)
        #expect(shown.count == 1)
        #expect(shown.first?.reasons.isEmpty == true)
        #expect(shown.first?.issues.count == 2)
    }

    private var shallow: Limits {
        var limits = Limits()
        limits.depth = 0
        return limits
    }

    @Test func nothingFoundIsAnEmptyArray() {
        let bytes = ReportEncoder(minimumLevel: .notice).encode(Report(), as: .legacy, context: context, pretty: false)
        #expect(String(decoding: bytes, as: UTF8.self) == "[]")
    }

    @Test func matchedTextIsShownAsPeopleReadIt() {
        #expect(MatchText.plain(Array("plain text".utf8)) == "plain text")
        #expect(MatchText.plain([0x61, 0, 0x62, 0]) == "ab")
        #expect(MatchText.plain([0xFF, 0x00]) == "\\xff\\x00")
        #expect(MatchText.quoted(Array("bare".utf8)) == "bare")
        #expect(MatchText.quoted(Array("two words".utf8)) == "\"two words\"")
        #expect(MatchText.quoted([0x22, 0x5C, 0x01]) == "\"\\\"\\\\\\x01\"")
    }

    @Test func jsonWriterEscapesAndNests() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("a\"\\", "line\n\u{1}\u{7F}ü")
            writer.field("list", ["x", "y"])
            writer.key("empty")
            writer.array { _ in }
            writer.key("nothing")
            writer.null()
            writer.key("number")
            writer.value(1.5)
            writer.key("nan")
            writer.value(Double.nan)
            writer.field("yes", true)
        }
        #expect(
            writer.text
                == #"{"a\"\\":"line\n\u0001\u007fü","list":["x","y"],"empty":[],"nothing":null,"number":1.5,"nan":null,"yes":true}"#
        )
    }

    @Test func sinksWriteWholeLines() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/log.json"
        let sink = try EventSink(file: path, format: .json, minimumLevel: .notice)
        let sinks = EventSinks([sink], hostname: "host", scanID: "S-1")
        sinks.log(report, context: context)
        sinks.message(.debug, module: "Startup", "not shown", fields: [])
        sinks.message(.warning, module: "Startup", "shown", fields: [("key", "value")])
        let lines = try folder.read("log.json").split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.last?.contains(#""message":"shown","fields":{"key":"value"}"#) == true)
        let error = #expect(throws: SystemError.self) {
            try EventSink(file: "/nonexistent/log", format: .text, minimumLevel: .notice)
        }
        #expect(error?.description.contains("/nonexistent/log") == true)
    }
}
