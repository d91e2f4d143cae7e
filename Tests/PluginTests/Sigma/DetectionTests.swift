import Pipeline
import PipelineTesting
import Testing

@testable import Sigma

@Suite("Detections")
struct DetectionTests {
    static let identifiers: [(String, KeyValuePairs<String, String>, Bool)] = [
        ("selection:\n  Image: a\n  User: b", ["Image": "a", "User": "B"], true),
        ("selection:\n  Image: a\n  User: b", ["Image": "a"], false),
        ("selection:\n  - Image: a\n  - User: b", ["User": "b"], true),
        ("selection:\n  Image: [a, b]", ["Image": "b"], true),
        ("selection:\n  Image: [a, b]", ["Image": "c"], false),
        ("selection:\n  Image|contains|all: [a, b]", ["Image": "b-a"], true),
        ("selection:\n  Image|contains|all: [a, b]", ["Image": "a-c"], false),
        // null, empty, wildcards alone
        ("selection:\n  Image: null", ["User": "x"], true),
        ("selection:\n  Image: null", ["Image": ""], true),
        ("selection:\n  Image:", ["Image": "x"], false),
        ("selection:\n  Image: ''", ["Image": ""], true),
        ("selection:\n  Image: ''", ["User": "x"], false),
        ("selection:\n  Image: [null, x]", ["Image": "x"], true),
        ("selection:\n  Image: '*'", ["Image": "anything"], true),
        ("selection:\n  Image: '*'", ["User": "anything"], false),
        ("selection:\n  Image: 'null'", ["Image": "null"], true),
        // numbers and booleans compare as text
        ("selection:\n  EventID: 4688", ["EventID": "4688"], true),
        ("selection:\n  EventID: 4688", ["EventID": "46880"], false),
        ("selection:\n  Initiated: true", ["Initiated": "True"], true),
        ("selection:\n  Mask: 0x1400", ["Mask": "0x1400"], true),
        ("selection:\n  Mask: '0x1400'", ["Mask": "5120"], false),
        // field names in either case, also as upper-case JSON names
        ("selection:\n  IMAGE: a", ["Image": "a"], true),
        // keywords
        ("selection:\n  - evil\n  - bad", ["Any": "some EVIL thing"], true),
        ("selection:\n  - evil\n  - bad", ["Any": "good"], false),
        ("selection:\n  - 'ev*l'", ["Any": "the evil one"], true),
        ("selection:\n  '|all': [evil, bad]", ["One": "evil", "Two": "bad"], true),
        ("selection:\n  '|all': [evil, bad]", ["One": "evil"], false),
        ("selection:\n  - evil\n  - Image: x", ["Image": "x"], true),
        ("selection: evil", ["Any": "evil"], true),
        ("selection:\n  '|re': 'e.il$'", ["Any": "an evil"], true),
        ("selection:\n  - 4711", ["Any": "code 4711 here"], true),
    ]

    @Test(arguments: identifiers)
    func holds(_ identifiers: String, _ fields: KeyValuePairs<String, String>, _ expected: Bool) throws {
        let loaded = try load(rule(identifiers + "\ncondition: selection"))
        #expect(loaded.diagnostics.problems.isEmpty)
        #expect(loaded.fires(fields) == expected)
    }

