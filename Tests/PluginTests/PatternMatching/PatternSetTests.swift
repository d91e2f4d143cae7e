import PatternMatching
import Pipeline
import Testing

@Suite struct PatternSetTests {
    private func set(_ expressions: String...) -> PatternSet {
        PatternSet(expressions.map { Pattern(id: 0, regex: $0) })
    }

    private func found(_ set: PatternSet, _ text: String) throws -> [Int] {
        var exploded: [Int] = []
        let text = Array(text.utf8)
        return try set.matches(in: text.rawSpan, exploded: &exploded).map(\.index)
    }

    @Test func anchorsMeanTheWholeValue() throws {
        let anchored = set("^a", "a$", "\\Ab", "b\\z", "\\\\Abc")
        #expect(try found(anchored, "a b") == [0, 3])
        #expect(try found(anchored, "b a") == [1, 2])
        #expect(try found(anchored, "x\na\nx") == [])
        #expect(try found(anchored, "x\\Abcx") == [4])
    }

    @Test func takesWhatHyperscanRefuses() throws {
        let set = set("(a|b)\\1", "look(?!ahead)", "plain", "x(?<=ax)", "(unclosed")
        #expect(set.rejected.map(\.index) == [4])
        #expect(try found(set, "aa") == [0])
        #expect(try found(set, "ab") == [])
        #expect(try found(set, "lookahead") == [])
        #expect(try found(set, "lookbehind plain") == [1, 2])
        #expect(try found(set, "ax") == [3])
        #expect(try found(set, "bx") == [])
    }

    @Test func slowPatternsAreTriedOneByOne() throws {
        // An anchor in the middle is beyond Hyperscan even as an approximation.
        let set = set("x*", "(?:foo|^)bar$")
        #expect(set.rejected.isEmpty)
        #expect(!set.slow.isEmpty)
        #expect(try found(set, "bar") == [0, 1])
        #expect(try found(set, "xbar") == [0])
    }

    @Test func proposesForEveryValueOfAJoinedText() throws {
        // The first match of `a[^x]*b` runs from the first into the second value; the one in the third is not hidden.
        let set = set("a[^x]*b", "(?:foo|^)bar$")
        let values = ["a", "b", "aab", "bar", "abar", "foobar"]
        let text = Array((values.joined(separator: "\n") + "\n").utf8)
        var candidates: [PatternMatch] = []
        try set.propose(in: text.rawSpan, into: &candidates)
        let lines = Set(
            candidates.map { match in
                "\(match.id) \(values[text[..<(match.end - 1)].filter { $0 == 10 }.count])"
            })
        #expect(lines.isSuperset(of: ["0 aab", "0 abar", "1 bar", "1 foobar"]))
        let value = Array("aab".utf8)
        #expect(try set.firstMatch(of: 0, in: value.rawSpan) == 0..<3)
        #expect(try set.firstMatch(of: 1, in: value.rawSpan) == nil)
        #expect(try set.firstMatch(of: 99, in: value.rawSpan) == nil)
    }

    @Test func explodingExpressionsAreNamed() throws {
        let set = set("(a+)+\\b\\B$", "b")
        var exploded: [Int] = []
        let text = Array((String(repeating: "a", count: 64) + "b").utf8)
        let found = try set.matches(in: text.rawSpan, exploded: &exploded).map(\.index)
        #expect(found == [1])
        #expect(exploded == [0])
    }
}
