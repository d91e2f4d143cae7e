import ArgumentParser
import Glibc
import Pipeline
import ThunderstormService

struct ServeCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Receives samples over HTTP and answers with findings.",
        discussion: """
            Clients of THOR Thunderstorm work unchanged:
              curl -F file=@suspicious.bin http://127.0.0.1:8080/api/check
            `thunderstorm --thunderstorm` means the same. SIGTERM finishes running scans, then ends with 0; queued \
            samples and results are there again after the next start. SIGHUP loads the signatures anew.
            """)

    @Option(name: .long, help: ArgumentHelp("Address to listen on (default: 127.0.0.1).", valueName: "address"))
    var serverHost: String?

    @Option(name: .long, help: ArgumentHelp("Port to listen on (default: 8080).", valueName: "port"))
    var serverPort: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Queued samples and temporary files (default: /tmp/thunderstorm-uploads).", valueName: "dir")
    )
    var serverUploadDir: String?

    @Option(name: .long, help: ArgumentHelp("Async results kept; 0 keeps none (default: 10000).", valueName: "n"))
    var serverResultCacheSize: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Findings kept for the page and the API; 0 keeps none (default: 1000000).", valueName: "n"))
    var findingsLimit: Int?

    @Option(name: .long, help: ArgumentHelp("Days after which a finding goes (default: 90).", valueName: "days"))
    var findingsAge: Int?

    @OptionGroup(title: "Security") var security: SecurityOptions

    @OptionGroup(title: "Stored samples") var storage: StorageOptions

    @Flag(name: .long, help: "Scan every sample, also those whose content was seen before.")
    var noVerdictCache = false

    @Option(
        name: .long,
        help: ArgumentHelp("Seconds that running scans get after SIGTERM (default: 60).", valueName: "seconds"))
    var shutdownTimeout: Int?

    @Option(name: .long, help: ArgumentHelp("Scan threads (default: one a processor).", valueName: "n"))
    var threads: Int?

    @Option(name: .long, help: ArgumentHelp("Scan threads for sync requests only (default: 0).", valueName: "n"))
    var syncOnlyThreads: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Private memory that scans may take (default: half of the machine's).", valueName: "size"))
    var engineMemory: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How far scans of queued samples stand back behind reception, 0 to 19; of sync ones 5 at most (default: 19).",
            valueName: "n"))
    var engineNice: Int?

    @Flag(name: .long, help: "Load signatures anew when their folders change.")
    var watchRules = false

    @Option(name: .long, help: ArgumentHelp("Largest sample; larger ones get 413 (default: 200MB).", valueName: "size"))
    var maxFileSize: String?

    @Option(name: .long, help: ArgumentHelp("Lowest level answered and logged (default: notice).", valueName: "level"))
    var minLevel: String?

    @Option(name: .long, help: ArgumentHelp("YAML file with the same keys; flags win over it.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "Logs and targets") var outputs: OutputOptions

    @OptionGroup(title: "Signatures") var signatures: SignatureOptions

    private var settings: Settings {
        get throws {
            var settings = signatures.settings
            security.apply(to: &settings)
            storage.apply(to: &settings)
            settings.noVerdictCache = noVerdictCache ? true : nil
            settings.shutdownTimeout = shutdownTimeout
            settings.serverHost = serverHost
            settings.serverPort = serverPort
            settings.serverUploadDirectory = serverUploadDir
            settings.resultCacheSize = serverResultCacheSize
            settings.findingsLimit = findingsLimit
            settings.findingsAge = findingsAge
            settings.threads = threads
            settings.syncOnlyThreads = syncOnlyThreads
            settings.engineMemory = engineMemory
            settings.engineNice = engineNice
            settings.watchRules = watchRules ? true : nil
            settings.maximumFileSize = maxFileSize
            settings.minimumLevel = minLevel
            settings.output = outputs.settings
            guard let config else { return settings }
            return settings.filled(from: try Settings(file: config))
        }
    }

    func run(_ registry: StageRegistry) async throws {
        try await serve(
            settings, defaultRules: shippedRules(), arguments: Array(CommandLine.arguments.dropFirst()),
            announce: { standardError($0 + "\n") })
    }
}
