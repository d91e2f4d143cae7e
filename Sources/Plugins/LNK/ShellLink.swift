public import Pipeline

// Reads Windows shell links (.lnk): header, item IDs, link info, strings and extra data. Source: MS-SHLLINK; what the
// header says is kept when the body is broken, because links that exploit the shell declare sizes that do not fit.

/// A Windows shell link.
public struct ShellLink: Sendable {
    /// Bytes of the header.
    public static let headerSize = 0x4C
    /// Class id that follows the header size.
    public static let classID: [UInt8] = [0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]

    /// What the header says.
    public private(set) var header: Header
    /// Steps from the desktop to the target.
    public private(set) var items: [ShellItem] = []
    /// Where the target was found.
    public private(set) var info: LinkInfo?
    /// Comment that is shown to the user.
    public private(set) var description: String?
    /// Target from the place of the link.
    public private(set) var relativePath: String?
    /// Directory that the target is started in.
    public private(set) var workingDirectory: String?
    /// What is handed to the target.
    public private(set) var arguments: String?
    /// File that the icon is from.
    public private(set) var iconLocation: String?
    /// Blocks at the end.
    public private(set) var extra = LinkExtraData()
    /// Bytes of the link; what follows does not belong to it.
    public private(set) var size: Int
    /// What could not be read.
    public private(set) var problems: [ParseError] = []

    /// Reads a link; only a header that is none is an error, anything else becomes one of `problems`.
    ///
    /// - Throws: `ParseError` with `truncated` or `bad-magic`.
    public init(_ span: RawSpan) throws(ParseError) {
        header = try Header(span)
        size = Self.headerSize
        do throws(ParseError) {
            try readBody(span)
        } catch {
            problems.append(error)
        }
    }

    /// What the link starts: the most exact path that it holds, nil if there is none.
    public var target: String? {
        let items = itemPath
        let known = items.flatMap { $0.hasPrefix("?") || $0.hasPrefix("::") ? nil : $0 }
        return info?.path ?? extra.environmentTarget ?? known ?? relativePath ?? items
    }

    /// Target and arguments as a shell would be given them, nil without a target.
    public var commandLine: String? {
        guard let target else { return nil }
        guard let arguments, !arguments.isEmpty else { return target }
        let quoted = target.utf8.contains(0x20) ? "\"\(target)\"" : target
        return "\(quoted) \(arguments)"
    }

    /// The item IDs as one path, nil if there are none.
    public var itemPath: String? {
        guard !items.isEmpty else { return nil }
        var path = ""
        for (index, item) in items.enumerated() {
            // The path of a drive says everything that "My Computer" in front of it would.
            if index == 0, items.count > 1, item.kind == .root, items[1].kind == .volume { continue }
            if !path.isEmpty, path.utf8.last != 0x5C { path += "\\" }
            path += item.name
        }
        return path
    }

    private mutating func readBody(_ span: RawSpan) throws(ParseError) {
        var reader = ByteReader(span, at: Self.headerSize)
        if header.has(.itemIDs) {
            let count = Int(try reader.uint16("size of the item IDs"))
            let start = reader.offset
            items = ShellItem.list(span.suffix(from: start).prefix(count))
            try reader.skip(count, "item IDs")
            size = reader.offset
        }
        if header.has(.linkInfo) {
            let start = reader.offset
            let count = Int(try reader.uint32("size of the link info"))
            guard count >= 4 else {
                throw ParseError(.invalid, "the link info claims a size of \(count) bytes", at: start)
            }
            info = LinkInfo(span.suffix(from: start).prefix(count))
            try reader.skip(count - 4, "link info")
            size = reader.offset
        }
        try readStrings(span, &reader)
        size = extra.read(span, at: reader.offset, &problems)
    }

    private mutating func readStrings(_ span: RawSpan, _ reader: inout ByteReader) throws(ParseError) {
        let strings: [(Header.Flag, WritableKeyPath<ShellLink, String?>)] = [
            (.name, \.description), (.relativePath, \.relativePath), (.workingDirectory, \.workingDirectory),
            (.arguments, \.arguments), (.iconLocation, \.iconLocation),
        ]
        for (flag, field) in strings where header.has(flag) {
            let count = Int(try reader.uint16("length of a string"))
            let isUnicode = header.has(.unicode)
            let bytes = isUnicode ? count * 2 : count
            let part = span.suffix(from: reader.offset).prefix(bytes)
            self[keyPath: field] = isUnicode ? String(utf16: part) : String(lossy: part)
            try reader.skip(bytes, "string")
            size = reader.offset
        }
    }
}

extension ShellLink {
    /// The fixed part at the start.
    public struct Header: Sendable {
        /// What a link has; MS-SHLLINK 2.1.1.
        public struct Flag: Sendable {
            let bit: UInt32

            /// Item IDs follow the header.
            public static let itemIDs = Flag(bit: 1 << 0)
            /// Link info follows.
            public static let linkInfo = Flag(bit: 1 << 1)
            /// A comment is there.
            public static let name = Flag(bit: 1 << 2)
            /// A relative path is there.
            public static let relativePath = Flag(bit: 1 << 3)
            /// A working directory is there.
            public static let workingDirectory = Flag(bit: 1 << 4)
            /// Arguments are there.
            public static let arguments = Flag(bit: 1 << 5)
            /// A place of the icon is there.
            public static let iconLocation = Flag(bit: 1 << 6)
            /// Strings are UTF-16.
            public static let unicode = Flag(bit: 1 << 7)
            /// The target is started as another user.
            public static let runAsUser = Flag(bit: 1 << 13)
        }

        /// All flags.
        public let flags: UInt32
        /// Attributes of the target.
        public let attributes: UInt32
        /// When the target was created.
        public let created: Timestamp?
        /// When the target was last read.
        public let accessed: Timestamp?
        /// When the target was last written.
        public let modified: Timestamp?
        /// Low 32 bits of the target's size in bytes.
        public let fileSize: UInt32
        /// Which icon of the file it is.
        public let iconIndex: Int32
        /// How the window opens: 1 normal, 3 maximised, 7 minimised.
        public let showCommand: UInt32
        /// Key in the low byte, modifiers in the high one; 0 for none.
        public let hotKey: UInt16

        /// Whether a flag is set.
        public func has(_ flag: Flag) -> Bool { flags & flag.bit != 0 }

        init(_ span: RawSpan) throws(ParseError) {
            guard span.uint32(at: 0) == UInt32(ShellLink.headerSize), span.matches(ShellLink.classID, at: 4) else {
                throw ParseError(.badMagic, "this is no shell link: size and class id are not those of one", at: 0)
            }
            var reader = ByteReader(span, at: 20)
            flags = try reader.uint32("flags")
            attributes = try reader.uint32("attributes")
            created = time(try reader.uint64("creation time"))
            accessed = time(try reader.uint64("access time"))
            modified = time(try reader.uint64("write time"))
            fileSize = try reader.uint32("file size")
            iconIndex = Int32(bitPattern: try reader.uint32("icon index"))
            showCommand = try reader.uint32("show command")
            hotKey = try reader.uint16("hot key")
            try reader.skip(10, "reserved part of the header")
        }
    }
}

/// A FILETIME, nil for the value that says "not known".
func time(_ value: UInt64) -> Timestamp? { value == 0 ? nil : Timestamp(filetime: value) }
