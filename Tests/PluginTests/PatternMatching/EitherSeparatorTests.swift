import Pipeline
import Testing

@testable import PatternMatching

// Whatever an expression finds in a text with `/` and `\` exchanged, the wider one is to find in the text itself.
@Suite struct EitherSeparatorTests {
    private func wider(_ expression: String) -> String? {
        withEitherSeparator(Array(expression.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func separatorsTakeBothForms() {
        #expect(wider(#"\\temp\\a\.exe$"#) == #"[/\\]temp[/\\]a\.exe$"#)
        #expect(wider("/dev/shm") == #"[/\\]dev[/\\]shm"#)
        #expect(wider(#"\/a"#) == #"[/\\]a"#)
        #expect(withEitherSeparator(literal: Array(#"a/b.c"#.utf8)) == Array(#"a[/\\]b\x2ec"#.utf8))
    }

    @Test func classesTakeTheOtherOneAlong() {
        #expect(wider(#"[\\:]x"#) == #"[/\\:]x"#)
        #expect(wider("[a-z]") == "[a-z]")
        #expect(wider("[a-zA-z]") == #"[/\\a-zA-z]"#)
        #expect(wider("[]/]") == #"[/\\\]]"#)
        #expect(wider("[/-]") == #"[/\\\-]"#)
    }

    @Test func negatedClassesLetItThrough() {
        #expect(wider(#"[^\\"]+"#) == #"[^"]+"#)
        #expect(wider(#"[^\\/]"#) == #"[^/\\]"#)
        #expect(wider(#"[^\\]"#) == "(?s:.)")
        #expect(wider("[^s]") == "[^s]")
    }

    @Test(arguments: ["[^A-z]", #"\x5ca"#, #"a(?!\\b)"#, #"\Qa\b\E"#, "[[:alpha:]]", #"[\w-.]"#, "[a"])
    func whatIsNotUnderstoodIsRefused(_ expression: String) {
        #expect(wider(expression) == nil)
    }

    @Test func setsProposeForBothForms() throws {
        let expressions = [
            #"\\temp\\[^\\]+\.exe"#, "/dev/shm/", #"a(?!\\b)"#, #"x\x5cy"#, #"[Cc]:\\$Recycle\.Bin"#, #"[^/]z\\"#,
        ]
        let set = PatternSet(expressions.map { Pattern(id: 0, regex: $0, flags: .eitherSeparator) })
        #expect(set.rejected.isEmpty)
        // Those without a text of six letters that could be searched for instead.
        #expect(set.slow.map(\.index).sorted() == [2, 3])
        for text in [
            "\\temp\\a.exe", "/dev/shm/x", "a\\b ab", "x\\y", "+z/", "\\z\\", "/temp/a/b.exe", "c:/$Recycle.Bin",
        ] {
            let plain = Array(text.utf8)
            let exchanged = withSeparatorsExchanged(plain.rawSpan)
            for value in [plain, exchanged] {
                var candidates: [PatternMatch] = []
                try set.propose(in: value.rawSpan, into: &candidates)
                for index in expressions.indices {
                    let first = try set.firstMatch(of: index, in: plain.rawSpan)
                    let second = try set.firstMatch(of: index, in: exchanged.rawSpan)
                    if first == nil, second == nil { continue }
                    #expect(candidates.contains { $0.id == index }, "\(expressions[index]) in \(text)")
                }
            }
        }
    }
}
