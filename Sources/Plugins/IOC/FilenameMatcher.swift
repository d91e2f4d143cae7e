import PatternMatching
import Pipeline

// Filename IOCs on paths and on any text that may hold one. A path is searched twice, as it is and with `/` and `\`
// exchanged, so that IOCs work on paths of any system (REFERENCE C.3, A.9).

struct FilenameMatcher: Sendable {
    /// A hit: where it is in the value, and what it was.
    struct Hit {
        var ioc: Int
        var range: Range<Int>
    }

    let iocs: [IOC]
    let patterns: PatternSet
    private let falsePositives: [Int: [ExactRegex]]

    init(_ iocs: [IOC], pool: ScratchPool) {
        self.iocs = iocs
        patterns = PatternSet(iocs.map(\.expression.pattern), pool: pool)
        var falsePositives: [Int: [ExactRegex]] = [:]
        for (index, ioc) in iocs.enumerated() where !ioc.falsePositives.isEmpty {
            falsePositives[index] = ioc.falsePositives.compactMap { try? ExactRegex($0.pattern) }
        }
        self.falsePositives = falsePositives
    }

    var isEmpty: Bool { iocs.isEmpty }

    /// All IOCs that match a path, in the order of the lists.
    ///
    /// - Parameter exploded: IOCs whose expression took too long on this path.
    func hits(in path: [UInt8], exploded: inout Set<Int>) throws(PatternError) -> [Hit] {
        let exchanged = withSeparatorsExchanged(path.rawSpan)
        let both = path + [0x0A] + exchanged
        var candidates: [PatternMatch] = []
        try patterns.propose(in: both.rawSpan, into: &candidates)
        var hits: [Int: Hit] = [:]
        for candidate in candidates where hits[candidate.id] == nil {
            let value = candidate.end <= path.count ? path : exchanged
            if let range = confirm(candidate.id, value.rawSpan, path.rawSpan, exchanged.rawSpan, &exploded) {
                hits[candidate.id] = Hit(ioc: candidate.id, range: range)
            }
        }
        return hits.values.sorted { $0.ioc < $1.ioc }
    }

    /// Whether an IOC that was proposed really matches a value; a false-positive expression that matches the value in
    /// either form takes the hit away.
    func confirm(
        _ index: Int, _ value: RawSpan, _ plain: RawSpan, _ exchanged: RawSpan, _ exploded: inout Set<Int>
    ) -> Range<Int>? {
        do {
            guard let range = try patterns.firstMatch(of: index, in: value) else { return nil }
            for falsePositive in falsePositives[index] ?? [] {
                if try falsePositive.matches(plain) || falsePositive.matches(exchanged) { return nil }
            }
            return range
        } catch {
            exploded.insert(index)
            return nil
        }
    }

    /// One reason for all hits in one string of a record: their scores are summed (REFERENCE B.6).
    func summedReason(_ hits: [Hit], _ matched: [MatchedText]) -> Reason? {
        guard let first = hits.first else { return nil }
        if hits.count == 1 { return iocs[first.ioc].reason(matched) }
        let parts = hits.map { iocs[$0.ioc] }
        let score = min(max(parts.reduce(0) { $0 + $1.score }, -100), 100)
        var signature = (parts.max { $0.score < $1.score } ?? iocs[first.ioc]).signature
        signature.score = score
        signature.description = unique(parts.map(\.description)).joined(separator: "; ")
        signature.references = unique(parts.flatMap(\.source.references))
        let values = parts.map { "\($0.value) (\($0.score))" }.joined(separator: ", ")
        let words = signature.description.isEmpty ? "" : " / \(signature.description)"
        return Reason(summary: "Filename IOC match: \(values)\(words)", signature: signature, matched: matched)
    }
}

private func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { !$0.isEmpty && seen.insert($0).inserted }
}

/// A copy with `/` and `\` exchanged.
func withSeparatorsExchanged(_ text: RawSpan) -> [UInt8] {
    var copy = text.array
    var bytes = copy.mutableSpan
    for index in bytes.indices {
        switch bytes[index] {
        case 0x2F: bytes[index] = 0x5C
        case 0x5C: bytes[index] = 0x2F
        default: continue
        }
    }
    return copy
}
