import Pipeline

// One indicator of compromise as the lists bring it, whatever their format (REFERENCE C.1, C.2).

/// One indicator of compromise.
public struct IOC: Sendable, Equatable {
    /// What an IOC is about; the raw values are the names in options.
    public enum Group: String, Sendable, CaseIterable {
        /// Digest of a whole file.
        case hash
        /// Path or name of a file.
        case filename
        /// Plain text in a record.
        case keyword
        /// Domain, host, address or network.
        case c2
        /// Mutex or event.
        case handle
        /// Named pipe.
        case pipe
    }

    /// Text or regular expression, with its case rule.
    public struct Expression: Sendable, Hashable {
        /// The expression as it was written.
        public var text: String
        /// Whether it is a regular expression in PCRE syntax; otherwise plain text.
        public var isRegex: Bool
        /// Whether letters match in either case.
        public var isCaseless: Bool

        /// An expression.
        public init(_ text: String, isRegex: Bool = false, isCaseless: Bool = false) {
            self.text = text
            self.isRegex = isRegex
            self.isCaseless = isCaseless
        }
    }

    /// What it is about.
    public var group: Group
    /// What is searched for; digests, domains and pipes are in lower case.
    public var expression: Expression
    /// What makes a hit none.
    public var falsePositives: [Expression]
    /// Its weight, -100...100.
    public var score: Int
    /// In words; empty if the list has none.
    public var description: String
    /// File and what it says of all its IOCs.
    public var source: IOCSource
    /// Line in the file, counted from 1; nil if not known.
    public var line: Int?

    /// An IOC.
    public init(
        _ group: Group, _ expression: Expression, score: Int, description: String = "",
        falsePositives: [Expression] = [], source: IOCSource, line: Int?
    ) {
        self.group = group
        self.expression = expression
        self.falsePositives = falsePositives
        self.score = score
        self.description = description
        self.source = source
        self.line = line
    }

    /// The text that is searched for.
    public var value: String { expression.text }
}

/// What a file says of all its IOCs.
public struct IOCSource: Sendable, Equatable {
    /// File as it was given.
    public var file: String
    /// Shipped with the program, or brought by the user.
    public var origin: Signature.Origin
    /// Title of the list.
    public var title = ""
    /// Links and report titles.
    public var references: [String] = []
    /// Date as it was written.
    public var date = ""

    /// The source of a file's IOCs.
    public init(file: String, origin: Signature.Origin = .internal) {
        self.file = file
        self.origin = origin
    }
}

extension IOC.Group {
    var kind: Signature.Kind {
        switch self {
        case .hash: .hash
        case .filename: .filename
        case .keyword: .keyword
        case .c2: .domain
        case .handle: .handle
        case .pipe: .pipe
        }
    }

    // Where a list gives no score (REFERENCE B.6, C.1).
    var defaultScore: Int {
        switch self {
        case .hash, .c2, .pipe: 100
        case .keyword, .filename: 75
        case .handle: 70
        }
    }
}

extension IOC {
    var summary: String {
        let kind = group == .hash && score < 0 ? "Trusted hash" : group.kind.name
        return "\(kind) match: \(value)" + (description.isEmpty ? "" : " / \(description)")
    }

    var signature: Signature {
        Signature(
            kind: group.kind, score: score, ruleName: source.title, description: description,
            references: source.references, date: source.date, origin: source.origin)
    }

    func reason(_ matched: [MatchedText]) -> Reason {
        Reason(summary: summary, signature: signature, matched: matched)
    }
}

/// IOCs of a file, and what could not be used of it.
public struct ParsedIOCs: Sendable {
    /// Those that can be used.
    public internal(set) var iocs: [IOC] = []
    /// Lines that cannot, and remarks.
    public internal(set) var problems: [SignatureProblem] = []
}
