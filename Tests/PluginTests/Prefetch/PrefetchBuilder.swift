// Makes prefetch files and compressed streams byte by byte, without the parser's definitions.

struct PrefetchBuilder {
    var version: UInt32 = 30
    var executable = "LISTER.EXE"
    var files = ["\\VOLUME{01d0}\\WINDOWS\\SYSTEM32\\NTDLL.DLL", "\\VOLUME{01d0}\\TOOLS\\LISTER.EXE"]
    var times: [UInt64] = [132_539_328_001_234_560, 132_539_328_000_000_000]
    var count: UInt32 = 7
    var metricsOffset: UInt32 = 0x128

    var bytes: [UInt8] {
        let infoEnd = version == 17 ? 152 : version == 23 ? 240 : Int(metricsOffset)
        let names = files.flatMap { wide($0) + [0, 0] } as [UInt8]
        let namesAt = infoEnd
        let volumesAt = namesAt + names.count
        let entry = version == 17 ? 40 : version >= 30 ? 96 : 104
        let path = wide("\\VOLUME{01d0}")
        let volume =
            le32(UInt32(entry)) + le32(13) + le64(132_000_000_000_000_000) + le32(0xCAFE_0123)
            + [UInt8](repeating: 0, count: entry - 20) + path
        var out = le32(version) + Array("SCCA".utf8) + le32(0x11) + le32(UInt32(volumesAt + volume.count))
        let name = wide(executable)
        out += name + [UInt8](repeating: 0, count: 60 - name.count) + le32(0x0BAD_F00D) + le32(0)
        out += le32(UInt32(infoEnd)) + le32(0) + le32(0) + le32(0)
        out += le32(UInt32(namesAt)) + le32(UInt32(names.count)) + le32(UInt32(volumesAt)) + le32(1) + le32(0)
        let timesAt = version == 17 ? 120 : 128
        out += [UInt8](repeating: 0, count: timesAt - out.count)
        for time in times { out += le64(time) }
        let countAt = version == 17 ? 144 : version == 23 ? 152 : metricsOffset == 0x128 ? 200 : 208
        out += [UInt8](repeating: 0, count: countAt - out.count) + le32(count)
        out += [UInt8](repeating: 0, count: infoEnd - out.count)
        return out + names + volume
    }

    /// The file compressed: every byte is a code of eight bits, but the run at the end, which is a match.
    static func compressed(_ plain: [UInt8]) -> [UInt8] {
        Array("MAM".utf8) + [4] + le32(UInt32(plain.count)) + literals(plain)
    }

    // Codes for all 256 literals have eight bits when only they are used, and literals go into 16-bit words.
    static func literals(_ plain: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var start = 0
        while start < plain.count {
            let block = plain[start..<min(start + 65_536, plain.count)]
            out += [UInt8](repeating: 0x88, count: 128) + [UInt8](repeating: 0, count: 128)
            var bytes = Array(block)
            if bytes.count % 2 == 1 { bytes.append(0) }
            // The reader is two words ahead when the block ends.
            for index in stride(from: 0, to: bytes.count, by: 2) { out += [bytes[index + 1], bytes[index]] }
            out += [0, 0, 0, 0]
            start += block.count
        }
        return out
    }
}

func le16(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }

func le32(_ value: UInt32) -> [UInt8] { le16(UInt16(value & 0xFFFF)) + le16(UInt16(value >> 16)) }

func le64(_ value: UInt64) -> [UInt8] { le32(UInt32(value & 0xFFFF_FFFF)) + le32(UInt32(value >> 32)) }

func wide(_ text: String) -> [UInt8] { Array(text.utf16.map { le16($0) }.joined()) }
