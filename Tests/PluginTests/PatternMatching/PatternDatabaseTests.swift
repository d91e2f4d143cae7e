import PatternMatching
import Pipeline
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct PatternDatabaseTests {
    private func find(_ patterns: [Pattern], in text: String) throws -> [PatternMatch] {
        let text = bytes(text)
        return try PatternDatabase(patterns).matches(in: text.rawSpan).sorted { ($0.end, $0.id) < ($1.end, $1.id) }
    }

    @Test func findsTheEndOfEveryMatch() throws {
        let found = try find([Pattern(id: 7, regex: "a+"), Pattern(id: 9, literal: "ab")], in: "xaab")
        #expect(found == [.init(id: 7, end: 2), .init(id: 7, end: 3), .init(id: 9, end: 4)])
    }

    @Test func flagsMeanWhatTheySay() throws {
        #expect(try find([Pattern(id: 1, literal: "EVIL", flags: .caseless)], in: "evil").count == 1)
        #expect(try find([Pattern(id: 1, literal: "EVIL")], in: "evil").isEmpty)
        #expect(try find([Pattern(id: 1, regex: "a.b")], in: "a\nb").isEmpty)
        #expect(try find([Pattern(id: 1, regex: "a.b", flags: .dotAll)], in: "a\nb").count == 1)
        #expect(try find([Pattern(id: 1, regex: "^b$")], in: "a\nb\nc").isEmpty)
        #expect(try find([Pattern(id: 1, regex: "^b$", flags: .multiline)], in: "a\nb\nc").count == 1)
        #expect(try find([Pattern(id: 1, regex: "a", flags: .singleMatch)], in: "aaa").count == 1)
        #expect(try find([Pattern(id: 1, literal: "ÄRGER", flags: [.utf8, .caseless])], in: "ärger").count == 1)
        let found = try find([Pattern(id: 1, regex: "b[0-9]c", flags: .startOffset)], in: "aab1c")
        #expect(found == [.init(id: 1, start: 2, end: 5)])
    }

    @Test func literalsAreTakenLiterally() throws {
        let literals = ["a.b", "[x", "\\A", "C:\\Windows\\*", "$^", "a\u{0}b"]
        let patterns = literals.enumerated().map { Pattern(id: $0.offset, literal: $0.element) }
        for (id, literal) in literals.enumerated() {
            #expect(try find(patterns, in: "-\(literal)-") == [.init(id: id, end: literal.utf8.count + 1)])
            // Beside a regex they go through another compiler.
            let mixed = patterns + [Pattern(id: 99, regex: "zz")]
            if !literal.utf8.contains(0) {
                #expect(try find(mixed, in: "-\(literal)-") == [.init(id: id, end: literal.utf8.count + 1)])
            }
        }
    }

    @Test func oneBadPatternCostsNoGoodOne() throws {
        let patterns = [
            Pattern(id: 10, regex: "good[0-9]"), Pattern(id: 11, regex: "(unclosed"),
            Pattern(id: 12, regex: "look(?=ahead)"), Pattern(id: 13, regex: ""), Pattern(id: 14, regex: "also.good"),
            Pattern(id: 15, regex: String(repeating: "(", count: 400) + "a" + String(repeating: ")", count: 400)),
            Pattern(id: 16, regex: "nul\u{0}"),
        ]
        let database = PatternDatabase(patterns)
        #expect(database.refused.map(\.id) == [11, 12, 13, 15, 16])
        #expect(database.refused.allSatisfy { !$0.reason.isEmpty })
        #expect(database.count == 2)
        let text = bytes("good1 also-good")
        #expect(try database.matches(in: text.rawSpan).map(\.id) == [10, 14])
    }

    @Test func approximateTakesLookAround() throws {
        let database = PatternDatabase([Pattern(id: 1, regex: "look(?=ahead)", flags: .approximate)])
        #expect(database.refused.isEmpty)
        let text = bytes("lookahead")
        #expect(try database.hasMatch(in: text.rawSpan))
    }

    @Test func stopsAtTheLimit() throws {
        let database = PatternDatabase([Pattern(id: 1, literal: "a")])
        let text = [UInt8](repeating: 0x61, count: 100)
        var matches: [PatternMatch] = []
        #expect(try database.scan(text.rawSpan, limit: 10, into: &matches) == false)
        #expect(matches.count == 10)
        #expect(try database.scan(text.rawSpan, into: &matches))
        #expect(matches.count == 110)
    }

    @Test func oncePerLineReportsEachLineOnce() throws {
        let database = PatternDatabase([Pattern(id: 1, regex: "a[^x]*"), Pattern(id: 2, literal: "b")])
        let text = bytes("abab\nx\nbb\na\n")
        var matches: [PatternMatch] = []
        try database.scan(text.rawSpan, oncePerLine: true, into: &matches)
        let lines = Set(matches.map { match in "\(match.id) \(text[..<(match.end - 1)].filter { $0 == 10 }.count)" })
        #expect(lines == ["1 0", "2 0", "2 2", "1 3"])
        #expect(matches.count < 8)
    }

    @Test func nothingIsFoundInNothing() throws {
        let none = PatternDatabase([])
        let text = bytes("text")
        let empty: [UInt8] = []
        #expect(none.isEmpty)
        #expect(try none.matches(in: text.rawSpan).isEmpty)
        #expect(try PatternDatabase([Pattern(id: 1, literal: "a")]).matches(in: empty.rawSpan).isEmpty)
    }

    @Test func tensOfThousandsOfLiteralsAreFound() throws {
        let database = PatternDatabase((0..<30_000).map { Pattern(id: $0, literal: "keyword-\($0)!") })
        #expect(database.refused.isEmpty)
        let text = bytes("x keyword-29999! keyword-7! keyword-30000!")
        #expect(try database.matches(in: text.rawSpan).map(\.id) == [29999, 7])
    }

    @Test func manyThreadsMaySearchAtOnce() async throws {
        let pool = ScratchPool()
        let first = PatternDatabase([Pattern(id: 1, regex: "[a-f]{20}z")], pool: pool)
        let second = PatternDatabase((0..<500).map { Pattern(id: $0, regex: "key\($0)[a-z]+end") }, pool: pool)
        let found = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let text = bytes("abcdefabcdefabcdefabz key\(task)xyzend")
                    let one = try first.matches(in: text.rawSpan).count
                    return try one + second.matches(in: text.rawSpan).count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(found == 16)
    }
}
