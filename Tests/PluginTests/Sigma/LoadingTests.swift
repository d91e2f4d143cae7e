import Pipeline
import PipelineTesting
import Testing

@testable import Sigma

@Suite("Rule files")
struct LoadingTests {
    private static let good = rule("selection:\n  F: x\ncondition: selection", title: "Good")

    private func messages(_ text: String) throws -> [String] {
        try load(text).diagnostics.problems.map(\.description)
    }

    @Test func oneBrokenDocumentCostsOnlyItself() throws {
        let file =
            Self.good + "---\ntitle: Broken\n  indent: [\n---\n" + rule("a:\n  F: y\ncondition: a", title: "Also")
        let loaded = try load(file)
        #expect(loaded.diagnostics.summaries.map(\.name) == ["Good", "Also"])
        #expect(loaded.diagnostics.problems.count == 1)
        #expect(loaded.diagnostics.problems.first?.line == 10)
        #expect(loaded.fires(["F": "y"]))
    }

    static let unusable: [(String, String)] = [
        ("detection: {a: {F: x}, condition: a}", "has no title"),
        ("title: T\ndetection: {a: {F: x}, condition: a}", "has no logsource"),
        ("title: T\nlogsource: {product: windows}", "has no detection"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F: x}}", "has no condition"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F: x}, condition: b}", "names 'b'"),
        (
            "title: T\nlogsource: {product: windows}\ndetection: {a: {F|frob: x}, condition: a}",
            "unknown modifier 'frob'"
        ),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F|re: '('}, condition: a}", "no regular expression"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F|cidr: x}, condition: a}", "no network"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F|gt: x}, condition: a}", "no number"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F|exists: x}, condition: a}", "true or false"),
        (
            "title: T\nlogsource: {product: windows}\ndetection: {a: {F|expand: '%x%'}, condition: a}",
            "placeholder '%x%'"
        ),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F|i: x}, condition: a}", "after 're' only"),
        (
            "title: T\nlogsource: {product: windows}\ndetection: {a: {F|base64: 'a*'}, condition: a}",
            "cannot be encoded"
        ),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F|re|cidr: x}, condition: a}", "cannot be two of"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F: [[x]]}, condition: a}", "no text or number"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: {F: []}, condition: a}", "no values"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: [], condition: a}", "identifier is empty"),
        ("title: T\nlogsource: {product: windows}\ndetection: {a: [''], condition: a}", "keyword is empty"),
        ("title: T\nlevel: huge\nlogsource: {product: windows}\ndetection: {a: {F: x}, condition: a}", "unknown level"),
        ("title: T\nstatus: unsupported\nlogsource: {product: windows}", "marks the rule as unsupported"),
        ("title: T\ntitle: U", "the same key twice"),
        ("just text", "not a rule"),
        ("a: &x [*x]", "not YAML"),
        ("a: *nowhere", "not YAML"),
        (String(repeating: "[", count: 3_000), "not YAML"),
        (String(repeating: "- ", count: 500) + "x", "nested more than"),
        ("mapping: {}", "list of logsources"),
        ("mapping: [{logsource: {product: x}, records: [{type: y, form: z}]}]", "unknown form"),
        ("mapping: [{logsource: {product: x}, records: [{colour: y}]}]", "unknown key 'colour'"),
    ]

    @Test(arguments: unusable)
    func whatCannotBeUsedIsExplained(_ text: String, _ reason: String) throws {
        let loaded = try load(text, Self.good)
        let problems = loaded.diagnostics.problems
        #expect(problems.count == 1)
        #expect(problems.first?.message.contains(reason) == true, "\(problems)")
        #expect(problems.first?.file == "sigma/0.yml")
        #expect(problems.first?.line != nil)
        #expect(loaded.diagnostics.summaries.map(\.name) == ["Good"])
    }

    @Test func anchorsAreExpandedButNotWithoutEnd() throws {
        let shared = "list: &l [x, y]\n" + rule("selection:\n  F: *l\ncondition: selection")
        #expect(try load(shared).fires(["F": "y"]))
        var laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1...9 {
            laughs +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",") + "]\n"
        }
        #expect(try messages(laughs).first?.contains("too many aliases") == true)
        var steps = "a0: &a0 [x,x,x,x,x,x,x,x]\n"
        for level in 1...7 {
            steps +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 8).joined(separator: ",") + "]\n"
        }
        #expect(try messages(steps).first?.contains("anchors expanded") == true)
    }

    @Test func hugeDocumentsAreRefused() throws {
        let text = Self.good + "---\ntitle: " + String(repeating: "x", count: YAMLDocument.documentLimit) + "\n"
        let loaded = try load(text)
        #expect(loaded.diagnostics.problems.map(\.line) == [8])
        #expect(loaded.diagnostics.summaries.map(\.name) == ["Good"])
    }

    @Test func encodingsOfTheWorldAreRead() throws {
        func stage(_ bytes: [UInt8]) throws -> Loaded {
            try load(files: [SignatureFile(path: "sigma/a.yml", kind: .sigma, bytes: Bytes(bytes))])
        }
        let text = Array(Self.good.utf8)
        #expect(try stage([0xEF, 0xBB, 0xBF] + text).fires(["F": "x"]))
        #expect(
            try stage([0xFF, 0xFE] + Self.good.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }).fires(["F": "x"]))
        #expect(try stage(text.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }).fires(["F": "x"]))
        let latin = try stage(Array("description: caf".utf8) + [0xE9, 0x0A] + text)
        #expect(latin.fires(["F": "x"]))
        #expect(latin.diagnostics.problems.map(\.isRejected) == [false])
        #expect(try stage([]).diagnostics.problems.isEmpty)
        #expect(try stage(Array("# only a comment\n---\n\n...\n".utf8)).diagnostics.problems.isEmpty)
    }

    @Test func thresholdAndExclusionsHoldBack() throws {
        let low = Self.good.replacing("level: high", with: "level: low").replacing("Good", with: "Low")
        let both = try load(Self.good, low, threshold: .medium)
        #expect(both.diagnostics.summaries.map(\.name) == ["Good"])
        #expect(both.diagnostics.problems.map(\.message) == ["1 rules are below the threshold medium and not used"])
        let none = try load(Self.good, low, exclude: ["GOOD", "low"])
        #expect(none.diagnostics.summaries.isEmpty)
        #expect(!none.fires(["F": "x"]))
    }

    @Test func theSameIdTwiceIsNamed() throws {
        let text = "id: abc\n" + Self.good
        let loaded = try load(text, text)
        #expect(
            loaded.diagnostics.problems.map(\.description) == [
                "sigma/1.yml:1: 'Good': the id abc is that of the rule in sigma/0.yml:1"
            ])
        #expect(loaded.titles([record(["F": "x"])]) == [["Good"]])
    }

    @Test func collectionsShareWhatIsGlobal() throws {
        let loaded = try load(
            """
            action: global
            title: Shared
            logsource: {product: windows}
            detection:
                condition: selection
            ---
            detection:
                selection: {F: x}
            ---
            title: Second
            detection:
                selection: {F: y}
            ---
            action: repeat
            title: Third
            """)
        #expect(loaded.diagnostics.summaries.map(\.name) == ["Shared", "Second", "Third"])
        let titles = loaded.titles([record(["F": "x"], index: 0), record(["F": "y"], index: 1)])
        #expect(titles == [["Shared"], ["Second", "Third"]])
    }

    @Test func summariesTellKindScoreAndTags() throws {
        let loaded = try load("tags: [attack.t1059]\n" + Self.good)
        #expect(
            loaded.diagnostics.summaries == [
                SignatureSummary(kind: .sigma, name: "Good", score: 70, tags: ["ATTACK.T1059"], file: "sigma/0.yml")
            ])
    }

    @Test func scoresFollowTheLevel() {
        #expect(SigmaLevel.allCases.map(\.score) == [20, 40, 50, 70, 100])
    }
}
