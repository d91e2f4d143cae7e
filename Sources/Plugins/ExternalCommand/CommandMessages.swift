import FoundationEssentials
import Pipeline

// What a program is told and what it may say, as JSON. Its output is as hostile as the sample it read: a line that is
// nothing of the following is an issue and costs no other line.

/// What a program reads from standard input.
struct CommandRequest: Encodable {
    let version = 1
    let sample = "/dev/fd/3"
    let path: String
    let name: String
    let size: Int
    let type: String
    let sha256: String
    let depth: Int
    let unpackSource: [String]

    enum CodingKeys: String, CodingKey {
        case version, sample, path, name, size, type, sha256, depth
        case unpackSource = "unpack_source"
    }

    init(_ sample: Sample) {
        path = sample.path
        name = sample.name
        size = sample.size
        type = sample.kind.name
        sha256 = sample.digests.sha256
        depth = sample.depth
        unpackSource = sample.unpackSource
    }

    /// One line of JSON.
    var line: [UInt8] {
        // Texts and numbers always encode.
        let data = (try? JSONEncoder().encode(self)) ?? Data()
        return Array(data) + [0x0A]
    }
}

/// One line of a program's output: exactly one of its parts.
struct CommandMessage: Decodable {
    struct Reason: Decodable {
        var summary: String
        var score: Int?
        var name: String?
        var text: String?
        var offset: Int?
        var tags: [String]?
        var reference: String?
    }

    struct Record: Decodable {
        var type: String
        var offset: Int?
        var fields: [String: FieldValue]
        var reason: Reason?
    }

    struct Child: Decodable {
        var name: String
        var data: Data?
        var text: String?
        var offset: Int?
        var size: Int?
        var method: String?
    }

    struct Issue: Decodable {
        var message: String
        var code: String?
        var offset: Int?
    }

    var type: String?
    var reason: Reason?
    var record: Record?
    var child: Child?
    var issue: Issue?

    /// How many parts the line has.
    var parts: Int { [type != nil, reason != nil, record != nil, child != nil, issue != nil].count { $0 } }
}

/// The value of a field: texts, one for each element of a list.
struct FieldValue: Decodable {
    var texts: [String]

    init(from decoder: any Decoder) throws {
        if var list = try? decoder.unkeyedContainer() {
            texts = []
            while !list.isAtEnd { if let text = try list.decode(Scalar.self).text { texts.append(text) } }
        } else {
            texts = try Scalar(from: decoder).text.map { [$0] } ?? []
        }
    }

    private struct Scalar: Decodable {
        // nil for null.
        var text: String?

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() { return }
            if let flag = try? value.decode(Bool.self) {
                text = flag ? "true" : "false"
            } else if let number = try? value.decode(Int.self) {
                text = String(number)
            } else if let number = try? value.decode(Double.self) {
                text = String(number)
            } else {
                text = try value.decode(String.self)
            }
        }
    }
}

/// The output of a program, handed on line by line.
struct CommandReading {
    // So many lines that are no messages are shown.
    private static let rubbishLimit = 3
    private static let shownLimit = 100

    private let output: [UInt8]
    private let sample: Sample

    init(_ output: [UInt8], of sample: Sample) {
        self.output = output
        self.sample = sample
    }

    /// Gives everything that was said to the stages downstream.
    func handOn(_ out: inout Output) throws(StageError) {
        let decoder = JSONDecoder()
        var rubbish = 0
        var mayExtract = true
        for (number, line) in output.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            try out.checkpoint()
            guard line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { continue }
            let message: CommandMessage
            do {
                message = try decoder.decode(CommandMessage.self, from: Data(line))
            } catch {
                rubbish += 1
                if rubbish <= Self.rubbishLimit { out.note(.failed, Self.complaint(number + 1, line, error)) }
                continue
            }
            guard message.parts == 1 else {
                rubbish += 1
                if rubbish <= Self.rubbishLimit {
                    let keys = "exactly one of type, reason, record, child, issue"
                    out.note(.failed, "line \(number + 1) was not taken, it must have \(keys): \(Self.shown(line))")
                }
                continue
            }
            try apply(message, &mayExtract, &out)
        }
        if rubbish > Self.rubbishLimit {
            out.note(.failed, "\(rubbish - Self.rubbishLimit) more lines were not taken")
        }
    }

    private func apply(
        _ message: CommandMessage, _ mayExtract: inout Bool, _ out: inout Output
    ) throws(StageError) {
        if let type = message.type { out.classify(FileKind(type)) }
        if let reason = message.reason { out.report(Self.reason(reason, field: nil)) }
        if let record = message.record {
            let type = RecordType(record.type, module: CommandStage.descriptor.module)
            try out.emit(type, offset: max(record.offset ?? 0, 0)) { builder in
                for (key, value) in record.fields.sorted(by: { $0.key < $1.key }) {
                    for text in value.texts { builder.field(key, text) }
                }
                if let reason = record.reason { builder.report(Self.reason(reason, field: record.fields.keys.min())) }
            }
        }
        if let issue = message.issue {
            let known: [Issue.Code] = [.limit, .timeout, .damaged, .failed, .unsupported]
            let code = known.first { $0.description == issue.code } ?? .damaged
            out.note(code, issue.message, offset: issue.offset)
        }
        if let child = message.child, mayExtract {
            do {
                mayExtract = try extract(child, &out)
            } catch  where error.code == .limit {
                // Said already; what else the program found still counts.
                mayExtract = false
            }
        }
    }

    private func extract(_ child: CommandMessage.Child, _ out: inout Output) throws(StageError) -> Bool {
        guard out.mayExtract else {
            out.note(.limit, "depth limit reached: files that the program found were not looked at")
            return false
        }
        let bytes: Bytes
        if let data = child.data {
            bytes = Bytes([UInt8](data))
        } else if let text = child.text {
            bytes = Bytes(utf8: text)
        } else {
            let offset = child.offset ?? 0
            let size = child.size ?? sample.bytes.count &- offset
            guard let part = sample.bytes.slice(at: offset, count: size) else {
                out.note(
                    .failed,
                    "the file '\(child.name.prefix(Self.shownLimit))' at \(offset) with \(size) bytes lies outside of the sample"
                )
                return true
            }
            bytes = part
        }
        try out.extract(Child(name: child.name, bytes: bytes, method: (child.method ?? "COMMAND").uppercased()))
        return true
    }

    private static func reason(_ reason: CommandMessage.Reason, field: String?) -> Pipeline.Reason {
        var matched: [MatchedText] = []
        if let text = reason.text {
            matched.append(MatchedText(text, offset: field == nil ? reason.offset : nil, field: field))
        }
        return Pipeline.Reason(
            summary: reason.summary,
            signature: Signature(
                kind: .heuristic, score: min(max(reason.score ?? 50, -100), 100), ruleName: reason.name ?? "",
                description: reason.summary, references: reason.reference.map { [$0] } ?? [],
                tags: (reason.tags ?? []).map { $0.uppercased() }, origin: .custom),
            matched: matched)
    }

    private static func complaint(_ number: Int, _ line: ArraySlice<UInt8>, _ error: any Error) -> String {
        let why =
            switch error {
            case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
            case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
                "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of the wrong kind"
            default: "it is no JSON object"
            }
        return "line \(number) was not taken, \(why): \(shown(line))"
    }

    private static func shown(_ line: ArraySlice<UInt8>) -> String {
        String(String(decoding: line.prefix(400), as: UTF8.self).prefix(shownLimit))
    }
}
