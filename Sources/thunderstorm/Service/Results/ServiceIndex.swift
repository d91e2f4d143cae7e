import FoundationEssentials
import GRDB
import Glibc
import Pipeline

// What the service remembers over restarts, in SQLite: which samples wait, the last results with their findings, the
// histories. Content of samples lies in files beside it. WAL with synchronous=FULL: what a commit wrote is on the disk
// when it returns. Only the journal writes.

/// The index of an upload directory.
final class ServiceIndex: Sendable {
    /// A sample that waits.
    struct Waiting: Sendable, Equatable {
        /// Its async id.
        var id: Int64
        /// Where it came from.
        var source: String
        /// Its size in bytes.
        var count: Int
    }

    /// A result as it is stored.
    struct Result: Sendable {
        /// Async id of the sample.
        var id: Int64
        /// The encoded report; nil when the analysis failed.
        var report: [UInt8]?
        /// Context of its events.
        var context: EventContext
    }

    /// What is written in one transaction.
    struct Changes: Sendable {
        /// Samples that wait from now on.
        var accepted: [QueuedSample] = []
        /// Samples that are done.
        var concluded: [Result] = []
        /// Counts of history minutes, by kind.
        var minutes: [(kind: Int, minute: Int64, count: Int)] = []
        /// Runs of collectors that have changed.
        var collections: [CollectionRun] = []
        /// What sources and tokens have sent of their day.
        var dayUses: [RateLimits.DayUse] = []

        /// Whether there is nothing to write.
        var isEmpty: Bool {
            accepted.isEmpty && concluded.isEmpty && minutes.isEmpty && collections.isEmpty && dayUses.isEmpty
        }
    }

    /// Name of the database in the upload directory.
    static let fileName = "index.sqlite"

    // Encoded reports of all results together; a result may have thousands of findings.
    private static let resultByteLimit = 1 << 30
    private static let schemaVersion = 1

    private let pool: DatabasePool
    private let path: String
    private let inode: UInt
    private let resultLimit: Int

    /// Opens the index of a directory, or makes one.
    ///
    /// - Parameters:
    ///   - resultLimit: Results kept; 0 keeps none.
    ///   - damaged: Told the new name of an index that could not be read.
    /// - Throws: `ConfigurationError` when there can be none, with the remedy.
    init(
        directory: String, resultLimit: Int, damaged: (String) -> Void
    ) throws(ConfigurationError) {
        path = directory + "/" + Self.fileName
        self.resultLimit = resultLimit
        do {
            pool = try DatabaseFile(
                path: path, version: Self.schemaVersion, schema: Self.schema, probes: Self.probes
            ).open(damaged: damaged)
            var info = stat()
            guard unsafe stat(path, &info) == 0 else { throw SystemError("cannot find \(path)") }
            inode = info.st_ino
            try pool.write { [resultLimit] database in
                try database.execute(
                    sql: "UPDATE meta SET value = (SELECT total(size) FROM result) WHERE key = 'result_bytes'")
                try Self.evict(database, limit: resultLimit)
            }
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError("--server-upload-dir: cannot use \(path): \(error); choose another directory")
        }
    }

    /// Whether its file is still where the next run looks for it.
    var isInPlace: Bool {
        var info = stat()
        return unsafe stat(path, &info) == 0 && info.st_ino == inode
    }

