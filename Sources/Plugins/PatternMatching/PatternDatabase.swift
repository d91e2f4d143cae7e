// Many patterns in one pass over a text, with Hyperscan: https://intel.github.io/hyperscan/dev-reference/ (Compiling
// Patterns, Scanning for Patterns). Hyperscan knows where a match ends, not which way a regex would have preferred;
// `PatternSet` and `ExactRegex` answer that.

/// Patterns compiled for one pass over a text.
///
/// Patterns that Hyperscan does not take are left out and named in `refused`; an empty database finds nothing.
public final class PatternDatabase: Sendable {
    /// The patterns that are not searched for.
    public let refused: [RefusedPattern]
    /// Number of patterns that are searched for.
    public let count: Int

    private let ids: [Int]
    private let parts: [Handle]
    private let pool: ScratchPool

    /// Compiles patterns.
    ///
    /// - Parameter pool: Working memory, shared between databases of one stage.
    /// - Complexity: About 0.1 ms for a regular expression, 0.05 ms for a literal.
    public init(_ patterns: [Pattern], pool: ScratchPool = ScratchPool()) {
        var compiler = PatternCompiler(patterns)
        let parts = compiler.compile()
        var refused = compiler.refused
        var usable: [Handle] = []
        for part in parts {
            do {
                try pool.reserve(for: part.database)
                usable.append(part.database)
            } catch {
                refused += part.indices.map {
                    RefusedPattern(index: $0, id: patterns[$0].id, reason: error.description)
                }
            }
        }
        self.refused = refused.sorted { $0.index < $1.index }
        count = patterns.count - refused.count
        ids = patterns.map(\.id)
        self.parts = usable
        self.pool = pool
    }

    /// Whether there is nothing to search for.
    public var isEmpty: Bool { count == 0 }

    /// Size of the compiled form in bytes.
    public var byteCount: Int { parts.reduce(0) { $0 + databaseSize($1) } }

    /// Searches a text for all patterns and appends what it finds, once the search is over.
    ///
    /// The end of every match is found: `a+` matches `aaa` three times. The order is by end offset for most patterns,
    /// but not promised.
    /// - Parameters:
    ///   - oncePerLine: A pattern is reported once for each line of the text in which a match ends (seldom more than
    ///     once): for a text that joins many values by newlines.
    ///   - limit: The search stops when it has found as many.
    /// - Returns: Whether the whole text was searched; false when `limit` was reached.
    /// - Throws: `tooLong` for 4 GiB or more, `engine`.
    @discardableResult
    public func scan(
        _ text: RawSpan, oncePerLine: Bool = false, limit: Int = 1 << 20, into matches: inout [PatternMatch]
    ) throws(PatternError) -> Bool {
        if parts.isEmpty || text.byteCount == 0 { return true }
        guard let length = UInt32(exactly: text.byteCount) else {
            throw PatternError(.tooLong, "a text of \(text.byteCount) bytes is too long to be searched at once")
        }
        var collector = MatchCollector(ids: ids, oncePerLine: oncePerLine, limit: limit)
        swap(&collector.matches, &matches)
        defer { swap(&collector.matches, &matches) }
        let scratch = try pool.lease()
        defer { pool.giveBack(scratch) }
        for part in parts {
            let isComplete = try collector.run(part, scratch.handle, text, length: length)
            if !isComplete { return false }
        }
        return true
    }

    /// What is found in a text.
    ///
    /// - Throws: as `scan`.
    public func matches(in text: RawSpan, limit: Int = 1 << 20) throws(PatternError) -> [PatternMatch] {
        var matches: [PatternMatch] = []
        try scan(text, limit: limit, into: &matches)
        return matches
    }

    /// Whether anything is found in a text; stops at the first match.
    ///
    /// - Throws: as `scan`.
    public func hasMatch(in text: RawSpan) throws(PatternError) -> Bool {
        try !matches(in: text, limit: 1).isEmpty
    }
}
