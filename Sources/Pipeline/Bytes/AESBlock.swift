/// AES decryption in CBC mode, for secrets that were stored with a published key.
///
/// After FIPS 197 and NIST SP 800-38A. Written here because swift-crypto offers CBC only in a module that cannot be
/// built everywhere, and because nothing secret of ours passes through it: no care is taken of timing.
public struct AESBlock {
    private let schedule: [[UInt8]]

    /// A cipher for a key; nil unless it has 16, 24 or 32 bytes.
    public init?(key: [UInt8]) {
        guard [16, 24, 32].contains(key.count) else { return nil }
        let words = key.count / 4
        let rounds = words + 6
        var expanded = stride(from: 0, to: key.count, by: 4).map { Array(key[$0..<($0 + 4)]) }
        var constant: UInt8 = 1
        for index in words..<(4 * (rounds + 1)) {
            var word = expanded[index - 1]
            if index % words == 0 {
                word = [word[1], word[2], word[3], word[0]].map { Self.box[Int($0)] }
                word[0] ^= constant
                constant = Self.double(constant)
            } else if words > 6, index % words == 4 {
                word = word.map { Self.box[Int($0)] }
            }
            expanded.append(zip(expanded[index - words], word).map { $0 ^ $1 })
        }
        schedule = stride(from: 0, to: expanded.count, by: 4).map { expanded[$0..<($0 + 4)].flatMap { $0 } }
    }

    /// Decrypts whole blocks in CBC mode, without taking padding off; nil when the sizes do not fit.
    public func decryptCBC(_ data: [UInt8], vector: [UInt8]) -> [UInt8]? {
        guard data.count % 16 == 0, vector.count == 16 else { return nil }
        var plain: [UInt8] = []
        plain.reserveCapacity(data.count)
        var previous = vector
        for start in stride(from: 0, to: data.count, by: 16) {
            let block = Array(data[start..<(start + 16)])
            plain += zip(decrypt(block), previous).map { $0 ^ $1 }
            previous = block
        }
        return plain
    }

    /// Decrypts one block of 16 bytes.
    public func decrypt(_ block: [UInt8]) -> [UInt8] {
        var state = block
        for round in stride(from: schedule.count - 1, through: 0, by: -1) {
            state = zip(state, schedule[round]).map { $0 ^ $1 }
            if round == 0 { break }
            if round < schedule.count - 1 { state = Self.unmixed(state) }
            // Rows are turned back and the box is undone.
            state = (0..<16).map { Self.unbox[Int(state[($0 + 16 - 4 * ($0 % 4)) % 16])] }
        }
        return state
    }

    // The inverse of MixColumns: each column times 14, 11, 13, 9.
    private static func unmixed(_ state: [UInt8]) -> [UInt8] {
        var mixed = state
        for column in stride(from: 0, to: 16, by: 4) {
            for row in 0..<4 {
                let bytes = (0..<4).map { state[column + (row + $0) % 4] }
                mixed[column + row] =
                    product(bytes[0], 14) ^ product(bytes[1], 11) ^ product(bytes[2], 13) ^ product(bytes[3], 9)
            }
        }
        return mixed
    }

    private static func double(_ byte: UInt8) -> UInt8 { byte << 1 ^ (byte & 0x80 != 0 ? 0x1B : 0) }

    private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var (sum, factor, rest): (UInt8, UInt8, UInt8) = (0, left, right)
        while rest != 0 {
            if rest & 1 != 0 { sum ^= factor }
            factor = double(factor)
            rest >>= 1
        }
        return sum
    }

    // The box is the inverse in the field, then an affine map.
    private static let box: [UInt8] = (0..<256).map { value in
        let byte = UInt8(value)
        let inverse = (0..<256).map { UInt8($0) }.first { product(byte, $0) == 1 } ?? 0
        func turned(_ bits: UInt8) -> UInt8 { inverse << bits | inverse >> (8 - bits) }
        return inverse ^ turned(1) ^ turned(2) ^ turned(3) ^ turned(4) ^ 0x63
    }

    private static let unbox: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 256)
        for (index, value) in box.enumerated() { table[Int(value)] = UInt8(index) }
        return table
    }()
}

/// A secret as it may be shown: its first three characters, and a star for each that is not.
///
/// The owner knows which one it is, a reader of the report does not.
public func maskedSecret(_ text: String) -> String {
    String(text.prefix(3)) + String(repeating: "*", count: max(0, text.count - 3))
}
