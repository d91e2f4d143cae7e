import EVTX
import Pipeline
import PipelineTesting
import Testing

// Record counts and event numbers of real logs against those of another parser (the Rust `evtx`), file by file.

@Suite("Event log: corpus")
struct EventLogCorpusTests {
    // Files in which the two differ, with our number of records and the reason.
    private static let explained: [String: (records: Int, reason: String)] = [
        "log2timeline+plaso/test_data/evtx/System2.evtx":
            (283, "the file is cut in its last chunk; the other parser leaves that chunk out, we read what is there"),
        "omerbenamram+evtx/samples/sample_with_a_bad_chunk_magic.evtx":
            (384, "two chunks have lost their headers; the other parser leaves them out, we find their records"),
    ]

    @Test(
        "Counts and event numbers equal those of another parser",
        .enabled(if: Shared.directory("corpus/evtx") != nil, "no ../shared/corpus here"))
    func counts() throws {
        let differences = try Self.differences(corpus: Shared.directory("corpus") ?? "")
        #expect(differences.files == 260)
        #expect(differences.found == [])
    }

    private static func differences(corpus: String) throws -> (files: Int, found: [String]) {
        let table = try ByteStore().read(file: corpus + "/truth/evtx.tsv")
        let truth = String(decoding: table.array, as: UTF8.self)
        var files = 0
        var found: [String] = []
        for line in truth.split(separator: "\n").dropFirst() {
            let columns = line.split(separator: "\t").map { String($0) }
            guard columns.count == 4 else { continue }
            files += 1
            let events = parsed(try ByteStore().read(file: corpus + "/" + columns[0]).array).events
            let name = String(columns[0].dropFirst("evtx/".count))
            let expected = explained[name].map { String($0.records) } ?? columns[1]
            if String(events.count) != expected { found.append("\(name): \(events.count) records, not \(expected)") }
            let counts = eventCounts(events)
            if explained[name] == nil, counts != columns[3] { found.append("\(name): \(counts), not \(columns[3])") }
        }
        return (files, found)
    }

    // As in the table: a JSON object of counts, sorted by number as text.
    private static func eventCounts(_ events: [[EventLog.Field]]) -> String {
        var ids: [String: Int] = [:]
        for event in events { ids[event.values("EventID").first ?? "", default: 0] += 1 }
        return "{" + ids.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
    }
}
