import Foundation
import MemoryDump
import Pipeline
import PipelineTesting
import Testing

private let truth = Shared.directory("corpus/truth/memdumps.jsonl")

/// Real minidumps against what another parser (PyPI `minidump`) says of them; docs/comparisons/minidumps.md has more.
struct MinidumpCorpusTests {
    private struct Truth: Decodable {
        var path: String
        var kind: String?
        var streams: Int?
        var modules: [String]?
        var threads: Int?
        var ranges: Int?
    }

    @Test(.enabled(if: truth != nil, "no ../shared here"))
    func sameTablesAsTheOtherParser() throws {
        let lines = try String(contentsOfFile: try #require(truth), encoding: .utf8).split(separator: "\n")
        let corpus = try #require(Shared.directory("corpus"))
        var compared = 0
        for line in lines {
            let expected = try JSONDecoder().decode(Truth.self, from: Data(line.utf8))
            guard expected.kind == nil else { continue }
            let bytes = try ByteStore().read(file: corpus + "/" + expected.path)
            let dump = try Minidump(.whole(bytes))
            // The other parser leaves out streams of types that it does not know.
            let known = dump.streams.count { $0.type == 0xFFFF || $0.type <= 0x25 && $0.type != 0x17 }
            #expect(known == expected.streams, "\(expected.path)")
            #expect(dump.modules.map(\.path).sorted() == expected.modules?.sorted(), "\(expected.path)")
            #expect(dump.threads.count == expected.threads, "\(expected.path)")
            #expect(dump.ranges.count == expected.ranges, "\(expected.path)")
            compared += 1
        }
        #expect(compared == 28)
    }
}
