import PatternMatching
import Pipeline
import Testing

@Suite struct ExactRegexTests {
    private func range(_ regex: String, _ text: String, from: Int = 0, flags: Pattern.Flags = []) throws -> Range<Int>?
    {
        let text = Array(text.utf8)
        return try ExactRegex(regex, flags: flags).firstMatch(in: text.rawSpan, from: from)
    }

    @Test func saysWhereItMatches() throws {
        #expect(try range("b+", "abbbc") == 1..<4)
        #expect(try range("b", "abab", from: 2) == 3..<4)
        #expect(try range("x", "abc") == nil)
        #expect(try range("b", "abc", from: 99) == nil)
        #expect(try range("b", "abc", from: -1) == nil)
        #expect(try range("^$", "") == 0..<0)
    }

    @Test func flagsMeanWhatTheySay() throws {
        #expect(try range("EVIL", "an evil", flags: .caseless) == 3..<7)
        #expect(try range("a.b", "a\nb") == nil)
        #expect(try range("a.b", "a\nb", flags: .dotAll) == 0..<3)
        #expect(try range("^b$", "a\nb", flags: .multiline) == 2..<3)
        #expect(try range("Ä", "ä", flags: [.utf8, .caseless]) == 0..<2)
    }

    @Test func invalidUTF8IsNoError() throws {
        let text: [UInt8] = [0xFF, 0x61, 0xC3]
        #expect(try ExactRegex("a", flags: .utf8).firstMatch(in: text.rawSpan) == 1..<2)
    }

    @Test func explodingExpressionsEnd() throws {
        let text = String(repeating: "a", count: 64) + "b"
        #expect(throws: PatternError(.matchLimit, "")) { try range("(a+)+$", text) }
        #expect(throws: PatternError(.matchLimit, "")) { try range("(?:a|aa|aaa)+\\1?()$", text) }
    }

    @Test(arguments: ["(", "a{2", "[z-a]", "\\", "(?<n", "(?P<a>x)(?P<a>y)", "", "\\C"])
    func badExpressionsAreNamed(_ regex: String) throws {
        if regex == "a{2" {
            // PCRE takes an incomplete quantifier as text.
            #expect(try range(regex, "a{2") == 0..<3)
        } else {
            #expect(throws: PatternError(.badExpression, "")) { try ExactRegex(regex) }
        }
    }

    @Test func keepsWorkingFromManyThreads() async throws {
        let regex = try ExactRegex("[0-9]+$")
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<16 {
                group.addTask {
                    let text = Array("abc\(task)".utf8)
                    return try regex.firstMatch(in: text.rawSpan)?.count ?? 0
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 22)
    }
}
