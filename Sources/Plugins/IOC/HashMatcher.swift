import Pipeline

// Digests of files and digests named in records against the lists. Only digests that a list needs are computed.

struct HashMatcher: Sendable {
    private var malicious: [String: IOC] = [:]
    private var trusted: [String: IOC] = [:]
    // Numbers of digits of the digests in the lists.
    private var lengths: Set<Int> = []

    init(_ iocs: [IOC]) {
        for ioc in iocs {
            lengths.insert(ioc.value.utf8.count)
            if ioc.score < 0 { trusted[ioc.value] = ioc } else { malicious[ioc.value] = ioc }
        }
    }

    var isEmpty: Bool { lengths.isEmpty }

    /// Reasons for a file's digests.
    func reasons(for sample: Sample) -> [Reason] {
        if sample.bytes.isEmpty || isEmpty { return [] }
        var reasons: [Reason] = []
        if lengths.contains(32) {
            add(sample.digests.md5, "/hashes/md5", to: &reasons)
            if !sample.isSliced, let hash = importHash(of: sample.bytes.span) {
                add(hash, "/pe_info/imphash", to: &reasons)
            }
        }
        if lengths.contains(40) { add(sample.digests.sha1, "/hashes/sha1", to: &reasons) }
        if lengths.contains(64) { add(sample.digests.sha256, "/hashes/sha256", to: &reasons) }
        return reasons
    }

    private func add(_ digest: String, _ field: String, to reasons: inout [Reason]) {
        for ioc in [malicious[digest], trusted[digest]] {
            if let ioc { reasons.append(ioc.reason([MatchedText(digest, field: field)])) }
        }
    }

    /// Calls back for each digest in a field's text that a list has: `SHA1=…,MD5=…` of Sysmon, or a digest alone.
    ///
    /// Trusted digests in records say nothing about the record.
    func forEachHit(in text: RawSpan, _ body: (IOC, Range<Int>) -> Void) {
        var start = 0
        for index in 0...text.byteCount {
            if let byte = text.uint8(at: index), isHexDigit(byte) { continue }
            let length = index - start
            if lengths.contains(length), let digest = text.slice(at: start, count: length) {
                if let ioc = malicious[digest.utf8Text.lowercased()] { body(ioc, start..<index) }
            }
            start = index + 1
        }
    }

    /// Whether a field holds digests, by its name.
    static func holdsDigests(_ key: String) -> Bool {
        ["md5", "sha1", "sha256", "hash", "hashes", "imphash"].contains(key.lowercased())
    }
}

func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
}
