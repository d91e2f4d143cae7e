/// Writes ZIP files byte by byte, right ones and hostile ones; content is stored, not deflated.
///
/// Made without the reader's definitions, after PKWARE APPNOTE 6.3.10, section 4.3.
public struct SyntheticZip {
    /// One member, with what its two headers say.
    public struct Member {
        /// Name in both headers.
        public var name: [UInt8]
        /// Content.
        public var content: [UInt8]
        /// Another name in the local header.
        public var localName: [UInt8]?
        /// Whether the central directory names it.
        public var isListed = true
        /// General purpose flags; bit 11 is UTF-8.
        public var flags: UInt16 = 0
        /// Another size in both headers.
        public var declaredSize: Int?
        /// Time in the DOS form: date in the upper half.
        public var time: UInt32 = 0x5C21_6000

        /// A member that is what it says.
        public init(_ name: String, _ content: [UInt8]) {
            self.name = Array(name.utf8)
            self.content = content
        }
    }

    /// Members in order.
    public var members: [Member]
    /// Comment of the archive.
    public var comment: [UInt8] = []
    /// Whether there is a central directory.
    public var hasDirectory = true

    /// An archive of members.
    public init(_ members: [Member] = []) { self.members = members }

    /// The file.
    public var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        var listed = 0
        for member in members {
            let size = member.declaredSize ?? member.content.count
            let fixed =
                little(member.flags) + little(UInt16(0)) + little(member.time)
                + little(crc32(member.content)) + little(UInt32(size)) + little(UInt32(size))
            if member.isListed {
                directory += [0x50, 0x4B, 0x01, 0x02] + little(UInt16(20)) + little(UInt16(20)) + fixed
                directory += little(UInt16(member.name.count)) + [UInt8](repeating: 0, count: 12)
                directory += little(UInt32(file.count)) + member.name
                listed += 1
            }
            let name = member.localName ?? member.name
            file += [0x50, 0x4B, 0x03, 0x04] + little(UInt16(20)) + fixed + little(UInt16(name.count)) + [0, 0] + name
            file += member.content
        }
        guard hasDirectory else { return file }
        let count = little(UInt16(truncatingIfNeeded: listed))
        return file + directory + [0x50, 0x4B, 0x05, 0x06, 0, 0, 0, 0] + count + count
            + little(UInt32(directory.count)) + little(UInt32(file.count)) + little(UInt16(comment.count)) + comment
    }
}

/// Writes tar files (POSIX.1-1988 ustar).
public struct SyntheticTar {
    /// The file so far, without the end mark.
    private var blocks: [UInt8] = []

    /// An empty archive.
    public init() {}

    /// Adds a member; `type` is the type flag (`0` file, `1` hard link, `2` symbolic link, `3` device, `5` folder).
    public mutating func add(
        _ name: String, _ content: [UInt8] = [], type: Character = "0", target: String = "", time: Int = 1_700_000_000,
        declaredSize: Int? = nil
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in text.enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, _ digits: Int) -> String.UTF8View {
            let text = String(value, radix: 8)
            return (String(repeating: "0", count: max(digits - text.count, 0)) + text).utf8
        }
        put(name.utf8.prefix(100), at: 0)
        put(octal(0o644, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(declaredSize ?? content.count, 11), at: 124)
        put(octal(time, 11), at: 136)
        put([UInt8](repeating: 0x20, count: 8), at: 148)
        put(String(type).utf8, at: 156)
        put(target.utf8.prefix(100), at: 157)
        put("ustar\u{0}00".utf8, at: 257)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6), at: 148)
        header[154] = 0
        blocks += header + content
        blocks += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// The file.
    public var bytes: [UInt8] { blocks + [UInt8](repeating: 0, count: 1024) }
}

private func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
}
