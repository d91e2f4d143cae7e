import Pipeline
import Synchronization

// The two engines as one: Hyperscan proposes in one pass over everything, PCRE2 confirms on the single value with
// exact semantics. What Hyperscan does not take exactly it gets as an approximation; what it does not take at all is
// tried one expression after another. A caller sees no difference but the clock.

/// Patterns with exact semantics, found in one pass over many values; each is known by its position in the list.
public final class PatternSet: Sendable {
    /// Patterns that are no valid expression: they are not searched for.
    public let rejected: [RefusedPattern]
    /// Patterns that only PCRE2 takes: each costs a search of its own.
    public let slow: [RefusedPattern]

    private static let explosionLimit = 10
    // Above this, compiling all expressions takes seconds: a text that each of them needs is searched for instead.
    private static let largeCount = 6_000

    private let patterns: [Pattern]
    private let databases: [PatternDatabase]
    private let slowSearches: [(index: Int, regex: ExactRegex)]
    private let confirmations = Mutex<[Int: ExactRegex]>([:])

    /// Compiles patterns; their ids and the flags `singleMatch`, `startOffset` and `approximate` have no meaning here.
    ///
    /// - Parameter pool: Working memory, shared between the sets and databases of one stage.
    public init(_ patterns: [Pattern], pool: ScratchPool = ScratchPool()) {
        self.patterns = patterns
        var rejected: [RefusedPattern] = []
        var proposals: [Pattern] = []
        var refused: [RefusedPattern] = []
        let isLarge = patterns.count { !$0.isLiteral } > Self.largeCount
        for (index, pattern) in patterns.enumerated() {
            if let problem = ExactRegex.problem(of: pattern) {
                rejected.append(RefusedPattern(index: index, id: index, reason: problem))
                continue
            }
            switch proposal(for: pattern, id: index, isOneOfMany: isLarge) {
            case .success(let proposal): proposals.append(proposal)
            case .failure(let error):
                refused.append(RefusedPattern(index: index, id: index, reason: error.description))
            }
        }
        // What parses may still be too large.
        let exact = PatternDatabase(proposals, pool: pool)
        let again = exact.refused.map { refusal in
            var pattern = proposals[refusal.index]
            pattern.flags.insert(.approximate)
            return pattern
        }
        let approximate = PatternDatabase(again, pool: pool)
        var slow: [RefusedPattern] = []
        var slowSearches: [(index: Int, regex: ExactRegex)] = []
        for refusal in refused + approximate.refused {
            let id = refusal.id
            do {
                slowSearches.append((id, try ExactRegex(lineSearch(for: patterns[id]))))
                slow.append(RefusedPattern(index: id, id: id, reason: refusal.reason))
            } catch {
                rejected.append(RefusedPattern(index: id, id: id, reason: error.description))
            }
        }
        self.rejected = rejected
        self.slow = slow
        self.slowSearches = slowSearches
        databases = [exact, approximate].filter { !$0.isEmpty }
    }

    /// Whether there is nothing to search for.
    public var isEmpty: Bool { databases.isEmpty && slowSearches.isEmpty }

    /// Proposes where patterns may match, in values that are joined by newlines; appends to `candidates`.
    ///
    /// A candidate's `id` is the pattern's position in the list; its `end` is the offset after a byte of the value in
    /// which it may match (`end - 1` lies in that value). No match inside one value is missed; each candidate is to
    /// be confirmed with `firstMatch(of:in:)` on its value alone, with the flag `eitherSeparator` also on the value with
    /// `/` and `\` exchanged. The same may be proposed more than once.
    /// - Throws: `PatternError` when the engines fail; what was proposed before stays.
    public func propose(in text: RawSpan, into candidates: inout [PatternMatch]) throws(PatternError) {
        for database in databases { try database.scan(text, oncePerLine: true, limit: .max, into: &candidates) }
        if slowSearches.isEmpty { return }
        for search in slowSearches { try propose(search.regex, search.index, in: text, into: &candidates) }
        let others = slowSearches.filter { patterns[$0.index].flags.contains(.eitherSeparator) }
        if others.isEmpty { return }
        let exchanged = withSeparatorsExchanged(text)
        for search in others { try propose(search.regex, search.index, in: exchanged.rawSpan, into: &candidates) }
    }

    // The first match in each line; a match that runs on into later lines does not hide one that begins there.
    private func propose(
        _ regex: ExactRegex, _ index: Int, in text: RawSpan, into candidates: inout [PatternMatch]
    ) throws(PatternError) {
        var from = 0
        var explosions = 0
        while from < text.byteCount {
            var start = from
            do {
                guard let match = try regex.firstMatch(in: text, from: from) else { return }
                start = match.lowerBound
            } catch {
                // Then the line is a candidate, and its value alone says whether the expression explodes there too.
                explosions += 1
                guard error == .exploded, explosions <= Self.explosionLimit else { throw error }
            }
            candidates.append(PatternMatch(id: index, start: start, end: min(start + 1, text.byteCount)))
            guard let newline = text.firstOffset(of: 0x0A, from: start) else { return }
            from = newline + 1
        }
    }

