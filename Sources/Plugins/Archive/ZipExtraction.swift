import Pipeline

// ZIP files in all their readings: the members as the last central directory has them, through libarchive; then what
// other directories name, what no directory names, and members whose own header says something else, each from its
// local header on.

struct ZipExtraction {
    // An ended member may have a data descriptor of up to 24 bytes behind it (APPNOTE 4.3.9).
    private static let descriptorRoom = 32

    let sample: Sample
    let options: ArchiveStage.Limits
    let structure: ZipStructure

    /// Extracts everything and reports what the structure shows.
    ///
    /// - Throws: `StageError` when the time is over.
    func run(_ out: inout Output) throws(StageError) {
        report(&out)
        var extraction = ArchiveExtraction(sample: sample, format: .zip, options: options)
        var extras: [(local: ZipStructure.LocalHeader, name: ZipStructure.Slice)] = []
        var seen: Set<Int> = []
        var originals: [String: ArchivePlan.Original] = [:]
        if let main = structure.directories.first {
            let missed = try extractMain(main, &extraction, &originals, &out)
            for entry in main.entries where seen.insert(entry.local).inserted {
                if missed?.contains(name(entry.name)) ?? true,
                    let local = ZipStructure.localHeader(sample.bytes.span, at: entry.local)
                {
                    extras.append((local, entry.name))
                }
            }
        }
        for directory in structure.directories.dropFirst() {
            for entry in directory.entries where seen.insert(entry.local).inserted {
                if let local = ZipStructure.localHeader(sample.bytes.span, at: entry.local) {
                    extras.append((local, entry.name))
                }
            }
        }
        // libarchive takes the name of the local header: the directory's is the other reading.
        extras += structure.contradictions.map { ($0.local, $0.entry.name) }
        extras += structure.hidden.map { ($0, $0.name) }
        for (local, own) in extras {
            if extraction.isOver { break }
            try out.checkpoint()
            let name = name(own)
            try extraction.extractMember(member(local), name: name, known: originals[name], &out)
        }
        try extraction.conclude(&out)
    }

    // Extracts by the directory.
    //
    // Returns names of the members that libarchive did not reach: nil for all of them, when there are more entries
    // than it should load.
    private func extractMain(
        _ main: ZipStructure.Directory, _ extraction: inout ArchiveExtraction,
        _ originals: inout [String: ArchivePlan.Original], _ out: inout Output
    ) throws(StageError) -> Set<String>? {
        if main.isCut { return nil }
        // libarchive looks for the end record in the last 16 KiB only: the file ends with it.
        let bytes = sample.bytes.prefix(main.end + 22)
        let plan = try ArchivePlan(listing: bytes, .zip, of: sample, options, out)
        try CollectionReport(plan, options).tell(sample, &out)
        originals = plan.originalsByName()
        let stopped = try extraction.extract(bytes, plan, &out)
        try extraction.openLocked(bytes, plan, &out)
        guard let stopped else { return Set() }
        let reached = Set(plan.entries.prefix(stopped).map(\.name))
        return Set(main.entries.map { name($0.name) }).subtracting(reached)
    }

    private func member(_ local: ZipStructure.LocalHeader) -> Bytes {
        let rest = sample.bytes.suffix(from: local.offset)
        guard let size = local.compressedSize else { return rest }
        let (end, overflow) = (local.dataStart - local.offset + Self.descriptorRoom).addingReportingOverflow(size)
        return overflow ? rest : rest.prefix(end)
    }

    private func name(_ slice: ZipStructure.Slice) -> String { structure.name(slice, sample.bytes.span) }

    private func report(_ out: inout Output) {
        if structure.hasNoDirectory {
            out.note(
                .damaged,
                "the ZIP file has no central directory: \(structure.hidden.count) members are read by their own headers"
            )
        } else {
            if structure.directories.count > 1 {
                out.report(
                    ArchiveHeuristics.concatenated.reason(
                        structure.directories.map { "\($0.entries.count) entries in the directory at \($0.start)" }))
            }
            if !structure.hidden.isEmpty {
                out.report(ArchiveHeuristics.hidden.reason(structure.hidden.map { name($0.name) }))
            }
            if !structure.contradictions.isEmpty {
                out.report(
                    ArchiveHeuristics.contradiction.reason(
                        structure.contradictions.map { "\(name($0.entry.name)) | \(name($0.local.name))" }))
            }
            if structure.missing > 0 {
                out.note(
                    .damaged,
                    "\(structure.missing) members of the central directory have no header where they should be")
            }
            if let main = structure.directories.first, main.entries.count != main.declaredCount, !main.isCut {
                out.note(
                    .damaged,
                    "the central directory says \(main.declaredCount) members and has \(main.entries.count)",
                    offset: main.end)
            }
        }
        if structure.isCut {
            out.note(
                .limit,
                "the ZIP file has more directories or entries than are compared "
                    + "(\(ZipStructure.directoryLimit), \(ZipStructure.entryLimit)): members beside them were not looked for"
            )
        }
    }
}
