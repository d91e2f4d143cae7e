import Pipeline

// Small files of many formats, made from numbers. Nothing here comes from real files.

enum Fixture {
    static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    static func utf16(_ text: String, mark: Bool = true, bigEndian: Bool = false) -> [UInt8] {
        let units = (mark ? [0xFEFF] : []) + Array(text.utf16)
        return units.flatMap { unit in
            bigEndian ? [UInt8(unit >> 8), UInt8(unit & 0xFF)] : [UInt8(unit & 0xFF), UInt8(unit >> 8)]
        }
    }

    /// `bytes` at `offset` of a block of zeros.
    static func block(_ count: Int, _ parts: (Int, [UInt8])...) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: count)
        for (offset, bytes) in parts { block.replaceSubrange(offset..<(offset + bytes.count), with: bytes) }
        return block
    }

    static func program(header: [UInt8] = [0x50, 0x45, 0, 0]) -> [UInt8] {
        block(256, (0, [0x4D, 0x5A, 0x90]), (0x3C, little(0x80, 4)), (0x80, header))
    }

    static func elf(type: UInt8) -> [UInt8] { block(64, (0, [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1]), (16, [type])) }

    /// A ZIP with stored members.
    static func zip(_ members: [(name: String, data: String)], directory: Bool = true) -> [UInt8] {
        var local: [UInt8] = []
        var central: [UInt8] = []
        for member in members {
            let sizes = little(member.data.utf8.count, 4) + little(member.data.utf8.count, 4)
            let lengths = little(member.name.utf8.count, 2) + little(0, 2)
            let common = little(20, 2) + little(0, 2) + little(0, 2) + little(0, 8) + sizes
            central += [0x50, 0x4B, 1, 2] + little(20, 2) + common + lengths + little(0, 10) + little(local.count, 4)
            central += text(member.name)
            local += [0x50, 0x4B, 3, 4] + common + lengths + text(member.name) + text(member.data)
        }
        guard directory else { return local }
        let counts = little(members.count, 2) + little(members.count, 2)
        return local + central + [0x50, 0x4B, 5, 6] + little(0, 4) + counts + little(central.count, 4)
            + little(local.count, 4) + little(0, 2)
    }

    /// A tape archive header; `magic` is what stands at 257.
    static func tar(magic: String) -> [UInt8] {
        var header = block(512, (0, text("notes.txt")), (100, text("0000644")), (257, text(magic)))
        header.replaceSubrange(148..<156, with: text("        "))
        let sum = header.reduce(0) { $0 + Int($1) }
        let octal = String(sum, radix: 8)
        header.replaceSubrange(
            148..<156, with: text(String(repeating: "0", count: 6 - octal.count) + octal) + [0, 0x20])
        return header + [UInt8](repeating: 0, count: 1024)
    }

    /// A compound file with one directory sector; entries are names, the root first.
    static func compound(rootClass: Int = 0, entries: [String]) -> [UInt8] {
        var directory: [UInt8] = []
        for (index, name) in (["Root Entry"] + entries).enumerated() {
            var entry = block(128, (0, utf16(name, mark: false)), (64, little(name.utf16.count * 2 + 2, 2)))
            entry[66] = index == 0 ? 5 : 2
            if index == 0, rootClass > 0 {
                entry.replaceSubrange(80..<96, with: little(rootClass, 4) + [0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46])
            }
            directory += entry
        }
        // Sector 0 is the allocation table, the directory begins in sector 1 and goes on in 2.
        let sectors = (directory.count + 511) / 512
        directory += [UInt8](repeating: 0, count: sectors * 512 - directory.count)
        let table = block(
            512, (4, sectors > 1 ? little(2, 4) : [0xFE, 0xFF, 0xFF, 0xFF]), (8, [0xFE, 0xFF, 0xFF, 0xFF]))
        return block(
            512, (0, [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]), (30, little(9, 2)), (48, little(1, 4)),
            (76, little(0, 4))) + table + directory
    }

    /// A minidump whose module list has one module.
    static func minidump(module: String) -> [UInt8] {
        let name = utf16(module, mark: false)
        return block(
            512, (0, text("MDMP")), (4, little(0xA793, 4)), (8, little(1, 4)), (12, little(32, 4)), (32, little(4, 4)),
            (40, little(64, 4)), (64, little(1, 4)), (64 + 4 + 20, little(256, 4)), (256, little(name.count, 4)),
            (260, name))
    }

    static func recycleBin(version: Int, path: String) -> [UInt8] {
        let head = little(version, 8) + little(4096, 8) + little(0x01D9_0000_0000_0000, 8)
        let name = utf16(path + "\0", mark: false)
        if version == 1 { return head + name + [UInt8](repeating: 0, count: 520 - name.count) }
        return head + little(name.count / 2, 4) + name
    }

    static func usnRecord() -> [UInt8] {
        block(
            72, (0, little(72, 4)), (4, little(2, 2)), (56, little(10, 2)), (58, little(60, 2)),
            (60, utf16("a.txt", mark: false)))
    }

    static func mp3() -> [UInt8] {
        // MPEG 1 layer III, 128 kbit/s, 44,100 Hz: frames of 417 bytes.
        block(900, (0, [0xFF, 0xFB, 0x90, 0x00]), (417, [0xFF, 0xFB, 0x90, 0x00]))
    }

    static func certificate() -> [UInt8] {
        let inner: [UInt8] =
            [0x30, 0x82, 0x01, 0x00, 0xA0, 0x03, 0x02, 0x01, 0x02] + [UInt8](repeating: 0x05, count: 300)
        return [0x30, 0x82, UInt8(inner.count >> 8), UInt8(inner.count & 0xFF)] + inner
    }
}
