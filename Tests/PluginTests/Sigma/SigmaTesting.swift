import Pipeline
import PipelineTesting

@testable import Sigma

// Rules as text, records as pairs: what the tests of this folder share.

struct Loaded {
    var stage: SigmaStage
    var diagnostics: SignatureDiagnostics

    /// Titles of the rules that match each of the records, in order.
    func titles(_ records: [RecordSubject], path: String = "sample") -> [[String]] {
        let report = match(stage, records: records, path: path)
        return records.indices.map { index in
            report.findings.filter { finding in
                if case .record(let subject) = finding.subject { return subject.offset == index }
                return false
            }.flatMap { $0.reasons.map(\.signature.ruleName) }.sorted()
        }
    }

    /// Whether any rule matches a record with these fields.
    func fires(_ fields: KeyValuePairs<String, String>, type: RecordType = .event, path: String = "sample") -> Bool {
        !match(stage, records: [record(fields, type: type)], path: path).findings.flatMap(\.reasons).isEmpty
    }
}

extension RecordType {
    static let event = RecordType("eventlog entry", module: "EVTX", container: "entry")
    static let line = RecordType("log line", module: "LogScan")
    static let registryValue = RecordType("registry value", module: "RegistryHive")
}

func record(
    _ fields: KeyValuePairs<String, String>, type: RecordType = .event, index: Int = 0
) -> RecordSubject {
    RecordSubject(
        type: type, offset: index, fields: fields.map { RecordSubject.Field(key: $0.key, value: $0.value) })
}

/// A stage with the given files, each a rule file of its own.
func load(_ files: String..., threshold: SigmaLevel = .informational, exclude: [String] = []) throws -> Loaded {
    try load(
        files: files.enumerated().map { index, text in
            SignatureFile(path: "sigma/\(index).yml", kind: .sigma, bytes: Bytes(utf8: text))
        }, threshold: threshold, exclude: exclude)
}

func load(files: [SignatureFile], threshold: SigmaLevel = .informational, exclude: [String] = []) throws -> Loaded {
    let diagnostics = SignatureDiagnostics()
    let stage = try SigmaStage(
        options: SigmaOptions(threshold: threshold, exclude: exclude),
        environment: StageEnvironment(signatures: SignatureSet(files: files), diagnostics: diagnostics))
    return Loaded(stage: stage, diagnostics: diagnostics)
}

/// A rule about any Windows event.
func rule(_ detection: String, title: String = "Test", logsource: String = "{product: windows}") -> String {
    let lines = detection.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
    return "title: \(title)\nlogsource: \(logsource)\nlevel: high\ndetection:\n" + lines.joined(separator: "\n") + "\n"
}
