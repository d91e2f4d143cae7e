import Pipeline
import Yams

/// What flags and the configuration file say, before it is checked.
///
/// Every key is optional; flags win.
public struct Settings: Sendable, Decodable {
    /// Keys of the configuration file; each is a flag of `serve` without its dashes.
    public enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case serverHost = "server-host"
        case serverPort = "server-port"
        case serverCertificate = "server-cert"
        case serverKey = "server-key"
        case serverClientAuthorities = "server-client-ca"
        case serverTokens = "server-tokens"
        case allowInsecure = "allow-insecure"
        case sourceRateLimit = "source-rate-limit"
        case sourceQuota = "source-quota"
        case shutdownTimeout = "shutdown-timeout"
        case noVerdictCache = "no-verdict-cache"
        case storeSamples = "server-store-samples"
        case storeSamplesScore = "store-samples-score"
        case storeSamplesDirectory = "store-samples-dir"
        case storeSamplesQuota = "store-samples-quota"
        case storeSamplesAge = "store-samples-age"
        case viewDirectory = "vfs-dir"
        case serverUploadDirectory = "server-upload-dir"
        case resultCacheSize = "server-result-cache-size"
        case findingsLimit = "findings-limit"
        case findingsAge = "findings-age"
        case pureYARA = "pure-yara"
        case chain
        case threads
        case syncOnlyThreads = "sync-only-threads"
        case rules
        case customSignatures = "custom-signatures"
        case maximumFileSize = "max-file-size"
        case minimumLevel = "min-level"
        case levels
        case scoreInfo = "score-info"
        case scoreNotice = "score-notice"
        case scoreWarning = "score-warning"
        case scoreAlert = "score-alert"
        case sigmaThreshold = "sigma-threshold"
        case engineMemory = "engine-memory"
        case engineNice = "engine-nice"
        case watchRules = "watch-rules"
        case exclude
    }

    /// Address to listen on.
    public var serverHost: String?
    /// Port to listen on.
    public var serverPort: Int?
    /// PEM file with the certificate.
    public var serverCertificate: String?
    /// PEM file with the private key.
    public var serverKey: String?
    /// PEM file with the authorities of client certificates.
    public var serverClientAuthorities: String?
    /// File of tokens.
    public var serverTokens: String?
    /// Whether an address that others reach may be served without TLS and tokens.
    public var allowInsecure: Bool?
    /// Uploads a minute from one source.
    public var sourceRateLimit: Int?
    /// Bytes a day from one source, as in `10GB`.
    public var sourceQuota: String?
    /// Seconds that running scans get at the end.
    public var shutdownTimeout: Int?
    /// Whether every sample is scanned, known or not.
    public var noVerdictCache: Bool?
    /// `all`, `malicious` or `none`.
    public var storeSamples: String?
    /// Lowest score of samples that are kept.
    public var storeSamplesScore: Int?
    /// Directory of kept samples.
    public var storeSamplesDirectory: String?
    /// Most bytes of kept samples, as in `100GB`.
    public var storeSamplesQuota: String?
    /// Days after which kept samples go.
    public var storeSamplesAge: Int?
    /// Directory that shows kept samples by host and path.
    public var viewDirectory: String?
    /// Directory of queued samples and temporary files.
    public var serverUploadDirectory: String?
    /// Async results kept.
    public var resultCacheSize: Int?
    /// Findings kept for the page and the API.
    public var findingsLimit: Int?
    /// Days after which a finding goes from there.
    public var findingsAge: Int?
    /// Short for chain `pure-yara`.
    public var pureYARA: Bool?
    /// Name of the chain.
    public var chain: String?
    /// Scan threads.
    public var threads: Int?
    /// Scan threads for sync requests only.
    public var syncOnlyThreads: Int?
    /// Signature folders.
    public var rules: [String]?
    /// Folders added to the shipped signatures.
    public var customSignatures: [String]?
    /// Largest sample, as in `200MB`.
    public var maximumFileSize: String?
    /// Lowest level that is answered and logged.
    public var minimumLevel: String?
    /// `v11` or `v10`.
    public var levels: String?
    /// Lowest score of level Info.
    public var scoreInfo: Int?
    /// Lowest score of level Notice.
    public var scoreNotice: Int?
    /// Lowest score of level Warning.
    public var scoreWarning: Int?
    /// Lowest score of level Alert.
    public var scoreAlert: Int?
    /// Logs and targets.
    public var output = OutputSettings()
    /// Lowest level of a Sigma rule that is used.
    public var sigmaThreshold: String?
    /// Private memory that scans may take, as in `4GB`.
    public var engineMemory: String?
    /// How far scans stand back behind the reception of samples, 0 to 19.
    public var engineNice: Int?
    /// Whether signatures are loaded anew when their folders change.
    public var watchRules: Bool?
    /// Stages, rules, heuristics and kinds of IOCs that are switched off, by name.
    public var exclude: [String]?
    /// Chains of the configuration file.
    public var chains: [ChainConfiguration] = []
    /// The configuration file that was read.
    public private(set) var configurationFile: String?

    /// Nothing set.
    public init() {}

    /// Reads a configuration file.
    ///
    /// - Throws: `ConfigurationError` naming file, line and key.
    public init(file path: String) throws {
        let bytes: Bytes
        do {
            bytes = try ByteStore().read(file: path)
        } catch {
            throw ConfigurationError("--config: \(error)")
        }
        configurationFile = path
        guard let root = try composeYAML(bytes.span.utf8Text, file: path) else { return }
        guard let map = root.mapping else {
            throw ConfigurationError(file: path, line: nil, "must be a map of keys to values")
        }
        let known = CodingKeys.allCases.map(\.rawValue) + OutputSettings.CodingKeys.allCases.map(\.rawValue)
        for (key, _) in map where key.string != "chains" && !known.contains(key.string ?? "") {
            throw ConfigurationError(
                file: path, line: key.mark?.line,
                "unknown key '\(key.string ?? "?")'; keys are: \((known + ["chains"]).joined(separator: ", "))")
        }
        do {
            self = try YAMLDecoder().decode(Settings.self, from: root)
            output = try YAMLDecoder().decode(OutputSettings.self, from: root)
        } catch let error as DecodingError {
            throw ConfigurationError(file: path, line: nil, YAMLOptions.sentence(error))
        }
        configurationFile = path
        if let node = map["chains"] { chains = try ChainsFile(node: node, file: path).chains }
    }

    /// These settings, with the gaps filled from others.
    public func filled(from other: Settings) -> Settings {
        var all = self
        all.serverHost = serverHost ?? other.serverHost
        all.serverPort = serverPort ?? other.serverPort
        all.serverCertificate = serverCertificate ?? other.serverCertificate
        all.serverKey = serverKey ?? other.serverKey
        all.serverClientAuthorities = serverClientAuthorities ?? other.serverClientAuthorities
        all.serverTokens = serverTokens ?? other.serverTokens
        all.allowInsecure = allowInsecure ?? other.allowInsecure
        all.sourceRateLimit = sourceRateLimit ?? other.sourceRateLimit
        all.sourceQuota = sourceQuota ?? other.sourceQuota
        all.shutdownTimeout = shutdownTimeout ?? other.shutdownTimeout
        all.noVerdictCache = noVerdictCache ?? other.noVerdictCache
        all.storeSamples = storeSamples ?? other.storeSamples
        all.storeSamplesScore = storeSamplesScore ?? other.storeSamplesScore
        all.storeSamplesDirectory = storeSamplesDirectory ?? other.storeSamplesDirectory
        all.storeSamplesQuota = storeSamplesQuota ?? other.storeSamplesQuota
        all.storeSamplesAge = storeSamplesAge ?? other.storeSamplesAge
        all.viewDirectory = viewDirectory ?? other.viewDirectory
        all.serverUploadDirectory = serverUploadDirectory ?? other.serverUploadDirectory
        all.resultCacheSize = resultCacheSize ?? other.resultCacheSize
        all.findingsLimit = findingsLimit ?? other.findingsLimit
        all.findingsAge = findingsAge ?? other.findingsAge
        all.pureYARA = pureYARA ?? other.pureYARA
        all.chain = chain ?? other.chain
        all.threads = threads ?? other.threads
        all.syncOnlyThreads = syncOnlyThreads ?? other.syncOnlyThreads
        all.rules = rules ?? other.rules
        all.customSignatures = customSignatures ?? other.customSignatures
        all.maximumFileSize = maximumFileSize ?? other.maximumFileSize
        all.minimumLevel = minimumLevel ?? other.minimumLevel
        all.levels = levels ?? other.levels
        all.scoreInfo = scoreInfo ?? other.scoreInfo
        all.scoreNotice = scoreNotice ?? other.scoreNotice
        all.scoreWarning = scoreWarning ?? other.scoreWarning
        all.scoreAlert = scoreAlert ?? other.scoreAlert
        all.output = output.filled(from: other.output)
        all.sigmaThreshold = sigmaThreshold ?? other.sigmaThreshold
        all.engineMemory = engineMemory ?? other.engineMemory
        all.engineNice = engineNice ?? other.engineNice
        all.watchRules = watchRules ?? other.watchRules
        // What the file switches off stays off.
        if exclude != nil || other.exclude != nil { all.exclude = (exclude ?? []) + (other.exclude ?? []) }
        all.chains = chains + other.chains
        all.configurationFile = configurationFile ?? other.configurationFile
        return all
    }

    /// The service's configuration.
    ///
    /// - Throws: `ConfigurationError` naming the key whose value cannot work, and what would.
    public func serviceConfiguration() throws(ConfigurationError) -> ServiceConfiguration {
        var configuration = ServiceConfiguration()
        configuration.host = serverHost ?? configuration.host
        configuration.port = try checked(serverPort, "server-port", 0...65_535) ?? configuration.port
        configuration.uploadDirectory = serverUploadDirectory ?? configuration.uploadDirectory
        configuration.resultCacheSize =
            try checked(resultCacheSize, "server-result-cache-size", 0...10_000_000) ?? configuration.resultCacheSize
        configuration.threads = try threadCount()
        configuration.syncOnlyThreads = try checked(syncOnlyThreads, "sync-only-threads", 0...1024) ?? 0
        guard configuration.syncOnlyThreads < configuration.threads else {
            throw ConfigurationError(
                "sync-only-threads is \(configuration.syncOnlyThreads) of \(configuration.threads) threads: leave at "
                    + "least one for async requests, or raise --threads")
        }
        if let size = maximumFileSize {
            guard let bytes = byteCount(size), bytes > 0 else {
                throw ConfigurationError("max-file-size is '\(size)'; write a number of bytes or as in 200MB, 4GB")
            }
            configuration.maximumFileSize = bytes
        }
        configuration.minimumLevel = try level()
        // An audit trail lists every object, those of contents that were seen before, too.
        configuration.cachesVerdicts = noVerdictCache != true && output.auditTrail == nil
        configuration.shutdownSeconds = try checked(shutdownTimeout, "shutdown-timeout", 0...86_400) ?? 60
        configuration.findings = try findings()
        configuration.storage = try storage(uploads: configuration.uploadDirectory)
        try secure(&configuration)
        return configuration
    }

    /// What to load for scanning.
    ///
    /// - Throws: `ConfigurationError` for contradicting or unknown values.
    public func scanRequest(defaultRules: String, byteStore: ByteStore) throws(ConfigurationError) -> ScanSetup.Request
    {
        var request = ScanSetup.Request(rules: rules ?? [defaultRules])
        request.customSignatures = customSignatures ?? []
        if pureYARA == true, let chain, chain != "pure-yara" {
            throw ConfigurationError("--pure-yara is short for --chain pure-yara; --chain \(chain) contradicts it")
        }
        request.chain = pureYARA == true ? "pure-yara" : chain ?? "full"
        request.chains = chains
        request.exclusions = Exclusions(exclude ?? [])
        request.byteStore = byteStore
        request.scoring.levels = try levelRules()
        if let threshold = sigmaThreshold {
            let names = ["informational", "low", "medium", "high", "critical"]
            guard names.contains(threshold) else {
                throw ConfigurationError(
                    "sigma-threshold is '\(threshold)'; levels are: \(names.joined(separator: ", "))")
            }
            request.sigmaThreshold = threshold
        }
        return request
    }

    /// From which score on an object has which level.
    ///
    /// - Throws: `ConfigurationError` for unknown rules, or thresholds that are out of range or out of order.
    public func levelRules() throws(ConfigurationError) -> LevelRules {
        var rules: LevelRules
        switch levels ?? "v11" {
        case "v11": rules = .v11
        case "v10": rules = .v10
        default: throw ConfigurationError("levels is '\(levels ?? "")'; write v11 or v10")
        }
        rules.info = try checked(scoreInfo, "score-info", 0...101) ?? rules.info
        rules.notice = try checked(scoreNotice, "score-notice", 0...101) ?? rules.notice
        rules.warning = try checked(scoreWarning, "score-warning", 0...101) ?? rules.warning
        rules.alert = try checked(scoreAlert, "score-alert", 0...101) ?? rules.alert
        guard rules.info <= rules.notice, rules.notice <= rules.warning, rules.warning <= rules.alert else {
            throw ConfigurationError(
                "score-info \(rules.info), score-notice \(rules.notice), score-warning \(rules.warning) and "
                    + "score-alert \(rules.alert) must not decrease in this order")
        }
        return rules
    }

    /// Private memory that the scans of an engine process may take, in bytes: as set, or half of this machine's.
    ///
    /// - Throws: `ConfigurationError` for a size that is none, or too small to work with.
    public func engineMemoryLimit() throws(ConfigurationError) -> Int {
        guard let size = engineMemory else { return max(physicalMemory() / 2, 1 << 30) }
        guard let bytes = byteCount(size), (64 << 20)...(1 << 50) ~= bytes else {
            throw ConfigurationError("engine-memory is '\(size)'; write at least 64MB, as in 4GB")
        }
        return bytes
    }

    /// How far the scans of a service stand back: as set, or 19.
    ///
    /// - Throws: `ConfigurationError` when out of range.
    public func scanNiceness() throws(ConfigurationError) -> Int {
        let niceness = engineNice ?? 19
        guard (0...19).contains(niceness) else {
            throw ConfigurationError("engine-nice is \(niceness); write 0 (none) to 19")
        }
        return niceness
    }

    /// Scan threads: as set, or one a processor.
    ///
    /// - Throws: `ConfigurationError` when out of range.
    public func threadCount() throws(ConfigurationError) -> Int {
        try checked(threads, "threads", 1...1024) ?? processorCount()
    }

    /// Lowest level shown.
    ///
    /// - Throws: `ConfigurationError` that lists the levels.
    public func level() throws(ConfigurationError) -> Level {
        guard let name = minimumLevel else { return .notice }
        return try Level(settingNamed: name, key: "min-level")
    }

    func checked(
        _ value: Int?, _ key: String, _ range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int? {
        guard let value else { return nil }
        guard range.contains(value) else {
            throw ConfigurationError("\(key) is \(value); it must be \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}

/// A number of bytes from a text such as `1000`, `64K`, `200MB` or `4 GiB` (powers of 1024); nil if it is none.
public func byteCount(_ text: String) -> Int? {
    let upper = text.uppercased().filter { $0 != " " }
    let digits = upper.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits) else { return nil }
    let shift: Int
    switch upper.dropFirst(digits.count) {
    case "", "B": shift = 0
    case "K", "KB", "KIB": shift = 10
    case "M", "MB", "MIB": shift = 20
    case "G", "GB", "GIB": shift = 30
    case "T", "TB", "TIB": shift = 40
    default: return nil
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : bytes
}
