import Pipeline

// A Sigma rule as it stands in a file: who wrote it, where it applies, what it looks for.

/// How severe a rule's author takes a match.
public enum SigmaLevel: String, Sendable, Comparable, CaseIterable, Decodable {
    /// Not suspicious by itself.
    case informational
    /// Notable.
    case low
    /// Relevant.
    case medium
    /// Needs a look at once.
    case high
    /// Compromise.
    case critical

    /// Subscore of a match (REFERENCE B.6; informational is ours).
    public var score: Int {
        switch self {
        case .informational: 20
        case .low: 40
        case .medium: 50
        case .high: 70
        case .critical: 100
        }
    }

    /// The less severe level is less.
    public static func < (left: SigmaLevel, right: SigmaLevel) -> Bool { left.score < right.score }
}

/// Where a rule looks: the three keys of `logsource`, in lower case.
struct LogSource: Hashable, Sendable, CustomStringConvertible {
    var product: String?
    var category: String?
    var service: String?

    init(product: String? = nil, category: String? = nil, service: String? = nil) {
        self.product = product
        self.category = category
        self.service = service
    }

    init(_ value: YAMLValue) {
        product = value["product"]?.text?.lowercased()
        category = value["category"]?.text?.lowercased()
        service = value["service"]?.text?.lowercased()
    }

    var description: String { [product, category, service].compactMap(\.self).joined(separator: "/") }
}

/// A rule, ready to be compiled into a plan.
struct SigmaRule: Sendable {
    var title: String
    var id: String
    /// Name by which correlations call it, besides its id.
    var name: String
    var level: SigmaLevel
    var signature: Signature
    var file: String
    var line: Int
    var body: Body

    enum Body: Sendable {
        case detection(LogSource, Detection)
        case correlation(Correlation)
    }

    /// Reads a rule.
    init(
        _ value: YAMLValue, file: String, origin: Signature.Origin, placeholders: [String: [String]]
    ) throws(RuleError) {
        guard value.map != nil else { throw RuleError("not a rule: a map with title and detection is expected") }
        self.file = file
        line = value.line
        id = value["id"]?.text ?? ""
        name = value["name"]?.text ?? ""
        guard let title = value["title"]?.text, !title.isEmpty else { throw RuleError("the rule has no title") }
        self.title = title
        if value["status"]?.text == "unsupported" { throw RuleError("its author marks the rule as unsupported") }
        if let written = value["level"]?.text {
            guard let level = SigmaLevel(rawValue: written.lowercased()) else {
                throw RuleError("unknown level '\(written)'", line: value["level"]?.line)
            }
            self.level = level
        } else {
            level = .medium
        }
        signature = Signature(
            kind: .sigma, score: level.score, ruleName: title, description: value["description"]?.text ?? "",
            author: value["author"]?.texts.joined(separator: ", ") ?? "",
            references: value["references"]?.texts ?? [],
            date: String((value["date"]?.text ?? "").map { $0 == "/" ? "-" : $0 }),
            tags: (value["tags"]?.texts ?? []).map { $0.uppercased() }, id: id,
            falsePositives: value["falsepositives"]?.texts ?? [], origin: origin)
        if let correlation = value["correlation"] {
            body = .correlation(try Correlation(correlation))
        } else {
            body = try Self.detection(value, placeholders)
        }
    }

    private static func detection(
        _ value: YAMLValue, _ placeholders: [String: [String]]
    ) throws(RuleError) -> Body {
        guard let source = value["logsource"], source.map != nil else { throw RuleError("the rule has no logsource") }
        guard let detection = value["detection"], let entries = detection.map else {
            throw RuleError("the rule has no detection")
        }
        var reader = DetectionReader(placeholders: placeholders)
        var identifiers: [String: Detection] = [:]
        var names: [String] = []
        for entry in entries where entry.key != "condition" && entry.key != "timeframe" {
            identifiers[entry.key] = try reader.identifier(entry.value)
            names.append(entry.key)
        }
        guard let conditions = detection["condition"], !conditions.texts.isEmpty else {
            throw RuleError("the detection has no condition", line: detection.line)
        }
        var alternatives: [Detection] = []
        for text in conditions.texts {
            do {
                let condition = try Condition(text, identifiers: names)
                alternatives.append(try Detection(condition, identifiers: identifiers))
            } catch {
                throw RuleError(error.message, line: conditions.line)
            }
        }
        return .detection(LogSource(source), alternatives.count == 1 ? alternatives[0] : .any(alternatives))
    }

    /// One line for people.
    var summary: String { "Sigma rule \(title)" }
}
