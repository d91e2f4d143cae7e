import ArgumentParser
import Glibc
import Pipeline
import ThunderstormService

/// Flags of every command that loads signatures.
struct SignatureOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Signature folder; may be repeated. Replaces the shipped rules.", valueName: "dir"))
    var rules: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Folder of your own signatures, added to the others; may be repeated.", valueName: "dir"))
    var customSignatures: [String] = []

    @Flag(name: .long, help: "Only YARA: short for --chain pure-yara.")
    var pureYara = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Chain of stages, from chains.yml or the configuration file (default: full).", valueName: "name"))
    var chain: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Level rules: v11 (Alert from 81) or v10 (and one subscore above 75).", valueName: "v11|v10")
    )
    var levels: String?

    @Option(name: .long, help: ArgumentHelp("Lowest score of level Info (default: 30).", valueName: "n"))
    var scoreInfo: Int?

    @Option(name: .long, help: ArgumentHelp("Lowest score of level Notice (default: 40).", valueName: "n"))
    var scoreNotice: Int?

    @Option(name: .long, help: ArgumentHelp("Lowest score of level Warning (default: 60).", valueName: "n"))
    var scoreWarning: Int?

    @Option(name: .long, help: ArgumentHelp("Lowest score of level Alert (default: 81).", valueName: "n"))
    var scoreAlert: Int?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Lowest level of a Sigma rule that is used: informational to critical (default: medium).",
            valueName: "level"))
    var sigmaThreshold: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Switch off a stage, rule (name or id), heuristic or kind of IOC; may be repeated.", valueName: "name"))
    var exclude: [String] = []

    /// These flags as settings.
    var settings: Settings {
        var settings = Settings()
        settings.rules = rules.isEmpty ? nil : rules
        settings.customSignatures = customSignatures.isEmpty ? nil : customSignatures
        settings.pureYARA = pureYara ? true : nil
        settings.chain = chain
        settings.levels = levels
        settings.scoreInfo = scoreInfo
        settings.scoreNotice = scoreNotice
        settings.scoreWarning = scoreWarning
        settings.scoreAlert = scoreAlert
        settings.sigmaThreshold = sigmaThreshold
        settings.exclude = exclude.isEmpty ? nil : exclude
        return settings
    }
}

/// The shipped rules: $THUNDERSTORM_RULES, or `rules` in a folder above the program, or below the current one.
func shippedRules() -> String {
    if let path = unsafe getenv("THUNDERSTORM_RULES") { return unsafe String(cString: path) }
    var folder = programPath()
    while let slash = folder.lastIndex(of: "/"), slash > folder.startIndex {
        folder = String(folder[..<slash])
        for candidate in [folder + "/rules", folder + "/share/thunderstorm/rules"]
        where unsafe access(candidate + "/chains.yml", R_OK) == 0 { return candidate }
    }
    return "rules"
}

private func programPath() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Loads signatures and builds the chain, with a word about what could not be used.
func loadSetup(_ settings: Settings, byteStore: ByteStore, registry: StageRegistry) throws -> ScanSetup {
    let request = try settings.scanRequest(defaultRules: shippedRules(), byteStore: byteStore)
    return try ScanSetup(request, registry: registry)
}
