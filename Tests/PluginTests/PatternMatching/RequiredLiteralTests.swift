import Pipeline
import Testing

@testable import PatternMatching

@Suite struct RequiredLiteralTests {
    @Test(arguments: [
        ("\\\\evil\\.exe$", "\\evil.exe"), ("abcdef[0-9]+ghi", "abcdef"), ("abcd?efgh", "efgh"), ("abcd+efgh", "abcd"),
        ("abcd{0,3}efgh", "efgh"), ("(one|two)three(four)?", "three"), ("(?i)Evil\\s+Tool", "Evil"), ("a.b", "a"),
        ("(?:x(y)z)tail", "tail"), ("[]x]abc", "abc"), ("[^]\\]]abc", "abc"), ("x*", ""), ("^$", ""),
    ])
    func isFound(_ expression: String, _ text: String) {
        #expect(requiredLiteral(of: Array(expression.utf8), shortest: 0) == Array(text.utf8))
    }

    @Test(arguments: [
        "abc|def", "abc\\x41", "(?=abc)def", "abc(", "abc)", "[[:alpha:]]abc", "\\Qabc\\E", "abcä", "ab\\", "(*UTF)abc",
        "(a(?<n>b))abc", "[abc", "abc\\1",
    ])
    func isNotGuessed(_ expression: String) {
        #expect(requiredLiteral(of: Array(expression.utf8), shortest: 0) == nil)
    }

    @Test func shortTextsAreNotUsed() {
        #expect(requiredLiteral(of: Array("abc.*".utf8), shortest: 4) == nil)
    }

    @Test func largeSetsFindTheSame() throws {
        var patterns = (0..<7_000).map { Pattern(id: 0, regex: "\\\\tool\($0)[a-z]{2}\\.exe$") }
        patterns += [
            Pattern(id: 0, regex: "(?i)\\\\EVIL[0-9]tool"), Pattern(id: 0, regex: "x[0-9]$"),
            Pattern(id: 0, regex: "abcdefg(h|i)", flags: .caseless), Pattern(id: 0, literal: "plain"),
        ]
        let set = PatternSet(patterns)
        #expect(set.rejected.isEmpty)
        func found(_ text: String) throws -> [Int] {
            var exploded: [Int] = []
            let text = Array(text.utf8)
            return try set.matches(in: text.rawSpan, exploded: &exploded).map(\.index)
        }
        #expect(try found("C:\\tool6999ab.exe") == [6999])
        #expect(try found("C:\\tool6999ab.exe.txt") == [])
        #expect(try found("C:\\evil1TOOL") == [7000])
        #expect(try found("ABCDEFGI x3") == [7001, 7002])
        #expect(try found("a plain") == [7003])
    }
}
