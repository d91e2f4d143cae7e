import FoundationEssentials
import GRDB
import Pipeline

// Searches walk one term from its newest finding on and stop after a page; what a page ends with is where the next one
// begins. Nothing is counted and nothing is skipped over, so that a search costs the same among a thousand findings and
// among a million.

/// What is searched for.
struct FindingQuery: Sendable, Equatable {
    /// Where a page ends: time and id of its last finding.
    struct Cursor: Sendable, Equatable {
        /// Seconds since 1970.
        var seconds: Int64
        /// Its id.
        var id: Int64

        /// The cursor as clients send it back.
        var text: String { "\(seconds)-\(id)" }
    }

    /// Most findings of one page.
    static let limits = 1...200
    // Findings that one search looks at when no term of the index fits all that is asked for.
    fileprivate static let examined = 5_000

    /// Host or collector that sent the sample.
    var source: String?
    /// MD5, SHA-1 or SHA-256 of the file or of one that it was in.
    var hash: String?
    /// Name or id of a rule, or kind of a signature.
    var rule: String?
    /// Scan id of the submission.
    var scan: String?
    /// Lowest level.
    var minimumLevel: Level?
    /// Found at this time or later, in seconds since 1970.
    var since: Int64?
    /// Found before this time.
    var until: Int64?
    /// Where the last page ended.
    var before: Cursor?
    /// Findings of a page.
    var limit = 50

    /// How it is looked for.
    fileprivate struct Plan {
        /// The terms to walk.
        var terms: [FindingTerm]
        /// Terms that a finding must have besides.
        var others: [FindingTerm] = []
        /// The lowest level, where the terms do not say it.
        var level: Level?

        /// Whether what the walk finds is all that is asked for.
        var isWhole: Bool { others.isEmpty && level == nil }
    }

    fileprivate var plan: Plan {
        // Debug is the lowest one.
        let lowest = minimumLevel == .debug ? nil : minimumLevel
        let levels = lowest.map { lowest in Level.allCases.filter { $0 >= lowest } }
        let (ofSource, ofRule, ofScan) = (
            source.map { FindingTerm.source($0) }, rule.map { FindingTerm.rule($0) }, scan.map { FindingTerm.scan($0) }
        )
        if let ofHash = hash.flatMap({ FindingTerm.hash($0) }) {
            return Plan(terms: [ofHash], others: [ofSource, ofRule, ofScan].compactMap { $0 }, level: lowest)
        }
        if let ofScan {
            return Plan(terms: [ofScan], others: [ofSource, ofRule].compactMap { $0 }, level: lowest)
        }
        switch (rule, source) {
        case (let rule?, let source?):
            return Plan(
                terms: levels.map { $0.map { .rule(rule, source: source, $0) } } ?? [.rule(rule, source: source)])
        case (let rule?, nil): return Plan(terms: levels.map { $0.map { .rule(rule, $0) } } ?? [.rule(rule)])
        case (nil, let source?): return Plan(terms: levels.map { $0.map { .source(source, $0) } } ?? [.source(source)])
        case (nil, nil): return Plan(terms: levels.map { $0.map { .level($0) } } ?? [.all])
        }
    }
}

/// A finding as lists show it.
struct FindingSummary: Sendable, Equatable {
    /// Its id in the store.
    var id: Int64
    /// When it was found.
    var time: Timestamp
    /// Its level as logs show it.
    var level: Level
    /// Score, 0...100.
    var score: Int
    /// Host or collector that sent the sample.
    var source: String
    /// Scan id of the submission.
    var scanID: String
    /// Type of the subject.
    var kind: String
    /// What people call the subject.
    var name: String
    /// Why, in one line.
    var summary: String
    /// SHA-256 of the file; empty for records.
    var sha256: String
    /// Rules that matched, the weightiest first.
    var rules: [String]

    fileprivate init?(_ row: Row) {
        guard let level = Level(rawValue: row["level"]) else { return nil }
        self.level = level
        id = row["id"]
        time = Timestamp(seconds: row["seconds"], nanoseconds: UInt32(clamping: row["nanoseconds"] as Int64))
        score = row["score"]
        source = row["source"]
        scanID = row["scan_id"]
        kind = row["kind"]
        name = row["name"]
        summary = row["summary"]
        sha256 = row["sha256"]
        rules = (row["rules"] as String).split(separator: "\n").map(String.init)
    }

    /// Where a list that ends with it goes on.
    var cursor: FindingQuery.Cursor { FindingQuery.Cursor(seconds: time.seconds, id: id) }
}

/// One page of a search.
struct FindingPage: Sendable {
    /// Findings, the newest first.
    var findings: [FindingSummary] = []
    /// Where the next page begins; nil when there is none.
    var next: FindingQuery.Cursor?
    /// How far back was looked, when that is not known to be all there is.
    var lookedBackTo: Timestamp?
}

extension FindingStore {
    private struct Candidate {
        var seconds: Int64
        var id: Int64
    }

