import Pipeline

// What the stage keeps while it looks at records: hits by record, and what the names of fields say.

/// Hits in records: one reason for each IOC and record, with all its matches.
struct RecordHits {
    private static let matchLimit = 30

    private struct Key: Hashable {
        var record: Int
        var group: IOC.Group
        var value: String
    }

    private var order: [Key] = []
    private var hits: [Key: (ioc: IOC, matched: [MatchedText])] = [:]

    mutating func add(_ ioc: IOC, _ match: MatchedText, record: Int) {
        let key = Key(record: record, group: ioc.group, value: ioc.value)
        guard var known = hits[key] else {
            order.append(key)
            hits[key] = (ioc, [match])
            return
        }
        if known.matched.count < Self.matchLimit, !known.matched.contains(match) {
            known.matched.append(match)
            hits[key] = known
        }
    }

    func report(to out: inout Output) {
        for key in order {
            if let hit = hits[key] { out.report(hit.ioc.reason(hit.matched), record: key.record) }
        }
    }
}

/// Filename hits in records.
///
/// The hits in one string are one reason; strings of a record with the same hits are too, because parsers show one path
/// in several fields.
struct FilenameHits {
    private struct Key: Hashable {
        var record: Int
        var iocs: [Int]
    }

    private var order: [Key] = []
    private var hits: [Key: (hits: [FilenameMatcher.Hit], matched: [MatchedText])] = [:]

    mutating func add(_ found: [FilenameMatcher.Hit], _ matched: [MatchedText], record: Int) {
        if found.isEmpty { return }
        let key = Key(record: record, iocs: found.map(\.ioc))
        guard var known = hits[key] else {
            order.append(key)
            hits[key] = (found, matched)
            return
        }
        known.matched += matched
        hits[key] = known
    }

    func report(_ matcher: FilenameMatcher, to out: inout Output) {
        for key in order {
            if let hit = hits[key], let reason = matcher.summedReason(hit.hits, hit.matched) {
                out.report(reason, record: key.record)
            }
        }
    }
}

/// What a field holds, as its name says; worked out once for each name of a submission.
struct FieldKinds {
    enum Kind {
        case plain
        case digest
        case pipe
        case handle
    }

    private var kinds: [Kind] = []
    private var table: KeyTable?
    /// Whether no name of the table says that its fields hold anything special.
    private(set) var arePlain = true

    /// Takes all names that the table has by now.
    mutating func use(_ keys: KeyTable) {
        if table !== keys {
            kinds = []
            arePlain = true
            table = keys
        }
        while kinds.count < keys.count {
            let kind = Self.kind(of: keys.name(of: keys.id(at: kinds.count)))
            kinds.append(kind)
            if kind != .plain { arePlain = false }
        }
    }

    func kind(of key: KeyTable.ID) -> Kind { key.index < kinds.count ? kinds[key.index] : .plain }

    private static func kind(of name: String) -> Kind {
        if HashMatcher.holdsDigests(name) { return .digest }
        if ObjectNameMatcher.holdsPipe(name) { return .pipe }
        return ObjectNameMatcher.holdsHandle(name) ? .handle : .plain
    }
}

extension RecordBatch {
    // Records in which names of hosts are those of peers: logs, visits, hosts files, and commands that start by
    // themselves.
    private static let networkTypes: Set<String> = [
        "log line", "eventlog entry", "journal log entry", "audit log entry", "hosts file entry", "web page visit",
        "web download", "scheduled task", "registry scheduled task", "at job", "cron job", "environment variable",
        "authorized_keys entry", "autorun entry", "Windows service", "link info",
    ]

    /// Whether C2 IOCs apply to a record.
    func isNetworkRecord(_ record: Int) -> Bool { Self.networkTypes.contains(type(of: record).name) }

    /// Whether C2 IOCs apply to any record.
    var hasNetworkRecord: Bool {
        var last = ""
        for record in 0..<count {
            let name = type(of: record).name
            if name == last { continue }
            if Self.networkTypes.contains(name) { return true }
            last = name
        }
        return false
    }
}
