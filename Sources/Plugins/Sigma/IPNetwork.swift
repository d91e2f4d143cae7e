import Pipeline

// Addresses and networks for the modifier `cidr`: IPv4 in dotted decimals, IPv6 as in RFC 4291 section 2.2, networks
// as in RFC 4632. An IPv4 address that is written inside IPv6 (::ffff:10.0.0.1) is the IPv4 address.

/// An address as 128 bits; IPv4 lies in ::ffff:0:0/96.
struct IPAddress: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    /// Reads an address, in brackets or not, with or without a zone.
    init?(_ text: RawSpan) {
        var span = text
        if span.uint8(at: 0) == 0x5B, span.uint8(at: span.byteCount - 1) == 0x5D, span.byteCount > 2 {
            span = span.suffix(from: 1).prefix(span.byteCount - 2)
        }
        guard span.byteCount >= 2, span.byteCount <= 64 else { return nil }
        if let zone = span.firstOffset(of: 0x25) { span = span.prefix(zone) }
        if span.firstOffset(of: 0x3A) == nil {
            guard let address = Self.version4(span) else { return nil }
            high = 0
            low = 0xFFFF_0000_0000 | UInt64(address)
        } else {
            guard let groups = Self.groups(span) else { return nil }
            high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
            low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
        }
    }

    var isVersion4: Bool { high == 0 && low >> 32 == 0xFFFF }

    private static func version4(_ span: RawSpan) -> UInt32? {
        var address: UInt32 = 0
        var octets = 0
        var value: UInt32 = 0
        var digits = 0
        for index in 0...span.byteCount {
            let byte = span.uint8(at: index)
            if let byte, byte >= 0x30, byte <= 0x39, digits < 3 {
                value = value * 10 + UInt32(byte - 0x30)
                digits += 1
            } else if byte == nil || byte == 0x2E {
                guard digits > 0, value < 256, octets < 4 else { return nil }
                address = address << 8 | value
                octets += 1
                value = 0
                digits = 0
            } else {
                return nil
            }
        }
        return octets == 4 ? address : nil
    }

    private static func groups(_ span: RawSpan) -> [UInt16]? {
        var before: [UInt16] = []
        var after: [UInt16] = []
        var isAfterGap = false
        var position = 0
        if span.matches([0x3A, 0x3A], at: 0) {
            isAfterGap = true
            position = 2
        }
        while position < span.byteCount {
            let end = span.firstOffset(of: 0x3A, from: position) ?? span.byteCount
            guard let part = span.slice(at: position, count: end - position) else { return nil }
            var found: [UInt16] = []
            if end == span.byteCount, part.firstOffset(of: 0x2E) != nil {
                guard let address = version4(part) else { return nil }
                found = [UInt16(truncatingIfNeeded: address >> 16), UInt16(truncatingIfNeeded: address)]
            } else {
                guard let group = UInt16(part.utf8Text, radix: 16), part.byteCount <= 4 else { return nil }
                found = [group]
            }
            if isAfterGap { after += found } else { before += found }
            position = end + 1
            if position == span.byteCount { return nil }
            if position < span.byteCount, span.uint8(at: position) == 0x3A {
                if isAfterGap { return nil }
                isAfterGap = true
                position += 1
            }
        }
        let missing = 8 - before.count - after.count
        if !isAfterGap { return missing == 0 ? before : nil }
        guard missing > 0 else { return nil }
        return before + Array(repeating: 0, count: missing) + after
    }
}

/// A network: addresses that begin with the same bits.
struct IPNetwork: Hashable, Sendable {
    var high: UInt64
    var low: UInt64
    var bits: Int

    /// Reads `ADDRESS/BITS`, or an address alone.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let address = IPAddress(Array(first.utf8).rawSpan) else {
            return nil
        }
        let isVersion4 = address.isVersion4 && !first.contains(":")
        var bits = 128
        if parts.count == 2 {
            guard let written = Int(parts[1]), written >= 0, written <= (isVersion4 ? 32 : 128) else { return nil }
            bits = isVersion4 ? written + 96 : written
        }
        self.bits = bits
        high = address.high & Self.mask(bits)
        low = address.low & Self.mask(bits - 64)
    }

    /// Whether the address lies in the network.
    func contains(_ address: IPAddress) -> Bool {
        address.high & Self.mask(bits) == high && address.low & Self.mask(bits - 64) == low
    }

    private static func mask(_ bits: Int) -> UInt64 {
        if bits <= 0 { return 0 }
        return bits >= 64 ? .max : .max << UInt64(64 - bits)
    }
}
