public import Pipeline

// The stream DestList of automatic jump lists: when and how often each destination was used. Versions 1 (Windows 7, 8)
// and 2 to 4 (10, 11). Source: J. Metz, "Jump lists format".

/// One destination of an automatic jump list.
public struct Destination: Sendable {
    /// Number; the stream with the link is named after it, in hexadecimal.
    public let entryID: UInt32
    /// Checksum of the entry.
    public let checksum: UInt64
    /// Volume, file, and where the file was first, for link tracking.
    public let volumeID: GUID?
    /// The file.
    public let objectID: GUID?
    /// The volume where the file was first.
    public let birthVolumeID: GUID?
    /// The file where it was first.
    public let birthObjectID: GUID?
    /// Name of the machine.
    public let machine: String
    /// When it was last used.
    public let lastAccess: Timestamp?
    /// How often it was used.
    public let accessCount: Int
    /// Whether the user keeps it in the list.
    public let isPinned: Bool
    /// Path or address.
    public let path: String
    /// Position in the stream.
    public let offset: Int

    /// Reads all destinations; what is broken ends the list with a problem.
    public static func list(_ span: RawSpan, _ problems: inout [ParseError]) -> [Destination] {
        var destinations: [Destination] = []
        // Lists that were emptied have no bytes at all.
        guard span.byteCount > 0 else { return destinations }
        do throws(ParseError) {
            var reader = ByteReader(span)
            let version = try reader.uint32("version of the list")
            let count = Int(try reader.uint32("number of destinations"))
            guard (1...4).contains(version) else {
                throw ParseError(.unsupported, "version \(version) of the list is not known", at: 0)
            }
            reader.offset = 32
            while destinations.count < count {
                let start = reader.offset
                let isOld = version == 1
                reader.offset = start + (isOld ? 112 : 128)
                let units = Int(try reader.uint16("length of a path"))
                let path = String(utf16: try reader.bytes(units * 2, "path"))
                if !isOld { try reader.skip(4, "end of a destination") }
                destinations.append(Destination(span, at: start, isOld: isOld, path: path))
            }
        } catch {
            problems.append(error)
        }
        return destinations
    }

    private init(_ span: RawSpan, at start: Int, isOld: Bool, path: String) {
        checksum = span.uint64(at: start) ?? 0
        volumeID = GUID(span, at: start + 8)
        objectID = GUID(span, at: start + 24)
        birthVolumeID = GUID(span, at: start + 40)
        birthObjectID = GUID(span, at: start + 56)
        let name = span.suffix(from: start + 72).prefix(16)
        machine = String(lossy: name.prefix(name.firstOffset(of: 0 as UInt8) ?? 16))
        entryID = span.uint32(at: start + 88) ?? 0
        // Version 1 counts with a floating-point number that also fades with time.
        let faded = Float(bitPattern: span.uint32(at: start + 96) ?? 0)
        accessCount = isOld ? (Int(exactly: faded.rounded(.down)) ?? 0) : Int(span.uint32(at: start + 116) ?? 0)
        let time = span.uint64(at: start + 100) ?? 0
        lastAccess = time == 0 ? nil : Timestamp(filetime: time)
        isPinned = span.uint32(at: start + 108) != 0xFFFF_FFFF
        self.path = path
        offset = start
    }
}