    static let items: [(String, String, Bool)] = [
        // item, value, whether it matches
        ("F|contains: b", "abc", true), ("F|contains: x", "abc", false), ("F|startswith: ab", "ABC", true),
        ("F|startswith: b", "abc", false), ("F|endswith: BC", "abc", true), ("F|endswith: b", "abc", false),
        ("F|contains: 'a*d'", "xabcdx", true), ("F|endswith: '\\cmd.exe'", "C:\\Windows\\cmd.exe", true),
        ("F|re: 'a.c'", "xabcx", true), ("F|re: 'A.c'", "xabcx", false), ("F|re|i: 'A.c'", "xabcx", true),
        ("F|re: '^b'", "a\nb", false), ("F|re|m: '^b'", "a\nb", true), ("F|re: 'a.b'", "a\nb", false),
        ("F|re|s: 'a.b'", "a\nb", true), ("F|re|i|m|s: '^A.B$'", "x\na\nb", true), ("F|re: '^.{4}$'", "äöüß", true),
        ("F|re: '(?i)EVIL'", "evil", true), ("F|re: '^(?!abc).*x'", "zzx", true),
        ("F|re: '^(?!abc).*x'", "abcx", false),
        ("F|re: '^$'", "", true), ("F|re: '(a)\\1'", "xaa", true),
        ("F|cidr: 10.0.0.0/8", "10.20.30.40", true), ("F|cidr: 10.0.0.0/8", "11.0.0.1", false),
        ("F|cidr: [10.0.0.0/8, '::1/128']", "::1", true),
        ("F|base64: foobar", "Zm9vYmFy", true), ("F|base64|contains: foobar", "xxZm9vYmFyxx", true),
        ("F|base64: foob", "Zm9vYg==", true),
        ("F|base64offset|contains: foobar", "xZvb2Jhcx", true), ("F|base64offset|contains: foobar", "Zm9vYmFy", true),
        ("F|base64offset|contains: foobar", "mb29iYX", true), ("F|base64offset|contains: foobar", "Zm9v", false),
        ("F|wide|base64offset|contains: ping", "xcABpAG4AZwx", true),
        ("F|utf16le|base64|contains: ping", "cABpAG4AZwA=", true),
        ("F|utf16be|base64|contains: ping", "AHAAaQBuAGc=", true),
        ("F|utf16|base64|contains: ping", "//5wAGkAbgBnAA==", true),
        ("F|contains|windash: ' -enc '", "x /enc y", true), ("F|contains|windash: ' -enc '", "x \u{2013}enc y", true),
        ("F|contains|windash: ' -enc '", "x +enc y", false), ("F|endswith|windash: '-a'", "x /a", true),
        ("F|exists: true", "x", true), ("F|exists: false", "x", false), ("G|exists: false", "x", true),
        ("G|exists: true", "x", false),
        ("F|lt: 10", "9", true), ("F|lt: 10", "10", false), ("F|lte: 10", "10", true), ("F|gt: 10", "0x10", true),
        ("F|gt: 10", "9", false), ("F|gte: 1.5", "1.5", true), ("F|gt: 10", "eleven", false),
        ("F|cased: AbC", "AbC", true), ("F|cased: AbC", "abc", false), ("F|contains|cased: bC", "AbCd", true),
        ("F|neq: a", "b", true), ("F|neq: a", "A", false),
        ("F|hour: 7", "2024-05-06T07:08:09Z", true), ("F|day: 6", "2024-05-06 07:08:09", true),
        ("F|month: 6", "2024-05-06T07:08:09Z", false), ("F|year|gte: 2024", "2024-05-06T07:08:09Z", true),
        ("F|week: 53", "2021-01-03T00:00:00Z", true), ("F|week: 1", "2021-01-04T00:00:00Z", true),
        ("F|minute|lt: 9", "2024-05-06T07:08:09Z", true),
        ("F|expand: '%admins%'", "root", true), ("F|expand|startswith: 'x%admins%'", "xadministrator1", true),
        ("F|expand: '%admins%'", "guest", false), ("F|contains: '%admins%'", "a%admins%b", true),
        ("F|contains: Ж", "xжx", true), ("F|contains: ЖЗ", "xжЗx", true), ("F|contains: '🤷🏼'", "x🤷🏼y", true),
        // several at once, in any order that has a meaning
        ("F|contains|all|windash: [' -a ', ' -b ']", "x /a -b y", true),
        ("F|contains|all|windash: [' -a ', ' -b ']", "x /a +b y", false),
        ("F|windash|contains: ' -a '", "x \u{2015}a y", true), ("F|all|contains: [a, b]", "ba", true),
        ("F|contains|cased|all: [A, b]", "bA", true), ("F|contains|cased|all: [A, b]", "ba", false),
        ("F|re|all: ['^a', 'z$']", "abcz", true), ("F|re|all: ['^a', 'z$']", "abc", false),
        ("F|base64offset|contains: 'a\\*b'", "xYSpieA==", true), ("F|gt|all: [1, 5]", "4", false),
        ("F|utf16|contains: ab", "x\u{FEFF}a\u{0}b\u{0}", false),
        ("F|cidr: 'fe80::/10'", "fe80::1", true), ("F|cidr: 192.0.2.0/24", "192.0.2.77", true),
        ("F|cidr: 192.0.2.0/24", "192.0.2.077x", false), ("F|neq: [a, b]", "b", false), ("F|neq: [a, b]", "c", true),
        ("F|lt: -1", "-2", true), ("F|gte: 0x10", "16", true),
        // wildcards and escapes
        ("F: 'a\\*b'", "a*b", true), ("F: 'a\\*b'", "axb", false), ("F: 'a\\?b'", "a?b", true),
        ("F: 'a\\?b'", "axb", false), ("F: 'a\\\\*'", "a\\xyz", true), ("F: 'a\\\\*'", "axyz", false),
        ("F: 'a\\b'", "a\\b", true), ("F: '\\\\\\\\host'", "\\\\host", true), ("F: 'a?c*'", "abcdef", true),
        ("F: 'a?c*'", "acdef", false), ("F|contains: 'a\\*b'", "xa*by", true), ("F|startswith: 'a*c'", "abbcd", true),
        ("F: ab", "AB", true), ("F: '?'", "x", true), ("F: '?'", "xy", false), ("F|startswith: '-'", "-x", true),
    ]

