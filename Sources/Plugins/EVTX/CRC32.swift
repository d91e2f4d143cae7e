import Pipeline

// The CRC of RFC 1952, 16 bytes at a time: every chunk of an event log has two checksums.

enum CRC32 {
    /// Continues a checksum (0 at the start) over `count` bytes at `offset`; bytes outside the span are left out.
    static func update(_ checksum: UInt32, _ span: RawSpan, at offset: Int, count: Int) -> UInt32 {
        guard let part = span.slice(at: offset, count: count) else { return checksum }
        var crc = ~checksum
        var position = 0
        let table = tables.span
        while let low = part.uint64(at: position), let high = part.uint64(at: position &+ 8) {
            let first = low ^ UInt64(crc)
            crc =
                table[look(first, 0, 15)] ^ table[look(first, 8, 14)] ^ table[look(first, 16, 13)]
                ^ table[look(first, 24, 12)] ^ table[look(first, 32, 11)] ^ table[look(first, 40, 10)]
                ^ table[look(first, 48, 9)] ^ table[look(first, 56, 8)]
                ^ table[look(high, 0, 7)] ^ table[look(high, 8, 6)] ^ table[look(high, 16, 5)]
                ^ table[look(high, 24, 4)] ^ table[look(high, 32, 3)] ^ table[look(high, 40, 2)]
                ^ table[look(high, 48, 1)] ^ table[look(high, 56, 0)]
            position &+= 16
        }
        while let byte = part.uint8(at: position) {
            crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8
            position &+= 1
        }
        return ~crc
    }

    @inline(__always)
    private static func look(_ word: UInt64, _ shift: UInt64, _ row: Int) -> Int {
        Int(truncatingIfNeeded: word >> shift & 0xFF) | row &<< 8
    }

    // Row n: what a byte that is followed by n more bytes adds.
    private static let tables: [UInt32] = {
        var rows = [UInt32](repeating: 0, count: 16 * 256)
        for value in 0..<256 {
            var crc = UInt32(value)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
            rows[value] = crc
        }
        for index in 256..<rows.count {
            let before = rows[index - 256]
            rows[index] = rows[Int(before & 0xFF)] ^ before >> 8
        }
        return rows
    }()
}