    /// Writes changes; they are on the disk when this returns.
    ///
    /// - Throws: when the disk does not take them; nothing is changed then.
    func commit(_ changes: Changes) throws {
        guard isInPlace else { throw SystemError("\(path) was removed or replaced; restart the service", number: EIO) }
        try pool.write { database in
            for sample in changes.accepted {
                try database.run(
                    "INSERT OR REPLACE INTO sample (id, source, size) VALUES (?, ?, ?)",
                    [sample.id, sample.source, sample.count])
            }
            if let last = changes.accepted.map(\.id).max() {
                try database.run("UPDATE meta SET value = max(value, ?) WHERE key = 'last_id'", [last])
            }
            for result in changes.concluded {
                try database.run("DELETE FROM sample WHERE id = ?", [result.id])
                guard resultLimit > 0 else { continue }
                try database.run(
                    """
                    INSERT OR REPLACE INTO result (id, report, size, seconds, nanoseconds, host, scan_id)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                    [
                        result.id, result.report.map { Data($0) }, result.report?.count ?? 0,
                        result.context.time.seconds, result.context.time.nanoseconds, result.context.hostname,
                        result.context.scanID,
                    ])
            }
            if !changes.concluded.isEmpty {
                try database.run(
                    "UPDATE meta SET value = value + ? WHERE key = 'result_bytes'",
                    [resultLimit > 0 ? changes.concluded.reduce(0) { $0 + ($1.report?.count ?? 0) } : 0])
                try Self.evict(database, limit: resultLimit)
            }
            for (kind, minute, count) in changes.minutes {
                try database.run(
                    "INSERT OR REPLACE INTO history (kind, minute, count) VALUES (?, ?, ?)", [kind, minute, count])
                try database.run(
                    "DELETE FROM history WHERE kind = ? AND minute <= ?",
                    [kind, minute - Int64(MinuteHistory.capacity)])
            }
            for use in changes.dayUses {
                try database.run(
                    "INSERT OR REPLACE INTO day_use (name, bytes, ends) VALUES (?, ?, ?)",
                    [use.name, use.bytes, use.ends])
            }
            // A day ends within a day from now, so those that end a day before another are over.
            if let last = changes.dayUses.map(\.ends).max() {
                try database.run("DELETE FROM day_use WHERE ends <= ?", [last - 86_400])
            }
            for run in changes.collections { try run.save(to: database) }
            if !changes.collections.isEmpty { try CollectionRun.evict(database) }
        }
    }

    /// Samples that wait, oldest first.
    func waiting() throws -> [Waiting] {
        try pool.read { database in
            try Row.fetchAll(database, sql: "SELECT id, source, size FROM sample ORDER BY id").map { row in
                Waiting(id: row["id"], source: row["source"], count: row["size"])
            }
        }
    }

    /// Whether a sample waits.
    func isWaiting(_ id: Int64) throws -> Bool {
        try pool.read { try Bool.fetchOne($0, sql: "SELECT 1 FROM sample WHERE id = ?", arguments: [id]) ?? false }
    }

    /// The result of a sample; nil when there is none.
    func result(_ id: Int64) throws -> Result? {
        try pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM result WHERE id = ?", arguments: [id]).map { row in
                let report: Data? = row["report"]
                return Result(
                    id: id, report: report.map { Array($0) },
                    context: EventContext(
                        time: Timestamp(seconds: row["seconds"], nanoseconds: row["nanoseconds"]),
                        hostname: row["host"], scanID: row["scan_id"]))
            }
        }
    }

    /// Ids that have a result, or had one; new ids must be higher.
    func lastID() throws -> Int64 {
        try pool.read { try Int64.fetchOne($0, sql: "SELECT value FROM meta WHERE key = 'last_id'") ?? 0 }
    }

    /// Minutes of a history.
    func minutes(kind: Int) throws -> [(minute: Int64, count: Int)] {
        try pool.read { database in
            try Row.fetchAll(
                database, sql: "SELECT minute, count FROM history WHERE kind = ? ORDER BY minute", arguments: [kind]
            ).map { ($0["minute"], $0["count"]) }
        }
    }

    /// What sources and tokens have sent of days that are not over.
    func dayUses(now: Timestamp) throws -> [RateLimits.DayUse] {
        try pool.write { database in
            try database.execute(sql: "DELETE FROM day_use WHERE ends <= ?", arguments: [now.seconds])
            return try Row.fetchAll(database, sql: "SELECT name, bytes, ends FROM day_use ORDER BY ends DESC").map {
                row in
                RateLimits.DayUse(name: row["name"], bytes: row["bytes"], ends: row["ends"])
            }
        }
    }

    /// Runs of collectors, the newest first.
    func collections() throws -> [CollectionRun] { try pool.read { try CollectionRun.fetchAll($0) } }

    /// What SQLite promises about a commit: 2 stands for synchronous=FULL.
    func durability() throws -> (synchronous: Int?, journal: String?) {
        try pool.writeWithoutTransaction { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try String.fetchOne(database, sql: "PRAGMA journal_mode")
            )
        }
    }

    /// Ends the use of the file.
    func close() { try? pool.close() }

    private static let schema = """
        CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT OR IGNORE INTO meta (key, value) VALUES ('last_id', 0), ('result_bytes', 0);
        CREATE TABLE IF NOT EXISTS sample (id INTEGER PRIMARY KEY, source TEXT NOT NULL, size INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS result (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL UNIQUE, size INTEGER NOT NULL,
            seconds INTEGER NOT NULL, nanoseconds INTEGER NOT NULL, host TEXT NOT NULL, scan_id TEXT NOT NULL,
            report BLOB);
        CREATE TABLE IF NOT EXISTS history (
            kind INTEGER NOT NULL, minute INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, minute)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS day_use (
            name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, ends INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS day_use_ends ON day_use (ends);
        \(CollectionRun.schema)
        """

    private static let probes = [
        "SELECT key, value FROM meta", "SELECT id, source, size FROM sample",
        "SELECT seq, id, report, size, seconds, nanoseconds, host, scan_id FROM result",
        "SELECT kind, minute, count FROM history", "SELECT name, bytes, ends FROM day_use",
        CollectionRun.probe,
    ]

    // Results beyond the limits go, oldest first; the newest stays whatever its size.
    private static func evict(_ database: Database, limit: Int) throws {
        let newest = try Int64.fetchOne(database.cachedStatement(sql: "SELECT max(seq) FROM result")) ?? 0
        let oldest = newest - Int64(limit)
        var total =
            try Int.fetchOne(database.cachedStatement(sql: "SELECT value FROM meta WHERE key = 'result_bytes'")) ?? 0
        let gone = try Int.fetchOne(
            database.cachedStatement(sql: "SELECT total(size) FROM result WHERE seq <= ?"), arguments: [oldest])
        total -= gone ?? 0
        try database.run("DELETE FROM result WHERE seq <= ?", [oldest])
        while total > resultByteLimit,
            let row = try Row.fetchOne(
                database.cachedStatement(sql: "SELECT seq, size FROM result WHERE seq < ? ORDER BY seq LIMIT 1"),
                arguments: [newest])
        {
            total -= row["size"]
            try database.run("DELETE FROM result WHERE seq = ?", [row["seq"] as Int64])
        }
        try database.run("UPDATE meta SET value = ? WHERE key = 'result_bytes'", [total])
    }
}

extension Database {
    // Runs a statement that every commit has: it is parsed once only.
    fileprivate func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
