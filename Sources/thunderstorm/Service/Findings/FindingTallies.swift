import FoundationEssentials
import GRDB
import Pipeline

// Counts are kept beside the findings, so that nothing is counted when somebody asks.

/// Changes of the counts within one transaction.
struct FindingTallies {
    private struct Bucket: Hashable {
        var step: Int64
        var start: Int64
        var level: Int
    }

    private struct Key: Hashable {
        var kind: String
        var value: String
    }

    /// Seconds in a bucket: a minute and an hour.
    static let steps: [Int64] = [60, 3_600]
    // Minutes are shown for the last hour only.
    private static let minuteAge: Int64 = 3 * 3_600
    private static let sourceLimit = 256

    private var tallies: [Key: Int] = [:]
    private var buckets: [Bucket: Int] = [:]
    private var bytes = 0

    /// Adds a finding (1) or removes it (-1).
    mutating func count(_ sign: Int, level: Level, seconds: Int64, source: String, rules: [String], bytes: Int) {
        tallies[Key(kind: "level", value: level.name), default: 0] += sign
        tallies[Key(kind: "source", value: source.prefix(utf8: Self.sourceLimit)), default: 0] += sign
        for rule in rules { tallies[Key(kind: "rule", value: rule), default: 0] += sign }
        for step in Self.steps {
            let start = Self.start(of: seconds, step: step)
            buckets[Bucket(step: step, start: start, level: level.rawValue), default: 0] += sign
        }
        self.bytes += sign * bytes
    }

    /// Writes the changes.
    func save(to database: Database) throws {
        let tally = try database.cachedStatement(
            sql: """
                INSERT INTO tally (kind, value, count) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET count = max(0, count + excluded.count)
                """)
        for (key, change) in tallies { try tally.execute(arguments: [key.kind, key.value, change]) }
        let bucket = try database.cachedStatement(
            sql: """
                INSERT INTO bucket (step, start, level, count) VALUES (?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET count = max(0, count + excluded.count)
                """)
        for (key, change) in buckets { try bucket.execute(arguments: [key.step, key.start, key.level, change]) }
        try database.execute(sql: "UPDATE meta SET value = max(0, value + ?) WHERE key = 'bytes'", arguments: [bytes])
    }

    /// Removes counts that have become nothing, and minutes that nobody asks for.
    static func tidy(_ database: Database, now: Timestamp) throws {
        try database.execute(sql: "DELETE FROM tally WHERE kind IN ('level', 'source', 'rule') AND count <= 0")
        try database.execute(
            sql: "DELETE FROM bucket WHERE step = 60 AND start < ?", arguments: [now.seconds - minuteAge])
        try database.execute(sql: "DELETE FROM bucket WHERE count <= 0")
    }

    /// Where the bucket of a time begins.
    static func start(of seconds: Int64, step: Int64) -> Int64 {
        let rest = seconds % step
        return seconds - (rest < 0 ? rest + step : rest)
    }
}

/// Removes findings that are too old or too many, some at a time.
struct FindingPruning: Sendable {
    // Findings removed in one transaction.
    private static let batch = 500

    /// What is kept.
    let limits: FindingStore.Limits
    /// The time that ages are counted from.
    let now: Timestamp
    /// Removed because of their age.
    private(set) var tooOld = 0
    /// Removed because there were more than the limits allow.
    private(set) var tooMany = 0
    private var isOverLimit = false

    init(limits: FindingStore.Limits, now: Timestamp) {
        self.limits = limits
        self.now = now
    }

    /// Removes the next ones; true when nothing is left to do.
    mutating func step(_ database: Database) throws -> Bool {
        let count = try Int.fetchOne(database, sql: "SELECT total(count) FROM tally WHERE kind = 'level'") ?? 0
        let bytes = try Int.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'bytes'") ?? 0
        // Once there are too many, a hundredth more goes, so that it does not happen with every finding.
        if count > limits.count || bytes > limits.bytes { isOverLimit = true }
        let excess = isOverLimit ? count - (limits.count - limits.count / 100) : 0
        let isTooLarge = isOverLimit && bytes > limits.bytes - limits.bytes / 100
        let oldest = try Int64.fetchOne(
            database, sql: "SELECT min(seconds) FROM term WHERE term = ?", arguments: [FindingTerm.all.bytes])
        guard isOverLimit || oldest ?? .max < now.seconds - limits.age else {
            try FindingTallies.tidy(database, now: now)
            return true
        }
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT f.id, f.seconds, f.level, f.source, f.rules, b.terms, length(b.report) AS size
                FROM term t JOIN finding f ON f.id = t.finding JOIN finding_body b ON b.id = t.finding
                WHERE t.term = ? ORDER BY t.seconds, t.finding LIMIT ?
                """, arguments: [FindingTerm.all.bytes, Self.batch])
        var tallies = FindingTallies()
        var removed = 0
        for row in rows {
            let seconds: Int64 = row["seconds"]
            let isOld = seconds < now.seconds - limits.age
            guard isOld || removed < excess || isTooLarge else { break }
            if isOld { tooOld += 1 } else { tooMany += 1 }
            removed += 1
            try remove(row, from: database, &tallies)
        }
        if removed > 0 {
            try tallies.save(to: database)
            try database.execute(
                sql: "UPDATE meta SET value = value + ? WHERE key = 'pruned'", arguments: [removed])
        }
        let isDone = removed < Self.batch
        if isDone { try FindingTallies.tidy(database, now: now) }
        return isDone
    }

    private func remove(_ row: Row, from database: Database, _ tallies: inout FindingTallies) throws {
        let id: Int64 = row["id"]
        let seconds: Int64 = row["seconds"]
        let terms: Data = row["terms"]
        let entry = try database.cachedStatement(
            sql: "DELETE FROM term WHERE term = ? AND seconds = ? AND finding = ?")
        for term in FindingRow.decodedTerms(terms) { try entry.execute(arguments: [term, seconds, id]) }
        // Even if the list of its terms is damaged, it must not come up again.
        try entry.execute(arguments: [FindingTerm.all.bytes, seconds, id])
        try database.cachedStatement(sql: "DELETE FROM finding_body WHERE id = ?").execute(arguments: [id])
        try database.cachedStatement(sql: "DELETE FROM finding WHERE id = ?").execute(arguments: [id])
        let size: Int = row["size"]
        tallies.count(
            -1, level: Level(rawValue: row["level"]) ?? .debug, seconds: seconds, source: row["source"],
            rules: (row["rules"] as String).split(separator: "\n").map(String.init), bytes: terms.count + size)
    }
}
