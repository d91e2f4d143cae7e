import CYARA
import Pipeline

// The one door to YARA: sources in, matches out. Nobody outside this folder knows libyara, nor that there may be
// several compiled sets behind the door, each for a class of samples.

/// A compiled set of YARA rules, for any number of threads.
public final class YARARules: Sendable {
    /// Most places that are told of one matching rule.
    public static let occurrenceLimit = 30

    /// The rules, private ones too, in the order of the sources.
    public let rules: [YARARule]
    /// Names of the sources that are in the set.
    public let sources: [String]
    /// What libyara said about the sources; those with an error are not in the set.
    public let problems: [YARAProblem]
    /// Whether a rule uses the external variable `md5`.
    public let usesMD5: Bool

    /// Number of rules in each of the compiled sets behind the door, the set of all rules first.
    public var ruleCounts: [Int] { sets.counts }

    private let sets: RuleSets
    private let careful: CarefulRules

    /// Compiles the sources; those that do not compile are left out and said in `problems`.
    ///
    /// - Parameter splitLimit: From this number of rules on the set is compiled once for each class of samples, which
    ///   takes longer and makes scans of files faster.
    public init(compiling sources: [YARASource], splitLimit: Int = 500) {
        let compilation = Compilation(sources)
        problems = compilation.problems
        self.sources = compilation.sources.map(\.name)
        usesMD5 = compilation.sources.contains { $0.uses(identifier: "md5") }
        rules = compilation.rules.map { $0.readRules(of: compilation.sources) } ?? []
        sets = RuleSets(compilation, rules, isSplit: rules.count >= splitLimit)
        careful = CarefulRules(compilation, rules)
    }

    /// Rules that match the bytes, in the order of `rules`.
    ///
    /// - Parameters:
    ///   - fileSize: What `filesize` says when `bytes` is only the beginning of a file.
    ///   - seconds: Longest time of the scan.
    /// - Throws: `YARAError`; matches found before a timeout are lost, since conditions are judged at the end.
    public func scan(
        _ bytes: Bytes, externals: YARAExternals = YARAExternals(), fileSize: Int? = nil, seconds: Double = 90
    ) throws(YARAError) -> YARAResult {
        var result = YARAResult(matches: [], isCut: false)
        let set = sets.set(for: bytes, size: fileSize ?? bytes.count)
        result.unjudged = try careful.scan(with: set, seconds: seconds) { set, seconds throws(YARAError) in
            let scanner = try set.lease(externals)
            defer { set.giveBack(scanner) }
            result = try unsafe bytes.withUnsafeBytes { data throws(YARAError) in
                try unsafe scanner.matches(in: data, fileSize: fileSize, seconds: seconds)
            }
        }
        return result
    }

    /// Scans records, which have no class, with a scanner that `body` may use as often as it likes.
    ///
    /// A body that throws is run again without the rules that may be the reason.
    ///
    /// - Returns: Numbers of the rules that were not judged.
    func scanRecords(
        externals: YARAExternals, seconds: Double, _ body: (Scanner, _ seconds: Double) throws(YARAError) -> Void
    ) throws(YARAError) -> Set<Int> {
        try careful.scan(with: sets.set(for: .empty, size: 0), seconds: seconds) { set, seconds throws(YARAError) in
            let scanner = try set.lease(externals)
            defer { set.giveBack(scanner) }
            try body(scanner, seconds)
        }
    }

    /// Names of rules, for people: the first few and how many there are.
    func names(of numbers: Set<Int>) -> String {
        let shown = numbers.sorted().prefix(5).map { rules[$0].signature.ruleName }.joined(separator: ", ")
        return numbers.count > 5 ? "\(shown) and \(numbers.count - 5) more" : shown
    }
}

/// What a scan found.
public struct YARAResult: Sendable, Equatable {
    /// Rules that match.
    public let matches: [YARAMatch]
    /// A string was found so often that libyara stopped counting; rules that count it may be wrong.
    public let isCut: Bool
    /// Numbers of the rules that were left out, because they used up the time or failed on this data.
    public internal(set) var unjudged: Set<Int> = []
}

extension RulesHandle {
    var count: Int { Int(unsafe pointer.pointee.num_rules) }

    func readRules(of sources: [YARASource]) -> [YARARule] {
        guard let table = unsafe pointer.pointee.rules_table else { return [] }
        return (0..<count).map { index in
            let rule = unsafe table + index
            let source = unsafe Self.source(of: rule)
            let origin = source < sources.count ? sources[source].origin : .internal
            return unsafe YARARule(UnsafePointer(rule), source: source, origin: origin)
        }
    }

    func readNames() -> [(source: Int, name: String)] {
        guard let table = unsafe pointer.pointee.rules_table else { return [] }
        return (0..<count).map { index in
            let rule = unsafe table + index
            return (
                unsafe Self.source(of: rule), unsafe rule.pointee.identifier.map { unsafe String(cString: $0) } ?? ""
            )
        }
    }

    // A namespace is named by the number of its source.
    private static func source(of rule: UnsafeMutablePointer<YR_RULE>) -> Int {
        unsafe rule.pointee.ns?.pointee.name.flatMap { unsafe Int(String(cString: $0)) } ?? 0
    }
}
