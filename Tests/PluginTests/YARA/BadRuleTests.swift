import Pipeline
import PipelineTesting
import Testing
import YARA

// Bad rules cost no good ones: what is refused is told with file and line, the rest of the file works.

@Suite struct BadRuleTests {
    private func names(_ text: String) -> (rules: [String], problems: [String]) {
        let rules = YARARules(compiling: [YARASource(name: "f", text: text)])
        return (
            rules.rules.map(\.signature.ruleName),
            rules.problems.filter(\.isError).map { "\($0.line.map { "\($0)" } ?? "-") \($0.message)" }
        )
    }

    @Test func oneBadRuleStaysOut() {
        let found = names(
            """
            rule first { condition: true }
            rule bad {
              strings: $a = "x"
              condition: $b
            }
            rule last { strings: $a = "abcd" condition: $a }
            """)
        #expect(found.rules == ["first", "last"])
        #expect(found.problems == ["5 rule bad: undefined string \"$b\""])
    }

    @Test func severalKindsOfErrors() {
        let found = names(
            """
            import "pe"
            import "nothing"
            include "other.yar"
            rule usesUnknown { condition: nothing.x == 1 }
            rule unknownExternal { condition: service_name == "x" }
            rule good { condition: pe.is_pe and filename == "x" }
            stray words
            rule badRegex { strings: $a = /a(/ condition: $a }
            rule unused { strings: $a = "abc" condition: true }
            rule good { condition: true }
            rule badHex { strings: $a = { 4D ZZ } condition: $a }
            rule depends { condition: badRegex }
            rule better { condition: good }
            """)
        #expect(found.rules == ["good", "better"])
        let lines = found.problems.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }.sorted()
        #expect(lines == [2, 3, 4, 5, 7, 8, 9, 10, 11, 12])
    }

    @Test func missingBracesCostOneRule() {
        let found = names(
            """
            rule first { condition: true }
            rule open { strings: $a = "abcd" condition: $a
            private rule second { condition: true }
            rule quote { strings: $a = "abcd condition: $a }
            rule third { condition: second }
            rule hex { strings: $a = { 4D 5A condition: $a }
            rule fourth { condition: true }
            rule end { condition: true
            """)
        #expect(found.rules == ["first", "second", "third", "fourth"])
        #expect(found.problems.map { $0.prefix(6) } == ["3 rule", "5 rule", "6 rule", "8 rule"])
    }

    @Test func aBadGlobalRuleTakesItsFileAlong() {
        let found = names("global rule gate { condition: nothing }\nrule guarded { condition: true }")
        #expect(found.rules.isEmpty)
        #expect(found.problems.last?.contains("global rule gate") == true)
    }

    @Test func nothingIsLeftOfRubbish() {
        for text in ["", "rule", "{}}}", "import", "/* open", "rule a {", "\"", "rule a { condition: true } /* open"] {
            let found = names(text)
            #expect(found.rules.count <= 1, "\(text)")
        }
        #expect(names("just words\nrule good { condition: true }").rules == ["good"])
        #expect(names("rule good { condition: true }\njust words").rules == ["good"])
    }

    @Test func manyBadRulesEnd() {
        let text = (0..<300).map { number in
            number % 3 == 0 ? "rule bad\(number) { condition: x\(number) }" : "rule good\(number) { condition: true }"
        }
        let found = names(text.joined(separator: "\n"))
        #expect(found.rules.count == 200)
        #expect(found.problems.count == 100)
        #expect(found.problems.first == "1 rule bad0: undefined identifier \"x0\"")
        #expect(found.problems.last == "298 rule bad297: undefined identifier \"x297\"")
    }

    @Test func namesMayRepeatAcrossFiles() throws {
        let text = "rule same { strings: $a = \"needle\" condition: $a }"
        let output = scan(try stage([(.yara, text), (.yara, text + " ")]), Bytes(utf8: "a needle"))
        #expect(output.reasons.map(\.signature.ruleName) == ["same", "same"])
    }

    @Test func encodingsAndLineEnds() {
        func rules(_ bytes: [UInt8]) -> YARARules { YARARules(compiling: [YARASource(name: "f", text: Bytes(bytes))]) }
        let text = "rule a {\r\n  condition: true\r\n}\r\nrule b { condition: x }\r\n"
        #expect(rules(Array(text.utf8)).rules.count == 1)
        #expect(rules(Array(text.utf8)).problems.first?.line == 4)
        #expect(rules([0xEF, 0xBB, 0xBF] + Array(text.utf8)).rules.count == 1)
        let wide = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        #expect(rules([0xFF, 0xFE] + wide).rules.count == 1)
        let latin = Array("rule a { meta: author = \"Ren".utf8) + [0xE9] + Array("\" condition: true }".utf8)
        #expect(rules(latin).rules.map(\.signature.author) == ["Ren\u{FFFD}"])
    }

    private let branching = "rule branches { strings: $a = /ab(.{0,50}){40}x/ condition: $a }"
    private let word = "rule word { strings: $a = \"needle\" condition: $a }"

    private func unjudged(_ rules: YARARules, _ result: YARAResult) -> [String] {
        result.unjudged.sorted().map { rules.rules[$0].signature.ruleName }
    }

    @Test func anExpressionThatFailsOnDataCostsNoOtherRule() throws {
        let rules = YARARules(compiling: [
            YARASource(name: "bad", text: branching), YARASource(name: "good", text: word),
        ])
        let data = Bytes(utf8: "needle ab" + String(repeating: "c", count: 3000))
        for _ in 0..<2 {
            let result = try rules.scan(data)
            #expect(result.matches.map { rules.rules[$0.rule].signature.ruleName } == ["word"])
            #expect(unjudged(rules, result) == ["branches"])
        }
        let harmless = try rules.scan(Bytes(utf8: "needle, and nothing else"))
        #expect(harmless.matches.map { rules.rules[$0.rule].signature.ruleName } == ["word"])
        #expect(harmless.unjudged.isEmpty)
    }

    @Test func twoExpressionsThatFailAreBothLeftOut() throws {
        let second = "rule second { strings: $a = /cd.{0,2000}.{0,2000}q/ condition: $a }"
        let rules = YARARules(compiling: [
            YARASource(name: "f", text: [branching, second, word].joined(separator: "\n"))
        ])
        let data = Bytes(utf8: "needle ab cd" + String(repeating: "c", count: 5000))
        let result = try rules.scan(data)
        #expect(result.matches.map { rules.rules[$0.rule].signature.ruleName } == ["word"])
        #expect(unjudged(rules, result) == ["branches", "second"])
    }

    @Test func anExpressionThatExplodesCostsNoOtherRule() throws {
        let slow = "rule slow { strings: $a = /a.{0,3000}b/ condition: $a }"
        let rules = YARARules(compiling: [YARASource(name: "f", text: slow + "\n" + word)])
        #expect(rules.problems.map(\.rule) == ["slow"])
        let data = Bytes(utf8: String(repeating: "a", count: 1 << 20) + "b needle")
        let result = try rules.scan(data, seconds: 3)
        #expect(result.matches.map { rules.rules[$0.rule].signature.ruleName } == ["word"])
        #expect(unjudged(rules, result) == ["slow"])
    }
}
