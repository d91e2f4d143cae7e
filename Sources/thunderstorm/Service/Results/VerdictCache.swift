import Pipeline
import Synchronization

// Sweeps of many machines bring the same files again and again. A verdict depends on the content, on the path where
// signatures look at names, on the chain with its options, and on the signatures; the last three are one thing here,
// since the cache does not outlive the process and all of them change only when signatures are loaded.

/// Verdicts on contents that were scanned before, bounded in bytes; the longest unused ones go.
final class VerdictCache: Sendable {
    /// What verdicts of one load of signatures and chain have in common.
    struct Scope: Hashable, Sendable {
        /// Version of the signatures.
        var signatures: String
        /// When they were loaded.
        var loaded: String
    }

    private struct Key: Hashable {
        var sha256: String
        var path: String
        var scope: Scope
    }

    // Neighbours in the order of use are places in `entries`.
    private struct Entry {
        let key: Key
        let report: [UInt8]
        let cost: Int
        var older: Int?
        var newer: Int?
    }

    private struct Contents {
        var places: [Key: Int] = [:]
        var entries: [Entry?] = []
        var unused: [Int] = []
        var oldest: Int?
        var newest: Int?
        var cost = 0

        mutating func unlink(_ place: Int) {
            guard let entry = entries[place] else { return }
            if let older = entry.older { entries[older]?.newer = entry.newer } else { oldest = entry.newer }
            if let newer = entry.newer { entries[newer]?.older = entry.older } else { newest = entry.older }
        }

        mutating func linkNewest(_ place: Int) {
            entries[place]?.older = newest
            entries[place]?.newer = nil
            if let newest { entries[newest]?.newer = place } else { oldest = place }
            newest = place
        }

        mutating func insert(_ entry: Entry) {
            let place = unused.popLast() ?? entries.count
            if place == entries.count { entries.append(entry) } else { entries[place] = entry }
            places[entry.key] = place
            cost += entry.cost
            linkNewest(place)
        }

        mutating func remove(_ place: Int) {
            guard let entry = entries[place] else { return }
            unlink(place)
            entries[place] = nil
            unused.append(place)
            places[entry.key] = nil
            cost -= entry.cost
        }
    }

    // Key, links and dictionary slot of an entry, about.
    private static let overhead = 400

    private let byteLimit: Int
    private let contents = Mutex(Contents())

    /// An empty cache.
    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Bytes in use, about.
    var bytes: Int { contents.withLock { $0.cost } }

    /// The verdict on a content at a path; nil when there is none.
    func report(sha256: String, path: String, scope: Scope) -> Report? {
        let key = Key(sha256: sha256, path: path, scope: scope)
        let encoded = contents.withLock { contents -> [UInt8]? in
            guard let place = contents.places[key] else { return nil }
            contents.unlink(place)
            contents.linkNewest(place)
            return contents.entries[place]?.report
        }
        return encoded.flatMap { ReportCodec.decode(Bytes($0)) }
    }

    /// Keeps a verdict, if it may be used again: not when the time was over or a stage or the engine failed.
    func keep(_ report: Report, sha256: String, path: String, scope: Scope) {
        guard Self.isLasting(report) else { return }
        var known = report
        // Time that was spent once.
        for index in known.stages.indices { known.stages[index].nanoseconds = 0 }
        let encoded = ReportCodec.encode(known)
        let key = Key(sha256: sha256, path: path, scope: scope)
        let cost = encoded.count + path.utf8.count + Self.overhead
        guard cost <= byteLimit / 8 else { return }
        contents.withLock { contents in
            if let place = contents.places[key] { contents.remove(place) }
            contents.insert(Entry(key: key, report: encoded, cost: cost))
            while contents.cost > byteLimit, let oldest = contents.oldest { contents.remove(oldest) }
        }
    }

    private static func isLasting(_ report: Report) -> Bool {
        report.failure == nil && !report.issues.contains { $0.code == .timeout || $0.code == .failed }
    }
}
