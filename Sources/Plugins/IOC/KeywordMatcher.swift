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
    /// What is searched for; numbers are positions.
    let patterns: [Pattern]
    private let database: PatternDatabase

    /// - Parameter findsPipes: Whether the places of `\pipe\` are wanted too.
    init(_ iocs: [IOC], findsPipes: Bool, pool: ScratchPool) {
        self.iocs = iocs
        var patterns = iocs.enumerated().map { Pattern(id: $0.offset, literal: $0.element.value) }
        if findsPipes { patterns.append(Pattern(id: iocs.count, literal: Self.pipeMark, flags: .caseless)) }
        self.patterns = patterns
        database = PatternDatabase(patterns, pool: pool)
    }

    var isEmpty: Bool { database.isEmpty }

    /// Keywords that cannot be searched for.
    var refused: [RefusedPattern] { database.refused }

    /// Each keyword once for each line it is in.
    func hits(in text: RawSpan) throws(PatternError) -> [Hit] {
        var matches: [PatternMatch] = []
        try database.scan(text, oncePerLine: true, limit: .max, into: &matches)
        return matches.compactMap { hit($0.id, end: $0.end) }
    }

    /// A match of one of the patterns.
    func hit(_ pattern: Int, end: Int) -> Hit? {
        let keyword = iocs.indices.contains(pattern) ? pattern : nil
        let length = keyword.map { iocs[$0].value.utf8.count } ?? Self.pipeMark.utf8.count
        guard end >= length else { return nil }
        return Hit(keyword: keyword, range: (end - length)..<end)
    }
}
