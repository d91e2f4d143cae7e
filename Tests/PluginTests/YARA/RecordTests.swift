import Pipeline
import PipelineTesting
import Testing
import YARA

// Rules on records: which kind looks at what, each record judged alone.

private let line = RecordType("log line", module: "LogScan")
private let event = RecordType("eventlog entry", module: "EVTX", container: "entry")
private let key = RecordType("registry key", module: "RegistryHive")
private let value = RecordType("registry value", module: "RegistryHive")
private let cron = RecordType("cron job", module: "Cron")

private func record(_ type: RecordType, _ fields: (String, String)...) -> RecordSubject {
    RecordSubject(type: type, offset: 0, fields: fields.map { RecordSubject.Field(key: $0, value: $1) })
}

/// Rule names by the first field of the record they match, sorted.
private func matches(
    _ files: [(kind: SignatureFileKind, text: String)], _ records: [RecordSubject]
) throws -> [String: [String]] {
    var found: [String: [String]] = [:]
    for finding in match(try stage(files), records: records).findings {
        guard case .record(let subject) = finding.subject else { continue }
        found[subject.fields[0].value, default: []] += finding.reasons.map(\.signature.ruleName).sorted()
    }
    return found
}

private func rule(_ name: String, _ string: String, meta: String = "") -> String {
    "rule \(name) { \(meta.isEmpty ? "" : "meta: " + meta) strings: $a = \"\(string)\" condition: $a }\n"
}

