import Pipeline
import Synchronization

// Runs one stage on one sample and shows what came out of it as plain values.

/// A child that a stage extracted.
public struct ScannedChild: Sendable, Equatable {
    /// Joined path.
    public let path: String
    /// Content.
    public let bytes: Bytes
    /// How it was unpacked.
    public let method: String
    /// Times the container told.
    public let times: FileTimes
    /// Names of its companions.
    public let companions: [String]
    /// The triage collection that it lay in.
    public let origin: TriageOrigin?
}

/// What a stage said about a sample.
public struct ScannedOutput: Sendable, Equatable {
    /// Kind after the stage.
    public var kind = FileKind.unknown
    /// Records in order.
    public var records: [RecordSubject] = []
    /// Children in order, not looked into.
    public var children: [ScannedChild] = []
    /// Findings about the sample and its records.
    public var findings: [Finding] = []
    /// What was not looked at.
    public var issues: [Issue] = []

    /// Reasons against the sample itself or chunks of it.
    public var reasons: [Reason] {
        findings.flatMap { finding -> [Reason] in
            switch finding.subject {
            case .file(let file): file.unpackSource.isEmpty ? finding.reasons : []
            case .chunk(let chunk): chunk.file.unpackSource.isEmpty ? finding.reasons : []
            case .record: []
            }
        }
    }

    /// Everything as text, one line a fact, for golden comparison.
    public var text: String {
        var lines = ["kind \(kind)"]
        for record in records {
            lines.append("record \(record.type.name) at \(record.offset)")
            lines += record.fields.map { "  \($0.key) = \(escaped($0.value))" }
        }
        for child in children {
            lines.append(
                "child \(child.path) \(child.method) \(child.bytes.count) bytes sha256 \(Digests(of: child.bytes).sha256)"
            )
        }
        for finding in findings where !finding.reasons.isEmpty {
            lines.append("finding \(finding.level.name) \(finding.score)")
            lines += finding.reasons.map { "  \($0.subscore) \($0.summary)" }
        }
        lines += issues.map { "issue \($0.code) \($0.stage): \($0.message)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            if scalar.value < 0x20 || scalar.value == 0x7F {
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// Runs one stage on a sample; its children are collected and not scanned.
///
/// - Parameters:
///   - kind: Type that the sample is taken for, as if `file-type` had run; nil for unknown.
public func scan(
    _ stage: some Stage, _ bytes: Bytes, path: String = "sample", kind: String? = nil,
    companions: [Companion] = [], limits: Limits = Limits(), cancellation: Cancellation = Cancellation()
) -> ScannedOutput {
    let collector = Collector()
    let chain = Chain(KindStage(kind: kind)).appending(TopOnly(stage: stage)).appending(collector)
    let report = chain.scan(
        Sample(path: path, bytes: bytes, companions: companions), limits: limits, cancellation: cancellation)
    var output = collector.output.withLock { $0 }
    output.findings = report.findings
    output.issues = report.issues
    return output
}

/// Runs one stage on a sample as `scan` does and keeps no records: for large samples and measurements of memory.
public func report(
    of stage: some Stage, _ bytes: Bytes, path: String = "sample", kind: String? = nil, companions: [Companion] = []
) -> Report {
    Chain(KindStage(kind: kind)).appending(TopOnly(stage: stage)).scan(
        Sample(path: path, bytes: bytes, companions: companions))
}

// Sets the kind of the submitted sample.
private struct KindStage: Stage {
    static let descriptor = StageDescriptor(
        name: "given-kind", summary: "Sets the kind a test asked for.", interest: .samples)
    let kind: String?

    init(kind: String?) { self.kind = kind }

    init(options: NoOptions, environment: StageEnvironment) { kind = nil }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        if let kind, sample.depth == 0 { out.classify(FileKind(kind)) }
    }
}

// Calls the stage under test for the submitted sample only, whatever its kind filter says of children.
private struct TopOnly<S: Stage>: Stage {
    static var descriptor: StageDescriptor { S.descriptor }
    var descriptor: StageDescriptor { stage.descriptor }
    let stage: S

    init(stage: S) { self.stage = stage }

    init(options: S.Options, environment: StageEnvironment) throws {
        stage = try S(options: options, environment: environment)
    }

    func makeState() -> S.State { stage.makeState() }

    func inspect(_ sample: Sample, _ state: inout S.State, _ out: inout Output) throws(StageError) {
        if sample.depth == 0 { try stage.inspect(sample, &state, &out) }
    }

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout S.State, _ out: inout Output
    ) throws(StageError) {
        try stage.inspect(records, of: sample, &state, &out)
    }

    func inspect(
        _ slice: Slice, of sample: Sample, _ state: inout S.State, _ out: inout Output
    ) throws(StageError) {
        if sample.depth == 0 { try stage.inspect(slice, of: sample, &state, &out) }
    }

    func finish(_ state: consuming S.State, _ out: inout Output) throws(StageError) {
        try stage.finish(state, &out)
    }
}

private final class Collector: Stage {
    static let descriptor = StageDescriptor(
        name: "collector", summary: "Keeps what it sees, for tests.", interest: .samplesAndRecords)
    let output = Mutex(ScannedOutput())

    init() {}

    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        output.withLock { output in
            if sample.depth == 0 {
                output.kind = sample.kind
            } else {
                output.children.append(
                    ScannedChild(
                        path: sample.path, bytes: sample.bytes, method: sample.unpackParent, times: sample.times,
                        companions: sample.companions.map(\.name), origin: sample.origin))
            }
        }
    }

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        var subjects: [RecordSubject] = []
        for record in 0..<records.count { subjects.append(records.subject(of: record)) }
        let seen = subjects
        output.withLock { $0.records += seen }
    }
}

/// Hands a stage records that were made by hand, for testing matchers.
///
/// - Returns: the findings, in the order of the records that have any, and issues of the sample.
public func match(
    _ stage: some Stage, records: [RecordSubject], path: String = "sample", limits: Limits = Limits()
) -> Report {
    Chain(Emitter(records: records)).appending(stage).scan(Sample(path: path, bytes: .empty), limits: limits)
}

private struct Emitter: Stage {
    static let descriptor = StageDescriptor(
        name: "emitter", summary: "Emits the records of a test.", interest: .samples)
    let records: [RecordSubject]

    init(records: [RecordSubject]) { self.records = records }

    init(options: NoOptions, environment: StageEnvironment) { records = [] }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        for record in records {
            try out.emit(record.type, offset: record.offset) { builder in
                for field in record.fields { builder.field(field.key, field.value) }
            }
        }
    }
}
