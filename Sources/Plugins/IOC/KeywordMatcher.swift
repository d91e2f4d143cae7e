import PatternMatching
import Pipeline

// Keywords as plain, case-sensitive text, all in one pass; and the places where a named pipe is spelled out.

struct KeywordMatcher: Sendable {
    /// Where something was found in a text that joins many values.
    struct Hit {
        /// Number of the keyword; nil for `\pipe\`.
        var keyword: Int?
        var range: Range<Int>
    }

    private static let pipeMark = "\\pipe\\"

    let iocs: [IOC]
    private let database: PatternDatabase

    /// - Parameter findsPipes: Whether the places of `\pipe\` are wanted too.
    init(_ iocs: [IOC], findsPipes: Bool, pool: ScratchPool) {
        self.iocs = iocs
        var patterns = iocs.enumerated().map { Pattern(id: $0.offset, literal: $0.element.value) }
        if findsPipes { patterns.append(Pattern(id: iocs.count, literal: Self.pipeMark, flags: .caseless)) }
        database = PatternDatabase(patterns, pool: pool)
    }

    var isEmpty: Bool { database.isEmpty }

    /// Keywords that cannot be searched for.
    var refused: [RefusedPattern] { database.refused }

    /// Each keyword once for each line it is in.
    func hits(in text: RawSpan) throws(PatternError) -> [Hit] {
        var matches: [PatternMatch] = []
        try database.scan(text, oncePerLine: true, limit: .max, into: &matches)
        return matches.compactMap { match in
            let keyword = iocs.indices.contains(match.id) ? match.id : nil
            let length = keyword.map { iocs[$0].value.utf8.count } ?? Self.pipeMark.utf8.count
            guard match.end >= length else { return nil }
            return Hit(keyword: keyword, range: (match.end - length)..<match.end)
        }
    }
}
