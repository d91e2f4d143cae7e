import Pipeline

/// Brings the index and the files of an upload directory together after a run that may have ended anywhere.
///
/// The files decide: a sample without an entry is taken up, one whose result is stored is removed, an entry without a
/// sample is concluded as failed, and what cannot be used is set aside. Whatever is not as it should be is said.
struct Recovery {
    /// Samples to scan, oldest first.
    private(set) var waiting: [ServiceIndex.Waiting] = []
    /// The highest id that was ever given.
    private(set) var lastID: Int64 = 0
    /// What the operator should know: text, and the file or id it is about.
    private(set) var problems: [(text: String, about: String)] = []

    /// Reconciles.
    ///
    /// - Throws: when the index can be read or written no more.
    init(directory: UploadDirectory, index: ServiceIndex, host: String) throws {
        let ids = directory.leftovers()
        let entries = try index.waiting()
        let files = Set(ids)
        let known = Set(entries.map(\.id))
        var changes = ServiceIndex.Changes()
        lastID = max(try index.lastID(), ids.last ?? 0)
        waiting = entries.filter { files.contains($0.id) }
        for id in ids where !known.contains(id) {
            if try index.result(id) != nil {
                directory.remove(id)
                continue
            }
            do {
                let sample = try directory.sample(id).sample
                changes.accepted.append(sample)
                waiting.append(ServiceIndex.Waiting(id: id, source: sample.source, count: sample.count))
            } catch {
                problems.append(
                    (
                        "a queued sample of an earlier run is damaged and was set aside: \(error)",
                        directory.setAside(id)
                    ))
                changes.concluded.append(Self.failed(id, host))
            }
        }
        for entry in entries where !files.contains(entry.id) {
            problems.append(("a queued sample of an earlier run is gone; its analysis failed", "\(entry.id)"))
            changes.concluded.append(Self.failed(entry.id, host))
        }
        waiting.sort { $0.id < $1.id }
        if !changes.isEmpty { try index.commit(changes) }
    }

    private static func failed(_ id: Int64, _ host: String) -> ServiceIndex.Result {
        ServiceIndex.Result(
            id: id, report: nil, context: EventContext(time: currentTime(), hostname: host, scanID: ""))
    }
}
