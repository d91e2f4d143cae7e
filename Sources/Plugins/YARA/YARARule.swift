import CYARA
import Pipeline

/// A compiled rule as it is shown, read from its meta section and tags (REFERENCE C.5).
public struct YARARule: Sendable, Equatable {
    /// What it looks at, by meta `type`.
    public enum Target: Sendable {
        /// Files and memory.
        case any
        /// `type="file"`.
        case file
        /// `type="memory"`.
        case memory
    }

    /// Number of the source it is from, in the order of compilation.
    public let source: Int
    /// Name, description, score and so on.
    public let signature: Signature
    /// Meta `limit`: the only feature it is meant for, in lower case; nil for all.
    public let limit: String?
    /// What it looks at.
    public let target: Target
    /// Meta `nodeepdive`: not for pieces of larger data.
    public let isWithoutDeepDive: Bool
    /// Declared `private`: only other rules use it, it is never reported.
    public let isPrivate: Bool
    /// Declared `global`: the other rules of its file need it.
    public let isGlobal: Bool

    /// Types that a match gives a file of uncertain type, by selector tags.
    public let taggedKinds: [FileKind]
    /// Types that a match gives any file, by meta `selects`.
    public let namedKinds: [FileKind]

    /// Whether the rule is meant for a feature (`Filescan`, `LogScan`).
    public func isMeant(for module: String) -> Bool {
        limit.map { $0 == module.lowercased() } ?? true
    }
}

extension YARARule {
    /// Score of a rule that does not say one.
    static let defaultScore = 75

    @unsafe init(_ rule: UnsafePointer<YR_RULE>, source: Int, origin: Signature.Origin) {
        let name = unsafe rule.pointee.identifier.map { unsafe String(cString: $0) } ?? ""
        var meta = Meta()
        var next = unsafe UnsafePointer(rule.pointee.metas)
        while let current = unsafe next {
            unsafe meta.add(current.pointee)
            unsafe next = current.pointee.flags & META_FLAGS_LAST_IN_RULE != 0 ? nil : current + 1
        }
        var tags = Self.tags(inName: name)
        var selectors: [String] = []
        var tag = unsafe rule.pointee.tags
        while let text = unsafe tag, unsafe text.pointee != 0 {
            let word = unsafe String(cString: text)
            tags.append(word)
            selectors.append(word)
            unsafe tag = text + word.utf8.count + 1
        }
        tags += meta.tags
        self.source = source
        signature = Signature(
            kind: .yara, score: meta.subscore, ruleName: name, description: meta.description, author: meta.author,
            references: meta.references, date: meta.date, tags: Self.unique(tags), id: meta.id,
            falsePositives: meta.falsePositives, origin: origin)
        limit = meta.limit
        taggedKinds = selectors.compactMap { Selectors.kinds[$0] }
        namedKinds = meta.selects.map { FileKind($0) }
        target = meta.target
        isWithoutDeepDive = meta.isWithoutDeepDive
        isPrivate = unsafe rule.pointee.flags & RULE_FLAGS_PRIVATE != 0
        isGlobal = unsafe rule.pointee.flags & RULE_FLAGS_GLOBAL != 0
    }

    // Words that say at the start of a name what a rule is about, as rule authors use them.
    private static let prefixes: Set<String> = [
        "ANOMALY", "APT", "CRIME", "EXPL", "EXPLOIT", "GEN", "HKTL", "HTOOL", "LOG", "MAL", "MALWARE", "METASPLOIT",
        "OBFUSC", "PUA", "RANSOM", "RANSOMWARE", "RAT", "SUSP", "TOOL", "VULN", "WEBSHELL",
    ]

    // `APT_MAL_Fox_T1059_001_x` has the tags APT, MAL and T1059.001.
    static func tags(inName name: String) -> [String] {
        let words = name.split(separator: "_").map { $0.uppercased() }
        var tags = Array(words.prefix { prefixes.contains($0) })
        for (index, word) in words.enumerated() where isTechnique(word) {
            let sub = index + 1 < words.count ? words[index + 1] : ""
            tags.append(isDigits(sub, count: 3) ? word + "." + sub : word)
        }
        return tags
    }

    private static func isTechnique(_ word: String) -> Bool {
        word.first == "T" && isDigits(String(word.dropFirst()), count: 4)
    }

    private static func isDigits(_ text: String, count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    private static func unique(_ tags: [String]) -> [String] {
        var seen: Set<String> = []
        return tags.map { $0.uppercased() }.filter { !$0.isEmpty && seen.insert($0).inserted }
    }
}

// What a meta section says, in the spellings that are in use.
private struct Meta {
    private var score: Int?
    private var isFalsePositive = false
    private var authors: [String] = []
    var description = ""
    var references: [String] = []
    var date = ""
    var id = ""
    var tags: [String] = []
    var falsePositives: [String] = []
    var limit: String?
    var target = YARARule.Target.any
    var isWithoutDeepDive = false
    var selects: [String] = []

    var author: String { authors.joined(separator: ", ") }

    var subscore: Int {
        let value = min(max(score ?? YARARule.defaultScore, -100), 100)
        return isFalsePositive ? -abs(value) : value
    }

    @unsafe mutating func add(_ meta: YR_META) {
        guard let name = unsafe meta.identifier else { return }
        let key = unsafe String(cString: name).lowercased()
        if unsafe meta.type == META_TYPE_STRING {
            let text = unsafe meta.string.map { unsafe String(cString: $0) } ?? ""
            add(key, text: text, number: Int(text))
        } else {
            let number = unsafe Int(truncatingIfNeeded: meta.integer)
            add(key, text: String(number), number: number)
        }
    }

    private mutating func add(_ key: String, text: String, number: Int?) {
        switch key {
        case "score": score = number ?? score
        case "description", "desc": if description.isEmpty { description = text }
        case "author", "authors": authors.append(text)
        case "date": date = text
        case "id", "uuid": id = text
        case "limit": limit = text.lowercased()
        case Selectors.meta: selects.append(text)
        case "nodeepdive": isWithoutDeepDive = number ?? 0 != 0
        case "tags": tags += text.split { $0 == "," || $0 == " " || $0 == ";" }.map(String.init)
        case "type":
            if text.lowercased() == "memory" { target = .memory }
            if text.lowercased() == "file" { target = .file }
        case "falsepositive", "falsepositives", "false_positive", "false_positives":
            if let number { isFalsePositive = number != 0 } else { falsePositives.append(text) }
        default:
            if key.hasPrefix("reference") || key == "ref" || key == "link" { addReference(text) }
        }
    }

    private mutating func addReference(_ text: String) {
        if !text.isEmpty && text != "-" && !references.contains(text) { references.append(text) }
    }
}
