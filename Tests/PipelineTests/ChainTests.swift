import Pipeline
import PipelineTesting
import Synchronization
import Testing

// Stages that do one thing each, to see the runner's promises.

private let line = RecordType("log line", module: "LogScan")

private struct Splitter: Stage {
    static let descriptor = StageDescriptor(
        name: "splitter", summary: "Extracts each part between bars.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let text = sample.bytes.span.utf8Text
        guard text.contains("|") else { return }
        for (index, part) in text.split(separator: "|").enumerated() {
            try out.extract(Child(name: "\(index)", bytes: Bytes(utf8: String(part)), method: "BAR"))
        }
    }
}

private struct Lines: Stage {
    static let descriptor = StageDescriptor(name: "lines", summary: "Emits lines.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        var offset = 0
        for text in sample.bytes.span.utf8Text.split(separator: "\n") {
            try out.emit(line, offset: offset) { builder throws(StageError) in
                builder.field("line", String(text))
                if text == "broken" { throw StageError(.damaged, "line at \(offset) is broken", offset: offset) }
                if text == "cleared" {
                    builder.report(
                        Reason(summary: "cleared", signature: Signature(kind: .heuristic, score: 60)))
                }
            }
            offset += text.utf8.count + 1
        }
    }
}

private struct Finder: Stage {
    static let descriptor = StageDescriptor(
        name: "finder", summary: "Reports samples and records with `evil`.", interest: .samplesAndRecords)
    typealias State = Int

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func makeState() -> Int { 0 }

    func inspect(_ sample: Sample, _ state: inout Int, _ out: inout Output) throws(StageError) {
        state += 1
        if sample.bytes.span.firstOffset(of: Array("evil".utf8)) != nil {
            out.report(Reason(summary: "evil sample", signature: Signature(kind: .keyword, score: 75)))
        }
    }

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout Int, _ out: inout Output
    ) throws(StageError) {
        var position = 0
        while let hit = records.text.firstOffset(of: Array("evil".utf8), from: position) {
            position = hit + 1
            guard let field = records.field(at: hit) else { continue }
            out.report(
                Reason(
                    summary: "evil \(records.keys.name(of: records.key(of: field)))",
                    signature: Signature(kind: .keyword, score: 75)),
                record: records.record(of: field))
        }
    }

    func finish(_ state: consuming Int, _ out: inout Output) throws(StageError) {
        out.report(Reason(summary: "saw \(state) samples", signature: Signature(kind: .heuristic, score: 1)))
    }
}

private struct Failing: Stage {
    static let descriptor = StageDescriptor(name: "failing", summary: "Fails.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        out.report(Reason(summary: "before", signature: Signature(kind: .heuristic, score: 40)))
        throw StageError(.failed, "cannot go on", offset: 7)
    }
}

private struct Looping: Stage {
    static let descriptor = StageDescriptor(
        name: "looping", summary: "Never ends by itself.", interest: .samples, seconds: 0.02)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        while true { try out.checkpoint() }
    }
}

private struct Nesting: Stage {
    static let descriptor = StageDescriptor(
        name: "nesting", summary: "Extracts itself for ever.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.extract(Child(name: "again", bytes: sample.bytes, method: "SELF"))
    }
}

struct ChainTests {
    private func summaries(_ report: Report) -> [String] {
        report.findings.flatMap { finding in
            let name =
                switch finding.subject {
                case .file(let file): file.path
                case .record(let record): "record \(record.offset)"
                case .chunk(let chunk): "chunk \(chunk.range)"
                }
            return finding.reasons.map { "\(name): \($0.summary)" }
        }
    }

