import CArchive
import Pipeline

// Which formats are read, by the kind that file-type gave, and through which readers of libarchive. Only the readers of
// the one format are enabled: a sample is never taken for something else, and libarchive's filters that start programs
// (lrzip, grzip, lzop without its library) are never reached.

/// One archive format or bare compression.
struct ArchiveFormat: Sendable {
    /// What it is: the members of an archive, or the one stream that is inside.
    enum Shape: Sendable {
        /// Files with names.
        case container
        /// ZIP: read by its structure, too.
        case zip
        /// One compressed stream without a name.
        case stream
    }

    /// Readers of libarchive; each has a function of its own to enable it.
    enum Reader: Sendable {
        case zip, zipStream, sevenZip, rar, rar5, tar, cab, iso, cpio, ar, lha, xar, warc, raw
        case bzip2, compress, gzip, lz4, lzip, lzma, rpm, xz, zstd
    }

    /// Name of the format in messages.
    let name: String
    /// How children are said to be unpacked.
    let method: String
    /// What it is.
    let shape: Shape
    /// Readers to enable.
    let readers: [Reader]

    init(_ name: String, method: String? = nil, shape: Shape = .container, _ readers: [Reader]) {
        self.name = name
        self.method = method ?? name
        self.shape = shape
        self.readers = readers
    }

    /// ZIP as its central directory has it.
    static let zip = ArchiveFormat("ZIP", shape: .zip, [.zip])
    /// One member of a ZIP file, from its local header on.
    static let zipMember = ArchiveFormat("ZIP", shape: .zip, [.zipStream])

    // Formats that are ZIP files with a purpose: their members are files like any other.
    private static let zipKinds: Set<String> = [
        "ZIP", "JAR", "WAR", "APK", "APPX", "IPA", "VSIX", "NuGet Package", "EPUB", "Office", "OpenDocument", "XPS",
    ]

    private static let byKind: [String: ArchiveFormat] = [
        "7ZIP": ArchiveFormat("7ZIP", [.sevenZip]),
        "RAR": ArchiveFormat("RAR", [.rar, .rar5]),
        "TAR": ArchiveFormat("TAR", [.tar]),
        "CAB": ArchiveFormat("CAB", [.cab]),
        "ISO": ArchiveFormat("ISO", [.iso]),
        "CPIO": ArchiveFormat("CPIO", [.cpio]),
        "AR": ArchiveFormat("AR", [.ar]),
        "DEB": ArchiveFormat("DEB", [.ar]),
        "RPM": ArchiveFormat("RPM", [.rpm, .gzip, .bzip2, .xz, .lzma, .zstd, .cpio]),
        "LHA": ArchiveFormat("LHA", [.lha]),
        "XAR": ArchiveFormat("XAR", [.xar]),
        "WARC": ArchiveFormat("WARC", [.warc]),
        "BZIP2": ArchiveFormat("BZIP2", shape: .stream, [.bzip2, .raw]),
        "ZSTD": ArchiveFormat("ZSTD", shape: .stream, [.zstd, .raw]),
        "LZ4": ArchiveFormat("LZ4", shape: .stream, [.lz4, .raw]),
        "LZIP": ArchiveFormat("LZIP", shape: .stream, [.lzip, .raw]),
        "TARZ": ArchiveFormat("COMPRESS", shape: .stream, [.compress, .raw]),
    ]

    // Archives and disk images that nothing here reads: said, not passed over.
    private static let unreadable: Set<String> = [
        "ARJ", "ACE", "ZOO", "ALZ", "EGG", "ZPAQ", "StuffIt", "WIM", "DMG", "InstallShield CAB", "LZOP", "Snappy",
        "SZDD", "KWAJ", "Unix Pack", "SquashFS", "CramFS", "VHD", "VHDX", "VMDK", "QCOW2",
    ]

    // A compressed tar is a stream first; its members carry the joined name that rules know.
    private static let tarMethods = [
        "GZIP": "TARGZ", "BZIP2": "TARBZ2", "XZ": "TARXZ", "LZMA": "TARLZMA", "ZSTD": "TARZST", "LZ4": "TARLZ4",
        "LZIP": "TARLZ", "COMPRESS": "TARZ",
    ]

    /// The format of a sample by its kind; nil if it is none that this stage reads.
    init?(of sample: Sample) {
        if Self.zipKinds.contains(sample.kind.name) {
            self = .zip
            return
        }
        guard let known = Self.byKind[sample.kind.name] else { return nil }
        let joined = known.name == "TAR" ? Self.tarMethods[sample.unpackParent] : nil
        self.init(known.name, method: joined ?? known.method, shape: known.shape, known.readers)
    }

    /// The format of archives of a kind.
    init?(kind: String) {
        guard let known = Self.byKind[kind] else { return nil }
        self = known
    }

    /// Whether a kind is an archive that cannot be read here.
    static func isUnreadable(_ kind: FileKind) -> Bool { unreadable.contains(kind.name) }

    /// How many archives are around a sample; bare streams do not count, `GZIP` before `TARGZ` neither.
    static func depth(of sample: Sample) -> Int { sample.unpackSource.count(where: containerMethods.contains) }

    /// Whether a sample that was unpacked so came out of an archive or a bare compressed file.
    static func isMethod(_ method: String) -> Bool {
        containerMethods.contains(method) || tarMethods[method] != nil || byKind.values.contains { $0.method == method }
    }

    private static let containerMethods: Set<String> = Set(
        byKind.values.filter { $0.shape == .container }.map(\.method) + tarMethods.values + ["ZIP"])
}
