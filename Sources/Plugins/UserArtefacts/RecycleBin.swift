import CommandLines
public import Pipeline

// `$I` files of the recycle bin: where a deleted file was, how large, and when it went. Version 1 is of Vista to 8.1,
// version 2 of Windows 10 and later. Source: J. Metz, "Windows Recycle.Bin file formats". Emits one record
// `recycle bin info` with original_file_name, deletion_time, original_file_size, and content_file with the name of the
// `$R` if it came along.

/// What a `$I` file says about a deleted file.
public struct RecycleBinInfo: Sendable {
    /// Size of the deleted file in bytes.
    public let size: UInt64
    /// When it was deleted.
    public let deleted: Timestamp?
    /// Where it was.
    public let path: String
    /// Whether the path is complete.
    public let isComplete: Bool

    /// Reads a `$I` file.
    ///
    /// - Throws: `ParseError` with `unsupported` or `truncated`.
    public init(_ span: RawSpan) throws(ParseError) {
        var reader = ByteReader(span)
        let version = try reader.uint64("version")
        guard version == 1 || version == 2 else {
            throw ParseError(.unsupported, "version \(version) of a recycle bin record is not known", at: 0)
        }
        size = try reader.uint64("size of the deleted file")
        let time = try reader.uint64("time of deletion")
        deleted = time == 0 ? nil : Timestamp(filetime: time)
        let bytes = version == 1 ? 520 : Int(try reader.uint32("length of the path")) * 2
        let rest = span.suffix(from: reader.offset)
        path = String(utf16NullTerminated: rest.prefix(bytes))
        isComplete = rest.byteCount >= bytes
    }
}

/// Reads the `$I` files of the recycle bin.
public struct RecycleBinStage: Stage {
    static let attackTool = Heuristic(
        "RecycleBinAttackTool", score: 60, "A file with the name of an attack tool was deleted",
        tags: ["T1070.004", "T1588.002"], falsePositives: ["Penetration tests"])

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "recycle-bin", summary: "Reads $I files of the recycle bin: name, size and time of deleted files.",
        interest: .kinds("Recycle Bin Info"), module: "RecycleBin",
        heuristics: [attackTool],
        references: ["https://github.com/libyal/dtformats (Windows Recycle.Bin file formats)"],
        limitations: ["INFO2 files of Windows XP and earlier are not read."])

    /// Type of the records.
    public static let recordType = RecordType(
        "recycle bin info", module: "RecycleBin", numbers: ["original_file_size", "content_size"])

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one `$I` file.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        let info: RecycleBinInfo
        do throws(ParseError) {
            info = try RecycleBinInfo(sample.bytes.span)
        } catch {
            throw StageError(error)
        }
        if !info.isComplete { out.note(.damaged, "the path of the deleted file is cut off") }
        try out.emit(Self.recordType, offset: 0) { builder throws(StageError) in
            builder.field("original_file_name", info.path)
            builder.field("deletion_time", info.deleted?.rfc3339(fractionDigits: 6))
            builder.field("original_file_size", Int(truncatingIfNeeded: info.size))
            let content = sample.companions.first { $0.name.uppercased().hasPrefix("$R") }
            builder.field("content_file", content?.name)
            if let content { builder.field("content_size", content.bytes.count) }
            if SuspiciousCommand.isAttackTool(SuspiciousCommand.fileName(info.path.lowercased())) {
                builder.report(Self.attackTool.reason(info.path, at: Self.recordType.pointer(to: "original_file_name")))
            }
        }
    }
}
