// Why something is suspicious: one signature or heuristic that matched, with what it matched (jsonlog v3 "reason").

/// A rule, IOC or heuristic as it is shown with its matches.
public struct Signature: Sendable, Equatable {
    /// Where a signature comes from.
    public enum Origin: String, Sendable {
        /// Shipped with the program.
        case `internal`
        /// Brought by the user.
        case custom
    }

    /// What kind of signature it is, named as in jsonlog v3.
    public struct Kind: Sendable, Hashable {
        /// The name as it is shown.
        public let name: String

        /// A kind with the given name.
        public init(_ name: String) { self.name = name }

        /// Regular expression on a path or name.
        public static let filename = Kind("Filename IOC")
        /// Digest of a whole file.
        public static let hash = Kind("Hash IOC")
        /// Plain text in a record.
        public static let keyword = Kind("Keyword IOC")
        /// Domain, host or address.
        public static let domain = Kind("Domain IOC")
        /// Named pipe.
        public static let pipe = Kind("Named Pipe IOC")
        /// Mutex or event.
        public static let handle = Kind("Handle IOC")
        /// YARA rule.
        public static let yara = Kind("YARA Rule")
        /// Sigma rule.
        public static let sigma = Kind("Sigma Rule")
        /// STIX pattern.
        public static let stix = Kind("STIX IOC")
        /// Heuristic of ours.
        public static let heuristic = Kind("Internal Heuristic")
    }

    /// What kind of signature it is.
    public var kind: Kind
    /// Its weight, -100...100; negative ones take suspicion away.
    public var score: Int
    /// Name of the rule, empty for IOCs without one.
    public var ruleName: String
    /// What it detects, in words.
    public var description: String
    /// Author, empty if unknown.
    public var author: String
    /// Links and report titles.
    public var references: [String]
    /// Date of the rule as it was written down, `YYYY-MM-DD`; empty if unknown.
    public var date: String
    /// Upper-case tags.
    public var tags: [String]
    /// Unique id of the rule, empty if unknown.
    public var id: String
    /// Known false positives, in words.
    public var falsePositives: [String]
    /// Where it comes from.
    public var origin: Origin

    /// A signature; what is unknown stays empty.
    public init(
        kind: Kind, score: Int, ruleName: String = "", description: String = "", author: String = "",
        references: [String] = [], date: String = "", tags: [String] = [], id: String = "",
        falsePositives: [String] = [], origin: Origin = .internal
    ) {
        self.kind = kind
        self.score = score
        self.ruleName = ruleName
        self.description = description
        self.author = author
        self.references = references
        self.date = date
        self.tags = tags
        self.id = id
        self.falsePositives = falsePositives
        self.origin = origin
    }
}

/// Which memory a place in a dump shows.
public struct MemoryPlace: Sendable, Equatable {
    /// Address of the memory.
    public var address: UInt64
    /// Whether the address is physical; otherwise it is one of the process.
    public var isPhysical: Bool
    /// Module or mapped file at that address; empty if there is none.
    public var module: String

    /// A place with its parts.
    public init(address: UInt64, isPhysical: Bool = false, module: String = "") {
        self.address = address
        self.isPhysical = isPhysical
        self.module = module
    }
}

/// Bytes that a signature matched.
public struct MatchedText: Sendable, Equatable {
    /// The matched bytes, possibly cut by the matcher.
    public var data: [UInt8]
    /// Name of the matched string inside the rule (`$s1`), empty if there is none.
    public var name: String
    /// Bytes around the match, the match included; empty if not known.
    public var context: [UInt8]
    /// Position from the start of the sample in bytes; nil when the match is a whole field.
    public var offset: Int?
    /// Which memory a place in a dump shows; nil for anything else.
    public var place: MemoryPlace?
    /// JSON pointer into the subject, as in `/path` or `/entry/CommandLine`; nil for file content.
    public var field: String?

    /// A match; the context is empty unless given.
    public init(data: [UInt8], name: String = "", context: [UInt8] = [], offset: Int? = nil, field: String? = nil) {
        self.data = data
        self.name = name
        self.context = context
        self.offset = offset
        self.field = field
    }

    /// A match of a text.
    public init(_ text: String, offset: Int? = nil, field: String? = nil) {
        self.init(data: Array(text.utf8), offset: offset, field: field)
    }
}

/// One signature that matched a file or record.
public struct Reason: Sendable, Equatable {
    /// One line for people, as in `YARA rule NAME / DESCRIPTION`.
    public var summary: String
    /// What matched.
    public var signature: Signature
    /// Where it matched; empty when the signature is about the object as a whole.
    public var matched: [MatchedText]

    /// A reason with its matches.
    public init(summary: String, signature: Signature, matched: [MatchedText] = []) {
        self.summary = summary
        self.signature = signature
        self.matched = matched
    }

    /// What it adds to the score before weighing; may be negative.
    public var subscore: Int { signature.score }
}

extension [Reason] {
    /// Those with the highest subscore first; equal ones in the order in which they were reported.
    public var ordered: [Reason] {
        enumerated().sorted {
            ($1.element.subscore, $0.offset) < ($0.element.subscore, $1.offset)
        }.map(\.element)
    }
}
