import PatternMatching
import Pipeline

// C2 IOCs in text (REFERENCE C.4). The text is cut into tokens that may be hosts; of each the suffixes at its dots
// are looked up in one table of hashes, so that the cost does not depend on the number of IOCs. `evil.com` matches
// `evil.com` and `a.evil.com`, not `notevil.com` and not `evil.com.au`.

struct NetworkMatcher: Sendable {
    private var domains: [String: IOC] = [:]
    private var filter: HashFilter
    // By number of bits, widest networks last.
    private var networks4: [(bits: Int, iocs: [UInt32: IOC])] = []
    private var networks6: [(bits: Int, iocs: [Network6: IOC])] = []

    /// Texts one of which is in each text with a hit; nil if they are so many that looking at all hosts is better.
    private(set) var proposals: [Pattern]?
    private static let proposalLimit = 10_000

    private struct Network6: Hashable {
        var high: UInt64
        var low: UInt64
    }

    init(_ iocs: [IOC]) {
        var texts: Set<String> = []
        var by4: [Int: [UInt32: IOC]] = [:]
        var by6: [Int: [Network6: IOC]] = [:]
        for ioc in iocs {
            let target = NetworkTarget(ioc.value)
            if let target { texts.formUnion(target.texts) }
            switch target {
            case .domain(let name): domains[name] = ioc
            case .network4(let address, let bits): by4[bits, default: [:]][address] = ioc
            case .network6(let high, let low, let bits): by6[bits, default: [:]][Network6(high: high, low: low)] = ioc
            case nil: continue
            }
        }
        filter = HashFilter(domains.keys.map { suffixHash(Array($0.utf8).rawSpan, from: 0) })
        networks4 = by4.sorted { $0.key > $1.key }.map { ($0.key, $0.value) }
        networks6 = by6.sorted { $0.key > $1.key }.map { ($0.key, $0.value) }
        if texts.count <= Self.proposalLimit {
            proposals = texts.sorted().map { Pattern(id: 0, literal: $0, flags: .caseless) }
        }
    }

    var isEmpty: Bool { domains.isEmpty && networks4.isEmpty && networks6.isEmpty }

    /// Calls back for each host or address in a text that an IOC names, with its place in the text.
    func forEachHit(in text: RawSpan, _ body: (IOC, Range<Int>) -> Void) {
        if !domains.isEmpty || !networks4.isEmpty { forEachHost(in: text, body) }
        if !networks6.isEmpty { forEachAddress6(in: text, body) }
    }

    // MARK: Hosts and IPv4 addresses

    // A host has a dot: the search goes from dot to dot, and looks at the bytes around each once.
    private func forEachHost(in text: RawSpan, _ body: (IOC, Range<Int>) -> Void) {
        // A local copy: a global is asked whether it is initialised at each use.
        let table = byteKinds
        let kinds = table.span
        // Nothing before this belongs to a host any more.
        var from = 0
        while let dot = text.firstOffset(of: 0x2E, from: from) {
            var isNumeric = true
            var start = dot
            while start > from, let byte = text.uint8(at: start &- 1) {
                let kind = kinds[Int(byte)]
                if kind == .other { break }
                if kind == .host { isNumeric = false }
                start &-= 1
            }
            var dots = 1
            var end = dot &+ 1
            while let byte = text.uint8(at: end) {
                let kind = kinds[Int(byte)]
                if kind == .other { break }
                if kind == .dot { dots &+= 1 } else if kind == .host { isNumeric = false }
                end &+= 1
            }
            from = end &+ 1
            // `%2Fevil.com`: the two digits belong to the escape.
            if start > 0, text.uint8(at: start &- 1) == 0x25, isEscape(text, at: start &- 1) {
                start &+= 2
                isNumeric = isAddress(text, start..<end)
            }
            look(at: text, start..<end, isNumeric: isNumeric && dots >= 3, body)
        }
    }

    private func isAddress(_ text: RawSpan, _ token: Range<Int>) -> Bool {
        token.allSatisfy { index in
            guard let byte = text.uint8(at: index) else { return false }
            return byte == 0x2E || byte &- 0x30 < 10
        }
    }

    private func isEscape(_ text: RawSpan, at index: Int) -> Bool {
        guard let high = text.uint8(at: index + 1), let low = text.uint8(at: index + 2) else { return false }
        return isHexDigit(high) && isHexDigit(low)
    }

