import FoundationEssentials
import Pipeline
import PipelineTesting
import Prefetch
import Testing

// Every prefetch file of the shared corpus against what libscca says.

@Suite struct PrefetchCorpusTests {
    struct Truth: Decodable {
        var path: String
        var version: Int
        var executable: String
        var hash: String
        var run_count: Int
        var files: Int
        var volumes: Int
        var last_run: String?
    }

    static let folder = Shared.directory("corpus")

    @Test(.enabled(if: folder != nil, "no ../shared here"))
    func fieldsEqualThoseOfLibscca() throws {
        let folder = try #require(Self.folder)
        let table = try ByteStore().read(file: folder + "/truth/prefetch.jsonl")
        let lines = table.span.utf8Text
        var differences: [String] = []
        var count = 0
        for line in lines.split(separator: "\n") {
            // One program has half a character in its name, which JSON cannot say and we read as U+FFFD.
            let clean = line.replacing("\\ud800", with: "\\ufffd")
            let truth = try JSONDecoder().decode(Truth.self, from: Data(clean.utf8))
            let bytes = try ByteStore().read(file: folder + "/" + truth.path)
            let file = try Self.file(bytes)
            differences += Self.compare(file, truth)
            count += 1
        }
        #expect(count == 220)
        #expect(differences == [])
    }

    private static func file(_ bytes: Bytes) throws(ParseError) -> PrefetchFile { try PrefetchFile(bytes.span) }

    private static func compare(_ file: PrefetchFile, _ truth: Truth) -> [String] {
        // Python leaves out a fraction that is zero, and has microseconds.
        let last = file.executionTimes.first.map { time in
            time.rfc3339(fractionDigits: time.nanoseconds / 1000 == 0 ? 0 : 6)
                .replacing("T", with: " ").replacing("Z", with: "")
        }
        let pairs: [(name: String, mine: String, theirs: String)] = [
            ("version", String(file.version), String(truth.version)),
            ("executable", file.executable, truth.executable),
            ("hash", String(file.hash, radix: 16), String(UInt32(truth.hash, radix: 16) ?? 0, radix: 16)),
            ("run_count", String(file.executionCount), String(truth.run_count)),
            ("files", String(file.accessedFiles.count), String(truth.files)),
            ("volumes", String(file.volumes.count), String(truth.volumes)),
            ("last_run", last ?? "-", truth.last_run ?? "-"),
            ("problems", "\(file.problems)", "[]"),
        ]
        return pairs.filter { $0.mine != $0.theirs }.map { "\(truth.path): \($0.name) \($0.mine) != \($0.theirs)" }
    }
}
