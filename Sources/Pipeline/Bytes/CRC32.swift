import CDigests

// The checksum of RFC 1952, which every chunk of an event log has twice: 64 bytes at a time on processors that multiply
// without carry, 16 on others.

/// The CRC-32 of RFC 1952.
public enum CRC32 {
    private static let isFolded = cdigests_folds_crc() != 0
    private static let blockSize = 64

    /// Continues a checksum (0 at the start) over `count` bytes at `offset`; the same checksum if they are not all there.
    public static func update(_ checksum: UInt32, _ span: RawSpan, at offset: Int, count: Int) -> UInt32 {
        guard let part = span.slice(at: offset, count: count) else { return checksum }
        var crc = ~checksum
        var position = 0
        let table = tables.span
        let blocks = count / blockSize
        if blocks > 1, isFolded {
            let rest = unsafe part.withUnsafeBytes { buffer in
                unsafe buffer.baseAddress.map { start in
                    unsafe cdigests_fold_crc(crc, start.assumingMemoryBound(to: UInt8.self), blocks)
                }
            }
            if let rest {
                crc = sum(rest.low, rest.high, table)
                position = blocks * blockSize
            }
        }
        while let low = part.uint64(at: position), let high = part.uint64(at: position &+ 8) {
            crc = sum(low ^ UInt64(crc), high, table)
            position &+= 16
        }
        while let byte = part.uint8(at: position) {
            crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8
            position &+= 1
        }
        return ~crc
    }

    // The checksum of 16 bytes, begun with 0.
    @inline(__always)
    private static func sum(_ low: UInt64, _ high: UInt64, _ table: Span<UInt32>) -> UInt32 {
        table[look(low, 0, 15)] ^ table[look(low, 8, 14)] ^ table[look(low, 16, 13)] ^ table[look(low, 24, 12)]
            ^ table[look(low, 32, 11)] ^ table[look(low, 40, 10)] ^ table[look(low, 48, 9)] ^ table[look(low, 56, 8)]
            ^ table[look(high, 0, 7)] ^ table[look(high, 8, 6)] ^ table[look(high, 16, 5)] ^ table[look(high, 24, 4)]
            ^ table[look(high, 32, 3)] ^ table[look(high, 40, 2)] ^ table[look(high, 48, 1)] ^ table[look(high, 56, 0)]
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
