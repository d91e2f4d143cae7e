public import Pipeline

// Keys and values of a hive: the cells "nk" and "vk". Format after "Windows registry file format specification"
// (M. Suhanov), sections "Key node" and "Key value".

/// The content of one cell: where it stands in the file and how many bytes of it are there.
struct HiveCell {
    var offset: Int
    var count: Int
}

/// One registry key, as its cell describes it; names and lists are read when asked for.
public struct HiveKey: Sendable, Equatable {
    /// Position of the cell's content in the file, in bytes.
    public let offset: Int
    /// Flags of the key node (0x0004 root of a hive, 0x0010 symbolic link, 0x0020 name in Latin-1).
    public let flags: UInt16
    /// Time of the last change, as FILETIME.
    public let lastWrittenFiletime: UInt64
    /// Number of subkeys that the cell claims.
    public let subkeyCount: UInt32
    /// Number of values that the cell claims.
    public let valueCount: UInt32
    /// Bytes of the class name that the cell claims.
    public let classLength: Int
    let parent: UInt32
    let subkeyList: UInt32
    let valueList: UInt32
    let classCell: UInt32
    let nameOffset: Int
    let nameCount: Int
    /// Whether the name reaches beyond its cell and was cut.
    public let isNameCut: Bool

    // 76 bytes before the name.
    static let fixedSize = 76

    /// nil when the cell is not a key node.
    init?(_ span: RawSpan, _ cell: HiveCell) {
        let start = cell.offset
        guard cell.count >= Self.fixedSize, let fixed = span.slice(at: start, count: Self.fixedSize),
            fixed.uint16(at: 0) == 0x6B6E
        else { return nil }
        offset = start
        flags = fixed.uint16(at: 2) ?? 0
        lastWrittenFiletime = fixed.uint64(at: 4) ?? 0
        parent = fixed.uint32(at: 16) ?? .max
        subkeyCount = fixed.uint32(at: 20) ?? 0
        subkeyList = fixed.uint32(at: 28) ?? .max
        valueCount = fixed.uint32(at: 36) ?? 0
        valueList = fixed.uint32(at: 40) ?? .max
        classCell = fixed.uint32(at: 48) ?? .max
        let named = Int(fixed.uint16(at: 72) ?? 0)
        classLength = Int(fixed.uint16(at: 74) ?? 0)
        nameOffset = start &+ Self.fixedSize
        nameCount = min(named, cell.count &- Self.fixedSize)
        isNameCut = nameCount < named
    }

    /// Time of the last change.
    public var lastWritten: Timestamp { Timestamp(filetime: lastWrittenFiletime) }

    /// Whether the name is stored with one byte a character.
    public var isNameCompressed: Bool { flags & 0x20 != 0 }

    /// Whether the key says of itself that it is the root of a hive.
    public var isRoot: Bool { flags & 0x04 != 0 }
}

/// One registry value, as its cell describes it.
public struct HiveValue: Sendable, Equatable {
    /// Position of the cell's content in the file, in bytes.
    public let offset: Int
    /// Type number as it is stored.
    public let type: UInt32
    /// Bytes of data that the cell claims.
    public let size: Int
    /// Whether the name is stored with one byte a character.
    public let isNameCompressed: Bool
    /// Whether the name reaches beyond its cell and was cut.
    public let isNameCut: Bool
    /// Whether the value has no name: the default value of its key.
    public var isDefault: Bool { nameCount == 0 }
    let isInline: Bool
    let dataCell: UInt32
    let nameOffset: Int
    let nameCount: Int

    // 20 bytes before the name.
    static let fixedSize = 20

    /// nil when the cell is not a key value.
    init?(_ span: RawSpan, _ cell: HiveCell) {
        let start = cell.offset
        guard cell.count >= Self.fixedSize, let fixed = span.slice(at: start, count: Self.fixedSize),
            fixed.uint16(at: 0) == 0x6B76
        else { return nil }
        offset = start
        let named = Int(fixed.uint16(at: 2) ?? 0)
        let sized = fixed.uint32(at: 4) ?? 0
        isInline = sized & 0x8000_0000 != 0
        size = Int(sized & 0x7FFF_FFFF)
        dataCell = fixed.uint32(at: 8) ?? .max
        type = fixed.uint32(at: 12) ?? 0
        isNameCompressed = (fixed.uint16(at: 16) ?? 0) & 1 != 0
        nameOffset = start &+ Self.fixedSize
        nameCount = min(named, cell.count &- Self.fixedSize)
        isNameCut = nameCount < named
    }
}

/// Something in a hive that could not be read, and where.
public struct HiveProblem: Sendable, Equatable {
    /// One sentence: what is wrong and what was not read.
    public let message: String
    /// Position in the file, in bytes.
    public let offset: Int

    init(_ message: String, at offset: Int) {
        self.message = message
        self.offset = offset
    }
}

// One bit for each cell that a file can have (cells begin at multiples of 8 bytes): what was visited already.
struct CellSet: ~Copyable {
    private var words: [UInt64]

    init(fileSize: Int) { words = [UInt64](repeating: 0, count: fileSize / 512 + 1) }

    /// Whether the cell at this position was not in the set; it is now.
    mutating func insert(_ offset: Int) -> Bool {
        let bit = offset >> 3
        let word = bit >> 6
        guard word >= 0, word < words.count else { return false }
        let mask = UInt64(1) << UInt64(bit & 63)
        if words[word] & mask != 0 { return false }
        words[word] |= mask
        return true
    }
}
