public import Pipeline

// The base block of a registry file ("regf"): 512 bytes that tell version, root cell and whether the last write was
// finished. Format after "Windows registry file format specification" (M. Suhanov), chapter "Base block", and
// "Windows NT Registry File (REGF) format" (libregf documentation).

/// The base block of a hive or of its transaction log.
public struct HiveHeader: Sendable, Equatable {
    /// What a registry file is for, by its type number.
    public enum Role: Sendable, Equatable {
        /// A hive.
        case primary
        /// A transaction log in the old format (`DIRT`).
        case oldLog
        /// A transaction log in the new format (`HvLE`).
        case newLog
    }

    /// Bytes before the first hive bin.
    public static let size = 4096

    /// Written before a change of the hive starts.
    public let primarySequence: UInt32
    /// Written when the change has ended; equal to `primarySequence` in a clean hive.
    public let secondarySequence: UInt32
    /// Time of the last write, as FILETIME.
    public let lastWritten: UInt64
    /// Major version, 1.
    public let majorVersion: UInt32
    /// Minor version, 3 to 6 in known Windows.
    public let minorVersion: UInt32
    /// What the file is for.
    public let role: Role
    /// Where the root key's cell is, from the start of the hive bins.
    public let rootCell: UInt32
    /// Bytes of all hive bins together, as the header says.
    public let binsSize: UInt32
    /// End of the path that the hive was loaded from, as Windows wrote it.
    public let fileName: String
    /// Whether the checksum is right.
    public let isChecksumValid: Bool

    /// Reads a base block.
    ///
    /// - Throws: `badMagic` without `regf`, `truncated` when the block is not all there.
    public init(_ span: RawSpan) throws(ParseError) {
        guard span.matches(Array("regf".utf8), at: 0) else {
            throw ParseError(.badMagic, "base block: the signature is not 'regf'", at: 0)
        }
        var reader = ByteReader(span, at: 4)
        primarySequence = try reader.uint32("base block: primary sequence number")
        secondarySequence = try reader.uint32("base block: secondary sequence number")
        lastWritten = try reader.uint64("base block: last written time")
        majorVersion = try reader.uint32("base block: major version")
        minorVersion = try reader.uint32("base block: minor version")
        let type = try reader.uint32("base block: file type")
        try reader.skip(4, "base block: file format")
        rootCell = try reader.uint32("base block: root cell offset")
        binsSize = try reader.uint32("base block: hive bins data size")
        try reader.skip(4, "base block: clustering factor")
        fileName = String(utf16NullTerminated: try reader.bytes(64, "base block: file name"))
        let stored: UInt32
        do {
            var end = ByteReader(span, at: 508)
            stored = try end.uint32("base block: checksum")
        }
        isChecksumValid = stored == Self.checksum(span)
        switch type {
        case 1, 2: role = .oldLog
        case 6: role = .newLog
        default: role = .primary
        }
    }

    /// Whether the last write was not finished: transaction logs may hold the rest.
    public var isDirty: Bool { !isChecksumValid || primarySequence != secondarySequence }

    /// The checksum of the first 508 bytes: all words joined by exclusive or; 0 and -1 stand for something else.
    static func checksum(_ span: RawSpan) -> UInt32 {
        var sum: UInt32 = 0
        for offset in stride(from: 0, to: 508, by: 4) { sum ^= span.uint32(at: offset) ?? 0 }
        if sum == 0 { return 1 }
        return sum == .max ? .max - 1 : sum
    }
}