    private func look(
        at text: RawSpan, _ token: Range<Int>, isNumeric: Bool, _ body: (IOC, Range<Int>) -> Void
    ) {
        var start = token.lowerBound
        var end = token.upperBound
        while end > start, isEdge(text.uint8(at: end - 1)) { end -= 1 }
        while start < end, isEdge(text.uint8(at: start)) { start += 1 }
        guard start < end, let host = text.slice(at: start, count: end - start) else { return }
        if isNumeric {
            guard !networks4.isEmpty, end - start <= 15, let address = parseIPv4(host.array) else { return }
            for network in networks4 {
                if let ioc = network.iocs[address & mask4(network.bits)] { return body(ioc, start..<end) }
            }
            return
        }
        // From the end to the front: the hash of a suffix is the hash of what lies behind it, continued.
        var hash = hashStart
        var index = host.byteCount - 1
        while index >= 0 {
            hash = hashStep(hash, host.uint8(at: index) ?? 0)
            if index == 0 || host.uint8(at: index - 1) == 0x2E, filter.mayContain(hash) {
                let suffix = host.suffix(from: index).utf8Text.lowercased()
                if let ioc = domains[suffix] { return body(ioc, start..<end) }
            }
            index -= 1
        }
    }

    private func isEdge(_ byte: UInt8?) -> Bool { byte == 0x2E || byte == 0x2D || byte == 0x5F }

    // MARK: IPv6 addresses

    private func forEachAddress6(in text: RawSpan, _ body: (IOC, Range<Int>) -> Void) {
        var start = 0
        var colons = 0
        for index in 0...text.byteCount {
            let byte = text.uint8(at: index) ?? 0x20
            if byte == 0x3A {
                colons += 1
                continue
            }
            if isHexDigit(byte) || byte == 0x2E { continue }
            // A letter that is no digit directly behind means that this is no address.
            if colons >= 2, index - start <= 46, !isHostByte(byte) { lookAt6(text, start..<index, body) }
            start = index + 1
            colons = 0
        }
    }

    private func lookAt6(_ text: RawSpan, _ token: Range<Int>, _ body: (IOC, Range<Int>) -> Void) {
        if token.lowerBound > 0, let before = text.uint8(at: token.lowerBound - 1), isHostByte(before) { return }
        var end = token.upperBound
        while end > token.lowerBound, let last = text.uint8(at: end - 1), last == 0x2E { end -= 1 }
        guard let span = text.slice(at: token.lowerBound, count: end - token.lowerBound) else { return }
        var bytes = span.array
        var address = parseIPv6(bytes)
        // `connect to 2001:db8::1: refused`
        if address == nil, bytes.last == 0x3A {
            bytes.removeLast()
            end -= 1
            address = parseIPv6(bytes)
        }
        guard let address else { return }
        for network in networks6 {
            let mask = mask6(network.bits)
            let masked = Network6(high: address.high & mask.high, low: address.low & mask.low)
            if let ioc = network.iocs[masked] { return body(ioc, token.lowerBound..<end) }
        }
    }
}

// MARK: Tables

private enum ByteKind: UInt8 {
    case other
    case host
    case digit
    case dot
}

private let byteKinds: [ByteKind] = (0...255).map { (value: Int) -> ByteKind in
    let byte = UInt8(value)
    if byte == 0x2E { return .dot }
    if (0x30...0x39).contains(byte) { return .digit }
    return isHostByte(byte) ? .host : .other
}

// FNV-1a over the bytes from the last to the first, ASCII letters in lower case.
private let hashStart: UInt64 = 0xCBF2_9CE4_8422_2325

private func hashStep(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
    let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
    return (hash ^ UInt64(lower)) &* 0x100_0000_01B3
}

private func suffixHash(_ text: RawSpan, from start: Int) -> UInt64 {
    var hash = hashStart
    var index = text.byteCount - 1
    while index >= start {
        hash = hashStep(hash, text.uint8(at: index) ?? 0)
        index -= 1
    }
    return hash
}

/// Says quickly that a hash is not in a set.
private struct HashFilter: Sendable {
    private var bits: [UInt64]
    private let mask: UInt64

    // 16 bits of room for each hash: one in sixteen strangers is looked up in vain.
    init(_ hashes: [UInt64]) {
        var words = 1
        while words * 64 < hashes.count * 16 { words *= 2 }
        bits = Array(repeating: 0, count: words)
        mask = UInt64(words * 64 - 1)
        for hash in hashes {
            let bit = mixed(hash)
            bits[Int(bit >> 6)] |= 1 << (bit & 63)
        }
    }

    func mayContain(_ hash: UInt64) -> Bool {
        let bit = mixed(hash)
        return bits[Int(bit >> 6)] & (1 << (bit & 63)) != 0
    }

    private func mixed(_ hash: UInt64) -> UInt64 { (hash ^ hash >> 32) & mask }
}
