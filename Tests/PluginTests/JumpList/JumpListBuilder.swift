// Makes jump lists byte by byte, without the parsers' definitions.

struct JumpListBuilder {
    struct Item {
        var number: UInt32
        var path: String
        var arguments: String
        var pinned = false
        var count: UInt32 = 3
    }

    var version: UInt32 = 4
    var items = [
        Item(number: 1, path: "C:\\Work\\list.txt", arguments: "/read"),
        Item(number: 10, path: "C:\\Work\\plan.txt", arguments: "/edit", pinned: true),
    ]

    var automatic: [UInt8] {
        var streams = [("DestList", list)]
        for item in items { streams.append((String(item.number, radix: 16), Self.link(item.path, item.arguments))) }
        return Self.compoundFile(streams)
    }

    var custom: [UInt8] {
        let classID: [UInt8] = [1, 0x14, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]
        var out = le32(2) + le32(1) + le32(0) + le32(2) + le32(UInt32(items.count))
        for item in items { out += classID + Self.link(item.path, item.arguments) }
        return out + le32(0xBABF_FBAB)
    }

    private var list: [UInt8] {
        var out = le32(version) + le32(UInt32(items.count)) + le32(1) + [UInt8](repeating: 0, count: 20)
        for item in items {
            let guids = (1...4).flatMap { [UInt8](repeating: UInt8($0), count: 16) } as [UInt8]
            out += le64(0x1122_3344_5566_7788) + guids + Array("ws01".utf8) + [UInt8](repeating: 0, count: 12)
            out += le32(item.number) + le32(0) + le32(Float(item.count).bitPattern) + le64(132_539_328_001_234_560)
            out += le32(item.pinned ? 0 : 0xFFFF_FFFF)
            if version > 1 { out += le32(0xFFFF_FFFF) + le32(item.count) + le64(0) }
            out += le16(UInt16(item.path.utf16.count)) + wide(item.path)
            if version > 1 { out += le32(0) }
        }
        return out
    }

    static func link(_ path: String, _ arguments: String) -> [UInt8] {
        var out = le32(0x4C) + [1, 0x14, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46] as [UInt8]
        out += le32(0x20 | 0x80 | 2) + [UInt8](repeating: 0, count: 52)
        let volume = le32(0x11) + le32(3) + le32(7) + le32(0x10) + [0]
        let end = UInt32(0x1C + volume.count + path.utf8.count + 1)
        let info =
            le32(0x1C) + le32(1) + le32(0x1C) + le32(UInt32(0x1C + volume.count)) + le32(0) + le32(end) + volume
            + Array(path.utf8) + [0, 0]
        out += le32(UInt32(info.count + 4)) + info
        return out + le16(UInt16(arguments.utf16.count)) + wide(arguments) + le32(0)
    }

    /// Header, table, directory, small table, then the small sectors; every stream is a small one.
    static func compoundFile(_ streams: [(name: String, content: [UInt8])]) -> [UInt8] {
        var small: [UInt8] = []
        var smallTable: [UInt32] = []
        var entries = [entry("Root Entry", type: 5, start: 0, size: 0)]
        for stream in streams {
            let first = UInt32(smallTable.count)
            let sectors = (stream.content.count + 63) / 64
            for index in 0..<sectors {
                smallTable.append(index == sectors - 1 ? 0xFFFF_FFFE : first + UInt32(index) + 1)
            }
            small += stream.content + [UInt8](repeating: 0, count: sectors * 64 - stream.content.count)
            entries.append(entry(stream.name, type: 2, start: first, size: stream.content.count))
        }
        let directory = padded(Array(entries.joined()))
        let directorySectors = directory.count / 512
        let table = padded(Array(smallTable.map { le32($0) }.joined()), with: 0xFF)
        let container = padded(small)
        let tableAt = 1 + directorySectors
        let containerAt = tableAt + table.count / 512
        var fat: [UInt32] = [0xFFFF_FFFD]
        let parts = [
            (1, directorySectors), (tableAt, table.count / 512), (containerAt, container.count / 512),
        ]
        for (start, count) in parts {
            for index in 0..<count { fat.append(index == count - 1 ? 0xFFFF_FFFE : UInt32(start + index + 1)) }
        }
        var root = entry("Root Entry", type: 5, start: UInt32(containerAt), size: container.count)
        root += directory[128...]
        var header: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1] + [UInt8](repeating: 0, count: 16)
        header += le16(0x3E) + le16(3) + le16(0xFFFE) + le16(9) + le16(6) + [UInt8](repeating: 0, count: 6)
        header += le32(0) + le32(1) + le32(1) + le32(0) + le32(4096) + le32(UInt32(tableAt)) + le32(1)
        header += le32(0xFFFF_FFFE) + le32(0) + le32(0) + [UInt8](repeating: 0xFF, count: 108 * 4)
        return header + padded(Array(fat.map { le32($0) }.joined()), with: 0xFF) + root + table + container
    }

    private static func entry(_ name: String, type: UInt8, start: UInt32, size: Int) -> [UInt8] {
        let text = wide(name)
        return text + [UInt8](repeating: 0, count: 64 - text.count) + le16(UInt16(text.count + 2)) + [type, 1]
            + [UInt8](repeating: 0xFF, count: 12) + [UInt8](repeating: 0, count: 36) + le32(start) + le64(UInt64(size))
    }

    private static func padded(_ bytes: [UInt8], with byte: UInt8 = 0) -> [UInt8] {
        bytes + [UInt8](repeating: byte, count: (512 - bytes.count % 512) % 512)
    }
}

func le16(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }

func le32(_ value: UInt32) -> [UInt8] { le16(UInt16(value & 0xFFFF)) + le16(UInt16(value >> 16)) }

func le64(_ value: UInt64) -> [UInt8] { le32(UInt32(value & 0xFFFF_FFFF)) + le32(UInt32(value >> 32)) }

func wide(_ text: String) -> [UInt8] { Array(text.utf16.map { le16($0) }.joined()) }
