import Email
import Foundation
import Pipeline
import PipelineTesting
import Testing

@testable import FileType

/// Parts equal those of Python's email package over the corpus, wherever file-type takes the file for a message.
struct EmailCorpusTests {
    private struct Truth: Decodable {
        struct Part: Decodable {
            let size: Int
            let sha256: String?
        }

        let path: String
        let parts: [Part]?
    }

    @Test(.enabled(if: Shared.directory("corpus/truth/eml.jsonl") != nil, "no ../shared here"))
    func partsAreThoseOfPython() throws {
        let root = try #require(Shared.directory("corpus"))
        let lines = try String(contentsOfFile: root + "/truth/eml.jsonl", encoding: .utf8).split(separator: "\n")
        let detector = FileTypeDetector()
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        var compared = 0
        var parts = 0
        var different: [String] = []
        for line in lines {
            let truth = try JSONDecoder().decode(Truth.self, from: Data(line.utf8))
            guard let wanted = truth.parts else { continue }
            let bytes = try ByteStore().read(file: root + "/" + truth.path)
            guard detector.kind(of: bytes.span).name == "EMAIL" else { continue }
            let output = scan(EmailStage(), bytes, path: "m", kind: "EMAIL")
            let ours = output.children.map { Digests(of: $0.bytes).sha256 }
            compared += 1
            parts += wanted.count
            let missing = wanted.compactMap(\.sha256).filter { $0 != empty && !ours.contains($0) }
            if !missing.isEmpty { different.append("\(truth.path): \(missing.count) of \(wanted.count) parts") }
        }
        print("messages compared: \(compared), parts \(parts), different: \(different.count)")
        for line in different { print("  " + line) }
        #expect(compared > 80)
        #expect(different.count * 10 <= compared)
    }
}
