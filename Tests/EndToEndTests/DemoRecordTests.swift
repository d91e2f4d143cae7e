import Foundation
import Pipeline
import PipelineTesting
import Plugins
import Testing

@testable import ThunderstormService

/// Records of the demo tree give what `samples/expected-records.tsv` says, and the v3 output points to where it is.
@Suite(.serialized)
struct DemoRecordTests {
    private static let setup = Result {
        try ScanSetup(
            ScanSetup.Request(rules: [Shared.packageRoot + "/rules"]), registry: StageRegistry(BuiltinStages.all))
    }

    private struct Row: Hashable {
        var path: String
        var line: String
        var kind: String
        var name: String
    }

    private static func rows() throws -> [Row] {
        try String(contentsOfFile: Shared.packageRoot + "/samples/expected-records.tsv", encoding: .utf8)
            .split(separator: "\n").map { line in
                let columns = line.split(separator: "\t").map(String.init)
                return Row(path: columns[0], line: columns[1], kind: columns[2], name: columns[3])
            }
    }

    private func content(_ path: String) throws -> [UInt8] {
        let file = Shared.packageRoot + "/samples/source/" + path
        if let data = FileManager.default.contents(atPath: file) { return Array(data) }
        let text = try String(contentsOfFile: file + ".b64", encoding: .utf8)
        return Array(try #require(Data(base64Encoded: text, options: .ignoreUnknownCharacters)))
    }

    private func lineNumber(_ offset: Int, in content: [UInt8]) -> Int {
        content.prefix(offset).count { $0 == 0x0A } + 1
    }

    private static let kinds: [Signature.Kind: String] = [
        .domain: "c2", .filename: "filename", .keyword: "keyword", .pipe: "pipe", .handle: "handle",
    ]

    @Test func linesOfPlainLogsHaveTheirFindings() throws {
        let expected = try Self.rows().filter { !$0.path.contains("#") && $0.line != "-" && $0.kind != "sigma" }
        #expect(expected.count > 30)
        var found: Set<Row> = []
        for path in Set(expected.map(\.path)) {
            let bytes = try content(path)
            let report = try Self.setup.get().chain.scan(Sample(path: "samples/tree/" + path, bytes: Bytes(bytes)))
            for finding in report.findings {
                guard case .record(let record) = finding.subject else { continue }
                // An event of the audit log counts with its last line; the demo's have two.
                let isAudit = record.type.name == "audit log entry"
                let line = "\(lineNumber(record.offset, in: bytes) + (isAudit ? 1 : 0))"
                for reason in finding.reasons {
                    if reason.signature.kind == .yara {
                        let kind = reason.signature.ruleName.hasPrefix("LOG_") ? "yara-log" : "yara-keyword"
                        found.insert(Row(path: path, line: line, kind: kind, name: reason.signature.ruleName))
                    } else if let kind = Self.kinds[reason.signature.kind] {
                        let text = reason.summary.split(separator: " match: ", maxSplits: 1).last.map(String.init) ?? ""
                        let name = text.split(separator: " / ", maxSplits: 1).first.map(String.init) ?? text
                        found.insert(Row(path: path, line: line, kind: kind, name: name))
                    }
                }
            }
        }
        let missing = Set(expected).subtracting(found).map { "\($0)" }.sorted()
        #expect(missing == [])
    }

    private let context = EventContext(time: Timestamp(seconds: 0), hostname: "h", scanID: "S-1")

    // Every `field` of every match leads to a value of the subject that holds the matched text.
    @Test func pointersLeadToWhatMatched() throws {
        var pointers = 0
        let folder = Shared.packageRoot + "/samples/source"
        for file in Shared.files(below: folder) {
            let path = String(file.dropFirst(folder.utf8.count + 1)).replacing(/\.b64$/, with: "")
            let sample = Sample(path: "samples/tree/" + path, bytes: Bytes(try content(path)))
            for finding in try Self.setup.get().chain.scan(sample).findings where !finding.reasons.isEmpty {
                var writer = JSONWriter()
                FindingEncoderV3().write(finding, context, to: &writer)
                let json = try JSONSerialization.jsonObject(with: Data(writer.text.utf8))
                let object = try #require(json as? [String: Any])
                for (reason, encoded) in zip(finding.reasons, object["reasons"] as? [[String: Any]] ?? []) {
                    // Parsers may show what they compared in lower case.
                    if reason.signature.kind == .heuristic, !reason.signature.ruleName.hasPrefix("File") { continue }
                    for match in encoded["matched"] as? [[String: Any]] ?? [] {
                        guard let field = match["field"] as? String, let data = match["data"] as? String else {
                            continue
                        }
                        pointers += 1
                        let value = text(at: field, in: object["subject"] as Any)
                        // The content of a file is there in parts, with quotes and the like escaped.
                        let isThere = field == "/content" ? value != nil : value?.contains(data) == true
                        #expect(isThere, "\(path) \(field): \(data)")
                    }
                }
            }
        }
        #expect(pointers > 100)
    }

    private func text(at pointer: String, in object: Any) -> String? {
        var value: Any? = object
        for part in pointer.split(separator: "/") {
            let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            if let list = value as? [Any] {
                value = Int(name).flatMap { list.indices.contains($0) ? list[$0] : nil }
            } else {
                value = (value as? [String: Any])?[name]
            }
        }
        guard let value, !(value is NSNull) else { return nil }
        if let list = value as? [Any] { return list.map { "\($0)" }.joined(separator: "\n") }
        return "\(value)"
    }
}
