import Pipeline
import PipelineTesting
import Testing

// What a trace says of stages whose behaviour is known.

private let line = RecordType("log line", module: "LogScan")

// Types by the first letter, parts between bars as children, lines as records.
private struct Typer: Stage {
    static let descriptor = StageDescriptor(name: "typer", summary: "Types.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        out.classify(FileKind(String(sample.bytes.span.utf8Text.prefix(1))))
    }
}

private struct Parts: Stage {
    static let descriptor = StageDescriptor(name: "parts", summary: "Parts of P.", interest: .kinds("P"))

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        for (index, part) in sample.bytes.span.utf8Text.dropFirst().split(separator: "|").enumerated() {
            try out.extract(Child(name: "\(index)", bytes: Bytes(utf8: String(part)), method: "BAR"))
        }
    }
}

private struct Lines: Stage {
    static let descriptor = StageDescriptor(name: "lines", summary: "Lines of L.", interest: .kinds("L"))

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        for text in sample.bytes.span.utf8Text.split(separator: ",") {
            try out.emit(line, offset: 0) { $0.field("line", String(text)) }
        }
        throw StageError(.damaged, "the end is missing", offset: 7)
    }
}

private struct Judge: Stage {
    static let descriptor = StageDescriptor(name: "judge", summary: "Judges records.", interest: .records)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        for record in 0..<records.count {
            out.report(Reason(summary: "a line", signature: Signature(kind: .heuristic, score: 70)), record: record)
        }
    }
}

// Cuts a sample in pieces of four bytes and reports those with an x.
private struct Slicer: Stage {
    static let descriptor = StageDescriptor(
        name: "slicer", summary: "Slices of S.", interest: .kinds("S").andSlices)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.slice(SlicePlan(size: 4, overlap: 1, module: "DumpScan"))
    }

    func inspect(_ slice: Slice, of sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        guard slice.bytes.span.firstOffset(of: [0x78]) != nil else { return }
        out.report(Reason(summary: "an x", signature: Signature(kind: .heuristic, score: 50)))
        try out.extract(Child(name: "x", bytes: Bytes(utf8: "child"), method: "CUT"))
    }
}

struct SampleTraceTests {
    private let chain = Chain(Typer()).appending(Parts()).appending(Lines()).appending(Slicer()).appending(Judge())

    private func trace(_ text: String) -> (report: Report, trace: SampleTrace) {
        chain.explain(Sample(path: "top", bytes: Bytes(utf8: text)))
    }

    @Test func everyStageSaysWhyItWasCalledOrNot() throws {
        let (report, top) = trace("PL1,2,3|Q")
        #expect(top.path == "top" && top.size == 9 && top.kind == FileKind("P") && top.depth == 0)
        #expect(top.sha256 == Digests(of: Bytes(utf8: "PL1,2,3|Q")).sha256)
        #expect(top.steps.map(\.stage) == ["typer", "parts", "lines", "slicer", "judge"])
        #expect(top.steps.map(\.isRun) == [true, true, false, false, false])
        #expect(
            top.steps.map(\.why) == [
                "looks at every sample", "looks at files of type P", "looks at files of type L",
                "looks at files of type S", "looks at records",
            ])
        #expect(top.steps[0].kind == FileKind("P") && top.steps[1].children == 2)
        #expect(top.children.map(\.path) == ["top/0", "top/1"] && top.children.map(\.unpackMethod) == ["BAR", "BAR"])

        let lines = top.children[0]
        #expect(lines.steps.map(\.isRun) == [true, false, true, false, true])
        #expect(lines.steps[2].records == ["log line": 3])
        #expect(lines.steps[4].recordsSeen == 3 && lines.steps[4].reasonCount == 3 && lines.steps[4].calls == 0)
        #expect(lines.findings.count == 4)
        #expect(lines.issues.map(\.message) == ["the end is missing"] && lines.issues[0].offset == 7)
        #expect(top.children[1].steps.map(\.isRun) == [true, false, false, false, false])
        #expect(report.samples == 3)
    }

    @Test func theReportIsThatOfAScan() {
        for text in ["PL1,2|L3|PQ", "Sx--x--x--", ""] {
            var explained = trace(text).report
            var scanned = chain.scan(Sample(path: "top", bytes: Bytes(utf8: text)))
            for index in explained.stages.indices { explained.stages[index].nanoseconds = 0 }
            for index in scanned.stages.indices { scanned.stages[index].nanoseconds = 0 }
            #expect(explained == scanned)
        }
    }

    @Test func whatHappenedInSlicesIsToldOfTheSample() throws {
        let (report, top) = trace("S--x---x--")
        let slicer = top.steps[3]
        #expect(slicer.slicesSeen == 3 && slicer.calls == 1)
        #expect(slicer.children == top.children.count && top.children.count == report.samples - 1)
        #expect(slicer.reasonCount >= 2 && top.children.allSatisfy { $0.unpackMethod == "CUT" && $0.path == "top/x" })
    }

    @Test func moreSamplesThanTheLimitAreCounted() {
        let members = SampleTrace.sampleLimit / 2
        let half = "P" + String(repeating: "Q|", count: members - 1)
        var limits = Limits()
        limits.childrenPerSample = .max
        let nested = Chain(Typer()).appending(Thrice(text: half)).appending(Parts())
        let (report, trace) = nested.explain(Sample(path: "top", bytes: Bytes(utf8: "T")), limits: limits)
        #expect(report.samples == 4 + 3 * (members - 1))
        func listed(_ trace: SampleTrace) -> Int { 1 + trace.children.reduce(0) { $0 + listed($1) } }
        func omitted(_ trace: SampleTrace) -> Int { trace.omitted + trace.children.reduce(0) { $0 + omitted($1) } }
        #expect(listed(trace) == SampleTrace.sampleLimit)
        #expect(omitted(trace) > 0 && listed(trace) + omitted(trace) <= report.samples)
    }
}

// Makes three equal children of T.
private struct Thrice: Stage {
    static let descriptor = StageDescriptor(name: "thrice", summary: "Children of T.", interest: .kinds("T"))
    let text: String

    init(text: String) { self.text = text }
    init(options: NoOptions, environment: StageEnvironment) { text = "" }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        for index in 0..<3 { try out.extract(Child(name: "\(index)", bytes: Bytes(utf8: text), method: "T")) }
    }
}
