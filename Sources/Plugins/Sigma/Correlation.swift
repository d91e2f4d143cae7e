// Correlation rules as they stand in a file: events of other rules counted or ordered within a time span, as in the
// Sigma correlation rules specification (https://github.com/SigmaHQ/sigma-specification).

struct Correlation: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// So many events.
        case eventCount = "event_count"
        /// So many different values of a field.
        case valueCount = "value_count"
        /// Events of several rules.
        case temporal
        /// Events of several rules in the order in which these are named.
        case temporalOrdered = "temporal_ordered"
    }

    var kind: Kind
    /// Names or ids of the rules it is about.
    var rules: [String]
    /// Fields whose values keep events apart, in lower case.
    var groupBy: [String]
    /// Longest time between the first and the last event, in microseconds.
    var timespan: Int64
    /// All of these must hold for the count.
    var conditions: [(comparison: Comparison, count: Double)]
    /// Field whose values are counted, in lower case.
    var field: String?
    /// For each alias in `groupBy`, the field it means in each rule; all in lower case but the rules.
    var aliases: [String: [String: String]]
    /// Whether the rules it is about are reported by themselves too.
    var generate: Bool

    /// Reads the map `correlation`.
    init(_ value: YAMLValue) throws(RuleError) {
        guard let type = value["type"]?.text, let kind = Kind(rawValue: type) else {
            let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw RuleError(
                "correlation type '\(value["type"]?.text ?? "")' is not supported; types are: \(known)",
                line: value.line)
        }
        self.kind = kind
        rules = value["rules"]?.texts ?? []
        guard !rules.isEmpty, rules.count <= 64 else {
            throw RuleError("a correlation names 1 to 64 rules", line: value.line)
        }
        groupBy = (value["group-by"]?.texts ?? []).map { $0.lowercased() }
        guard let span = value["timespan"]?.text ?? value["timeframe"]?.text, let timespan = Self.microseconds(span)
        else { throw RuleError("a correlation needs a timespan such as 10m (s, m, h, d)", line: value.line) }
        self.timespan = timespan
        field = value["condition"]?["field"]?.texts.first?.lowercased()
        conditions = []
        for entry in value["condition"]?.map ?? [] where entry.key != "field" {
            guard let comparison = Comparison(rawValue: entry.key), let text = entry.value.text,
                let count = Double(text)
            else { throw RuleError("a condition of a correlation is such as 'gte: 10'", line: entry.value.line) }
            conditions.append((comparison, count))
        }
        generate = value["generate"]?.text?.lowercased() == "true"
        aliases = [:]
        for alias in value["aliases"]?.map ?? [] {
            for rule in alias.value.map ?? [] {
                aliases[alias.key.lowercased(), default: [:]][rule.key] = rule.value.text?.lowercased()
            }
        }
        switch kind {
        case .eventCount, .valueCount:
            guard !conditions.isEmpty else {
                throw RuleError("\(kind.rawValue) needs a condition", line: value.line)
            }
            guard kind == .eventCount || field != nil else {
                throw RuleError("value_count needs 'field' in its condition", line: value.line)
            }
        case .temporal, .temporalOrdered:
            guard rules.count > 1 else { throw RuleError("\(kind.rawValue) needs several rules", line: value.line) }
        }
    }

    /// The field that a group or alias means in events of a rule.
    func field(_ name: String, ofRule names: [String]) -> String {
        guard let alias = aliases[name] else { return name }
        return names.compactMap { alias[$0] }.first ?? name
    }

    private static func microseconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_592_000]
        guard let last = text.last, let unit = units[last], let count = Int64(text.dropLast()), count > 0,
            count < 1_000_000
        else { return nil }
        return count * unit * 1_000_000
    }
}
