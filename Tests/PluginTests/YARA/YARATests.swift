import Pipeline
import PipelineTesting
import Testing
import YARA

// The library behind one door: sources in, matches out.

/// Names of the rules that match a text.
func names(_ rules: YARARules, _ text: String, _ externals: YARAExternals = YARAExternals()) throws -> [String] {
    try rules.scan(Bytes(utf8: text), externals: externals).matches.map { rules.rules[$0.rule].signature.ruleName }
}

func compile(_ sources: (name: String, text: String)...) -> YARARules {
    YARARules(compiling: sources.map { YARASource(name: $0.name, text: $0.text) })
}

@Suite struct CompilingTests {
    @Test func brokenFilesStayOutAndTheRestServes() throws {
        let rules = compile(
            ("good.yar", "rule good { strings: $a = \"abc\" condition: $a }"),
            ("broken.yar", "rule fine { condition: true }\nrule broken {\n condition: nonsense }"),
            ("module.yar", "import \"no_such_module\" rule m { condition: true }"),
            ("wide.yar", "r\0u\0l\0e\0"),
            ("late.yar", "rule late { condition: filesize == 3 }"))
        #expect(rules.sources == ["good.yar", "broken.yar", "late.yar"])
        #expect(try names(rules, "abc") == ["good", "fine", "late"])
        let errors = rules.problems.filter(\.isError)
        #expect(Set(errors.map(\.source)) == ["broken.yar", "module.yar", "wide.yar"])
        let broken = try #require(errors.first { $0.source == "broken.yar" })
        #expect(broken.line == 3)
        #expect(broken.message.contains("nonsense"))
    }

    @Test func noSourcesAreNoRules() {
        let rules = YARARules(compiling: [])
        #expect(rules.rules.isEmpty)
        #expect(rules.problems.isEmpty)
    }

    @Test func includesAreRefused() throws {
        let rules = compile(("a.yar", "include \"/etc/hostname\"\nrule a { condition: true }"))
        #expect(rules.rules.map(\.signature.ruleName) == ["a"])
        #expect(try #require(rules.problems.first).message.contains("include"))
    }

    @Test func slowRulesAreNotRefused() throws {
        let rules = compile(("slow.yar", "rule slow { strings: $a = /.*a/ condition: $a }"))
        #expect(rules.rules.count == 1)
        #expect(rules.problems.contains { !$0.isError })
    }

    @Test func filesMayUseTheSameNames() throws {
        let rules = compile(
            ("a.yar", "rule same { strings: $a = \"aaa\" condition: $a }"),
            ("b.yar", "rule same { strings: $a = \"bbb\" condition: $a }"))
        let match = try rules.scan(Bytes(utf8: "xbbbx")).matches
        #expect(match.map { rules.sources[rules.rules[$0.rule].source] } == ["b.yar"])
    }

    @Test func aByteOrderMarkIsNoError() throws {
        let rules = compile(("bom.yar", "\u{FEFF}rule a { condition: true }"))
        #expect(try names(rules, "") == ["a"])
    }

    @Test(arguments: [
        ("rule a { condition: md5 == \"x\" }", true),
        ("rule a { condition: \"x\" == md5 }", true),
        ("import \"hash\" rule a { condition: hash.md5(0, filesize) == \"x\" }", false),
        ("rule a { meta: md5 = \"x\" condition: true }", false),
        ("rule a { strings: $a = \"md5 == x\" $b = /md5 ==/ condition: any of them // md5 == x\n}", false),
        ("rule a { /* md5 == */ strings: $md5 = { 01 /* md5 == */ } condition: $md5 }", false),
    ])
    func md5IsComputedOnlyForRulesThatAskForIt(text: String, expected: Bool) {
        let rules = compile(("a.yar", text))
        #expect(rules.rules.count == 1)
        #expect(rules.usesMD5 == expected)
    }
}

