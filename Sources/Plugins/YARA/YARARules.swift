import CYARA
import Pipeline
import Synchronization

// The one door to YARA: sources in, matches out. Nobody outside this folder knows libyara.

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

    private let handle: RulesHandle?
    private let idle = Mutex<[Scanner]>([])

    /// Compiles the sources; those that do not compile are left out and said in `problems`.
    public init(compiling sources: [YARASource]) {
        let compilation = Compilation(sources)
        handle = compilation.rules
        problems = compilation.problems
        self.sources = compilation.sources.map(\.name)
        usesMD5 = compilation.sources.contains { $0.uses(identifier: "md5") }
        rules = compilation.rules.map { $0.readRules(of: compilation.sources) } ?? []
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
        let scanner = try lease(externals)
        defer { giveBack(scanner) }
        return try unsafe bytes.withUnsafeBytes { data throws(YARAError) in
            try unsafe scanner.matches(in: data, fileSize: fileSize, seconds: seconds)
        }
    }

    // Lends a scanner with the given values to the calling thread.
    func lease(_ externals: YARAExternals) throws(YARAError) -> Scanner {
        guard let handle else { throw YARAError(.failed, "no compiled rules") }
        let scanner = if let idle = idle.withLock({ $0.popLast() }) { idle } else { try Scanner(handle) }
        scanner.set(externals)
        return scanner
    }

    func giveBack(_ scanner: Scanner) { idle.withLock { $0.append(scanner) } }
}

/// What a scan found.
public struct YARAResult: Sendable, Equatable {
    /// Rules that match.
    public let matches: [YARAMatch]
    /// A string was found so often that libyara stopped counting; rules that count it may be wrong.
    public let isCut: Bool
}

extension RulesHandle {
    func readRules(of sources: [YARASource]) -> [YARARule] {
        guard let table = unsafe pointer.pointee.rules_table else { return [] }
        var rules: [YARARule] = []
        rules.reserveCapacity(Int(unsafe pointer.pointee.num_rules))
        for index in 0..<Int(unsafe pointer.pointee.num_rules) {
            let rule = unsafe table + index
            let namespace = unsafe rule.pointee.ns?.pointee.name.flatMap { unsafe Int(String(cString: $0)) } ?? 0
            let origin = namespace < sources.count ? sources[namespace].origin : .internal
            unsafe rules.append(YARARule(UnsafePointer(rule), source: namespace, origin: origin))
        }
        return rules
    }
}
