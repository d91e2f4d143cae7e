public import Pipeline

// The steps of a shell path (item IDs): roots, drives, files, shares, control panel items. Sources: MS-SHLLINK 2.2 for
// the list; J. Metz, "Windows Shell Item format", for what Microsoft does not document.

/// One step of a shell path.
public struct ShellItem: Sendable {
    /// What kind of step it is.
    public enum Kind: Sendable {
        /// A place of the shell's name space, named by a GUID.
        case root
        /// A drive.
        case volume
        /// A file or directory.
        case file
        /// A server or share.
        case network
        /// An address.
        case address
        /// Anything else.
        case other
    }

    /// What kind of step it is.
    public let kind: Kind
    /// Byte that tells the type.
    public let type: UInt8
    /// Its name; `?` when the item is of a type that is not known.
    public let name: String
    /// Last write as stored: local or UTC, in steps of two seconds; nil if unknown.
    public private(set) var modified: Timestamp?

    private init(_ kind: Kind, _ type: UInt8, _ name: String?, modified: Timestamp? = nil) {
        self.kind = kind
        self.type = type
        self.name = name.map { $0.isEmpty ? "?" : $0 } ?? "?"
        self.modified = modified
    }

    /// Reads a list of items up to its end mark or the end of the span.
    public static func list(_ span: RawSpan) -> [ShellItem] {
        var items: [ShellItem] = []
        var offset = 0
        while let size = span.uint16(at: offset), size >= 3,
            let bytes = span.slice(at: offset, count: Int(size))
        {
            items.append(ShellItem(bytes))
            offset += Int(size)
        }
        return items
    }

    // `span` is one item with its size in front.
    init(_ span: RawSpan) {
        let type = span.uint8(at: 2) ?? 0
        // A "users property view" names a known folder, whatever the type says.
        if span.uint32(at: 6) == 0x23FE_BBEE, let folder = GUID(span, at: 14) {
            self.init(.root, type, shellFolderName(folder))
            return
        }
        switch type {
        case 0x1F, 0x2E:
            self.init(.root, type, GUID(span, at: 4).map(shellFolderName))
        case 0x20...0x2F:
            self.init(.volume, type, text(span, at: 3))
        case 0x30...0x3F, 0xB1:
            self.init(file: span, type: type)
        case 0x40...0x4F, 0xC3:
            self.init(.network, type, text(span, at: 5))
        case 0x61:
            self.init(address: span, type: type)
        case 0x70, 0x71:
            self.init(.root, type, GUID(span, at: 14).map(shellFolderName))
        case 0x74 where span.uint32(at: 6) == 0x4653_4643:
            self.init(file: span, type: type, entry: 10)
        default:
            self.init(.other, type, longName(span).name)
        }
    }

    // Size of the file at 4, FAT time at 8, attributes at 12, short name at 14, extension block behind it.
    private init(file span: RawSpan, type: UInt8, entry: Int = 0) {
        let modified = fatTime(span.uint32(at: entry + 8))
        let isUnicode = (span.uint8(at: entry + 2) ?? 0) & 4 != 0
        let short = isUnicode ? wideText(span, at: entry + 14) : text(span, at: entry + 14)
        self.init(.file, type, longName(span).name ?? short, modified: modified)
    }

    // Flags at 3, size of binary data at 4, then the address.
    private init(address span: RawSpan, type: UInt8) {
        let isUnicode = (span.uint8(at: 3) ?? 0) & 0x80 != 0
        let start = 6 + Int(span.uint16(at: 4) ?? 0)
        self.init(.address, type, isUnicode ? wideText(span, at: start) : text(span, at: start))
    }
}

// Extension block 0xBEEF0004: the last two bytes of an item say where its blocks start. The long name stands behind
// parts that came with versions 3, 7, 8 and 9 (Windows XP, Vista, 7, 8.1).
private func longName(_ span: RawSpan) -> (name: String?, version: UInt16) {
    var offset = Int(span.uint16(at: span.byteCount &- 2) ?? 0)
    guard offset >= 4 else { return (nil, 0) }
    while let size = span.uint16(at: offset), size >= 8 {
        if span.uint32(at: offset &+ 4) == 0xBEEF_0004, let version = span.uint16(at: offset &+ 2), version >= 3 {
            var name = offset &+ (version >= 7 ? 36 : 18) &+ 2
            if version >= 9 { name &+= 4 }
            if version >= 8 { name &+= 4 }
            return (wideText(span, at: name), version)
        }
        offset &+= Int(size)
    }
    return (nil, 0)
}

// FAT: date in the low half (day 5 bits, month 4, years since 1980), time in the high one (2 s, minute, hour).
private func fatTime(_ value: UInt32?) -> Timestamp? {
    guard let value, value != 0 else { return nil }
    let date = Int(value & 0xFFFF)
    let time = Int(value >> 16)
    return Timestamp(
        year: 1980 + date >> 9, month: date >> 5 & 15, day: date & 31, hour: time >> 11, minute: time >> 5 & 63,
        second: (time & 31) * 2)
}