@Suite struct ScanningTests {
    @Test func everyExternalIsDefined() throws {
        var externals = YARAExternals()
        externals.filename = "a.exe"
        externals.filepath = "C:\\x"
        externals.fileExtension = ".exe"
        externals.filetype = "EXE"
        externals.owner = "o"
        externals.group = "g"
        externals.permissions = "p"
        externals.filemode = 7
        externals.age = 2.5
        externals.osversion = 3
        externals.timezone = "t"
        externals.language = "l"
        externals.unpackParent = "ZIP"
        externals.unpackSource = "EMAIL>ZIP"
        externals.md5 = "d4"
        let rules = compile(
            (
                "all.yar",
                """
                rule every { condition: filename == "a.exe" and filepath == "C:\\\\x" and extension == ".exe"
                  and filetype == "EXE" and owner == "o" and group == "g" and permissions == "p" and filemode == 7
                  and age > 2.4 and age < 2.6 and osversion == 3 and timezone == "t" and language == "l"
                  and unpack_parent == "ZIP" and unpack_source == "EMAIL>ZIP" and md5 == "d4" }
                rule old { condition: age > 1 }
                """
            ))
        #expect(rules.problems == [])
        #expect(try names(rules, "x", externals) == ["every", "old"])
        // The scanner that had these values is used again; an unknown age is neither young nor old.
        #expect(try names(rules, "x") == [])
    }

    @Test func privateAndGlobalRulesKeepTheirMeaning() throws {
        let rules = compile(
            ("a.yar", "private rule p { strings: $a = \"aaa\" condition: $a } rule user { condition: p }"),
            ("b.yar", "global rule gate { condition: filesize > 5 } rule behind { condition: true }"),
            ("c.yar", "rule elsewhere { condition: true }"))
        #expect(try names(rules, "aaa") == ["user", "elsewhere"])
        #expect(try names(rules, "aaaaaa") == ["user", "gate", "behind", "elsewhere"])
        #expect(rules.rules.filter(\.isPrivate).map(\.signature.ruleName) == ["p"])
    }

    @Test func emptyDataIsJudged() throws {
        let rules = compile(("a.yar", "rule empty { condition: filesize == 0 }"))
        #expect(try names(rules, "") == ["empty"])
    }

    @Test func occurrencesAreCapped() throws {
        let rules = compile(
            (
                "a.yar",
                "rule many { strings: $a = \"a1\" $b = \"b2\" $c = \"c3\" private condition: #a > 2 and #b + #c > 1 }"
            ))
        let text = String(repeating: "a1", count: 100) + "b2c3"
        let match = try #require(try rules.scan(Bytes(utf8: text)).matches.first)
        #expect(match.occurrences.count == YARARules.occurrenceLimit)
        #expect(match.occurrences.first?.offset == 0)
        let last = try #require(match.occurrences.last)
        #expect(last.identifier == "$b" && last.offset == 200 && last.length == 2)
        #expect(!match.occurrences.contains { $0.identifier == "$c" })
    }

    @Test func theEntryPointOfOneSampleIsNotThatOfTheNext() throws {
        let rules = compile(("a.yar", "rule known { condition: entrypoint >= 0 }"))
        #expect(try rules.scan(Bytes(smallELF())).matches.count == 1)
        #expect(try names(rules, "text") == [])
    }

    @Test func partsOfAFileKnowTheWholeSize() throws {
        let rules = compile(("a.yar", "rule large { condition: filesize == 1000 }"))
        #expect(try rules.scan(Bytes(utf8: "abc"), fileSize: 1000).matches.count == 1)
    }

    @Test func aSlowRuleTimesOut() throws {
        let rules = compile(("slow.yar", slowRule))
        #expect(throws: YARAError.self) {
            try rules.scan(Bytes(utf8: "abc"), seconds: 0.01)
        }
        do {
            _ = try rules.scan(Bytes(utf8: "abc"), seconds: 0.01)
        } catch {
            #expect(error.code == .timeout)
        }
        // The scanner works again afterwards.
        let quick = compile(("quick.yar", "rule quick { condition: true }"))
        #expect(try names(quick, "abc") == ["quick"])
    }
}

/// A condition that counts for a very long time.
let slowRule = """
    rule slow { condition: for all i in (0..4000000000) : ( for all j in (0..4000000000) : ( i + j >= 0 ) ) }
    """

/// An ELF header and one executable segment, enough for an entry point.
func smallELF() -> [UInt8] {
    var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    bytes += [2, 0, 0x3E, 0, 1, 0, 0, 0]
    bytes += [0x78, 0, 0x40, 0, 0, 0, 0, 0] + [0x40, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
    bytes += [0, 0, 0, 0, 0x40, 0, 0x38, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    bytes += [1, 0, 0, 0, 5, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
    bytes += [0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0]
    bytes += [0x80, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]
    return bytes + [UInt8](repeating: 0xC3, count: 64)
}
