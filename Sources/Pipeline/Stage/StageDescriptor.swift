/// What a stage is, as data: selection, limits and the generated documentation come from it.
public struct StageDescriptor: Sendable {
    /// What a stage wants to see.
    public struct Interest: Sendable {
        /// Kinds of samples it is called for: all, some, or none.
        public enum Samples: Sendable {
            /// Every sample.
            case all
            /// Samples of these kinds.
            case kinds(Set<FileKind>)
            /// No sample.
            case none
        }

        /// Samples it is called for.
        public let samples: Samples
        /// Whether it is called for records.
        public let records: Bool
        /// Whether it is called for the slices of samples that an earlier stage, or itself, has cut.
        public let slices: Bool

        init(samples: Samples, records: Bool, slices: Bool = false) {
            self.samples = samples
            self.records = records
            self.slices = slices
        }

        /// Every sample, no records.
        public static let samples = Interest(samples: .all, records: false)
        /// Every sample and all records.
        public static let samplesAndRecords = Interest(samples: .all, records: true)
        /// Only records.
        public static let records = Interest(samples: .none, records: true)

        /// Samples of the given kinds, no records.
        public static func kinds(_ names: String...) -> Interest {
            Interest(samples: .kinds(Set(names.map { FileKind($0) })), records: false)
        }

        /// Samples of the given kinds, no records.
        public static func kinds(_ kinds: Set<FileKind>) -> Interest {
            Interest(samples: .kinds(kinds), records: false)
        }

        /// The same, and slices of samples.
        public var andSlices: Interest { Interest(samples: samples, records: records, slices: true) }

        /// Whether a sample of this kind is wanted.
        public func wants(_ kind: FileKind) -> Bool {
            switch samples {
            case .all: true
            case .kinds(let kinds): kinds.contains(kind)
            case .none: false
            }
        }
    }

    /// One option of a stage in a chains file.
    public struct Option: Sendable {
        /// Key in the YAML map.
        public let name: String
        /// What it does, with unit and default.
        public let help: String

        /// An option with its explanation.
        public init(_ name: String, _ help: String) {
            self.name = name
            self.help = help
        }
    }

    /// Name in chains files and issues: lower case, words joined by `-`.
    public let name: String
    /// One sentence: what it does.
    public let summary: String
    /// What it wants to see.
    public let interest: Interest
    /// Feature name of findings about samples (`Filescan`).
    public let module: String
    /// Options that it understands; any other key in a chains file is an error.
    public let options: [Option]
    /// What its findings or children depend on besides the content: names decide whether verdicts may be shared.
    public let dependsOnNames: Bool
    /// Whether verdicts of the chain depend on the loaded signatures through this stage.
    public let usesSignatures: Bool
    /// Whether it works on samples that are read in pieces (`Sample.isInPieces`).
    ///
    /// For any other stage such a sample is made whole first, unless it has been cut in slices.
    public let readsPieces: Bool
    /// Whether it starts programs: then only the operator's configuration file may name it, no signature folder, and no
    /// chain has it by itself.
    public let startsPrograms: Bool
    /// Longest time it gets for one sample, in seconds; nil for the chain's default.
    public let seconds: Double?
    /// Checks of its own that need no rules.
    public let heuristics: [Heuristic]
    /// Sources of the format knowledge, with links.
    public let references: [String]
    /// What it does not do.
    public let limitations: [String]

    /// A descriptor; heuristics, references and limitations are shown in the documentation.
    public init(
        name: String, summary: String, interest: Interest, module: String = "Filescan", options: [Option] = [],
        dependsOnNames: Bool = false, usesSignatures: Bool = false, readsPieces: Bool = false,
        startsPrograms: Bool = false, seconds: Double? = nil,
        heuristics: [Heuristic] = [], references: [String] = [], limitations: [String] = []
    ) {
        self.name = name
        self.summary = summary
        self.interest = interest
        self.module = module
        self.options = options
        self.dependsOnNames = dependsOnNames
        self.usesSignatures = usesSignatures
        self.readsPieces = readsPieces
        self.startsPrograms = startsPrograms
        self.seconds = seconds
        self.heuristics = heuristics
        self.references = references
        self.limitations = limitations
    }
}
