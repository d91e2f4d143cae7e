// Domains, addresses and networks of C2 lists, and how addresses are read from text: RFC 4291 section 2.2, RFC 4632.

/// What a C2 IOC names.
enum NetworkTarget: Sendable, Hashable {
    case domain(String)
    case network4(address: UInt32, bits: Int)
    case network6(high: UInt64, low: UInt64, bits: Int)

    /// Reads a normalised value; nil if it is none of these, or too wide to be of use.
    init?(_ value: String) {
        guard value.utf8.count >= Self.shortest else { return nil }
        let parts = value.split(separator: "/", omittingEmptySubsequences: false)
        let bits = parts.count == 2 ? Int(parts[1]) : nil
        if parts.count > 2 || (parts.count == 2 && bits == nil) { return nil }
        if let address = parseIPv4(parts[0].utf8) {
            let bits = bits ?? 32
            guard (1...32).contains(bits) else { return nil }
            self = .network4(address: address & mask4(bits), bits: bits)
        } else if let (high, low) = parseIPv6(parts[0].utf8) {
            let bits = bits ?? 128
            guard (1...128).contains(bits) else { return nil }
            let mask = mask6(bits)
            self = .network6(high: high & mask.high, low: low & mask.low, bits: bits)
        } else {
            guard parts.count == 1, Self.isDomain(value) else { return nil }
            self = .domain(value)
        }
    }

    // Shorter values hit by chance.
    private static let shortest = 4

    static func problem(_ value: String) -> String {
        value.utf8.count < shortest
            ? "'\(value)' has fewer than \(shortest) characters"
            : "'\(value.prefix(120))' is no domain, IP address or network"
    }

    private static func isDomain(_ value: String) -> Bool {
        let labels = value.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, value.utf8.count <= 253 * 4 else { return false }
        guard labels.last?.utf8.contains(where: { !(0x30...0x39).contains($0) }) == true else { return false }
        return labels.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isHostByte) }
    }
}

extension NetworkTarget {
    /// Texts, in either case, one of which is in each text that names such a host, however it is written.
    ///
    /// Of IPv4 addresses numbers have no leading zeros, or all have three digits.
    var texts: [String] {
        switch self {
        case .domain(let name):
            return [name]
        case .network4(let address, let bits):
            let whole = bits / 8
            let rest = bits % 8
            let numbers = (0..<4).map { Int(address >> UInt32(24 - $0 * 8) & 255) }
            let plain = numbers[..<whole].map { "\($0)." }.joined()
            let padded = numbers[..<whole].map { threeDigits($0) + "." }.joined()
            if whole == 4 { return [String(plain.dropLast()), String(padded.dropLast())] }
            if rest == 0 { return [plain, padded] }
            // Each number that the next part may be.
            return (numbers[whole]..<(numbers[whole] + 1 << (8 - rest))).flatMap {
                ["\(plain)\($0)", padded + threeDigits($0)]
            }
        case .network6(let high, _, let bits):
            // The first group, if it has a fixed number: zeros may be written in many ways, or not at all.
            let group = high >> 48
            return [bits >= 16 && group != 0 ? String(group, radix: 16) + ":" : ":"]
        }
    }

    private func threeDigits(_ number: Int) -> String {
        String(repeating: "0", count: number < 10 ? 2 : number < 100 ? 1 : 0) + "\(number)"
    }
}

/// A C2 value in one form: lower case, not defanged, without scheme, port, leading `*.` and trailing dot.
func normalised(c2 value: String) -> String {
    var text = value.lowercased()
    for (written, meant) in [("[.]", "."), ("(.)", "."), ("[:]", ":")] {
        text = text.split(separator: written, omittingEmptySubsequences: false).joined(separator: meant)
    }
    if text.hasPrefix("*.") { text.removeFirst(2) }
    while text.hasPrefix(".") { text.removeFirst() }
    while text.hasSuffix(".") { text.removeLast() }
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
        return String(text[text.index(after: text.startIndex)..<end])
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 2, let port = Int(parts[1]), (1...65_535).contains(port) { return String(parts[0]) }
    return text
}

/// Bytes that names of hosts consist of; those above ASCII are of names in other scripts.
func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F, 0x80...: true
    default: false
    }
}

/// Four decimal numbers; nil for anything else.
func parseIPv4(_ text: some Collection<UInt8>) -> UInt32? {
    var address: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var parts = 0
    for byte in text {
        if byte == 0x2E {
            guard digits > 0, parts < 3 else { return nil }
            address = address << 8 | part
            parts += 1
            part = 0
            digits = 0
        } else {
            guard (0x30...0x39).contains(byte), digits < 3 else { return nil }
            part = part * 10 + UInt32(byte - 0x30)
            digits += 1
            guard part <= 255 else { return nil }
        }
    }
    guard parts == 3, digits > 0 else { return nil }
    return address << 8 | part
}

/// Eight groups of hexadecimal digits, one run of zeros as `::`, the last two possibly as IPv4; nil for anything else.
func parseIPv6(_ text: some Collection<UInt8>) -> (high: UInt64, low: UInt64)? {
    guard text.count >= 2, text.count <= 45, text.contains(0x3A) else { return nil }
    var groups: [UInt16] = []
    var gap: Int?
    let parts = text.split(separator: 0x3A, omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
        if part.isEmpty {
            // `::` leaves one empty part inside, two at an end.
            let isEdge = index == 0 || index == parts.count - 1
            if isEdge {
                let neighbour = index == 0 ? 1 : parts.count - 2
                guard parts[neighbour].isEmpty else { return nil }
                continue
            }
            guard gap == nil else { return nil }
            gap = groups.count
        } else if index == parts.count - 1, part.contains(0x2E) {
            guard let address = parseIPv4(part) else { return nil }
            groups += [UInt16(address >> 16), UInt16(address & 0xFFFF)]
        } else {
            guard part.count <= 4, part.first != 0x2B,
                let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
            else { return nil }
            groups.append(group)
        }
        if groups.count > 8 { return nil }
    }
    if let gap {
        guard groups.count < 8 else { return nil }
        groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    let high = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    return (high, groups[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) })
}

func mask4(_ bits: Int) -> UInt32 { bits <= 0 ? 0 : UInt32.max << UInt32(32 - min(bits, 32)) }

func mask6(_ bits: Int) -> (high: UInt64, low: UInt64) {
    let high = bits <= 0 ? 0 : UInt64.max << UInt64(64 - min(bits, 64))
    return (high, bits <= 64 ? 0 : UInt64.max << UInt64(128 - min(bits, 128)))
}
