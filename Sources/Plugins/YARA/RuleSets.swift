import Dispatch
import Pipeline
import Synchronization

// What stands behind the door: one compiled set, or several, each without the rules that cannot match its class of
// samples. Every class gives the same matches; `YARARules` cannot tell them apart but by the clock.

/// One compiled set with its idle scanners.
final class RuleSet: Sendable {
    private let handle: RulesHandle?
    // For each rule of this set its number among all rules; nil where they are the same.
    private let numbers: [Int]?
    private let idle = Mutex<[Scanner]>([])

    init(_ handle: RulesHandle?, numbers: [Int]? = nil) {
        self.handle = handle
        self.numbers = numbers
    }

    var count: Int { handle?.count ?? 0 }

    // Lends a scanner with the given values to the calling thread.
    func lease(_ externals: YARAExternals) throws(YARAError) -> Scanner {
        guard let handle else { throw YARAError(.failed, "no compiled rules") }
        let scanner =
            if let idle = idle.withLock({ $0.popLast() }) { idle } else { try Scanner(handle, numbers: numbers) }
        scanner.set(externals)
        return scanner
    }

    func giveBack(_ scanner: Scanner) { idle.withLock { $0.append(scanner) } }
}

/// The compiled sets for all classes of samples.
struct RuleSets: Sendable {
    // Between these sizes the number of rules that can still match changes most with the usual rule collections. Small
    // programs are in no class: hardly any rule is ruled out for them, so they are scanned with all rules.
    private static let classes = [
        SampleClass(isProgram: true, sizes: (100 << 10)...UInt64.max),
        SampleClass(isProgram: false, sizes: 0...((1 << 20) - 1)),
        SampleClass(isProgram: false, sizes: (1 << 20)...UInt64.max),
    ]

    private let whole: RuleSet
    // One for each class; empty when all samples are scanned with the whole set.
    private let sets: [RuleSet]

    /// One set, or one more for each class.
    init(_ compilation: Compilation, _ rules: [YARARule], isSplit: Bool) {
        let whole = RuleSet(compilation.rules)
        self.whole = whole
        sets = isSplit ? Self.split(compilation, rules).map { $0 ?? whole } : []
    }

    /// Number of rules in each set, the whole one first.
    var counts: [Int] { [whole.count] + sets.map(\.count) }

    /// The set for a sample by its first bytes and its size.
    func set(for bytes: Bytes, size: Int) -> RuleSet {
        let isProgram = bytes.span.uint16(at: 0) == 0x5A4D
        let size = UInt64(max(size, 0))
        for (known, set) in zip(Self.classes, sets) where known.isProgram == isProgram && known.sizes.contains(size) {
            return set
        }
        return whole
    }

    // A set for each class; nil where it does not compile, which only costs time.
    private static func split(_ compilation: Compilation, _ rules: [YARARule]) -> [RuleSet?] {
        let selections = compilation.selections(of: rules)
        let numbers = RuleNumbers(rules)
        let built = Mutex([RuleSet?](repeating: nil, count: classes.count))
        DispatchQueue.concurrentPerform(iterations: classes.count) { index in
            let chosen = zip(compilation.sources, selections).enumerated().compactMap { number, file in
                (file.1.map { $0.source(for: classes[index]) } ?? file.0).map { (number: number, source: $0) }
            }
            if let (set, _) = numbers.compile(chosen) { built.withLock { $0[index] = set } }
        }
        return built.withLock { $0 }
    }
}

extension Compilation {
    // What is in each source, for leaving rules out; nil for one that was not understood.
    func selections(of rules: [YARARule]) -> [RuleSelection?] {
        var names = [[String]](repeating: [], count: sources.count)
        for rule in rules { names[rule.source].append(rule.signature.ruleName) }
        return zip(sources, names).map { RuleSelection($0, compiled: $1) }
    }
}

// Numbers of rules by their source and name: a set of some of them tells its matches by these numbers.
struct RuleNumbers: Sendable {
    private let numbers: [String: Int]

    init(_ rules: [YARARule]) {
        numbers = Dictionary(rules.enumerated().map { ("\($1.source) \($1.signature.ruleName)", $0) }) { first, _ in
            first
        }
    }

    // A set of some of the rules, and the numbers of those that are in it; nil when it does not compile.
    func compile(_ chosen: [(number: Int, source: YARASource)]) -> (set: RuleSet, kept: [Int])? {
        guard let handle = CompilerRun(chosen).rules else { return nil }
        let kept = handle.readNames().compactMap { numbers["\($0.source) \($0.name)"] }
        return kept.count == handle.count ? (RuleSet(handle, numbers: kept), kept) : nil
    }
}
