import Pipeline

// Members become children; what is no file, or stays closed, becomes a record `archive entry`:
//   path      path of the archive and name of the member
//   kind      symbolic link, hard link, device, pipe or socket, encrypted file, unreadable file
//   target    where a link points
//   size, modified
// Triage collections are records, too: see CollectionReport.

/// Takes the members out of archives, and the content out of compressed files that `decompress` does not read.
public struct ArchiveStage: Stage {
    /// Options in a chains file.
    public struct Options: Decodable, Sendable {
        /// Passwords for encrypted members.
        public var passwords: [String]?
        /// Most archives inside each other.
        public var depth: Int?
        /// Most members of one archive.
        public var members: Int?
        /// Most members of an archive that is a triage collection.
        public var collectionMembers: Int?

        enum CodingKeys: String, CodingKey {
            case passwords, depth, members
            case collectionMembers = "collection-members"
        }

        /// Options; the default for what is nil.
        public init(
            passwords: [String]? = nil, depth: Int? = nil, members: Int? = nil, collectionMembers: Int? = nil
        ) {
            self.passwords = passwords
            self.depth = depth
            self.members = members
            self.collectionMembers = collectionMembers
        }
    }

    // Checked options.
    struct Limits: Sendable {
        var passwords: [String]
        var depth: Int
        var members: Int
        var collectionMembers: Int
    }

    /// Passwords that are tried when no others are given: those of sample exchanges, and the commonest.
    public static let defaultPasswords = [
        "infected", "malware", "virus", "password", "infected666", "dangerous", "novirus", "sample", "1234", "12345",
        "123456",
    ]

    /// What the stage is, as data.
    public static let descriptor = StageDescriptor(
        name: "archive",
        summary: "Takes the members out of archives, and the content out of bzip2, zstd, lz4, lzip and compress files.",
        interest: .samples,
        options: [
            .init(
                "passwords",
                "list of passwords for encrypted ZIP members "
                    + "(default \(defaultPasswords.joined(separator: ", ")))"),
            .init("depth", "most archives inside each other; bare compressed files do not count (default 4)"),
            .init("members", "most members of one archive that are looked at (default 10000)"),
            .init("collection-members", "most members of an archive that is a triage collection (default 250000)"),
        ],
        dependsOnNames: true, heuristics: ArchiveHeuristics.all,
        references: [
            "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT",
            "https://github.com/libarchive/libarchive/wiki/ManPageLibarchiveFormats5",
            "https://docs.velociraptor.app/docs/deployment/offline_collections/",
            "https://tclahr.github.io/uac-docs/", "https://ericzimmerman.github.io/KapeDocs/",
            "https://github.com/orlikoski/CyLR",
        ],
        limitations: [
            "A compressed tar is two levels: the stream, then the tar; its members have the method TARGZ and the like.",
            "Encrypted 7-Zip and RAR archives are not opened.",
            "Members compressed with implode, shrink, deflate64, Quantum, or zstd in 7-Zip, are only named.",
            "Archives in several volumes are read as far as the first volume goes.",
            "Links and devices are records; they are not followed.",
            "ARJ, ACE, WIM, DMG, SquashFS and other archives that libarchive does not read are only said to be there.",
            "Triage collections are told by their layout (KAPE, Velociraptor, UAC, CyLR, drive folders): paths and host of "
                + "their members are those of the host. Shadow copies of KAPE (VSS1) and VHDX containers are not.",
            "A collection in a message, a document or another collection is an archive like others.",
            "Of self-extractors, ZIP, 7-Zip, RAR and cabinet archives are found.",
        ])

    /// Type of the records.
    public static let recordType = RecordType("archive entry", module: "Archive", numbers: ["size"])

    private let limits: Limits

    /// Builds the stage.
    ///
    /// - Throws: `ConfigurationError` for a limit below 1.
    public init(options: Options = Options(), environment: StageEnvironment = StageEnvironment()) throws {
        limits = Limits(
            passwords: options.passwords ?? Self.defaultPasswords, depth: options.depth ?? 4,
            members: options.members ?? 10_000, collectionMembers: options.collectionMembers ?? 250_000)
        let counts = 1...1_000_000
        guard limits.depth >= 1, counts.contains(limits.members), counts.contains(limits.collectionMembers) else {
            throw ConfigurationError(
                "the options depth, members and collection-members must be 1 or more (members at most 1000000)")
        }
    }

