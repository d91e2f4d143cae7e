public import Pipeline

// Reads Windows prefetch files (SCCA), versions 17 (XP), 23 (Vista, 7), 26 (8), 30 (10) and 31 (11), after inflating
// them where needed. Source: J. Metz, "Windows Prefetch File (PF) format"; compression from MS-XCA.

/// A Windows prefetch file.
public struct PrefetchFile: Sendable {
    /// Largest file that is inflated, in bytes; Windows' own are below 1 MiB.
    public static let inflatedLimit = 64 << 20
    // Real files name some thousand files on a few volumes. A hostile one lets many entries point to the same long
    // text, which would fill the memory with copies of it.
    private static let fileLimit = 64 << 10
    private static let volumeLimit = 1 << 10
    private static let pathBytes = 2 << 10

    /// A volume that files were read from.
    public struct Volume: Sendable, Equatable {
        /// Device path, as in `\VOLUME{…}`.
        public let path: String
        /// When it was made.
        public let created: Timestamp?
        /// Serial number.
        public let serial: UInt32
    }

    /// Format version.
    public let version: UInt32
    /// Name of the program, cut after 29 units.
    public let executable: String
    /// Hash of the program's path.
    public let hash: UInt32
    /// How often it ran.
    public private(set) var executionCount: UInt32 = 0
    /// When it ran, latest first; up to 8 from version 26 on.
    public private(set) var executionTimes: [Timestamp] = []
    /// Device paths of the files that were read in the first seconds.
    public private(set) var accessedFiles: [String] = []
    /// Volumes they are on.
    public private(set) var volumes: [Volume] = []
    /// Whether the file was compressed.
    public let isCompressed: Bool
    /// What could not be read.
    public private(set) var problems: [ParseError] = []

    /// The size a compressed file says it inflates to, nil if it is not compressed.
    public static func inflatedSize(_ span: RawSpan) -> Int? {
        guard let head = span.uint32(at: 0), head & 0x00FF_FFFF == 0x4D_414D, let size = span.uint32(at: 4)
        else { return nil }
        return Int(size)
    }

    /// Reads a prefetch file, compressed or not.
    ///
    /// - Throws: `ParseError` with `bad-magic`, `truncated`, `unsupported`, or `limit` for one above `inflatedLimit`.
    public init(_ span: RawSpan) throws(ParseError) {
        guard let size = Self.inflatedSize(span) else {
            try self.init(plain: span, isCompressed: false, problems: [])
            return
        }
        guard size <= Self.inflatedLimit else {
            throw ParseError(.limit, "it says it inflates to \(size) bytes, more than a prefetch file has", at: 4)
        }
        // A checksum follows when the highest bit of the method is set.
        let start = (span.uint8(at: 3) ?? 0) & 0x80 != 0 ? 12 : 8
        let inflated = XpressHuffman(span.suffix(from: start), size: size)
        let problem = inflated.problem
        try self.init(plain: inflated.output.rawSpan, isCompressed: true, problems: problem.map { [$0] } ?? [])
    }

    private init(plain span: RawSpan, isCompressed: Bool, problems: [ParseError]) throws(ParseError) {
        self.isCompressed = isCompressed
        self.problems = problems
        var reader = ByteReader(span)
        version = try reader.uint32("version")
        guard try reader.uint32("signature") == 0x4143_4353 else {
            throw ParseError(.badMagic, "this is no prefetch file: the signature SCCA is missing", at: 4)
        }
        guard [17, 23, 26, 30, 31].contains(version) else {
            throw ParseError(.unsupported, "prefetch version \(version) is not known", at: 0)
        }
        try reader.skip(8, "sizes")
        executable = String(utf16NullTerminated: try reader.bytes(60, "name of the program"))
        hash = try reader.uint32("hash")
        do throws(ParseError) {
            try readInformation(span)
        } catch {
            self.problems.append(error)
        }
    }

    /// Device path of the program itself, nil if it is not among the files that were read.
    public var executablePath: String? {
        let wanted = "\\" + executable.uppercased()
        // A name that was cut has lost its end.
        let isCut = executable.utf16.count >= 29
        return accessedFiles.first { file in
            let upper = file.uppercased()
            return upper.hasSuffix(wanted) || isCut && upper.contains(wanted)
        }
    }

    private mutating func readInformation(_ span: RawSpan) throws(ParseError) {
        var reader = ByteReader(span, at: 84)
        let metrics = try reader.uint32("offset of the metrics")
        try reader.skip(12, "metrics and trace chains")
        let names = Int(try reader.uint32("offset of the names"))
        let namesSize = Int(try reader.uint32("size of the names"))
        let volumesOffset = Int(try reader.uint32("offset of the volumes"))
        let volumeCount = Int(try reader.uint32("number of volumes"))
        // Version 30 has two layouts; the shorter one shows in where the metrics begin.
        let runCount =
            switch version {
            case 17: 144
            case 23: 152
            default: metrics == 0x128 ? 200 : 208
            }
        let firstTime = version == 17 ? 120 : 128
        for index in 0..<(version >= 26 ? 8 : 1) {
            guard let time = span.uint64(at: firstTime + index * 8), time != 0 else { continue }
            executionTimes.append(Timestamp(filetime: time))
        }
        var counter = ByteReader(span, at: runCount)
        executionCount = try counter.uint32("number of runs")
        readNames(span.suffix(from: names).prefix(namesSize))
        if span.slice(at: names, count: namesSize) == nil {
            problems.append(
                ParseError(
                    .truncated, "names: need \(namesSize) bytes, have \(max(0, span.byteCount - names))", at: names))
        }
        try readVolumes(span, at: volumesOffset, count: volumeCount)
    }

    private mutating func readNames(_ span: RawSpan) {
        var offset = 0
        while offset < span.byteCount {
            guard accessedFiles.count < Self.fileLimit else {
                problems.append(
                    ParseError(
                        .limit, "it names more than \(Self.fileLimit) files; the others were not read", at: offset))
                return
            }
            let length = utf16Length(span.suffix(from: offset))
            if length > 0 { accessedFiles.append(String(utf16: span.suffix(from: offset).prefix(length))) }
            offset += length + 2
        }
    }

    private mutating func readVolumes(_ span: RawSpan, at start: Int, count: Int) throws(ParseError) {
        let entrySize = version == 17 ? 40 : version >= 30 ? 96 : 104
        let room = min(count, max(0, span.byteCount - start) / entrySize + 1)
        if room > Self.volumeLimit {
            problems.append(
                ParseError(
                    .limit, "it has \(room) volumes; those beyond \(Self.volumeLimit) were not read", at: start))
        }
        var cut = 0
        for index in 0..<min(room, Self.volumeLimit) {
            var reader = ByteReader(span, at: start + index * entrySize)
            let path = Int(try reader.uint32("path of a volume"))
            let units = Int(try reader.uint32("length of a volume's path"))
            let created = try reader.uint64("creation time of a volume")
            let serial = try reader.uint32("serial number of a volume")
            if units * 2 > Self.pathBytes { cut += 1 }
            volumes.append(
                Volume(
                    path: String(
                        utf16NullTerminated: span.suffix(from: start + path).prefix(min(units * 2, Self.pathBytes))),
                    created: created == 0 ? nil : Timestamp(filetime: created), serial: serial))
        }
        if cut > 0 {
            problems.append(
                ParseError(
                    .limit, "\(cut) of its volumes have a path of more than \(Self.pathBytes) bytes, which was cut",
                    at: start))
        }
    }
}
