import Pipeline

/// Gives files the type that a user's YARA rule names, before the parsers are chosen.
///
/// A rule for files, or for the beginnings of files, with a tag as `REGISTRYHIVE` starts that parser on what it matches if no
/// other type was recognised; meta `selects = "Type"` names any type, also against what was recognised.
public struct SelectorsStage: Stage {
    /// How the stage works.
    public struct Options: Decodable, Sendable {
        /// Longest time of one scan, in seconds.
        public var timeout: Double?

        /// Options; the default for what is nil.
        public init(timeout: Double? = nil) { self.timeout = timeout }
    }

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "selectors", summary: "Gives files the type that a YARA rule with a selector tag names.",
        interest: .samples, options: [.init("timeout", "longest time of one scan in seconds (default 30)")],
        dependsOnNames: true, usesSignatures: true, readsPieces: true,
        references: ["https://yara.readthedocs.io"],
        limitations: [
            "Tags: \(Selectors.kinds.keys.sorted().joined(separator: ", ")); meta `selects` for any other type.",
            "A tag counts where the type is uncertain (\(Selectors.uncertainKinds.map(\.name).sorted().joined(separator: ", "))), meta `selects` always.",
            "Of several rules the first one in the order of the files decides, and the others are said.",
            "Of a file that is read in pieces the first MiB is looked at.",
            "The rule is a rule like any other for the stage yara: `score = 0` in its meta keeps it from being a finding.",
        ])

    private let seconds: Double
    private let files: YARARules
    private let beginnings: YARARules

    /// Compiles the rules that select a type; the stage `yara` says what is wrong with rules.
    public init(options: Options = Options(), environment: StageEnvironment) throws {
        seconds = options.timeout ?? 30
        files = Selectors.rules(in: environment.signatures.files(of: .yara))
        beginnings = Selectors.rules(in: environment.signatures.files(of: .yaraMeta))
    }

    /// Classifies the sample if a rule says so.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        var chosen: [(kind: FileKind, rule: String)] = []
        let all = sample.bytes.prefix(sample.bytes.count)
        for (rules, bytes) in [(files, all), (beginnings, all.prefix(YARAStage.metaSize))] {
            guard !rules.rules.isEmpty else { continue }
            let limit = min(seconds, out.secondsLeft)
            let externals = YARAExternals(sample, withMD5: rules.usesMD5, now: YARAStage.now)
            do {
                let result = try rules.scan(bytes, externals: externals, fileSize: sample.size, seconds: limit)
                for match in result.matches {
                    let rule = rules.rules[match.rule]
                    guard rule.isMeant(for: Self.descriptor.module) else { continue }
                    chosen += rule.selections(for: sample.kind).map { ($0, rule.signature.ruleName) }
                }
            } catch {
                throw StageError(error, seconds: limit, "no selector rule was judged for this sample")
            }
        }
        guard let first = chosen.first else { return }
        if let other = chosen.first(where: { $0.kind != first.kind }) {
            out.note(
                .unsupported,
                "rule \(first.rule) says \(first.kind), rule \(other.rule) says \(other.kind): it was read as the first only"
            )
        }
        out.classify(first.kind)
    }
}
