import PatternMatching
import Pipeline

// Filename IOCs on paths and on any text that may hold one: each is tried on the text as it is and with `/` and `\`
// exchanged, so that IOCs work on paths of any system (REFERENCE C.3, A.9).

struct FilenameMatcher: Sendable {
    /// A hit: where it is in the value, and what it was.
    struct Hit {
        var ioc: Int
        var range: Range<Int>
    }

    let iocs: [IOC]
    private let falsePositives: [Int: [ExactRegex]]

    init(_ iocs: [IOC]) {
        self.iocs = iocs
        var falsePositives: [Int: [ExactRegex]] = [:]
        for (index, ioc) in iocs.enumerated() where !ioc.falsePositives.isEmpty {
            falsePositives[index] = ioc.falsePositives.compactMap { try? ExactRegex($0.pattern) }
        }
        self.falsePositives = falsePositives
    }

    var isEmpty: Bool { iocs.isEmpty }

    /// What the search for candidates looks for.
    var patterns: [Pattern] {
        iocs.map { ioc in
            var pattern = ioc.expression.pattern
            pattern.flags.insert(.eitherSeparator)
            return pattern
        }
    }

    /// Those of the proposed IOCs that match a value, in the order given; a false-positive expression that matches the
    /// value in either form takes a hit away.
    ///
    /// - Parameter exploded: IOCs whose expression took too long on this value.
    func hits(
        _ proposed: some Sequence<Int>, in value: RawSpan, _ search: RecordSearch, exploded: inout Set<Int>
    ) -> [Hit] {
        let exchanged = withSeparatorsExchanged(value)
        return proposed.compactMap { index in
            do {
                let plain = try search.firstMatch(of: index, in: value)
                guard let range = try plain ?? search.firstMatch(of: index, in: exchanged.rawSpan) else { return nil }
                for falsePositive in falsePositives[index] ?? [] {
                    if try falsePositive.matches(value) || falsePositive.matches(exchanged.rawSpan) { return nil }
                }
                return Hit(ioc: index, range: range)
            } catch {
                exploded.insert(index)
                return nil
            }
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
