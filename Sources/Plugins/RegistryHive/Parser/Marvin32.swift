import Pipeline

/// The checksum of entries in new-format transaction logs.
///
/// Marvin32 with the seed that Windows uses there, after "Windows registry file format specification" (M. Suhanov),
/// section "Log entries"; the function itself is described in US patent 2013/0262421.
enum Marvin32 {
    static let logSeed: UInt64 = 0x82EF_4D88_7A4E_55C5

    /// Low half of the state in the low bits, high half in the high bits.
    static func hash(_ span: RawSpan, seed: UInt64 = logSeed) -> UInt64 {
        var state = State(
            low: UInt32(truncatingIfNeeded: seed), high: UInt32(truncatingIfNeeded: seed >> 32))
        var offset = 0
        while let word = span.uint32(at: offset) {
            state.mix(word)
            offset &+= 4
        }
        // What is left is closed with one bit, as in other hashes of this family.
        var last: UInt32 = 0x80
        for index in stride(from: span.byteCount &- 1, through: offset, by: -1) {
            last = last << 8 | UInt32(span.uint8(at: index) ?? 0)
        }
        state.mix(last)
        state.mix(0)
        return UInt64(state.high) << 32 | UInt64(state.low)
    }

    private struct State {
        var low: UInt32
        var high: UInt32

        mutating func mix(_ word: UInt32) {
            low = low &+ word
            high ^= low
            low = rotate(low, 20) &+ high
            high = rotate(high, 9) ^ low
            low = rotate(low, 27) &+ high
            high = rotate(high, 19)
        }

        private func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 {
            value << bits | value >> (32 - bits)
        }
    }
}
