import GRDB
import Pipeline

@testable import ThunderstormService

/// A store of findings in a folder of its own.
struct StoreHarness {
    let folder: TemporaryFolder
    let log = EventLogDouble()
    let store: FindingStore
    /// Index entries of a finding as `FindingBuilder` makes it: all, level, source twice, scan; four for each of name
    /// and id of the rule; three digests.
    let termsEach = 5 + 4 + 4 + 3

    init(_ limits: FindingStore.Limits = FindingStore.Limits(), folder: TemporaryFolder? = nil) throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        store = try FindingStore(directory: folder.path, limits: limits, minimumLevel: .notice, log: log)
    }

    /// Hands a finding over.
    func add(_ builder: FindingBuilder, source: String = "pc1", at seconds: Int64 = 1_000, scan: String = "S-1") {
        add(builder.finding, source: source, at: seconds, scan: scan)
    }

    /// Hands a finding over.
    func add(_ finding: Finding, source: String = "pc1", at seconds: Int64 = 1_000, scan: String = "S-1") {
        var report = Report()
        report.findings = [finding]
        store.append(
            report, context: EventContext(time: Timestamp(seconds: seconds), hostname: source, scanID: scan))
    }

    /// Rows of a table.
    func rows(_ table: String) throws -> Int {
        try store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
    }
}

/// Makes findings.
struct FindingBuilder {
    var path: String
    var rule = "Evil"
    var level = Level.alert

    /// A finding on a file.
    var finding: Finding {
        let signature = Signature(
            kind: .yara, score: 85, ruleName: rule, description: "Finds \(rule)", id: "id-of-\(rule.lowercased())")
        return Finding(
            subject: .file(Self.file(path, md5: 7)), module: "Filescan",
            reasons: [
                Reason(
                    summary: "YARA rule \(rule)", signature: signature,
                    matched: [MatchedText(data: Array("evil".utf8), name: "$a", offset: 16)])
            ],
            score: level == .alert ? 85 : 50, level: level, context: [], issues: [])
    }

    /// A file whose digests follow from a number.
    static func file(_ path: String, md5 number: UInt8) -> FileSubject {
        func hex(_ count: Int) -> String {
            let bytes = [UInt8](repeating: number, count: count)
            return String(hex: bytes.rawSpan)
        }
        return FileSubject(
            path: path, fileExtension: ".bin", kind: .unknown, size: 5, md5: hex(16), sha1: hex(20), sha256: hex(32),
            firstBytes: Array("hello".utf8), unpackSource: [], times: FileTimes())
    }
}
