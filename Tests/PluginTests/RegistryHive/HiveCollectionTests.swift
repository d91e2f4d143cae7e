import Archive
import FileType
import Pipeline
import PipelineTesting
import Synchronization
import Testing

@testable import RegistryHive

// A hive in a triage archive is read together with its transaction logs, under the path that it had on its host.

@Suite struct HiveCollectionTests {
    @Test(arguments: [SyntheticCollection.Layout.kape, .velociraptor, .cylr, .folders])
    func aDirtyHiveIsReadWithItsLogs(layout: SyntheticCollection.Layout) throws {
        let path = #"C:\Users\bob\NTUSER.DAT"#
        let hive = HiveLogTests().dirty()
        let log = HiveLogTests().oldLog()
        let companion = Companion(name: "NTUSER.DAT.LOG", bytes: Bytes(log))
        let direct = try records(Sample(path: path, bytes: Bytes(hive), companions: [companion]))
        #expect(direct.records.contains { $0.contains("new value") })
        let collection = SyntheticCollection(host: "WS7", files: [(path, hive), (path + ".LOG", log)])
        let sent = try records(Sample(path: "upload.zip", bytes: Bytes(collection.zip(layout))))
        #expect(sent.records == direct.records)
        #expect(sent.issues == direct.issues)
        #expect(sent.issues.contains { $0.contains("applied from NTUSER.DAT.LOG") })
    }

    private func records(_ sample: Sample) throws -> (records: [String], issues: [String]) {
        let seen = HiveRecordsSeen()
        let report = Chain(FileTypeStage(options: NoOptions(), environment: StageEnvironment()))
            .appending(try ArchiveStage()).appending(RegistryHiveStage()).appending(seen).scan(sample)
        return (seen.texts.withLock { $0 }, report.issues.map(\.message))
    }
}

private final class HiveRecordsSeen: Stage {
    static let descriptor = StageDescriptor(name: "seen", summary: "Keeps records.", interest: .records)
    let texts = Mutex<[String]>([])

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        for record in 0..<records.count where records.type(of: record).name != "triage collection" {
            let fields = records.subject(of: record).fields.map { "\($0.key)=\($0.value)" }
            let text = "\(sample.path) \(fields.joined(separator: " "))"
            texts.withLock { $0.append(text) }
        }
    }
}