    /// A page of findings, the newest first.
    ///
    /// - Throws: when the store cannot be read.
    func page(_ query: FindingQuery) throws -> FindingPage {
        try pool.read { database in
            let plan = query.plan
            let limit = plan.isWhole ? query.limit + 1 : FindingQuery.examined
            var candidates: [Candidate] = []
            for term in plan.terms { candidates += try Self.walk(term, query, limit, database) }
            if plan.terms.count > 1 { candidates.sort { ($0.seconds, $0.id) > ($1.seconds, $1.id) } }
            let hasMore = candidates.count >= limit
            candidates = Array(candidates.prefix(limit))
            let row = try database.cachedStatement(sql: "SELECT * FROM finding WHERE id = ?")
            let entry = try database.cachedStatement(
                sql: "SELECT 1 FROM term WHERE term = ? AND seconds = ? AND finding = ?")
            var page = FindingPage()
            for candidate in candidates {
                guard page.findings.count < query.limit else {
                    page.next = page.findings.last?.cursor
                    return page
                }
                let isMeant = try plan.others.allSatisfy { term in
                    try Int.fetchOne(entry, arguments: [term.bytes, candidate.seconds, candidate.id]) != nil
                }
                guard isMeant else { continue }
                let found = try Row.fetchOne(row, arguments: [candidate.id]).flatMap { FindingSummary($0) }
                guard let found, found.level >= plan.level ?? .debug else { continue }
                page.findings.append(found)
            }
            if hasMore, let last = candidates.last {
                page.next = FindingQuery.Cursor(seconds: last.seconds, id: last.id)
                page.lookedBackTo = Timestamp(seconds: last.seconds)
            }
            return page
        }
    }

    /// One finding with all that is stored of it; nil when it is not there, or not any more.
    ///
    /// - Throws: when the store cannot be read.
    func finding(_ id: Int64) throws -> (summary: FindingSummary, finding: Finding)? {
        try pool.read { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM finding JOIN finding_body USING (id) WHERE id = ?", arguments: [id])
            guard let row, let summary = FindingSummary(row) else { return nil }
            let report: Data = row["report"]
            guard let finding = ReportCodec.decode(Bytes(Array(report)))?.findings.first else { return nil }
            return (summary, finding)
        }
    }

    /// How the store stands.
    ///
    /// - Throws: when the store cannot be read.
    func state() throws -> State {
        try pool.read { database in
            var state = State()
            for (name, count) in try Self.top("level", 10, database) {
                if let level = Level(name: name) { state.counts[level] = count }
            }
            state.bytes = try Int.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'bytes'") ?? 0
            state.pruned = try Int.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'pruned'") ?? 0
            state.oldest = try Int64.fetchOne(
                database, sql: "SELECT min(seconds) FROM term WHERE term = ?", arguments: [FindingTerm.all.bytes]
            ).map { Timestamp(seconds: $0) }
            return state
        }
    }

    /// The values with the most findings: kind `rule` or `source`.
    ///
    /// - Throws: when the store cannot be read.
    func top(_ kind: String, _ limit: Int) throws -> [(value: String, count: Int)] {
        try pool.read { try Self.top(kind, limit, $0) }
    }

    /// Rules with findings whose names hold a text, in any case.
    ///
    /// - Throws: when the store cannot be read.
    func rules(like text: String, _ limit: Int) throws -> [String] {
        try pool.read { database in
            // There are as many as rules that ever matched.
            try String.fetchAll(
                database,
                sql: """
                    SELECT value FROM tally WHERE kind = 'rule' AND count > 0 AND instr(lower(value), lower(?)) > 0
                    ORDER BY count DESC LIMIT ?
                    """, arguments: [text, limit])
        }
    }

    /// Findings by level in buckets of time.
    ///
    /// - Parameters:
    ///   - step: Seconds in a bucket, one of those that are counted.
    ///   - start: When the first one begins.
    /// - Throws: when the store cannot be read.
    func counts(step: Int64, from start: Int64, buckets: Int) throws -> [[Level: Int]] {
        var all = [[Level: Int]](repeating: [:], count: buckets)
        try pool.read { database in
            let rows = try Row.fetchCursor(
                database, sql: "SELECT start, level, count FROM bucket WHERE step = ? AND start >= ? AND start < ?",
                arguments: [step, start, start + step * Int64(buckets)])
            while let row = try rows.next() {
                let index = Int(((row["start"] as Int64) - start) / step)
                guard all.indices.contains(index), let level = Level(rawValue: row["level"]) else { continue }
                all[index][level, default: 0] += row["count"]
            }
        }
        return all
    }

    private static func top(_ kind: String, _ limit: Int, _ database: Database) throws -> [(value: String, count: Int)]
    {
        try Row.fetchAll(
            database, sql: "SELECT value, count FROM tally WHERE kind = ? AND count > 0 ORDER BY count DESC LIMIT ?",
            arguments: [kind, limit]
        ).map { ($0["value"], $0["count"]) }
    }

    private static func walk(
        _ term: FindingTerm, _ query: FindingQuery, _ limit: Int, _ database: Database
    ) throws -> [Candidate] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT seconds, finding FROM term WHERE term = ? AND seconds >= ? AND (seconds, finding) < (?, ?)
                ORDER BY seconds DESC, finding DESC LIMIT ?
                """)
        // The earlier of the two ends.
        var end = FindingQuery.Cursor(seconds: query.until ?? .max, id: 0)
        if let before = query.before, before.seconds < end.seconds { end = before }
        let rows = try Row.fetchCursor(
            statement, arguments: [term.bytes, query.since ?? .min, end.seconds, end.id, limit])
        var found: [Candidate] = []
        while let row = try rows.next() { found.append(Candidate(seconds: row["seconds"], id: row["finding"])) }
        return found
    }
}
