import Pipeline

// The stage around the dump formats: what the dump says of itself becomes records, all of its bytes go through the
// matchers in slices, and programs that lie in memory become children.

/// Reads memory dumps and has their memory scanned.
public struct MemoryDumpStage: Stage {
    /// How memory is cut.
    public struct Options: Decodable, Sendable {
        /// Bytes of one chunk.
        public var chunkSize = 12 << 20
        /// Bytes that two neighbouring chunks share.
        public var overlap = 1 << 20

        enum CodingKeys: String, CodingKey {
            case chunkSize = "chunk-size"
            case overlap
        }

        /// The defaults.
        public init() {}

        /// Options that were written, the rest by default.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            chunkSize = try values.decodeIfPresent(Int.self, forKey: .chunkSize) ?? chunkSize
            overlap = try values.decodeIfPresent(Int.self, forKey: .overlap) ?? overlap
        }
    }

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "memory-dump",
        summary:
            "Reads memory dumps (minidump, Windows crash dump, ELF core, LiME, raw images), has all bytes scanned in "
            + "overlapping chunks, and extracts programs from memory.",
        interest: .kinds(FileKind.memoryDumps).andSlices, module: "DumpScan",
        options: [
            .init("chunk-size", "Bytes of one chunk (12582912, which is 12 MiB)."),
            .init("overlap", "Bytes that two neighbouring chunks share (1048576): no match up to this length is lost."),
        ],
        readsPieces: true,
        references: [
            "https://learn.microsoft.com/windows/win32/api/minidumpapiset/ (minidumps)",
            "https://chromium.googlesource.com/breakpad/breakpad (streams of other systems)",
            "https://github.com/0vercl0k/kdmp-parser (headers of Windows crash dumps)",
            "https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, core(5) (ELF core files)",
            "https://github.com/504ensicsLabs/LiME/blob/master/doc/README.md (LiME)",
            "https://learn.microsoft.com/windows/win32/debug/pe-format (programs in memory)",
        ],
        limitations: [
            "Hibernation files and AVML dumps hold memory compressed; they are recognised and scanned as they are, which "
                + "is said.",
            "Page tables are not walked: in dumps of physical memory a text or program in pages that do not follow each "
                + "other in the file is not put together.",
            "Rules see chunks: filesize is the chunk's size; a rule whose strings lie further apart than a chunk does not "
                + "match.",
            "Programs above 32 MiB are extracted up to there.",
        ])

    private static let smallestChunk = 4096
    private static let smallestOverlap = 64
    private static let programLimit = 32 << 20

    private let options: Options

    /// Checks the options.
    ///
    /// - Throws: `MemoryDumpOptionError` for sizes that make no sense.
    public init(options: Options = Options(), environment: StageEnvironment = StageEnvironment()) throws {
        guard options.chunkSize >= Self.smallestChunk, options.overlap >= Self.smallestOverlap,
            options.overlap <= options.chunkSize / 2
        else {
            throw MemoryDumpOptionError(
                description:
                    "chunk-size \(options.chunkSize) and overlap \(options.overlap) do not fit: a chunk has at "
                    + "least \(Self.smallestChunk) bytes, the overlap \(Self.smallestOverlap) and at most half a chunk")
        }
        self.options = options
    }

    /// Reads the tables of a dump and has its bytes scanned.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        let dump = Dump(sample)
        for problem in dump.problems {
            out.note(problem.code == .limit ? .limit : .damaged, problem.message, offset: problem.offset)
        }
        if let compression = dump.compression { out.note(.unsupported, compression) }
        let map = MemoryMap(dump.ranges, modules: dump.modules, isPhysical: dump.isPhysical)
        try out.slice(
            SlicePlan(size: options.chunkSize, overlap: options.overlap, module: Self.descriptor.module) { offset in
                map.place(of: offset)
            })
        try dump.emit(to: &out)
    }

    /// Extracts the programs that begin in a slice.
    public func inspect(
        _ slice: Slice, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        let base = slice.range.lowerBound
        let span = slice.bytes.span
        var position = 1
        // `MZ` by its rarer letter: a byte is looked for many times faster than two.
        while let letter = span.firstOffset(of: 0x5A, from: position) {
            position = letter + 1
            let hit = letter - 1
            guard base + hit < slice.next else { return }
            guard span.uint8(at: hit) == 0x4D else { continue }
            try out.checkpoint()
            // Most of what looks like the magic is chance; the second magic is looked at before anything is read.
            if let header = span.uint32(at: hit + 0x3C), let second = span.uint32(at: hit &+ Int(header)),
                second != 0x4550
            {
                continue
            }
            let headers = sample.content.available(at: base + hit, count: CarvedProgram.headerSize)
            guard let program = CarvedProgram(headers.span) else { continue }
            try extract(program, at: base + hit, of: sample, &out)
        }
    }

    private func extract(
        _ program: CarvedProgram, at offset: Int, of sample: Sample, _ out: inout Output
    ) throws(StageError) {
        let place = "0x" + String(offset, radix: 16)
        if program.size > Self.programLimit {
            out.note(
                .limit, "the program at \(place) has \(program.size) bytes; \(Self.programLimit) were looked at",
                offset: offset)
        }
        let memory = sample.content.available(at: offset, count: min(program.size, Self.programLimit))
        try out.extract(
            Child(name: place + program.fileExtension, bytes: program.file(from: memory), method: "CHUNK"))
    }
}

/// Options with values that make no sense.
public struct MemoryDumpOptionError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, and what would be right.
    public let description: String
}
