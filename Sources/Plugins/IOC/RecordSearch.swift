import PatternMatching
import Pipeline

// One pass over the joined values of a batch for everything that is looked for in them: file names, keywords, pipes and
// hosts. What it proposes is judged on the single value afterwards.

struct RecordSearch: Sendable {
    /// What may be in the values of a batch.
    struct Candidates {
        /// Fields and the filename IOCs that may match there.
        var filenames: [(field: Int, ioc: Int)] = []
        /// Keywords and places of `\pipe\` in the text of the batch.
        var keywords: [KeywordMatcher.Hit] = []
        /// Fields that may name a host of a C2 list, in order.
        var hosts: [Int] = []
    }

    // Texts above this number have a database of their own, which compiles them thirty times faster.
    private static let textLimit = 10_000

    private let patterns: PatternSet
    private let filenameCount: Int
    // Keywords and pipes follow the filenames, hosts follow them.
    private let keywordCount: Int
    private let separateKeywords: KeywordMatcher?

    /// - Parameters:
    ///   - hosts: Texts one of which is in each value that names a host; empty to find no hosts.
    init(_ filenames: FilenameMatcher, _ keywords: KeywordMatcher, hosts: [Pattern], pool: ScratchPool) {
        let isSeparate = keywords.patterns.count > Self.textLimit
        separateKeywords = isSeparate ? keywords : nil
        filenameCount = filenames.iocs.count
        keywordCount = isSeparate ? 0 : keywords.patterns.count
        patterns = PatternSet(filenames.patterns + (isSeparate ? [] : keywords.patterns) + hosts, pool: pool)
    }

    /// Filename IOCs that are searched for one by one, which costs time.
    var slowFilenames: [RefusedPattern] { patterns.slow.filter { $0.index < filenameCount } }

    func candidates(in records: borrowing RecordBatch, _ keywords: KeywordMatcher) throws(PatternError) -> Candidates {
        var matches: [PatternMatch] = []
        try patterns.propose(in: records.text, into: &matches)
        var found = Candidates()
        var hosts: Set<Int> = []
        for match in matches {
            if match.id < filenameCount {
                if let field = records.field(at: match.end - 1) { found.filenames.append((field, match.id)) }
            } else if match.id < filenameCount + keywordCount {
                if let hit = keywords.hit(match.id - filenameCount, end: match.end) { found.keywords.append(hit) }
            } else if let field = records.field(at: match.end - 1) {
                hosts.insert(field)
            }
        }
        if let separateKeywords { found.keywords = try separateKeywords.hits(in: records.text) }
        found.filenames.sort { $0 < $1 }
        found.hosts = hosts.sorted()
        return found
    }

    /// Filename IOCs that may match a path, in the order of the lists.
    func filenames(in path: RawSpan) throws(PatternError) -> [Int] {
        var matches: [PatternMatch] = []
        try patterns.propose(in: path, into: &matches)
        return Set(matches.lazy.map(\.id).filter { $0 < filenameCount }).sorted()
    }

    /// Where a filename IOC first matches in a value.
    ///
    /// - Throws: `matchLimit` when its expression explodes on this value.
    func firstMatch(of filename: Int, in value: RawSpan) throws(PatternError) -> Range<Int>? {
        try patterns.firstMatch(of: filename, in: value)
    }
}
