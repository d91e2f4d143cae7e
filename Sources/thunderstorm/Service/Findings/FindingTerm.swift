import FoundationEssentials
import Pipeline

// What findings are looked up by. Each finding stands in the index once for each of its terms, in the order of time,
// so that a search is one walk along one term from its newest finding on, however many findings there are. The usual
// combinations are terms of their own for the same reason.

/// One entry of the index of findings: a kind, and what a finding has of it.
struct FindingTerm: Hashable, Sendable {
    /// The term as it is stored.
    let bytes: Data

    // Names that clients make up are compared by their first bytes.
    private static let nameLimit = 256

    private init(_ kind: Character, _ parts: [[UInt8]]) {
        bytes = Data(Array(String(kind).utf8) + parts.joined(separator: [0]))
    }

    /// Every finding.
    static let all = FindingTerm("a", [])
    /// Findings of a level.
    static func level(_ level: Level) -> FindingTerm { FindingTerm("l", [number(level)]) }
    /// Findings of a source, in any case.
    static func source(_ name: String) -> FindingTerm { FindingTerm("s", [folded(name)]) }
    /// Findings of a source with a level.
    static func source(_ name: String, _ level: Level) -> FindingTerm {
        FindingTerm("t", [folded(name), number(level)])
    }
    /// Findings of a rule, by name, id or kind in any case.
    static func rule(_ name: String) -> FindingTerm { FindingTerm("r", [folded(name)]) }
    /// Findings of a rule with a level.
    static func rule(_ name: String, _ level: Level) -> FindingTerm { FindingTerm("q", [folded(name), number(level)]) }
    /// Findings of a rule in a source.
    static func rule(_ name: String, source: String) -> FindingTerm {
        FindingTerm("p", [folded(name), folded(source)])
    }
    /// Findings of a rule in a source with a level.
    static func rule(_ name: String, source: String, _ level: Level) -> FindingTerm {
        FindingTerm("o", [folded(name), folded(source), number(level)])
    }
    /// Findings of one submission.
    static func scan(_ id: String) -> FindingTerm { FindingTerm("i", [folded(id)]) }
    /// Findings in a file with a digest, or in what was inside it; nil when the text is no MD5, SHA-1 or SHA-256.
    static func hash(_ text: String) -> FindingTerm? {
        let digits = Array(text.utf8)
        guard [32, 40, 64].contains(digits.count) else { return nil }
        var digest: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = hexadecimalByte(digits[start..<start + 2]) else { return nil }
            digest.append(byte)
        }
        return FindingTerm("h", [digest])
    }

    /// All terms of a finding.
    ///
    /// - Parameters:
    ///   - level: Its level as it is shown.
    ///   - rules: Names it can be found by.
    static func of(_ finding: Finding, level: Level, rules: [String], context: EventContext) -> [FindingTerm] {
        // What a triage collection holds is found by the host that it was collected on, too.
        let sources = [context.hostname] + [finding.origin?.host].compactMap { $0 }
        var terms = [all, .level(level), .scan(context.scanID)]
        for source in sources { terms += [.source(source), .source(source, level)] }
        for rule in rules {
            terms += [.rule(rule), .rule(rule, level)]
            for source in sources { terms += [.rule(rule, source: source), .rule(rule, source: source, level)] }
        }
        let own: [FileSubject] =
            switch finding.subject {
            case .file(let file): [file]
            case .chunk(let chunk): [chunk.file]
            case .record: []
            }
        for file in own + finding.context.map(\.file) {
            terms += [file.sha256, file.sha1, file.md5].compactMap { hash($0) }
        }
        var known: Set<FindingTerm> = []
        return terms.filter { known.insert($0).inserted }
    }

    /// What stands for a name in comparisons.
    static func folded(_ name: String) -> [UInt8] { Array(name.lowercased().utf8.prefix(nameLimit)) }

    private static func number(_ level: Level) -> [UInt8] { [UInt8(level.rawValue)] }
}

extension Finding {
    /// Most rules of one finding that it can be found by.
    static let searchedRules = 32

    /// Names that this finding can be found by: its rules, or what kind of signature it was, the weightiest first.
    var ruleNames: [String] {
        var known: Set<String> = []
        let names = reasons.map { $0.signature.ruleName.isEmpty ? $0.signature.kind.name : $0.signature.ruleName }
        return Array(names.filter { known.insert($0).inserted }.prefix(Self.searchedRules))
    }

    /// Ids of its rules, as in Sigma.
    var ruleIDs: [String] { Array(Set(reasons.map(\.signature.id))).filter { !$0.isEmpty }.sorted() }
}