    /// Looks for an archive and takes it apart.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        // A dump that is scanned in slices is no archive, and only its beginning is at hand.
        if sample.isInPieces { return }
        guard let format = ArchiveFormat(of: sample) else {
            if ArchiveFormat.isUnreadable(sample.kind) {
                out.note(.unsupported, "\(sample.kind) files cannot be opened: what is inside was not looked at")
            } else {
                try inspectAttached(sample, &out)
            }
            return
        }
        guard mayOpen(sample, format, &out) else { return }
        switch format.shape {
        case .stream: try inflate(sample, format, &out)
        case .container: try extract(sample, sample.bytes, format, &out)
        case .zip:
            try ZipExtraction(sample: sample, options: limits, structure: structure(sample, out)).run(&out)
        }
    }

    private func mayOpen(_ sample: Sample, _ format: ArchiveFormat, _ out: inout Output) -> Bool {
        guard out.mayExtract else {
            out.note(.limit, "depth limit reached: the \(format.name) file was not opened")
            return false
        }
        guard format.shape == .stream || ArchiveFormat.depth(of: sample) < limits.depth else {
            out.note(.limit, "archive depth limit \(limits.depth) reached: the \(format.name) file was not opened")
            return false
        }
        return true
    }

    private func structure(_ sample: Sample, _ out: borrowing Output) throws(StageError) -> ZipStructure {
        try ZipStructure(
            sample.bytes.span, memberLimit: limits.members,
            checkpoint: { () throws(StageError) in try out.checkpoint() })
    }

    private func extract(
        _ sample: Sample, _ bytes: Bytes, _ format: ArchiveFormat, _ out: inout Output
    ) throws(StageError) {
        let plan = try ArchivePlan(listing: bytes, format, of: sample, limits, out)
        try CollectionReport(plan, limits).tell(sample, &out)
        var extraction = ArchiveExtraction(sample: sample, format: format, options: limits)
        _ = try extraction.extract(bytes, plan, &out)
        try extraction.openLocked(bytes, plan, &out)
        try extraction.conclude(&out)
    }

    // A bare compressed file.
    private func inflate(_ sample: Sample, _ format: ArchiveFormat, _ out: inout Output) throws(StageError) {
        let handle: ArchiveHandle
        do throws(ArchiveFailure) {
            handle = try ArchiveHandle(sample.bytes, format)
            guard try handle.next() != nil else { return }
        } catch {
            throw StageError(.damaged, "the \(format.name) file cannot be read: \(error.message)")
        }
        let content = try handle.read(
            limit: out.allowance, into: out.byteStore, checkpoint: { () throws(StageError) in try out.checkpoint() })
        if let failure = content.failure {
            out.note(.damaged, "the \(format.name) data is damaged: \(failure.message)")
        } else if content.isCut {
            out.note(.limit, "expansion limit reached: \(content.bytes.count) bytes of the content were looked at")
        }
        if !content.bytes.isEmpty || content.failure == nil && !content.isCut {
            try out.extract(Child(name: sample.uncompressedName, bytes: content.bytes, method: format.method))
        }
    }

    // MARK: Archives at the end of other files

    // Programs and scripts that unpack themselves.
    private static let selfExtracting: Set<String> = [
        "EXE", "DOS EXE", "ELF", "MACH-O", "MSI", "Shell Script", "Python", "Script", "BATCH",
    ]
    private static let attachedMagics: [(magic: [UInt8], kind: String)] = [
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "7ZIP"), (Array("Rar!\u{1A}\u{07}".utf8), "RAR"),
        (Array("MSCF\0\0\0\0".utf8), "CAB"),
    ]

    private func inspectAttached(_ sample: Sample, _ out: inout Output) throws(StageError) {
        // The end record of a ZIP file is in the last 64 KiB.
        let span = sample.bytes.span
        let tail = span.suffix(from: max(span.byteCount - (64 << 10) - 22, 0))
        let isProgram = Self.selfExtracting.contains(sample.kind.name)
        if tail.firstOffset(of: [0x50, 0x4B, 0x05, 0x06]) != nil {
            let structure = try structure(sample, out)
            let isArchive = structure.directories.contains { directory in
                directory.entries.contains { ZipStructure.localHeader(span, at: $0.local) != nil }
            }
            if isArchive {
                guard mayOpen(sample, .zip, &out) else { return }
                if !isProgram {
                    out.report(ArchiveHeuristics.polyglot.reason(["ZIP archive from byte \(structure.prefixCount)"]))
                }
                try ZipExtraction(sample: sample, options: limits, structure: structure).run(&out)
                return
            }
        }
        guard isProgram else { return }
        for (magic, kind) in Self.attachedMagics {
            var from = 1
            // A program that reads such archives has the magic as a constant: only what opens counts.
            for _ in 0..<8 {
                guard let offset = span.firstOffset(of: magic, from: from),
                    let format = ArchiveFormat(kind: kind)
                else { break }
                from = offset + magic.count
                let bytes = sample.bytes.suffix(from: offset)
                try out.checkpoint()
                guard let handle = try? ArchiveHandle(bytes, format), let first = try? handle.next(),
                    !first.name.isEmpty
                else { continue }
                guard mayOpen(sample, format, &out) else { return }
                try extract(sample, bytes, format, &out)
                return
            }
        }
    }
}