@Suite struct RecordRuleTests {
    @Test func eachKindLooksAtItsRecords() throws {
        let found = try matches(
            [
                (.yaraKeyword, rule("keyword", "evil")), (.yaraLog, rule("log", "evil")),
                (.yaraRegistry, rule("registry", "evil")), (.yara, rule("generic", "evil")),
                (.yara, rule("limited", "evil", meta: "limit = \"logscan\"")), (.yaraProcess, rule("process", "evil")),
                (.yaraKeyword, rule("other", "evil", meta: "limit = \"Prefetch\"")),
            ],
            [
                record(line, ("line", "evil line")),
                record(event, ("EventID", "1"), ("CommandLine", "evil")),
                record(value, ("key", "\\Software\\evil"), ("value", "1")),
                record(cron, ("command", "evil cron")),
            ])
        #expect(
            found == [
                "evil line": ["keyword", "limited", "log"], "1": ["keyword", "log"],
                "\\Software\\evil": ["keyword", "registry"], "evil cron": ["keyword"],
            ])
    }

    @Test func anExpressionThatFailsOnARecordCostsNoOtherRule() throws {
        let branching = "rule branches { strings: $a = /ab(.{0,50}){40}x/ condition: $a }"
        let records = [
            record(line, ("line", "ab" + String(repeating: "c", count: 3000))), record(line, ("line", "a needle")),
        ]
        let result = match(try stage([(.yaraLog, branching + "\n" + rule("word", "needle"))]), records: records)
        #expect(result.findings.flatMap(\.reasons).map(\.signature.ruleName) == ["word"])
        #expect(result.issues.map(\.code) == [.timeout])
        #expect(result.issues.first?.message.contains("branches") == true)
    }

    @Test func aNeighboursFalsePositiveStringHidesNothing() throws {
        let text = "rule a { strings: $x = \"mimikatz\" $fp = \"antivirus\" condition: $x and not $fp }"
        let found = try matches(
            [(.yaraLog, text)],
            [
                record(line, ("line", "0 antivirus update")), record(line, ("line", "1 mimikatz")),
                record(line, ("line", "2 antivirus found mimikatz")), record(line, ("line", "3 mimikatz")),
            ])
        #expect(found == ["1 mimikatz": ["a"], "3 mimikatz": ["a"]])
    }

    @Test func stringsOfNeighboursDoNotAddUp() throws {
        let text = "rule a { strings: $x = \"one\" $y = \"two\" condition: all of them }"
        let found = try matches(
            [(.yaraLog, text)],
            [record(line, ("line", "one")), record(line, ("line", "two")), record(line, ("line", "one two"))])
        #expect(found == ["one two": ["a"]])
    }

    @Test func rulesThatNeedNoStringAreJudgedOnEveryRecord() throws {
        let text = """
            rule short { condition: filesize < 4 }
            rule without { strings: $a = "good" condition: not $a }
            rule first { strings: $a = "ab" condition: $a at 0 }
            rule anchored { strings: $a = /^cd[0-9]/ condition: $a }
            rule count { strings: $a = "good" condition: #a < 2 }
            """
        let found = try matches(
            [(.yaraLog, text)],
            [
                record(line, ("line", "good good")), record(line, ("line", "abc")), record(line, ("line", "cd7 good")),
            ])
        #expect(
            found == [
                "abc": ["count", "first", "short", "without"], "cd7 good": ["anchored", "count"],
            ])
    }

    // Judging a record alone costs far more than the scan of a batch: it must not happen to every line of a log.
    @Test(arguments: [
        ("$a and $b", false), ("$a or $b", false), ("any of them", false), ("2 of ($*)", false), ("not $a", true),
        ("#a > #b", false), ("( #a + #b ) > ( #b + 2 )", false), ("#a >= #b", true), ("#a < 1", true),
        ("@a < 9", false),
        ("#a == 1 and filesize > 3", false), ("#a != 1", true), ("none of them", true), ("0 of them", true),
        ("for any of them : ( $ )", false), ("for any of them : ( # < 2 )", true), ("50 % of them", false),
        ("filesize > 0", true), ("(filesize > 0 and ($a))", false), ("$a at 3", true), ("#a - #b >= 0", true),
    ])
    func rulesThatNeedAStringAreNotJudgedOnEveryRecord(condition: String, isUnbound: Bool) throws {
        let diagnostics = SignatureDiagnostics()
        let text = "rule a { strings: $a = \"aaa\" $b = \"bbb\" condition: (\(condition)) or (all of them) }"
        _ = try stage([(.yaraLog, text)], diagnostics: diagnostics)
        #expect(diagnostics.problems.map(\.message).contains { $0.contains("every record") } == isUnbound)
        #expect(diagnostics.summaries.count == 1)
    }

    @Test func textForms() throws {
        let rules =
            rule("both", "One: 1  Two: two") + rule("system", "Provider_Name")
            + rule("path", "\\\\CurrentVersion\\\\Run;Updater;C:\\\\x.exe") + rule("block", "\\\\Run;b;2\\x0a")
            + rule("default", "\\\\Shell;;cmd") + rule("object", "COMMAND: run me  USER: root")
        let found = try matches(
            [(.yaraKeyword, rules)],
            [
                record(event, ("Provider_Name", "P"), ("EventID", "4"), ("One", "1"), ("Two", "two")),
                record(value, ("key", "\\Microsoft\\CurrentVersion\\Run\\Updater"), ("value", "C:\\x.exe")),
                record(value, ("key", "\\Shell\\"), ("value", "cmd")),
                record(key, ("key", "\\Run"), ("values", "\\Run;a;1\n\\Run;b;2\n")),
                record(cron, ("command", "run me"), ("user", "root")),
            ])
        #expect(
            found == [
                "P": ["both"], "\\Microsoft\\CurrentVersion\\Run\\Updater": ["path"], "\\Shell\\": ["default"],
                "\\Run": ["block"], "run me": ["object"],
            ])
    }

    @Test func matchesNameTheirField() throws {
        let rules = rule("inside", "evil") + rule("whole", "a.exe") + rule("across", "evil  Image")
        let report = match(
            try stage([(.yaraLog, rules)]),
            records: [record(event, ("EventID", "1"), ("Command/Line", "very evil"), ("Image", "a.exe"))])
        let reasons = try #require(report.findings.first?.reasons)
        let matched = Dictionary(uniqueKeysWithValues: reasons.map { ($0.signature.ruleName, $0.matched.first) })
        #expect(matched["inside"]??.field == "/entry/Command~1Line")
        #expect(matched["inside"]??.offset == 5)
        #expect(matched["whole"]??.field == "/entry/Image")
        #expect(matched["whole"]??.offset == nil)
        #expect(matched["across"]??.field == nil)
        #expect(matched["whole"]??.context == Array("Command/Line: very evil  Image: a.exe".utf8).suffix(50 + 5))
    }

    @Test func manyRecordsInSeveralBatches() throws {
        let records = (0..<70_000).map { number in
            record(line, ("line", number % 7_000 == 0 ? "evil \(number)" : "line \(number) of a long log"))
        }
        let found = try matches([(.yaraLog, rule("log", "evil"))], records)
        #expect(found.count == 10)
        #expect(found["evil 63000"] == ["log"])
    }
}