    @Test func parentsStandBeforeChildrenAndFinishComesOnce() {
        let chain = Chain(Splitter()).appending(Finder())
        let report = chain.scan(Sample(path: "top", bytes: Bytes(utf8: "evil one|two|evil three")))
        #expect(
            summaries(report) == [
                "top: evil sample", "top: saw 4 samples", "top/0: evil sample", "top/2: evil sample",
            ])
        #expect(report.samples == 4)
        guard case .file(let child)? = report.findings.last?.subject else {
            Issue.record("the last finding is not a file")
            return
        }
        #expect(child.unpackSource == ["BAR"])
        #expect(report.findings.last?.context.first?.relations == [.parent, .topmostAncestor])
    }

    @Test func recordsReachOnlyLaterStagesAndKeepTheirOwner() {
        let sample = Sample(path: "log", bytes: Bytes(utf8: "good\nevil a\nevil b evil\ncleared"))
        let report = Chain(Lines()).appending(Finder()).scan(sample)
        #expect(report.records == 4)
        #expect(
            summaries(report).filter { $0.hasPrefix("record") } == [
                "record 5: evil line", "record 12: evil line", "record 12: evil line", "record 24: cleared",
            ])
        let before = Chain(Finder()).appending(Lines()).scan(sample)
        #expect(!summaries(before).contains { $0.contains("evil line") })
    }

    @Test func aThrowingBuildTakesItsRecordBackAndKeepsTheOthers() {
        let report = Chain(Lines()).appending(Finder()).scan(
            Sample(path: "log", bytes: Bytes(utf8: "evil\nbroken\nevil")))
        #expect(report.records == 1)
        #expect(report.issues.map(\.code) == [.damaged])
        #expect(report.issues.first?.offset == 5)
    }

    @Test func aFailingStageLeavesItsOutputAndTheChainGoesOn() {
        let report = Chain(Failing()).appending(Finder()).scan(Sample(path: "x", bytes: Bytes(utf8: "evil")))
        #expect(summaries(report).contains("x: before"))
        #expect(summaries(report).contains("x: evil sample"))
        #expect(report.issues == [Issue(.failed, stage: "failing", message: "cannot go on", offset: 7)])
        #expect(report.stages.map(\.errors) == [1, 0])
    }

    @Test func aStageThatLoopsIsStoppedAndTheNextOneRuns() {
        let report = Chain(Looping()).appending(Finder()).scan(Sample(path: "x", bytes: Bytes(utf8: "evil")))
        #expect(report.issues.map(\.code) == [.timeout])
        #expect(summaries(report).contains("x: evil sample"))
    }

    @Test func depthIsLimitedAndSaid() {
        let report = Chain(Nesting()).scan(Sample(path: "x", bytes: Bytes(utf8: "a")))
        #expect(report.samples == 9)
        #expect(report.issues.count == 1)
        #expect(report.issues.first?.message.contains("depth limit 8") == true)
    }

    @Test func childrenAndBytesAreLimitedAndSaid() {
        var limits = Limits()
        limits.childrenPerSample = 2
        let many = Sample(path: "x", bytes: Bytes(utf8: "a|b|c|d"))
        let counted = Chain(Splitter()).scan(many, limits: limits)
        #expect(counted.samples == 3)
        #expect(counted.issues.first?.message.contains("limit of 2 members") == true)

        var tight = Limits()
        tight.expandedBytes = 2
        let weighed = Chain(Splitter()).scan(many, limits: tight)
        #expect(weighed.samples == 3)
        #expect(weighed.issues.first?.code == .limit)
    }

    @Test func fullBatchesAreHandedOnWithoutLosingRecords() {
        let text = String(repeating: "evil\n", count: RecordBatch.recordLimit + 10)
        let report = Chain(Lines()).appending(Finder()).scan(Sample(path: "log", bytes: Bytes(utf8: text)))
        #expect(report.records == RecordBatch.recordLimit + 10)
        #expect(report.issues.contains { $0.message.contains("more than 10000 findings in records") })
    }

    @Test func sameInputSameReport() {
        let chain = Chain(Splitter()).appending(Lines()).appending(Finder())
        let sample = Sample(path: "x", bytes: Bytes(utf8: "evil\nb|evil"))
        var first = chain.scan(sample)
        var second = chain.scan(sample)
        for index in first.stages.indices {
            first.stages[index].nanoseconds = 0
            second.stages[index].nanoseconds = 0
        }
        #expect(first == second)
    }

    // The memory of a scan's records serves the next one: nothing of them may be seen there.
    @Test func aScanSeesNothingOfTheOneBefore() {
        let chain = Chain(Lines()).appending(Finder())
        _ = chain.scan(Sample(path: "x", bytes: Bytes(utf8: String(repeating: "evil\ncleared\nbroken\n", count: 1000))))
        let sample = Sample(path: "y", bytes: Bytes(utf8: "good\nevil\ncleared"))
        let fresh = Chain(Lines()).appending(Finder()).scan(sample)
        #expect(summaries(chain.scan(sample)) == summaries(fresh))
        #expect(chain.scan(sample).findings == fresh.findings)
    }

    @Test func conformanceKitAcceptsAGoodStageAndRejectsABadOne() {
        let sample = Array("a|b|c".utf8)
        #expect(!StageConformance(flips: 20).violations(of: Fickle(), sample: sample).isEmpty)
        #expect(StageConformance(flips: 20).violations(of: Careful(), sample: sample).isEmpty)
    }

    @Test func unknownStagesAndOptionsAreNamedWithTheLine() {
        let registry = StageRegistry([Splitter.self, Lines.self])
        func error(_ stages: [StageConfiguration]) -> ConfigurationError? {
            #expect(throws: ConfigurationError.self) {
                _ = try registry.makeChain(
                    ChainConfiguration(name: "mine", file: "chains.yml", stages: stages),
                    environment: StageEnvironment())
            }
        }
        #expect(
            error([StageConfiguration(name: "lins", line: 3)])?.description
                == "chains.yml:3: chain 'mine' names the unknown stage 'lins'; stages are: lines, splitter")
        #expect(
            error([StageConfiguration(name: "lines", line: 3, options: OneKey())])?.description
                == "chains.yml:4: stage 'lines' does not know the option 'speed'; it has none")
        #expect(error([])?.description.contains("has no stages") == true)
    }

    @Test func aChainOfKnownStagesIsBuilt() throws {
        let chain = try StageRegistry([Splitter.self, Lines.self]).makeChain(
            ChainConfiguration(name: "mine", file: "chains.yml", stages: [StageConfiguration(name: "lines")]),
            environment: StageEnvironment())
        #expect(chain.descriptors.map(\.name) == ["lines"])
    }
}

private struct OneKey: OptionSource {
    var keys: [(name: String, line: Int?)] { [("speed", 4)] }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        throw ConfigurationError("not reached")
    }
}

// Says something else each time it is called.
private final class Fickle: Stage {
    static let descriptor = StageDescriptor(name: "fickle", summary: "Counts its calls.", interest: .samples)
    private let calls = Atomic<Int>(0)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let count = calls.add(1, ordering: .relaxed).newValue
        out.report(Reason(summary: "call \(count)", signature: Signature(kind: .heuristic, score: 1)))
    }
}

private struct Careful: Stage {
    static let descriptor = StageDescriptor(
        name: "careful", summary: "Extracts each part between bars, with checkpoints.", interest: .samples)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        for part in sample.bytes.span.utf8Text.split(separator: "|") {
            try out.checkpoint()
            try out.extract(Child(name: "p", bytes: Bytes(utf8: String(part)), method: "BAR"))
        }
    }
}
