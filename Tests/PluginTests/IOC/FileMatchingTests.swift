import IOC
import Pipeline
import PipelineTesting
import Testing

@Suite struct FilenameTests {
    @Test func pathsOfAnySystemMatch() throws {
        let loaded = try Loaded("\\\\Temp\\\\evil\\.exe$;80\n/tmp/\\.x/run;70", .filenames)
        #expect(loaded.hits(path: "C:\\Temp\\evil.exe") == ["Filename IOC match: \\\\Temp\\\\evil\\.exe$"])
        #expect(loaded.hits(path: "/mnt/Temp/evil.exe") == ["Filename IOC match: \\\\Temp\\\\evil\\.exe$"])
        #expect(loaded.hits(path: "\\tmp\\.x\\run") == ["Filename IOC match: /tmp/\\.x/run"])
        #expect(loaded.hits(path: "C:\\temp\\evil.exe").isEmpty)
        #expect(loaded.hits(path: "C:\\Temp\\evil.exe.txt").isEmpty)
        #expect(loaded.hits(path: "").isEmpty)
    }

    @Test func aHitShowsWhatAndWhere() throws {
        let loaded = try Loaded("# Dropper of campaign\nevil[0-9]\\.exe;65", .filenames)
        let reason = try #require(loaded.reasons(path: "/home/evil7.exe").first)
        #expect(reason.summary == "Filename IOC match: evil[0-9]\\.exe / Dropper of campaign")
        #expect(reason.subscore == 65)
        #expect(reason.signature.kind == .filename)
        #expect(reason.signature.origin == .custom)
        let match = try #require(reason.matched.first)
        #expect(match.data == Array("evil7.exe".utf8))
        #expect(match.field == "/path")
        #expect(match.offset == 6)
    }

    @Test func plainTextsMatchInEitherCase() throws {
        let loaded = try Loaded("mimikatz;80\nÜBEL;70", .filenames)
        #expect(loaded.hits(path: "D:\\MimiKatz.exe").count == 1)
        #expect(loaded.hits(path: "/übel").count == 1)
    }

    @Test func falsePositivesTakeTheHitAway() throws {
        let loaded = try Loaded("fdp\\.exe;60;\\\\bin\\\\\n\\\\w64\\.exe;50;/pip/", .filenames)
        #expect(loaded.hits(path: "C:\\fdp.exe").count == 1)
        #expect(loaded.hits(path: "C:\\bin\\fdp.exe").isEmpty)
        // The same on a path with the other separator.
        #expect(loaded.hits(path: "/usr/bin/fdp.exe").isEmpty)
        #expect(loaded.hits(path: "C:\\pip\\w64.exe").isEmpty)
        #expect(loaded.hits(path: "C:\\x\\w64.exe").count == 1)
    }

    @Test func everyHitOnAFileIsAReason() throws {
        let loaded = try Loaded("evil;70\n\\.exe$;40\nsigned;-30", .filenames)
        #expect(loaded.reasons(path: "/x/evil-signed.exe").map(\.subscore) == [70, 40, -30])
    }

    @Test func sameLinesCountOnce() throws {
        let loaded = try Loaded("\\\\a\\.exe;60\n\\\\a\\.exe;80\n\\\\a\\.exe;70", .filenames)
        #expect(loaded.reasons(path: "\\a.exe").map(\.subscore) == [80])
        #expect(loaded.rejected.isEmpty)
        #expect(loaded.diagnostics.problems.map(\.line) == [2, 3])
    }

    @Test func expressionsThatHyperscanRefusesWork() throws {
        let loaded = try Loaded("(a|b)\\1\\.exe;60\n\\\\(?!good)[a-z]+\\.scr;70", .filenames)
        #expect(loaded.hits(path: "\\aa.exe").count == 1)
        #expect(loaded.hits(path: "\\ab.exe").isEmpty)
        #expect(loaded.hits(path: "\\good.scr").isEmpty)
        #expect(loaded.hits(path: "\\bad.scr").count == 1)
        #expect(loaded.rejected.isEmpty)
    }

    @Test func explodingExpressionsAreSaid() throws {
        let loaded = try Loaded("([a-z]+)+\\b\\B\\1$;60\nsafe;70", .filenames)
        let output = scan(loaded.stage, Bytes(utf8: "x"), path: String(repeating: "a", count: 80) + "-safe")
        #expect(output.reasons.map(\.subscore) == [70])
        #expect(output.issues.count == 1)
        #expect(output.issues.first?.message.contains("list.txt:1") == true)
    }

    @Test func oddPathsDoNoHarm() throws {
        let loaded = try Loaded("\\\\evil\\.exe$;60\n^\\\\\\\\;40", .filenames)
        #expect(loaded.hits(path: "a\n\\evil.exe").count == 1)
        #expect(loaded.hits(path: "\\evil.exe\nb").isEmpty)
        #expect(loaded.hits(path: "\\\\?\\C:\\evil.exe").count == 2)
        #expect(loaded.hits(path: String(repeating: "/evil.exe", count: 4000)).count == 1)
    }
}

@Suite struct HashTests {
    private func digests(_ text: String) -> Digests { Digests(of: Bytes(utf8: text)) }

    @Test func everyKindOfDigestMatches() throws {
        let bad = digests("malware")
        for (value, field) in [(bad.md5, "md5"), (bad.sha1, "sha1"), (bad.sha256, "sha256")] {
            let loaded = try Loaded("\(value.uppercased());Evil Tool", .hashes)
            let reason = try #require(loaded.reasons(path: "x", "malware").first)
            #expect(reason.summary == "Hash IOC match: \(value) / Evil Tool")
            #expect(reason.subscore == 100)
            #expect(reason.matched == [MatchedText(value, field: "/hashes/\(field)")])
            #expect(loaded.reasons(path: "x", "other").isEmpty)
        }
    }

    @Test func trustedHashesClearAFile() throws {
        let loaded = try Loaded([
            signatureFile("evil;90", .filenames),
            signatureFile("\(digests("malware").sha1);Admin tool", .trustedHashes),
        ])
        let output = scan(loaded.stage, Bytes(utf8: "malware"), path: "/evil")
        #expect(output.reasons.map(\.subscore).sorted() == [-100, 90])
        #expect(output.findings.first?.score == 0)
        #expect(output.reasons.contains { $0.summary.hasPrefix("Trusted hash match:") })
    }

    @Test func emptyFilesNeverAlert() throws {
        let empty = digests("")
        let loaded = try Loaded("\(empty.md5)\n\(empty.sha1)\n\(empty.sha256)\n\(digests("\n").md5)", .hashes)
        #expect(loaded.hits(path: "x", "").isEmpty)
        #expect(loaded.hits(path: "x", "\n").isEmpty)
        #expect(loaded.rejected.count == 4)
    }

    @Test func kindsCanBeSwitchedOff() throws {
        let files = [
            signatureFile("evil;90", .filenames), signatureFile("\(digests("malware").sha1);x", .hashes),
        ]
        let without = try Loaded(files, disabled: ["filename", "stix"])
        #expect(without.reasons(path: "/evil", "malware").map(\.signature.kind) == [.hash])
        #expect(without.diagnostics.counts == ["Hash IOC": 1])
        #expect(throws: OptionError.self) { try Loaded(files, disabled: ["filenames"]) }
    }

    @Test func conforms() throws {
        let loaded = try Loaded([
            signatureFile("sample;40", .filenames), signatureFile("\(digests("malware").md5);x", .hashes),
        ])
        #expect(StageConformance(flips: 20).violations(of: loaded.stage, sample: Array("malware".utf8)) == [])
    }
}
