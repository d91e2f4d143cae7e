import Pipeline
import PipelineTesting
import Testing

@testable import YARA

// Rules that say what a file is.

struct SelectorTests {
    private func selectors(_ files: [(kind: SignatureFileKind, text: String)]) throws -> SelectorsStage {
        let signatures = files.enumerated().map { index, file in
            SignatureFile(path: "rules/\(index).yar", kind: file.kind, bytes: Bytes(utf8: file.text), origin: .custom)
        }
        return try SelectorsStage(environment: StageEnvironment(signatures: SignatureSet(files: signatures)))
    }

    private let hive = """
        rule odd_hive : REGISTRYHIVE { meta: score = 0 strings: $a = "odd hive" condition: $a at 0 }
        """

    @Test func aTagGivesTheType() throws {
        let stage = try selectors([(.yara, hive)])
        #expect(scan(stage, Bytes(utf8: "odd hive 1"), kind: "UNKNOWN").kind == FileKind("Registry Hive"))
        // The rule is no finding here.
        let other = scan(stage, Bytes(utf8: "odd hive 1"), kind: "Text")
        #expect(other.kind == FileKind("Registry Hive") && other.findings.isEmpty)
        #expect(scan(stage, Bytes(utf8: "an odd hive"), kind: "Text").kind == FileKind("Text"))
    }

    @Test func everyTagOfTheReferenceIsKnown() throws {
        // Unpacking of programs and texts (UPX, WINRAR, UNESCAPE, VBEDECODER, WMIPERSISTENCE) has no stage and no type.
        let tags = """
            AMCACHE BZIP2COMPRESSEDFILE CABARCHIVE GZIPCOMPRESSEDFILE RARARCHIVE SEVENZIPARCHIVE TARARCHIVE TARBZ2ARCHIVE
            TARGZARCHIVE ZIPARCHIVE ATJOBS AUDITLOG AUTHORIZEDKEYS CHM SYSTEMCRONTAB USERCRONTAB DUMPSCAN EMAILFILE ESEDB
            ETL EVTX GROUPSXML ICS JOURNALD JUMPLIST LNK LOGSCAN MFT PSMODULECACHE OLE PREFETCHFILE QUARANTINEDB
            REGISTRYHIVE SDB TOMCATUSERS SQLITEDB CHROMEHISTORY FIREFOXHISTORY WER
            """.split { $0 == " " || $0 == "\n" }
        for tag in tags {
            let stage = try selectors([(.yara, "rule r : x \(tag) { condition: true }")])
            let kind = scan(stage, Bytes(utf8: "text"), kind: "Text").kind
            #expect(kind != FileKind("Text") && kind != .unknown, "\(tag)")
        }
        #expect(tags.count == Selectors.kinds.count)
    }

    @Test func aTagTakesNoTypeAway() throws {
        // As in rules of others, where the tag says what is detected.
        let tagged = try selectors([(.yara, "rule iso_with_link : ISO LNK { condition: true }")])
        for kind in ["ISO", "ZIP", "EXE", "EVTX", "HTML"] {
            #expect(scan(tagged, Bytes(utf8: "x"), kind: kind).kind == FileKind(kind))
        }
        let named = try selectors([(.yara, "rule r { meta: selects = \"LNK\" condition: true }")])
        #expect(scan(named, Bytes(utf8: "x"), kind: "ISO").kind == FileKind("LNK"))
    }

    @Test func metaNamesAnyType() throws {
        let rule = "rule r { meta: selects = \"My Format\" score = 0 condition: filename == \"a.mine\" }"
        let stage = try selectors([(.yara, rule)])
        #expect(scan(stage, Bytes(utf8: "x"), path: "C:\\a.mine", kind: "Text").kind == FileKind("My Format"))
        #expect(scan(stage, Bytes(utf8: "x"), path: "C:\\b.mine", kind: "Text").kind == FileKind("Text"))
    }

    @Test func metaRulesSeeTheBeginningOnly() throws {
        let rule =
            "rule r : EVTX { strings: $a = \"mark\" condition: $a and filesize > 100000 and filetype == \"Text\" }"
        let late =
            [UInt8](repeating: 0x20, count: 70_000) + Array("mark".utf8) + [UInt8](repeating: 0x20, count: 70_000)
        #expect(scan(try selectors([(.yaraMeta, rule)]), Bytes(late), kind: "Text").kind == FileKind("Text"))
        #expect(scan(try selectors([(.yara, rule)]), Bytes(late), kind: "Text").kind == FileKind("EVTX"))
        let early = Array("mark".utf8) + [UInt8](repeating: 0x20, count: 140_000)
        #expect(scan(try selectors([(.yaraMeta, rule)]), Bytes(early), kind: "Text").kind == FileKind("EVTX"))
    }

    @Test func ofTwoRulesTheFirstDecidesAndTheOtherIsSaid() throws {
        let stage = try selectors([
            (.yara, "rule first : LNK { condition: true }"), (.yara, "rule second : EVTX { condition: true }"),
        ])
        let output = scan(stage, Bytes(utf8: "x"), kind: "Text")
        #expect(output.kind == FileKind("LNK"))
        #expect(
            output.issues.map(\.message) == [
                "rule first says LNK, rule second says EVTX: it was read as the first only"
            ])
    }

    @Test func onlyRulesThatSelectAreScannedWith() throws {
        let files = [
            SignatureFile(
                path: "a.yar", kind: .yara,
                bytes: Bytes(
                    utf8: """
                        import "pe"
                        private rule part { strings: $a = "part" condition: $a }
                        rule unused { strings: $a = "unused" condition: $a or pe.is_pe }
                        rule chosen : LNK { condition: part }
                        rule evtx_word { strings: $e = "EVTX" condition: $e }
                        """)),
            SignatureFile(path: "b.yar", kind: .yara, bytes: Bytes(utf8: "rule other : apt { condition: true }")),
        ]
        let rules = Selectors.rules(in: files)
        #expect(rules.rules.map(\.signature.ruleName) == ["part", "chosen"])
        #expect(Selectors.rules(in: [files[1]]).rules.isEmpty)
        // A tag in lower case is a tag like any other.
        let lower = SignatureFile(path: "c.yar", kind: .yara, bytes: Bytes(utf8: "rule r : evtx { condition: true }"))
        #expect(Selectors.rules(in: [lower]).rules.isEmpty)
    }

    @Test func itStandsHostileInput() throws {
        let stage = try selectors([(.yara, hive)])
        let broken = StageConformance(path: "odd.dat").violations(of: stage, sample: Array("odd hive 1".utf8))
        #expect(broken.isEmpty, "\(broken)")
    }
}