    @Test(arguments: items)
    func modifiers(_ item: String, _ value: String, _ expected: Bool) throws {
        let loaded = try load(
            rule("selection:\n  " + item + "\ncondition: selection"),
            "placeholders:\n  admins: [root, administrator?]\n")
        #expect(loaded.diagnostics.problems.isEmpty)
        #expect(loaded.fires(["F": value]) == expected)
        // The same among other records: what the search proposes must not depend on neighbours.
        let three = [
            record(["F": "\n"], index: 0), record(["F": value], index: 1), record(["F": value + "#"], index: 2),
        ]
        #expect(loaded.titles(three)[1].isEmpty != expected)
    }

    static let comparisons: [(String, String, String, Bool)] = [
        ("F|fieldref: G", "abc", "ABC", true), ("F|fieldref: G", "abc", "abd", false),
        ("F|fieldref|startswith: G", "abc", "ab", true), ("F|endswith|fieldref: G", "abc", "bc", true),
        ("F|fieldref|contains: G", "abc", "b", true), ("F|fieldref|cased: G", "abc", "ABC", false),
        ("F|fieldref: G", "a*c", "abc", false),
    ]

    @Test(arguments: comparisons)
    func fieldsAreCompared(_ item: String, _ value: String, _ other: String, _ expected: Bool) throws {
        let loaded = try load(rule("selection:\n  " + item + "\ncondition: selection"))
        #expect(loaded.fires(["F": value, "G": other]) == expected)
        #expect(!loaded.fires(["F": value]))
    }

    // What Hyperscan does not take is looked for all the same.
    @Test func textsThatCannotBeSearchedForAreFound() throws {
        let long = String(repeating: "Long text, ", count: 900)
        let regex = String(repeating: "(?:a|b)", count: 3_000)
        let loaded = try load(
            rule("selection:\n  F|contains: '\(long)'\ncondition: selection", title: "Text"),
            rule("selection:\n  F|contains: 'ä\(long)'\ncondition: selection", title: "Letters"),
            rule("selection:\n  - '\(long)'\ncondition: selection", title: "Keyword"),
            rule("selection:\n  F|re: 'x(?=y)\\K(?<n>y)\\k<n>?'\ncondition: selection", title: "Expression"))
        #expect(loaded.diagnostics.problems.isEmpty)
        let titles = loaded.titles([
            record(["F": "x" + long.uppercased() + "x"], index: 0), record(["F": "Ä" + long], index: 1),
            record(["F": String(long.dropLast(2))], index: 2), record(["F": "xy"], index: 3),
        ])
        #expect(titles == [["Keyword", "Text"], ["Keyword", "Letters", "Text"], [], ["Expression"]])
        // One that is too large for the search costs no other rule.
        let both = try load(
            rule("selection:\n  F|re: '^\(regex)$'\ncondition: selection", title: "Large"),
            rule("selection:\n  F: x\ncondition: selection", title: "Small"))
        #expect(both.diagnostics.problems.isEmpty)
        let sizes = [record(["F": String(repeating: "ab", count: 1_500)], index: 0), record(["F": "x"], index: 1)]
        #expect(both.titles(sizes) == [["Large"], ["Small"]])
    }

    // As many kinds of records as a hostile log can name: each is judged for itself, and memory stays small.
    @Test func anyNumberOfChannelsAndFieldsIsTaken() throws {
        let loaded = try load(
            rule("selection:\n  Channel|startswith: 'c'\n  Odd7: x\ncondition: selection"))
        var records: [RecordSubject] = []
        for index in 0..<20_000 {
            records.append(
                RecordSubject(
                    type: .event, offset: index,
                    fields: [
                        .init(key: "Channel", value: index == 19_999 ? "c" : "d\(index)"),
                        .init(key: "EventID", value: "id \(index)"), .init(key: "Odd\(index % 3_000)", value: "y"),
                        .init(key: "odd7", value: index % 2 == 0 ? "y" : "x"),
                    ]))
        }
        let found = match(loaded.stage, records: records + records).findings.filter { !$0.reasons.isEmpty }
        #expect(found.count == 2)
    }

