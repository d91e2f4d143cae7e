import Pipeline
import Yams

/// What is needed to scan: a chain with its compiled signatures, and what is known of them.
public struct ScanSetup: Sendable {
    /// Which signatures and chain to load; travels to the loader as `EngineLaunch`.
    public struct Request: Sendable {
        /// Folders of shipped signatures.
        public var rules: [String]
        /// Folders of the user's own signatures, added to the shipped ones.
        public var customSignatures: [String] = []
        /// Name of the chain.
        public var chain = "full"
        /// Chains of the configuration file; they come before those of the rules folders.
        public var chains: [ChainConfiguration] = []
        /// Lowest level of a Sigma rule that is used, whatever the chain says; nil leaves it to the chain.
        public var sigmaThreshold: String?
        /// What is switched off.
        public var exclusions = Exclusions()
        /// Whether matchers (stages that look at records with signatures) are left out of the chain: for extracting only.
        public var leavesOutMatchers = false
        /// How findings are scored.
        public var scoring = Scoring()
        /// Where large children live.
        public var byteStore = ByteStore()

        /// A request for the full chain over the given folders.
        public init(rules: [String]) { self.rules = rules }
    }

    /// The chain, ready to scan.
    public let chain: Chain
    /// What is loaded.
    public let signatures: SignatureState

    /// Loads signatures and builds the chain.
    ///
    /// - Throws: `ConfigurationError` for a missing folder, an unknown chain, stage or option, or an exclusion that
    ///   nothing has the name of.
    public init(_ request: Request, registry: StageRegistry) throws {
        let folders = try SignatureFolders(shipped: request.rules, custom: request.customSignatures)
        let diagnostics = SignatureDiagnostics()
        for problem in folders.problems { diagnostics.report(problem) }
        let environment = StageEnvironment(
            signatures: folders.set, diagnostics: diagnostics, byteStore: request.byteStore,
            exclusions: request.exclusions)
        chain = try registry.makeChain(
            Self.adjusted(try Self.configuration(request, registry), request, registry), environment: environment,
            scoring: request.scoring)
        try Self.check(request.exclusions, chain, diagnostics, registry)
        signatures = SignatureState(
            set: folders.set, diagnostics: diagnostics, heuristics: chain.descriptors.flatMap(\.heuristics),
            exclusions: request.exclusions, loaded: currentTime())
    }

    // A name that nothing has switches nothing off, which its author would not notice. Rules of a stage that is not in
    // the chain are not known; then it is only a warning.
    private static func check(
        _ exclusions: Exclusions, _ chain: Chain, _ diagnostics: SignatureDiagnostics, _ registry: StageRegistry
    ) throws(ConfigurationError) {
        if exclusions.isEmpty { return }
        let rules = diagnostics.summaries.filter { Exclusions.hasNames($0.kind) }
        let unknown = exclusions.unknown(
            among: registry.excludableNames + rules.flatMap { $0.id.isEmpty ? [$0.name] : [$0.name, $0.id] })
        let inChain = Set(chain.descriptors.map(\.name))
        let knowsAll = registry.stages.map { $0.descriptor }.allSatisfy {
            !$0.usesSignatures || inChain.contains($0.name)
        }
        for (name, near) in unknown {
            let hint = near.isEmpty ? "" : "; near are: \(near.joined(separator: ", "))"
            let message =
                "exclude: nothing is named '\(name)'\(hint); it takes stages, kinds of IOCs "
                + "(\(Exclusions.kinds.map(\.name).joined(separator: ", "))), heuristics and rules by name or id, all "
                + "of which `thunderstorm rules list` and `thunderstorm stages` show"
            if knowsAll { throw ConfigurationError(message) }
            diagnostics.report(
                SignatureProblem(
                    file: "exclude", line: nil, message: message + "; chain \(chain.name) does not load all rules",
                    isRejected: false))
        }
    }

    // The chain with what flags say of its stages.
    private static func adjusted(
        _ chain: ChainConfiguration, _ request: Request, _ registry: StageRegistry
    ) -> ChainConfiguration {
        let matchers = registry.stages.map { $0.descriptor }.filter { $0.usesSignatures && $0.interest.records }
        let kept = chain.stages.filter { stage in
            !request.leavesOutMatchers || !matchers.contains { $0.name == stage.name }
        }
        let stages = kept.map { stage in
            guard let threshold = request.sigmaThreshold, stage.name == "sigma" else { return stage }
            let written = stage.options as? YAMLOptions ?? YAMLOptions(Node.mapping(Node.Mapping([])))
            return StageConfiguration(
                name: stage.name, line: stage.line, options: written.setting("threshold", to: threshold))
        }
        return ChainConfiguration(name: chain.name, file: chain.file, stages: stages)
    }

    // Who may write signatures must not thereby be able to run programs.
    private static func checkStartsNothing(
        _ chain: ChainConfiguration, _ registry: StageRegistry
    ) throws(ConfigurationError) {
        let starting = registry.stages.map { $0.descriptor }.filter(\.startsPrograms).map(\.name)
        guard let stage = chain.stages.first(where: { starting.contains($0.name) }) else { return }
        throw ConfigurationError(
            file: chain.file, line: stage.line,
            "the stage '\(stage.name)' starts a program, which a signature folder may not; write this chain into the "
                + "configuration file (--config FILE, key chains)")
    }

    // The configuration file's chains first, then chains.yml of the rules folders. Folders without one, such as a
    // checkout of signature-base, have the chains that follow from the list of stages.
    private static func configuration(_ request: Request, _ registry: StageRegistry) throws -> ChainConfiguration {
        if let own = request.chains.first(where: { $0.name == request.chain }) { return own }
        var known = request.chains
        for folder in request.rules + request.customSignatures {
            let path = folder + "/chains.yml"
            guard fileExists(path) else { continue }
            let file = try ChainsFile(path: path)
            if let chain = file.chains.first(where: { $0.name == request.chain }) {
                try checkStartsNothing(chain, registry)
                return chain
            }
            known += file.chains
        }
        let builtIn = [
            ("full", registry.stages.map { $0.descriptor }.filter { !$0.startsPrograms }.map(\.name)),
            ("pure-yara", ["yara"]),
        ]
        for (name, stages) in builtIn where !known.contains(where: { $0.name == name }) {
            let chain = ChainConfiguration(
                name: name, file: "built-in", stages: stages.map { StageConfiguration(name: $0) })
            if name == request.chain { return chain }
            known.append(chain)
        }
        throw ConfigurationError(
            "there is no chain '\(request.chain)'; chains are: \(known.map(\.name).joined(separator: ", "))")
    }
}
