import Pipeline

/// A sample of an earlier run that waits.
struct WaitingSample: Sendable, Equatable {
    /// Its async id.
    var id: Int64
    /// Where it lies.
    var place: SamplePlace
    /// Where it came from.
    var source: String
    /// Its size in bytes.
    var count: Int
}

/// Brings the index and the files of an upload directory together after a run that may have ended anywhere.
///
/// The files decide: a sample without an entry is taken up, one whose result is stored is removed, an entry without a
/// sample is concluded as failed, and what cannot be used is set aside. Whatever is not as it should be is said.
struct Recovery {
    /// Samples to scan, oldest first.
    private(set) var waiting: [WaitingSample] = []
    /// The highest id that was ever given.
    private(set) var lastID: Int64 = 0
    /// What the operator should know: text, and the file or id it is about.
    private(set) var problems: [(text: String, about: String)] = []

    /// Reconciles.
    ///
    /// - Throws: when the index can be read or written no more, or the system lacks descriptors or memory.
    init(directory: UploadDirectory, index: ServiceIndex, host: String) throws {
        let files = try directory.leftovers()
        let entries = try index.waiting()
        var known = Dictionary(entries.map { ($0.id, $0) }) { first, _ in first }
        var changes = ServiceIndex.Changes()
        lastID = max(try index.lastID(), files.last?.file ?? 0)
        for file in files {
            do {
                if file.samples > 1 {
                    try takeUpAll(of: file, directory, index, &known, &changes)
                } else if let entry = known.removeValue(forKey: file.file) {
                    waiting.append(
                        WaitingSample(id: entry.id, place: file, source: entry.source, count: entry.count))
                } else if try index.result(file.file) != nil {
                    directory.remove(file)
                } else {
                    takeUp(try directory.sample(file.file, at: file).sample, file, &changes)
                }
            } catch let error as SystemError where !error.isShortage {
                problems.append(
                    (
                        "a queued sample of an earlier run is damaged and was set aside: \(error)",
                        directory.setFileAside(file)
                    ))
                if file.samples == 1 { changes.concluded.append(Self.failed(file.file, host)) }
            }
        }
        for entry in entries where known[entry.id] != nil {
            problems.append(("a queued sample of an earlier run is gone; its analysis failed", "\(entry.id)"))
            changes.concluded.append(Self.failed(entry.id, host))
        }
        waiting.sort { $0.id < $1.id }
        if !changes.isEmpty { try index.commit(changes) }
    }

    // All samples of a file came into the index in one transaction. So when it knows any of them, those that do not
    // wait are done, even if their results were forgotten since.
    private mutating func takeUpAll(
        of file: SamplePlace, _ directory: UploadDirectory, _ index: ServiceIndex,
        _ known: inout [Int64: ServiceIndex.Waiting], _ changes: inout ServiceIndex.Changes
    ) throws {
        let found = try directory.samples(in: file)
        lastID = max(lastID, found.map(\.sample.id).max() ?? 0)
        let isIndexed = try found.contains { try known[$0.sample.id] != nil || index.result($0.sample.id) != nil }
        let left = found.filter { !isIndexed || known[$0.sample.id] != nil }
        directory.shared.add(file.file, waiting: left.count)
        if left.isEmpty { directory.remove(file) }
        for (sample, place) in left {
            if let entry = known.removeValue(forKey: sample.id) {
                waiting.append(WaitingSample(id: entry.id, place: place, source: entry.source, count: entry.count))
            } else {
                takeUp(sample, place, &changes)
            }
        }
    }

    private mutating func takeUp(_ sample: QueuedSample, _ place: SamplePlace, _ changes: inout ServiceIndex.Changes) {
        changes.accepted.append(sample)
        waiting.append(WaitingSample(id: sample.id, place: place, source: sample.source, count: sample.count))
    }

    private static func failed(_ id: Int64, _ host: String) -> ServiceIndex.Result {
        ServiceIndex.Result(
            id: id, report: nil, context: EventContext(time: currentTime(), hostname: host, scanID: ""))
    }
}
