import FoundationEssentials
import GRDB
import Pipeline

// The tables of the store of findings: what lists show in `finding`, all of it in `finding_body`, what it is found by in
// `term`, and how many there are by level, source, rule and time in `tally` and `bucket`.

/// A finding as it is written to the store.
struct FindingRow: Sendable {
    /// When it was found, who sent it, and in which submission.
    var context: EventContext
    /// Its level as logs show it.
    var level: Level
    /// Score, 0...100.
    var score: Int
    /// Type of the subject.
    var kind: String
    /// What people call the subject: a path, or what a record says first.
    var name: String
    /// Why, in one line.
    var summary: String
    /// SHA-256 of the file; empty for records.
    var sha256: String
    /// Names it is listed under.
    var rules: [String]
    /// What it is found by.
    var terms: [FindingTerm]
    /// All of it, as `ReportCodec` writes it.
    var report: [UInt8]

    private static let nameLimit = 512

    /// A finding within the bounds of the store.
    init(_ finding: Finding, _ context: EventContext) {
        var report = Report()
        let bounded = FindingBounds.bounded(finding)
        report.findings = [bounded]
        self.report = ReportCodec.encode(report)
        self.context = context
        level = EventWords.level(of: finding)
        score = finding.score
        kind = bounded.subject.kindName
        name = bounded.subject.displayName.prefix(utf8: Self.nameLimit)
        summary = (finding.reasons.first?.summary ?? finding.issues.first?.message ?? "").prefix(utf8: Self.nameLimit)
        sha256 = bounded.subject.file?.sha256 ?? ""
        rules = bounded.ruleNames.map { $0.prefix(utf8: 256) }
        terms = FindingTerm.of(bounded, level: level, rules: rules + bounded.ruleIDs, context: context)
    }

    /// Makes the tables.
    static let schema = """
        CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT OR IGNORE INTO meta (key, value) VALUES ('bytes', 0), ('pruned', 0);
        CREATE TABLE IF NOT EXISTS finding (
            id INTEGER PRIMARY KEY AUTOINCREMENT, seconds INTEGER NOT NULL, nanoseconds INTEGER NOT NULL,
            level INTEGER NOT NULL, score INTEGER NOT NULL, source TEXT NOT NULL, scan_id TEXT NOT NULL,
            kind TEXT NOT NULL, name TEXT NOT NULL, summary TEXT NOT NULL, sha256 TEXT NOT NULL, rules TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS finding_body (id INTEGER PRIMARY KEY, terms BLOB NOT NULL, report BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS term (
            term BLOB NOT NULL, seconds INTEGER NOT NULL, finding INTEGER NOT NULL,
            PRIMARY KEY (term, seconds, finding)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS tally (
            kind TEXT NOT NULL, value TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, value)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS tally_count ON tally (kind, count);
        CREATE TABLE IF NOT EXISTS bucket (
            step INTEGER NOT NULL, start INTEGER NOT NULL, level INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (step, start, level)) WITHOUT ROWID;
        """

    /// Fail when a table is not ours.
    static let probes = [
        "SELECT key, value FROM meta",
        "SELECT id, seconds, nanoseconds, level, score, source, scan_id, kind, name, summary, sha256, rules FROM finding",
        "SELECT id, terms, report FROM finding_body", "SELECT term, seconds, finding FROM term",
        "SELECT kind, value, count FROM tally", "SELECT step, start, level, count FROM bucket",
    ]

    /// Writes rows within one transaction.
    static func insert(_ rows: [FindingRow], into database: Database) throws {
        let finding = try database.cachedStatement(
            sql: """
                INSERT INTO finding (seconds, nanoseconds, level, score, source, scan_id, kind, name, summary, sha256, rules)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        let body = try database.cachedStatement(sql: "INSERT INTO finding_body (id, terms, report) VALUES (?, ?, ?)")
        let term = try database.cachedStatement(
            sql: "INSERT OR IGNORE INTO term (term, seconds, finding) VALUES (?, ?, ?)")
        var tallies = FindingTallies()
        for row in rows {
            let seconds = row.context.time.seconds
            let rules = row.rules.joined(separator: "\n")
            try finding.execute(arguments: [
                seconds, row.context.time.nanoseconds, row.level.rawValue, row.score, row.context.hostname,
                row.context.scanID, row.kind, row.name, row.summary, row.sha256, rules,
            ])
            let id = database.lastInsertedRowID
            let terms = encoded(row.terms)
            try body.execute(arguments: [id, terms, Data(row.report)])
            for entry in row.terms { try term.execute(arguments: [entry.bytes, seconds, id]) }
            tallies.count(
                1, level: row.level, seconds: seconds, source: row.context.hostname, rules: row.rules,
                bytes: terms.count + row.report.count)
        }
        try tallies.save(to: database)
    }

    // So that the entries of a finding can be removed with it.
    private static func encoded(_ terms: [FindingTerm]) -> Data {
        var writer = BinaryWriter()
        writer.list(terms) { $0.data(Array($1.bytes)) }
        return Data(writer.bytes)
    }

    /// Terms as they were written.
    static func decodedTerms(_ bytes: Data) -> [Data] {
        var reader = BinaryReader(Bytes(Array(bytes)))
        let terms = try? reader.list("terms") { reader throws(CodecError) in try reader.data("term") }
        return (terms ?? []).map { Data($0) }
    }
}

extension Subject {
    /// The file that it is, or is a part of; nil for records.
    var file: FileSubject? {
        switch self {
        case .file(let file): file
        case .chunk(let chunk): chunk.file
        case .record: nil
        }
    }

    /// Type of the subject, as jsonlog v3 names it.
    var kindName: String {
        switch self {
        case .file: "file"
        case .chunk: "file chunk"
        case .record(let record): record.type.name
        }
    }

    /// What people call it.
    var displayName: String {
        switch self {
        case .file(let file): file.path
        case .chunk(let chunk): "\(chunk.file.path) at 0x\(String(chunk.range.lowerBound, radix: 16))"
        case .record(let record):
            record.fields.filter { !$0.value.isEmpty }.prefix(4).map { "\($0.key): \($0.value.prefix(utf8: 200))" }
                .joined(separator: "  ")
        }
    }
}
