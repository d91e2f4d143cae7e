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
    // Between these sizes the number of rules that can still match changes most with the usual rule collections.
    private static let classes = [
        SampleClass(isProgram: true, sizes: 0...((100 << 10) - 1)),
        SampleClass(isProgram: true, sizes: (100 << 10)...UInt64.max),
        SampleClass(isProgram: false, sizes: 0...((1 << 20) - 1)),
        SampleClass(isProgram: false, sizes: (1 << 20)...UInt64.max),
    ]

    private let sets: [RuleSet]

    /// One set, or one for each class if each of them compiles.
    init(_ compilation: Compilation, _ rules: [YARARule], isSplit: Bool) {
        let split = isSplit ? Self.split(compilation, rules) : nil
        sets = split ?? [RuleSet(compilation.rules)]
    }

    var counts: [Int] { sets.map(\.count) }

    /// The set for a sample by its first bytes and its size.
    func set(for bytes: Bytes, size: Int) -> RuleSet {
        guard sets.count == Self.classes.count else { return sets[0] }
        let isProgram = bytes.span.uint16(at: 0) == 0x5A4D
        let size = UInt64(max(size, 0))
        return sets[Self.classes.firstIndex { $0.isProgram == isProgram && $0.sizes.contains(size) } ?? 0]
    }

    private static func split(_ compilation: Compilation, _ rules: [YARARule]) -> [RuleSet]? {
        var names = [[String]](repeating: [], count: compilation.sources.count)
        for rule in rules { names[rule.source].append(rule.signature.ruleName) }
        let numbers = Dictionary(
            rules.enumerated().map { ("\($1.source) \($1.signature.ruleName)", $0) }
        ) { first, _ in first }
        let selections = zip(compilation.sources, names).map { RuleSelection($0, compiled: $1) }
        let built = Mutex([RuleSet?](repeating: nil, count: classes.count))
        DispatchQueue.concurrentPerform(iterations: classes.count) { index in
            let chosen = zip(compilation.sources, selections).enumerated().compactMap { number, file in
                (file.1.map { $0.source(for: classes[index]) } ?? file.0).map { (number: number, source: $0) }
            }
            guard let handle = CompilerRun(chosen).rules else { return }
            let kept = handle.readNames().compactMap { numbers["\($0.source) \($0.name)"] }
            guard kept.count == handle.count else { return }
            built.withLock { $0[index] = RuleSet(handle, numbers: kept) }
        }
        let sets = built.withLock { $0 }.compactMap { $0 }
        return sets.count == classes.count ? sets : nil
    }
}
