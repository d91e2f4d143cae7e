import Pipeline

/// A member of an archive as its header describes it.
public struct ArchiveEntry: Sendable, Equatable {
    /// What a member is.
    public enum Kind: String, Sendable {
        /// A file with content.
        case file = "file"
        /// A folder.
        case directory = "directory"
        /// A link by name; never followed.
        case symbolicLink = "symbolic link"
        /// Another name of a member; its content is there once.
        case hardLink = "hard link"
        /// A character or block device.
        case device = "device"
        /// A pipe or socket.
        case channel = "pipe or socket"
    }

    /// Position among the members, from 0.
    public let index: Int
    /// Name as the archive has it, in Unicode; hostile: never a path of this machine.
    public internal(set) var name: String
    /// What it is.
    public let kind: Kind
    /// Size as declared, in bytes, which may be a lie; nil if the header does not say.
    public let size: Int?
    /// Times that the header tells.
    public let times: FileTimes
    /// Where a link points; nil for others.
    public let target: String?
    /// Whether a password is needed.
    public let isEncrypted: Bool

    /// A member with what its header says.
    public init(
        index: Int, name: String, kind: Kind = .file, size: Int? = nil, times: FileTimes = FileTimes(),
        target: String? = nil, isEncrypted: Bool = false
    ) {
        self.index = index
        self.name = name
        self.kind = kind
        self.size = size
        self.times = times
        self.target = target
        self.isEncrypted = isEncrypted
    }

    /// Whether its name leads out of the folder it is unpacked to (`../`, drive letters do not).
    var leavesFolder: Bool {
        name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).contains("..")
    }

    /// The name for joining to the archive's path: without `./` in front.
    var childName: String {
        var rest = name[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        return rest.isEmpty ? "member-\(index + 1)" : String(rest)
    }
}

/// Turns the bytes of a member's name into text.
///
/// UTF-8 where it is well-formed; otherwise code page 437 for formats of the DOS world (APPNOTE 4.4.4, appendix D),
/// Latin-1 for others. Nothing is lost: each byte has a character of its own.
func memberName(_ bytes: RawSpan, isDOS: Bool) -> String {
    guard isDOS, !isValidUTF8(bytes) else { return String(lossy: bytes) }
    var text = String.UnicodeScalarView()
    var offset = 0
    while let byte = bytes.uint8(at: offset) {
        text.append(byte < 0x80 ? Unicode.Scalar(byte) : codePage437[Int(byte) - 0x80])
        offset += 1
    }
    return String(text)
}

// Upper half of IBM code page 437.
private let codePage437 = Array(
    ("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
        + "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}").unicodeScalars)
