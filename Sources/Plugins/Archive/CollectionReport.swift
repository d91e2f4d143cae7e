import Pipeline

// What an archive says of the triage collections in it: a record `triage collection` for each
//   path            path of the archive, and the collection's folder in it
//   collector       Velociraptor, UAC, KAPE, CyLR, or drive folders when nothing tells what made it
//   host            name of the host, if the collection tells
//   files           members that belong to it
//   restored        those of which it is known where they lay on the host
//   same_path       members that claim the path of another one
//   unrestorable    members whose names are no path of a host

struct CollectionReport {
    // How many names one issue lists.
    private static let namesShown = 10

    /// Type of the records.
    static let recordType = RecordType(
        "triage collection", module: "Archive", numbers: ["files", "restored", "same_path", "unrestorable"])

    private let plan: ArchivePlan
    private let limits: ArchiveStage.Limits

    init(_ plan: ArchivePlan, _ limits: ArchiveStage.Limits) {
        self.plan = plan
        self.limits = limits
    }

    /// Says which collections there are, and lets them have the members that collections may have.
    ///
    /// - Throws: `StageError` when the time is over.
    func tell(_ sample: Sample, _ out: inout Output) throws(StageError) {
        guard let triage = plan.triage else { return }
        if triage.isCut {
            out.note(
                .limit,
                "more than \(TriageCollections.candidateLimit) folders look like those of triage collections: paths "
                    + "below the others are as in the archive")
        }
        guard plan.isCollection else { return }
        out.beginCollection(triage.collections.map(\.origin), members: plan.memberLimit(limits))
        for collection in triage.collections {
            try emit(collection, sample, &out)
            guard !collection.unrestorable.isEmpty else { continue }
            let shown = collection.unrestorable.prefix(Self.namesShown).map { plan.entries[$0].name }
            let more = collection.unrestorable.count - shown.count
            out.note(
                .damaged,
                "\(collection.unrestorable.count) members of the \(collection.origin.collector.rawValue) collection have "
                    + "names that are no path of a host and stay as they are: \(shown.joined(separator: ", "))"
                    + (more > 0 ? ", and \(more) more" : ""))
        }
    }

    private func emit(
        _ collection: TriageCollections.Collection, _ sample: Sample, _ out: inout Output
    ) throws(StageError) {
        try out.emit(Self.recordType, offset: 0) { builder in
            builder.field("path", collection.root.isEmpty ? sample.path : sample.path + "/" + collection.root)
            builder.field("collector", collection.origin.collector.rawValue)
            builder.field("host", collection.origin.host)
            builder.field("files", collection.files)
            builder.field("restored", collection.restored)
            if collection.samePaths > 0 { builder.field("same_path", collection.samePaths) }
            if !collection.unrestorable.isEmpty { builder.field("unrestorable", collection.unrestorable.count) }
        }
    }
}
