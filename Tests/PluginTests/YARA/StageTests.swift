import Pipeline
import PipelineTesting
import Testing
import YARA

// The stage: which rules look at what, and what a reason says.

func stage(
    _ files: [(kind: SignatureFileKind, text: String)], options: YARAStage.Options = YARAStage.Options(),
    diagnostics: SignatureDiagnostics = SignatureDiagnostics()
) throws -> YARAStage {
    let signatures = files.enumerated().map { index, file in
        SignatureFile(path: "rules/\(index).yar", kind: file.kind, bytes: Bytes(utf8: file.text), origin: .custom)
    }
    return try YARAStage(
        options: options,
        environment: StageEnvironment(signatures: SignatureSet(files: signatures), diagnostics: diagnostics))
}

@Suite struct FileRuleTests {
    @Test func aReasonSaysWhatTheMetaSectionSays() throws {
        let text = """
            rule APT_MAL_Fox_T1059_001_Jan24 : mail SUSP {
              meta:
                description = "Fox loader"
                author = "A. Author"
                reference = "https://example.org/1"
                reference2 = "Report 7"
                date = "2024-01-02"
                score = 90
                id = "7d1c"
                tags = "exe, fox"
                falsepositives = "zoo software"
              strings:
                $s1 = "brown fox"
              condition: $s1
            }
            """
        let output = scan(try stage([(.yara, text)]), Bytes(utf8: "the quick brown fox jumps"))
        let reason = try #require(output.reasons.first)
        #expect(reason.summary == "YARA rule APT_MAL_Fox_T1059_001_Jan24 / Fox loader")
        #expect(reason.subscore == 90)
        #expect(reason.signature.kind == .yara)
        #expect(reason.signature.author == "A. Author")
        #expect(reason.signature.references == ["https://example.org/1", "Report 7"])
        #expect(reason.signature.date == "2024-01-02")
        #expect(reason.signature.id == "7d1c")
        #expect(reason.signature.tags == ["APT", "MAL", "T1059.001", "MAIL", "SUSP", "EXE", "FOX"])
        #expect(reason.signature.falsePositives == ["zoo software"])
        #expect(reason.signature.origin == .custom)
        let matched = try #require(reason.matched.first)
        #expect(matched.name == "$s1")
        #expect(matched.offset == 10)
        #expect(String(decoding: matched.data, as: UTF8.self) == "brown fox")
        #expect(String(decoding: matched.context, as: UTF8.self) == "the quick brown fox jumps")
        #expect(matched.field == nil)
    }

    @Test(arguments: [
        ("", 75), ("score = 40", 40), ("score = \"65\"", 65), ("score = 400", 100), ("score = -30", -30),
        ("score = 60 falsepositive = 1", -60), ("falsepositive = 1", -75),
    ])
    func scores(meta: String, expected: Int) throws {
        let section = meta.isEmpty ? "" : "meta: \(meta)"
        let output = scan(try stage([(.yara, "rule a { \(section) condition: true }")]), Bytes(utf8: "x"))
        #expect(output.reasons.map(\.subscore) == [expected])
    }

    @Test func whatARuleIsMeantFor() throws {
        let generic = """
            rule plain { condition: true }
            rule memory { meta: type = "memory" condition: true }
            rule file { meta: type = "file" condition: true }
            rule logs { meta: limit = "Logscan" condition: true }
            rule files { meta: limit = "FILESCAN" condition: true }
            """
        var options = YARAStage.Options()
        options.memoryKinds = ["Dump"]
        let both = try stage([(.yara, generic), (.yaraProcess, "rule process { condition: true }")], options: options)
        func names(_ kind: String?) -> Set<String> {
            Set(scan(both, Bytes(utf8: "x"), kind: kind).reasons.map(\.signature.ruleName))
        }
        #expect(names(nil) == ["plain", "file", "files"])
        #expect(names("Dump") == ["plain", "memory", "files", "process"])
    }

    @Test func metaRulesSeeTheBeginningAndTheRealSize() throws {
        let text = """
            rule begin { strings: $a = "head" condition: $a and filesize > 100KB and filename == "big.bin" }
            rule end { strings: $a = "tail" condition: $a }
            """
        let bytes = Array("head".utf8) + [UInt8](repeating: 0x2E, count: 200 << 10) + Array("tail".utf8)
        let output = scan(try stage([(.yaraMeta, text)]), Bytes(bytes), path: "dir/big.bin")
        #expect(output.reasons.map(\.signature.ruleName) == ["begin"])
    }

    @Test func matchedDataIsCut() throws {
        let text = "rule a { strings: $a = /A{600}/ condition: $a }"
        let output = scan(try stage([(.yara, text)]), Bytes([UInt8](repeating: 0x41, count: 600)))
        #expect(output.reasons.first?.matched.first?.data.count == 512)
    }

    @Test func diagnosticsNameWhatIsInUseAndWhatIsNot() throws {
        let diagnostics = SignatureDiagnostics()
        _ = try stage(
            [
                (.yara, "rule HKTL_a { meta: score = 50 condition: true }"), (.yara, "rule b {"),
                (.yaraKeyword, "rule c { strings: $a = \"abc\" condition: $a }"),
                (.yaraLog, "rule d { condition: nope }"),
            ], diagnostics: diagnostics)
        #expect(diagnostics.problems.filter(\.isRejected).map(\.file) == ["rules/1.yar", "rules/3.yar"])
        #expect(
            diagnostics.summaries == [
                SignatureSummary(
                    kind: .yara, name: "HKTL_a", score: 50, tags: ["HKTL"], origin: .custom, file: "rules/0.yar"),
                SignatureSummary(kind: .yara, name: "c", score: 75, origin: .custom, file: "rules/2.yar"),
            ])
    }

    @Test func aTimeoutIsSaid() throws {
        var options = YARAStage.Options()
        options.timeout = 0.01
        let output = scan(try stage([(.yara, slowRule)], options: options), Bytes(utf8: "x"))
        #expect(output.reasons.isEmpty)
        #expect(output.issues.map(\.code) == [.timeout])
        #expect(output.issues.first?.stage == "yara")
    }

    @Test func conformance() throws {
        let text = """
            import "pe"
            import "elf"
            import "math"
            rule a { strings: $a = "needle" $b = /n[e]{2}d/ condition: any of them and not pe.is_pe }
            rule b { condition: elf.machine == elf.EM_X86_64 or math.entropy(0, filesize) > 7 or filesize == 0 }
            """
        let stage = try stage([(.yara, text), (.yaraMeta, text), (.yaraLog, text), (.yaraKeyword, text)])
        let sample = smallELF() + Array("a needle in a haystack".utf8)
        #expect(StageConformance(path: "a.elf").violations(of: stage, sample: sample) == [])
        #expect(scan(stage, Bytes(sample)).reasons.count == 4)
    }
}
