import IOC
import Pipeline
import Testing

@Suite struct YAMLTests {
    private func parse(_ text: String) -> ParsedIOCs {
        parseIOCYAML(signatureFile(text, .yamlIOCs, path: "iocs/case.yml"))
    }

    @Test func allGroupsAreRead() {
        let parsed = parse(
            """
            title: Case 7
            references: [https://example.com/report]
            description: Seen in case 7
            date: 2026-01-02
            iocs:
              hashes:
                - value: \(String(repeating: "AB", count: 16))
                  score: 80
              files:
                value: '\\\\evil[0-9]\\.exe$'
                type: regex
                score: 65
                false_positives:
                  value: '\\\\good\\\\'
              c2s:
                - value: evil.example.com
                - value: 198.51.100.0/24
              named_pipes: {value: evilpipe}
              mutexes: {value: EvilMutex, case_sensitive: true}
              events: {value: EvilEvent}
            """)
        #expect(parsed.problems == [])
        #expect(parsed.iocs.map(\.group) == [.hash, .filename, .c2, .c2, .pipe, .handle, .handle])
        #expect(parsed.iocs.map(\.score) == [80, 65, 100, 100, 100, 70, 70])
        #expect(parsed.iocs.map(\.expression.isCaseless) == [true, true, true, true, true, false, true])
        #expect(parsed.iocs[1].expression.isRegex)
        #expect(parsed.iocs[1].falsePositives.map(\.text) == ["\\\\good\\\\"])
        #expect(parsed.iocs[0].source.title == "Case 7")
        #expect(parsed.iocs[0].source.references == ["https://example.com/report"])
        #expect(parsed.iocs[0].description == "Seen in case 7")
        #expect(parsed.iocs.first?.line == 7)
    }

    @Test func badEntriesCostNoGoodOne() {
        let parsed = parse(
            """
            iocs:
              hashes:
                - value: nothex
                - value: \(String(repeating: "ab", count: 32))
                - {score: 5}
                - {value: \(String(repeating: "cd", count: 32)), score: many}
              unknown: {value: x}
              files:
                - {value: '(open', type: regex}
                - {value: x.exe, type: glob}
            """)
        #expect(parsed.iocs.count == 1)
        #expect(parsed.problems.map(\.line) == [3, 5, 6, 7, 9, 10])
        #expect(parsed.problems.contains { $0.message.contains("c2s, events, files") })
    }

    @Test(arguments: ["", "text", "- a", "iocs: 5", "iocs: [a", "a: &x\n  b: *x", "{{{{", "iocs:\n\t- x"])
    func brokenFilesAreSaid(_ text: String) {
        let parsed = parse(text)
        #expect(parsed.iocs.isEmpty)
        #expect(parsed.problems.count == 1)
    }

    @Test func hugeAndDeepFilesEnd() {
        var laughs = "a0: &a0 [x, x]\n"
        for level in 1..<40 { laughs += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(parse(laughs + "iocs: *a39").problems.count == 1)
        #expect(parse(laughs + "iocs: {files: *a39}").problems.count > 0)
        #expect(parse(String(repeating: "[", count: 100_000)).problems.count == 1)
        #expect(parse(String(repeating: "- ", count: 100_000)).problems.count == 1)
    }

    @Test func plainFilesMatch() throws {
        let loaded = try Loaded([
            signatureFile(
                "title: T\niocs:\n  files: {value: Evil+1.exe, score: 60, false_positives: [{value: good}]}",
                .yamlIOCs)
        ])
        #expect(loaded.hits(path: "/x/evil+1.EXE") == ["Filename IOC match: Evil+1.exe"])
        #expect(loaded.reasons(path: "/x/evil+1.EXE").first?.signature.ruleName == "T")
        #expect(loaded.hits(path: "/good/evil+1.exe").isEmpty)
    }
}
