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

    private struct Entry {
        var report: [UInt8]
        var cost: Int
        // Neighbours in the order of use.
        var older: Key?
        var newer: Key?
    }

    private struct Contents {
        var entries: [Key: Entry] = [:]
        var oldest: Key?
        var newest: Key?
        var cost = 0

        mutating func unlink(_ key: Key) {
            guard let entry = entries[key] else { return }
            if let older = entry.older { entries[older]?.newer = entry.newer } else { oldest = entry.newer }
            if let newer = entry.newer { entries[newer]?.older = entry.older } else { newest = entry.older }
        }

        mutating func linkNewest(_ key: Key) {
            entries[key]?.older = newest
            entries[key]?.newer = nil
            if let newest { entries[newest]?.newer = key } else { oldest = key }
            newest = key
        }

        mutating func remove(_ key: Key) {
            unlink(key)
            cost -= entries.removeValue(forKey: key)?.cost ?? 0
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
            guard let entry = contents.entries[key] else { return nil }
            contents.unlink(key)
            contents.linkNewest(key)
            return entry.report
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
            contents.remove(key)
            contents.entries[key] = Entry(report: encoded, cost: cost)
            contents.linkNewest(key)
            contents.cost += cost
            while contents.cost > byteLimit, let oldest = contents.oldest { contents.remove(oldest) }
        }
    }

    private static func isLasting(_ report: Report) -> Bool {
        report.failure == nil && !report.issues.contains { $0.code == .timeout || $0.code == .failed }
    }
}
