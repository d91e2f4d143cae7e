// Makes shell links byte by byte, without the parser's definitions, so that a wrong one is found.

struct LinkBuilder {
    var flags: UInt32 = 0x80
    var created: UInt64 = 132_539_328_001_234_560
    var accessed: UInt64 = 132_539_328_000_000_000
    var modified: UInt64 = 0
    var fileSize: UInt32 = 4096
    var items: [[UInt8]] = []
    var info: [UInt8] = []
    var strings: [(flag: UInt32, text: String)] = []
    var blocks: [[UInt8]] = []
    var isWide = true

    var bytes: [UInt8] {
        var flags = isWide ? flags : flags & ~0x80
        if !items.isEmpty { flags |= 1 }
        if !info.isEmpty { flags |= 2 }
        for string in strings { flags |= string.flag }
        var out: [UInt8] = le32(0x4C) + [1, 0x14, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]
        out += le32(flags) + le32(0x20) + le64(created) + le64(accessed) + le64(modified)
        out += le32(fileSize) + le32(3) + le32(7) + le16(0x0641) + [UInt8](repeating: 0, count: 10)
        if !items.isEmpty {
            let list = Array(items.joined()) + [0, 0]
            out += le16(UInt16(list.count)) + list
        }
        out += info
        for string in strings {
            out += le16(UInt16(string.text.utf16.count)) + (isWide ? wide(string.text) : Array(string.text.utf8))
        }
        for block in blocks { out += block }
        return out + le32(0)
    }

    static func root(_ guid: [UInt8]) -> [UInt8] { sized([0x1F, 0x50] + guid) }

    static func volume(_ name: String) -> [UInt8] {
        sized([0x2F] + Array(name.utf8) + [UInt8](repeating: 0, count: 22 - name.utf8.count))
    }

    /// A file with a short and a long name, the long one in the extension block of Windows 10 (version 9).
    static func file(_ short: String, _ long: String, isDirectory: Bool = false) -> [UInt8] {
        var item: [UInt8] = [isDirectory ? 0x31 : 0x32, 0] + le32(77) + le16(0x5221) + le16(0x6000) + le16(0x20)
        item += Array(short.utf8) + [0]
        if item.count % 2 == 1 { item.append(0) }
        let start = item.count + 2
        let name = wide(long) + [0, 0]
        let tail = le32(0x6000_5221) + le32(0x6000_5221) + le16(0x2E) + le16(0) + le64(0x0001_0000_0000_1234) + le64(0)
        let rest = tail + le16(0) + le32(0) + le32(0) + name + le16(UInt16(start))
        item += le16(UInt16(rest.count + 8)) + le16(9) + [0x04, 0x00, 0xEF, 0xBE] + rest
        return sized(item)
    }

    static func localInfo(path: String, suffix: String, label: String) -> [UInt8] {
        let volume =
            le32(UInt32(0x10 + label.utf8.count + 1)) + le32(3) + le32(0xCAFE_0123) + le32(0x10)
            + Array(label.utf8) + [0]
        let base = 0x1C + volume.count
        let end = base + path.utf8.count + 1
        let body =
            le32(0x1C) + le32(1) + le32(0x1C) + le32(UInt32(base)) + le32(0) + le32(UInt32(end)) + volume
            + Array(path.utf8) + [0] + Array(suffix.utf8) + [0]
        return le32(UInt32(body.count + 4)) + body
    }

    static func shareInfo(share: String, device: String, suffix: String) -> [UInt8] {
        let link =
            le32(UInt32(0x14 + share.utf8.count + device.utf8.count + 2)) + le32(3) + le32(0x14)
            + le32(UInt32(0x14 + share.utf8.count + 1)) + le32(0x20000) + Array(share.utf8) + [0] + Array(device.utf8)
            + [0]
        let end = 0x1C + link.count
        let body =
            le32(0x1C) + le32(2) + le32(0) + le32(0) + le32(0x1C) + le32(UInt32(end)) + link
            + Array(suffix.utf8) + [0]
        return le32(UInt32(body.count + 4)) + body
    }

    static func block(_ signature: UInt32, _ content: [UInt8]) -> [UInt8] {
        le32(UInt32(content.count + 8)) + le32(signature) + content
    }

    static func tracker(machine: String) -> [UInt8] {
        let name = Array(machine.utf8) + [UInt8](repeating: 0, count: 16 - machine.utf8.count)
        // Time 0x01EB..., version 1, node 00:0C:29:01:02:03.
        let file: [UInt8] = [1, 2, 3, 4, 5, 6, 0xEB, 0x11, 0x80, 9, 0x00, 0x0C, 0x29, 1, 2, 3]
        let volume = [UInt8](repeating: 0xAB, count: 16)
        return block(0xA000_0003, le32(0x58) + le32(0) + name + volume + file + volume + file)
    }

    static func environment(_ path: String, signature: UInt32 = 0xA000_0001) -> [UInt8] {
        let narrow = Array(path.utf8) + [UInt8](repeating: 0, count: 260 - path.utf8.count)
        let broad = wide(path)
        return block(signature, narrow + broad + [UInt8](repeating: 0, count: 520 - broad.count))
    }

    static func property(_ set: [UInt8], id: UInt32, text: String) -> [UInt8] {
        let units = wide(text) + [0, 0]
        let value = le32(id) + [0] + le16(0x1F) + le16(0) + le32(UInt32(units.count / 2)) + units
        let entry = le32(UInt32(value.count + 4)) + value
        let storage = le32(0x5350_5331) + set + entry + le32(0)
        return block(0xA000_0009, le32(UInt32(storage.count + 4)) + storage + le32(0))
    }

    static let myComputer: [UInt8] = [
        0xE0, 0x4F, 0xD0, 0x20, 0xEA, 0x3A, 0x69, 0x10, 0xA2, 0xD8, 0x08, 0x00, 0x2B, 0x30, 0x30, 0x9D,
    ]

    private static func sized(_ item: [UInt8]) -> [UInt8] { le16(UInt16(item.count + 2)) + item }
}

func le16(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }

func le32(_ value: UInt32) -> [UInt8] { le16(UInt16(value & 0xFFFF)) + le16(UInt16(value >> 16)) }

func le64(_ value: UInt64) -> [UInt8] { le32(UInt32(value & 0xFFFF_FFFF)) + le32(UInt32(value >> 32)) }

func wide(_ text: String) -> [UInt8] { text.utf16.flatMap { le16($0) } }
