import Pipeline
import Synchronization

// One rule whose expression explodes on some data must not cost the others on it. libyara gives up a whole scan then, so
// the scan is done again without the rules that may be the reason: those that libyara called slow when it compiled them,
// and those that it named when a scan failed.

/// A second compiled set, made when it is needed, without some of the rules and those that use them.
final class CarefulRules: Sendable {
    // With the slow rules a scan gets this part of its time, so that the others still have some.
    private static let firstShare = 2.0 / 3
    // Each round leaves out one rule more.
    private static let roundLimit = 8

    private struct State {
        // Numbers of the rules that are left out.
        var left: Set<Int>
        var set: RuleSet?
    }

    private let compilation: Compilation
    private let rules: [YARARule]
    private let hasSlow: Bool
    private let state: Mutex<State>

    init(_ compilation: Compilation, _ rules: [YARARule]) {
        self.compilation = compilation
        self.rules = rules
        let slow = compilation.slowRules(among: rules)
        hasSlow = !slow.isEmpty
        state = Mutex(State(left: slow))
    }

    /// Runs a scan with the usual set, and when that fails again without the rules that may be the reason.
    ///
    /// - Returns: Numbers of the rules that were not judged for that.
    /// - Throws: The error of the last try.
    func scan(
        with usual: RuleSet, seconds: Double, _ body: (RuleSet, _ seconds: Double) throws(YARAError) -> Void
    ) throws(YARAError) -> Set<Int> {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var failure: YARAError
        do throws(YARAError) {
            try body(usual, hasSlow ? seconds * Self.firstShare : seconds)
            return []
        } catch {
            failure = error
        }
        for _ in 0..<Self.roundLimit {
            guard let next = set(after: failure) else { throw failure }
            // libyara looks at the clock only every 4,096 positions, each of which may have taken long.
            let left = max((end - clock.now) / .seconds(1), seconds * (1 - Self.firstShare))
            do throws(YARAError) {
                try body(next.set, left)
                return next.left
            } catch {
                // A failure that leads to no other rule would only come again.
                guard let rule = error.rule, !next.left.contains(rule) else { throw error }
                failure = error
            }
        }
        throw failure
    }

    // The set without the slow rules and without those that failed so far; nil when no rule is known to leave out.
    private func set(after failure: YARAError) -> (set: RuleSet, left: Set<Int>)? {
        state.withLock { state in
            let isNew = failure.rule.map { state.left.insert($0).inserted } ?? false
            guard !state.left.isEmpty else { return nil }
            if let set = state.set, !isNew { return (set, state.left) }
            guard let (set, kept) = compile(without: state.left) else { return nil }
            state.left = Set(rules.indices).subtracting(kept)
            state.set = set
            return (set, state.left)
        }
    }

    private func compile(without left: Set<Int>) -> (set: RuleSet, kept: [Int])? {
        var names = [Set<String>](repeating: [], count: compilation.sources.count)
        for rule in left { names[rules[rule].source].insert(rules[rule].signature.ruleName) }
        let selections = compilation.selections(of: rules)
        let chosen = compilation.sources.enumerated().compactMap { number, source in
            (names[number].isEmpty ? source : selections[number]?.source(without: names[number])).map {
                (number: number, source: $0)
            }
        }
        return RuleNumbers(rules).compile(chosen)
    }
}

extension Compilation {
    // Numbers of the rules that have an expression libyara calls slow.
    fileprivate func slowRules(among rules: [YARARule]) -> Set<Int> {
        var slow: Set<String> = []
        for problem in problems where problem.message.contains("slow down scanning") {
            if let rule = problem.rule { slow.insert(problem.source + "\0" + rule) }
        }
        guard !slow.isEmpty else { return [] }
        return Set(
            rules.indices.filter { slow.contains(sources[rules[$0].source].name + "\0" + rules[$0].signature.ruleName) }
        )
    }
}
