// What a user switched off by name. Stages are left out of the chain; of everything else the reasons are dropped where
// they are reported, so that a rule which others refer to still compiles and still counts for them.

/// Names of stages, rules, heuristics and kinds of IOCs that are switched off; letters match in either case.
public struct Exclusions: Sendable, Equatable {
    /// Kinds of IOCs, by the names that `--exclude` takes besides the shown ones (`Filename IOC`).
    public static let kinds: [(name: String, kind: Signature.Kind)] = [
        ("hash", .hash), ("filename", .filename), ("keyword", .keyword), ("c2", .domain), ("handle", .handle),
        ("pipe", .pipe), ("stix", .stix),
    ]

    /// The names as they were written.
    public let names: [String]
    private let words: Set<String>
    private let kinds: Set<Signature.Kind>

    /// Switches off what has one of the names.
    public init(_ names: [String] = []) {
        self.names = names
        let words = Set(names.map { $0.lowercased() })
        self.words = words
        kinds = Set(
            Self.kinds.filter { words.contains($0.name) || words.contains($0.kind.name.lowercased()) }.map(\.kind))
    }

    /// Whether nothing is switched off.
    public var isEmpty: Bool { words.isEmpty }

    /// Whether a stage is switched off.
    public func excludes(stage name: String) -> Bool { words.contains(name.lowercased()) }

    /// Whether a rule, heuristic or IOC is switched off, by its kind, name or id.
    ///
    /// Lists of IOCs give their title as name; it switches nothing off.
    public func excludes(_ kind: Signature.Kind, name: String, id: String) -> Bool {
        if isEmpty { return false }
        if kinds.contains(kind) { return true }
        guard Self.hasNames(kind) else { return false }
        return words.contains(name.lowercased()) || (!id.isEmpty && words.contains(id.lowercased()))
    }

    func excludes(_ reason: Reason) -> Bool {
        excludes(reason.signature.kind, name: reason.signature.ruleName, id: reason.signature.id)
    }

    /// Whether signatures of a kind have names: of IOCs only STIX indicators do.
    public static func hasNames(_ kind: Signature.Kind) -> Bool {
        kind == .stix || !kinds.contains { $0.kind == kind }
    }

    /// The names that nothing known has, each with the nearest known ones.
    public func unknown(among known: [String]) -> [(name: String, near: [String])] {
        let kinds = Self.kinds.flatMap { [$0.name, $0.kind.name] }
        let all = Set((known + kinds).map { $0.lowercased() })
        return names.filter { !all.contains($0.lowercased()) }.map { ($0, nearNames(to: $0, among: known + kinds)) }
    }
}

// Up to five names that hold the text, or differ from it in two letters or a third of all; nearest first.
private func nearNames(to text: String, among known: [String]) -> [String] {
    let wanted = Array(text.lowercased().utf8)
    if wanted.isEmpty { return [] }
    var seen: Set<String> = []
    let near = known.compactMap { name -> (name: String, distance: Int)? in
        guard seen.insert(name).inserted else { return nil }
        let other = Array(name.lowercased().utf8)
        if other.rawSpan.firstOffset(of: wanted) != nil { return (name, 1) }
        let limit = max(2, wanted.count / 3)
        guard abs(other.count - wanted.count) <= limit else { return nil }
        let distance = editDistance(wanted, other)
        return distance <= limit ? (name, distance) : nil
    }
    return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(5).map(\.name)
}

// Letters to change, add or leave out (Levenshtein).
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, byte) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in right.enumerated() {
            let change = diagonal + (byte == other ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row.last ?? 0
}