    @Test func repeatedFieldsAreAlternatives() throws {
        let loaded = try load(rule("selection:\n  Data|contains: two\n  Other: null\ncondition: selection"))
        #expect(loaded.fires(["Data": "one", "Data": "two"]))
        #expect(!loaded.fires(["Data": "one", "Data": "three"]))
    }

    @Test func atLeastCountsIdentifiers() throws {
        let loaded = try load(rule("a:\n  F: x\nb:\n  G: y\nc:\n  H: z\ncondition: 2 of them"))
        #expect(loaded.fires(["F": "x", "H": "z"]))
        #expect(!loaded.fires(["F": "x", "H": "y"]))
    }

    @Test func negationNeedsNoTrigger() throws {
        let loaded = try load(rule("filter:\n  F: x\ncondition: not filter"))
        #expect(loaded.fires(["F": "y"]))
        #expect(!loaded.fires(["F": "x"]))
    }

    @Test func severalConditionsAreAlternatives() throws {
        let loaded = try load(rule("a:\n  F: x\nb:\n  G: y\ncondition:\n  - a\n  - b"))
        #expect(loaded.fires(["G": "y"]))
        #expect(!loaded.fires(["G": "x"]))
    }

    @Test func aReasonShowsWhatMatched() throws {
        let loaded = try load(
            """
            title: Odd service
            id: 5f1abf38-0000-4000-8000-000000000001
            description: A service with an odd name
            author: A. Nalyst
            date: 2024/03/05
            references: [https://example.org/report]
            tags: [attack.t1543.003]
            falsepositives: [Tests]
            level: critical
            logsource: {product: windows, service: system}
            detection:
                selection:
                    EventID: 7045
                    ServiceName|contains: [evil, bad]
                words: [payload]
                filter: {ServiceName: good}
                condition: selection and words and not filter
            """)
        let report = match(
            loaded.stage,
            records: [
                record([
                    "Channel": "System", "EventID": "7045", "ServiceName": "my evil bad one", "a/b": "the payload!",
                ])
            ])
        let finding = try #require(report.findings.first)
        let reason = try #require(finding.reasons.first)
        #expect(finding.score == 100)
        #expect(reason.summary == "Sigma rule Odd service")
        #expect(
            reason.signature
                == Signature(
                    kind: .sigma, score: 100, ruleName: "Odd service", description: "A service with an odd name",
                    author: "A. Nalyst", references: ["https://example.org/report"], date: "2024-03-05",
                    tags: ["ATTACK.T1543.003"], id: "5f1abf38-0000-4000-8000-000000000001",
                    falsePositives: ["Tests"]))
        #expect(
            reason.matched == [
                MatchedText("7045", field: "/entry/EventID"),
                MatchedText("my evil bad one", field: "/entry/ServiceName"),
                MatchedText(data: Array("payload".utf8), context: Array("the payload!".utf8), field: "/entry/a~1b"),
            ])
    }

    // The first expression is one that only PCRE2 takes and that explodes on many values.
    @Test func anExplodingExpressionCostsNoOtherRule() throws {
        let loaded = try load(
            rule("selection:\n  F|re: '^(a|aa)+(?1)$'\ncondition: selection", title: "Bad"),
            rule("selection:\n  F|re: 'ev.l'\ncondition: selection", title: "Good"))
        let bad = String(repeating: "a", count: 40) + "c"
        let values = (0..<30).map { bad + String($0) } + ["evil", "aaa"]
        let report = match(
            loaded.stage, records: values.enumerated().map { record(["F": $0.element], index: $0.offset) })
        let titles = report.findings.flatMap { $0.reasons.map(\.signature.ruleName) }
        #expect(titles == ["Good", "Bad"])
        #expect(report.issues.contains { $0.code == .limit && $0.message.contains("'Bad' took too long") })
    }

    @Test func anExplodingExpressionIsSaid() throws {
        let loaded = try load(
            rule("selection:\n  F|re: '^(a|aa)+$'\n  F|contains: aaaaaaaaaaaaaaac\ncondition: selection"))
        let report = match(loaded.stage, records: [record(["F": String(repeating: "a", count: 40) + "c"])])
        #expect(report.findings.flatMap(\.reasons).isEmpty)
        #expect(report.issues.contains { $0.code == .limit && $0.message.contains("took too long") })
    }
}