    /// Where one pattern first matches in one value.
    ///
    /// - Returns: nil if it does not match.
    /// - Throws: `matchLimit` when the expression explodes on this value.
    public func firstMatch(of index: Int, in value: RawSpan) throws(PatternError) -> Range<Int>? {
        guard patterns.indices.contains(index) else { return nil }
        if let regex = confirmations.withLock({ $0[index] }) { return try regex.firstMatch(in: value) }
        let regex = try ExactRegex(patterns[index])
        confirmations.withLock { $0[index] = regex }
        return try regex.firstMatch(in: value)
    }

    /// All patterns that match one value, in the order of the list, each with its first match.
    ///
    /// An expression that explodes on the value is left out and named in `exploded`.
    /// - Throws: `PatternError` when the engines fail.
    public func matches(
        in value: RawSpan, exploded: inout [Int]
    ) throws(PatternError) -> [(index: Int, range: Range<Int>)] {
        var candidates: [PatternMatch] = []
        try propose(in: value, into: &candidates)
        var found: [(index: Int, range: Range<Int>)] = []
        for index in Set(candidates.map(\.id)).sorted() {
            do {
                if let range = try firstMatch(of: index, in: value) { found.append((index, range)) }
            } catch {
                exploded.append(index)
            }
        }
        return found
    }
}

// The pattern as it is searched for in joined values, or why there is no way to search for it in one pass.
private func proposal(for pattern: Pattern, id: Int, isOneOfMany: Bool) -> Result<Pattern, PatternError> {
    var proposal = pattern
    proposal.id = id
    proposal.flags.subtract([.singleMatch, .startOffset, .approximate, .eitherSeparator])
    if isOneOfMany, let literal = literalProposal(for: pattern, id: id) { return .success(literal) }
    if pattern.flags.contains(.eitherSeparator), !widen(&proposal) {
        let literal = literalProposal(for: pattern, id: id)
        return literal.map { .success($0) }
            ?? .failure(PatternError(.badExpression, "it has parts for which / and \\ cannot be exchanged"))
    }
    if proposal.isLiteral { return .success(proposal) }
    proposal = lineSearch(for: proposal)
    guard let problem = hyperscanProblem(of: proposal) else { return .success(proposal) }
    proposal.flags.insert(.approximate)
    if hyperscanProblem(of: proposal) == nil { return .success(proposal) }
    // What no engine takes in one pass may at least need a text that is searched for instead.
    return literalProposal(for: pattern, id: id).map { .success($0) } ?? .failure(PatternError(.badExpression, problem))
}

// Makes a pattern take `/` for `\` and the other way round; false if there is no way.
private func widen(_ pattern: inout Pattern) -> Bool {
    if !pattern.isLiteral {
        guard let wider = withEitherSeparator(pattern.expression) else { return false }
        pattern.expression = wider
    } else if pattern.expression.contains(where: { $0 == 0x2F || $0 == 0x5C }) {
        pattern.expression = withEitherSeparator(literal: pattern.expression)
        pattern.isLiteral = false
    }
    return true
}

// A text that each match of an expression holds, in any form of the separators; nil if none is known.
private func literalProposal(for pattern: Pattern, id: Int) -> Pattern? {
    // With both flags, letters beyond ASCII are the other case of some in ASCII.
    if pattern.isLiteral || pattern.flags.contains([.utf8, .caseless]) { return nil }
    guard var text = requiredLiteral(of: pattern.expression, shortest: shortestProposal) else { return nil }
    if pattern.flags.contains(.eitherSeparator) {
        let parts = text.split { $0 == 0x2F || $0 == 0x5C }
        guard let longest = parts.max(by: { $0.count < $1.count }), longest.count >= shortestProposal else {
            return nil
        }
        text = Array(longest)
    }
    let isCaseless = pattern.flags.contains(.caseless) || pattern.expression.containsText("(?i")
    return Pattern(id: id, literal: text, flags: isCaseless ? .caseless : [])
}

// Begin and end of a line stand for those of a value.
private func lineSearch(for pattern: Pattern) -> Pattern {
    if pattern.isLiteral { return pattern }
    var search = pattern
    search.flags.insert(.multiline)
    search.expression = withLineAnchors(pattern.expression)
    return search
}

// Shorter texts stand everywhere.
private let shortestProposal = 6

extension [UInt8] {
    fileprivate func containsText(_ text: String) -> Bool { rawSpan.firstOffset(of: Array(text.utf8)) != nil }
}

// `\A`, `\Z`, `\z` as `^` and `$`.
private func withLineAnchors(_ expression: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var isEscaped = false
    for byte in expression {
        guard isEscaped else {
            isEscaped = byte == 0x5C
            if !isEscaped { result.append(byte) }
            continue
        }
        isEscaped = false
        switch byte {
        case 0x41: result.append(0x5E)
        case 0x5A, 0x7A: result.append(0x24)
        default: result += [0x5C, byte]
        }
    }
    return isEscaped ? result + [0x5C] : result
}
