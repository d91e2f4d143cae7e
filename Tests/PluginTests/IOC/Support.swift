import IOC
import Pipeline
import PipelineTesting

func signatureFile(
    _ text: String, _ kind: SignatureFileKind, path: String = "list.txt", origin: Signature.Origin = .custom
) -> SignatureFile {
    SignatureFile(path: path, kind: kind, bytes: Bytes(utf8: text), origin: origin)
}

/// A stage with lists, and what it said while it was built.
struct Loaded {
    let stage: IOCStage
    let diagnostics = SignatureDiagnostics()

    init(_ files: [SignatureFile], disabled: [String] = []) throws {
        stage = try IOCStage(
            options: .init(disabled: disabled),
            environment: StageEnvironment(signatures: SignatureSet(files: files), diagnostics: diagnostics))
    }

    init(_ text: String, _ kind: SignatureFileKind) throws { try self.init([signatureFile(text, kind)]) }

    func reasons(path: String, _ content: String = "content") -> [Reason] {
        scan(stage, Bytes(utf8: content), path: path).reasons
    }

    /// Summaries of what a file at a path gives.
    func hits(path: String, _ content: String = "content") -> [String] {
        reasons(path: path, content).map(\.summary)
    }

    func reasons(type: String = "log line", _ fields: [(String, String)]) -> [Reason] {
        let subject = RecordSubject(
            type: RecordType(type, module: "LogScan"), offset: 0,
            fields: fields.map { .init(key: $0.0, value: $0.1) })
        return match(stage, records: [subject]).findings.flatMap(\.reasons)
    }

    /// What a log line gives: the IOC texts.
    func hits(line: String) -> [String] { reasons([("line", line)]).map(\.summary) }

    var rejected: [String] { diagnostics.problems.filter(\.isRejected).map(\.description) }
}
