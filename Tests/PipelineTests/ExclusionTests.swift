import Pipeline
import PipelineTesting
import Testing

private let line = RecordType("log line", module: "LogScan")

// Gives one reason of each kind against the sample, and the heuristic against a record of it.
private struct Accuser: Stage {
    static let heuristic = Heuristic("OddThing", score: 60, "A thing is odd", tags: ["T1000"])
    static let descriptor = StageDescriptor(
        name: "accuser", summary: "Reports everything.", interest: .samples, heuristics: [heuristic])

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        for (kind, name) in [(Signature.Kind.filename, "Title"), (.yara, "BadRule"), (.sigma, "Bad title")] {
            out.report(
                Reason(summary: name, signature: Signature(kind: kind, score: 50, ruleName: name, id: "id-" + name)))
        }
        out.report(Self.heuristic.reason("x", at: "/path"))
        try out.emit(line, offset: 0) { builder in
            builder.field("line", "x")
            builder.report(Self.heuristic.reason("x", at: line.pointer(to: "line")))
        }
    }
}

@Suite struct ExclusionTests {
    private func names(without excluded: [String]) throws -> [String] {
        let environment = StageEnvironment(exclusions: Exclusions(excluded))
        let chain = try StageRegistry([Accuser.self]).makeChain(
            ChainConfiguration(name: "c", file: "f", stages: [StageConfiguration(name: "accuser")]),
            environment: environment)
        return chain.scan(Sample(path: "x", bytes: Bytes(utf8: "x"))).findings.flatMap(\.reasons).map {
            $0.signature.ruleName
        }
    }

    @Test func reasonsAreDroppedByKindNameAndId() throws {
        let all = ["OddThing", "Title", "BadRule", "Bad title", "OddThing"]
        #expect(try names(without: []) == all)
        #expect(try names(without: ["oddthing"]) == ["Title", "BadRule", "Bad title"])
        #expect(try names(without: ["BadRule", "id-Bad title"]) == ["OddThing", "Title", "OddThing"])
        #expect(try names(without: ["filename"]) == ["OddThing", "BadRule", "Bad title", "OddThing"])
        #expect(try names(without: ["Filename IOC"]) == ["OddThing", "BadRule", "Bad title", "OddThing"])
        // The title of a list is no name of a rule.
        #expect(try names(without: ["Title"]) == all)
    }

    @Test func stagesLeaveTheChain() {
        let error = #expect(throws: ConfigurationError.self) { try names(without: ["accuser"]) }
        #expect(error?.description == "--exclude leaves no stage of chain 'c'")
    }

    @Test func unknownNamesComeWithTheNearest() {
        let known = ["WebShell_One", "WebShell_Two", "sigma"]
        let unknown = Exclusions(["WebShel_One", "sgima", "hash", "SIGMA", "two", "xyzzy"]).unknown(among: known)
        #expect(unknown.map(\.name) == ["WebShel_One", "sgima", "two", "xyzzy"])
        #expect(unknown.map(\.near) == [["WebShell_One"], ["sigma"], ["WebShell_Two"], []])
    }

    @Test func aHeuristicIsItsReason() {
        let reason = Accuser.heuristic.reason("x", at: "/path")
        #expect(reason.summary == "A thing is odd")
        #expect(reason.signature.kind == .heuristic)
        #expect(reason.signature.tags == ["T1000"])
        #expect(reason.subscore == 60)
    }
}
