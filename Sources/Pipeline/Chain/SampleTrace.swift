/// What happened to one sample on its way through the chain: for people who ask why something was found, or was not.
///
/// Made by `Chain.explain`; an ordinary scan keeps none.
public struct SampleTrace: Sendable {
    /// One stage of the chain and this sample.
    public struct Step: Sendable {
        /// Name of the stage.
        public let stage: String
        /// Whether the stage was called, for the sample, its records or its slices.
        public var isRun: Bool { calls > 0 || recordsSeen > 0 || slicesSeen > 0 }
        /// Why it was called or not, in words.
        public internal(set) var why: String
        /// Whether it is called for records, wherever they come from.
        public let looksAtRecords: Bool
        /// How often it was called for the sample as a whole: once, or never.
        public internal(set) var calls = 0
        /// Records of this sample that it was shown.
        public internal(set) var recordsSeen = 0
        /// Slices of this sample that it was shown.
        public internal(set) var slicesSeen = 0
        /// Time of its own, without the stages downstream, in nanoseconds.
        public internal(set) var nanoseconds: UInt64 = 0
        /// Type that it gave the sample; nil if it gave none.
        public internal(set) var kind: FileKind?
        /// Files that it found inside.
        public internal(set) var children = 0
        /// Records that it emitted, by the name of their type.
        public internal(set) var records: [String: Int] = [:]
        /// Reasons that it gave, the first ones: score and words.
        public internal(set) var reasons: [(score: Int, summary: String)] = []
        /// Reasons that it gave, all of them.
        public internal(set) var reasonCount = 0

        init(_ descriptor: StageDescriptor, for kind: FileKind) {
            stage = descriptor.name
            why = descriptor.interest.words(for: kind)
            looksAtRecords = descriptor.interest.records
        }

        // A stage may report a thousand records: the first reasons show what it is about, the number says the rest.
        private static let reasonLimit = 10

        mutating func add(_ reason: Reason) {
            reasonCount += 1
            if reasons.count < Self.reasonLimit { reasons.append((reason.subscore, reason.summary)) }
        }

        // What the same stage did with a slice of the sample.
        mutating func add(slice step: Step) {
            slicesSeen += step.calls + step.slicesSeen
            recordsSeen += step.recordsSeen
            nanoseconds &+= step.nanoseconds
            children += step.children
            records.merge(step.records, uniquingKeysWith: +)
            reasonCount += step.reasonCount
            reasons += step.reasons.prefix(max(Self.reasonLimit - reasons.count, 0))
        }
    }

    /// Most samples that are listed; those beyond are counted in `omitted`.
    public static let sampleLimit = 20_000

    /// Path as in findings.
    public let path: String
    /// Size in bytes.
    public let size: Int
    /// SHA-256 in lower-case hexadecimal.
    public internal(set) var sha256 = ""
    /// Type that it has in the end.
    public internal(set) var kind = FileKind.unknown
    /// How it was unpacked (`ZIP`); empty for what was submitted.
    public let unpackMethod: String
    /// 0 for what was submitted.
    public let depth: Int
    /// The stages, in the order of the chain.
    public internal(set) var steps: [Step] = []
    /// Findings about the sample and its records.
    public internal(set) var findings: [Finding] = []
    /// What was not looked at.
    public internal(set) var issues: [Issue] = []
    /// What was found inside, in order.
    public internal(set) var children: [SampleTrace] = []
    /// How many samples inside are not listed.
    public internal(set) var omitted = 0

    init(_ sample: Sample) {
        path = sample.path
        size = sample.size
        unpackMethod = sample.unpackParent
        depth = sample.depth
    }

    // A sample that starts at the head of the chain, perhaps once more.
    mutating func start(_ chain: Chain) {
        steps = chain.descriptors.map { Step($0, for: .unknown) }
    }

    // What happened to a slice of the sample and to what was inside it.
    mutating func add(slice: SampleTrace) {
        for (index, step) in zip(steps.indices, slice.steps) { steps[index].add(slice: step) }
        let room = max(Self.sampleLimit - children.count, 0)
        children += slice.children.prefix(room)
        omitted += slice.omitted + max(slice.children.count - room, 0)
    }
}

extension StageDescriptor.Interest {
    // Why a stage with this interest is called for a sample of a kind, or why not.
    func words(for kind: FileKind) -> String {
        switch samples {
        case .all: "looks at every sample"
        case .kinds(let kinds) where kinds.contains(kind): "looks at files of type \(kind)"
        case .kinds(let kinds): "looks at files of type \(kinds.map(\.name).sorted().joined(separator: ", "))"
        case .none: "looks at records"
        }
    }
}
