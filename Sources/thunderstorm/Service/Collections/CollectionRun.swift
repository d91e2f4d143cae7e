import FoundationEssentials
import GRDB
import Pipeline

/// One run of a collector on one host, as its markers and uploads tell it.
struct CollectionRun: Sendable, Equatable, Codable {
    /// How a run stands.
    enum State: String, Sendable, Codable {
        /// It began, and nothing was heard of its end.
        case running
        /// Its collector said that it is done.
        case ended
        /// Its collector said that it was stopped.
        case interrupted
    }

    /// What the collector adds to its uploads.
    var scanID: String
    /// Source that it gave.
    var source: String
    /// Name of the host.
    var hostname: String
    /// Name and version of the collector.
    var collector: String
    /// How it stands.
    var state = State.running
    /// When it began, in seconds since 1970.
    var began: Int64
    /// When it was last heard of.
    var lastHeard: Int64
    /// When it ended.
    var ended: Int64?
    /// What the collector counted, as much as `CollectionStats` keeps of it.
    var reported: [String: Double] = [:]
    /// Uploads that carried its id.
    var received = 0
    /// Bytes of those uploads.
    var receivedBytes = 0
    /// Samples of it that were scanned.
    var scanned = 0
    /// Samples of it whose analysis failed.
    var failed = 0
    /// Samples of it by their highest level: `alert`, `warning`, `notice`.
    var levels: [String: Int] = [:]

    /// Makes the table.
    static let schema = """
        CREATE TABLE IF NOT EXISTS collection (
            scan_id TEXT PRIMARY KEY, began INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS collection_began ON collection (began);
        """
    /// Fails when the table is not ours.
    static let probe = "SELECT scan_id, began, body FROM collection"
    /// Runs that are kept; the oldest go.
    static let limit = 10_000

    /// Writes it.
    func save(to database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO collection (scan_id, began, body) VALUES (?, ?, ?)",
            arguments: [scanID, began, try JSONEncoder().encode(self)])
    }

    /// Removes runs beyond the limit, the oldest first.
    static func evict(_ database: Database) throws {
        try database.execute(
            sql: """
                DELETE FROM collection WHERE scan_id IN (
                    SELECT scan_id FROM collection ORDER BY began DESC LIMIT -1 OFFSET ?)
                """,
            arguments: [limit])
    }

    /// All runs, the newest first.
    static func fetchAll(_ database: Database) throws -> [CollectionRun] {
        try Data.fetchAll(database, sql: "SELECT body FROM collection ORDER BY began DESC").compactMap {
            try? JSONDecoder().decode(CollectionRun.self, from: $0)
        }
    }
}
