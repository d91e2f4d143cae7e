import Pipeline

// Archives are listed first and extracted then: which members belong together, and whether the whole is a triage
// collection, is known only when all names are.

/// What an archive holds, and what is to be done with it.
struct ArchivePlan: Sendable {
    /// What is known of the place that a member had on the host it was collected from.
    struct Original: Sendable, Equatable {
        /// Whole path instead of the joined one; nil where the place is not known.
        var path: String?
        var origin: TriageOrigin
    }

    /// All members, as far as the archive could be listed.
    private(set) var entries: [ArchiveEntry] = []
    /// Members that belong to another one, by its index: a hive's transaction logs.
    private(set) var companions: [Int: [Int]] = [:]
    /// Collections among the members; nil when it was not looked for them.
    private(set) var triage: TriageCollections?
    /// More members than are listed.
    private(set) var isCut = false

    /// Bytes of all members, as they are declared.
    var declaredSize: Int {
        entries.reduce(0) { sum, entry in
            let (total, overflow) = sum.addingReportingOverflow(max(entry.size ?? 0, 0))
            return overflow ? .max : total
        }
    }

    /// Whether a triage collection was recognised.
    var isCollection: Bool { triage?.collections.isEmpty == false }

    /// Lists an archive without reading the members' content.
    ///
    /// - Throws: `StageError` when the time is over.
    init(
        listing bytes: Bytes, _ format: ArchiveFormat, of sample: Sample, _ limits: ArchiveStage.Limits,
        _ out: borrowing Output
    ) throws(StageError) {
        try list(bytes, format, limit: limits.members * 8, out)
        if Self.mayBeCollection(sample) {
            try findCollections(bytes, format, sample, out)
            // A whole collection is more than other archives may be.
            if isCut, isCollection, limits.collectionMembers > limits.members {
                try list(bytes, format, limit: limits.collectionMembers * 2, out)
                try findCollections(bytes, format, sample, out)
            }
        }
        let index = CompanionIndex(triage?.companionNames(entries.map(\.name)) ?? entries.map(\.name))
        for (position, entry) in entries.enumerated() where entry.kind == .file {
            let others = index.positions(ofPosition: position).filter { $0 != position && entries[$0].kind == .file }
            if !others.isEmpty { companions[position] = others }
        }
    }

    /// The place that a member had on its host; nil when it lay in no collection.
    func original(of index: Int) -> Original? {
        triage?.collection(of: index).map { Original(path: triage?.path(of: index), origin: $0.origin) }
    }

    /// Originals by the members' names, for members that are read by their local headers.
    func originalsByName() -> [String: Original] {
        guard isCollection else { return [:] }
        var originals: [String: Original] = [:]
        for entry in entries { originals[entry.name] = original(of: entry.index) }
        return originals
    }

    /// Name of a member without directories, as it was on its host.
    func fileName(of index: Int) -> String {
        Sample(path: triage?.path(of: index) ?? entries[index].name, bytes: .empty).name
    }

    /// Most members that are looked at.
    func memberLimit(_ limits: ArchiveStage.Limits) -> Int {
        isCollection ? max(limits.collectionMembers, limits.members) : limits.members
    }

    // What lies in a collection is not taken for another one, and neither is what came in a message or document: the
    // host's user would choose paths and host of its files.
    private static func mayBeCollection(_ sample: Sample) -> Bool {
        sample.origin == nil && sample.unpackSource.allSatisfy(ArchiveFormat.isMethod)
    }

    private mutating func list(
        _ bytes: Bytes, _ format: ArchiveFormat, limit: Int, _ out: borrowing Output
    ) throws(StageError) {
        entries = []
        isCut = false
        guard let handle = try? ArchiveHandle(bytes, format) else { return }
        var failures = 0
        while failures < 100 {
            try out.checkpoint()
            do throws(ArchiveFailure) {
                guard let entry = try handle.next() else { break }
                guard entries.count < limit else {
                    isCut = true
                    break
                }
                entries.append(entry)
            } catch {
                // The extraction meets it again, and says so.
                if error.isFatal { break }
                failures += 1
            }
        }
    }

    private mutating func findCollections(
        _ bytes: Bytes, _ format: ArchiveFormat, _ sample: Sample, _ out: borrowing Output
    ) throws(StageError) {
        triage = try TriageCollections(
            entries.map { $0.kind == .file ? $0.name : "" }, container: sample.name,
            checkpoint: { () throws(StageError) in try out.checkpoint() },
            read: { (wanted) throws(StageError) in try Self.beginnings(of: wanted, bytes, format, out) })
    }

    private static func beginnings(
        of wanted: [Int], _ bytes: Bytes, _ format: ArchiveFormat, _ out: borrowing Output
    ) throws(StageError) -> [Int: Bytes] {
        guard let last = wanted.last, let handle = try? ArchiveHandle(bytes, format) else { return [:] }
        let asked = Set(wanted)
        var found: [Int: Bytes] = [:]
        while let entry = try? handle.next(), entry.index <= last {
            try out.checkpoint()
            guard asked.contains(entry.index) else { continue }
            let content = try handle.read(
                limit: min(TriageCollections.hostFileLimit, out.allowance), into: out.byteStore,
                checkpoint: { () throws(StageError) in try out.checkpoint() })
            found[entry.index] = content.bytes
        }
        return found
    }
}
