import ArgumentParser
import Pipeline
import ThunderstormService

struct ExplainCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Shows what each stage did with a file, and why.",
        discussion: """
            For the file and everything found inside it: type, size, SHA-256, how it was unpacked; which stages \
            looked at it and why, how long each took, and what it said; which stages were not called and what they \
            wait for; and whatever was not looked at. Ask here why a file was found, why it was not, or why it \
            took so long.

              thunderstorm explain mail.eml
              thunderstorm explain sample.bin --path 'C:\\Temp\\a.exe'
              thunderstorm explain odd.dat --custom-signatures mine/
              thunderstorm explain big.zip --json | jq '.. | .issues? // empty'

            --path because names decide, too; --custom-signatures to see whether your rule finds it, or starts a parser.

            The scan runs in this process, on one thread, without the sandbox of the service. Exit code: 2 when the \
            file cannot be read.
            """)

    @Argument(help: ArgumentHelp("The file.", valueName: "file"))
    var file: String

    @Flag(name: .long, help: "One JSON object: the file, with what was inside under `inside`.")
    var json = false

    @Option(
        name: .long,
        help: ArgumentHelp("Path that the file had where it comes from (default: as given).", valueName: "path"))
    var path: String?

    @Option(name: .long, help: ArgumentHelp("Configuration file; flags win over it.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "Signatures") var signatures: SignatureOptions

    func run(_ registry: StageRegistry) async throws {
        let byteStore = ByteStore()
        let sample = try Sample(file: file, path: path, byteStore: byteStore)
        var settings = signatures.settings
        if let config { settings = settings.filled(from: try Settings(file: config)) }
        let setup = try loadSetup(settings, byteStore: byteStore, registry: registry)
        let trace = try await onScanThread { setup.chain.explain(sample, byteStore: byteStore).trace }
        standardOutput(json ? traceJSON(trace) : traceText(trace))
    }
}

struct ExtractCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Writes everything that is found inside a file to a folder.",
        discussion: """
            Members of archives, attachments, contents of compressed files, programs in memory dumps: all that the \
            parsers take out, and what is inside of that. What is inside a.zip/b.zip goes to b.zip.contents. Names \
            are made safe and stay inside the folder; a name that is taken gets a number; files are readable by you \
            only. Each is listed with its size, how it was unpacked, and the name it had; limits that cut \
            something are said at the end.

              thunderstorm extract mail.eml --to attachments/
              thunderstorm extract memory.dmp --to programs/ --depth 1

            The parsers run in this process, without the sandbox of the service. Exit code: 1 when something was not \
            extracted, 2 when the file cannot be read or the folder not be written.
            """)

    @Argument(help: ArgumentHelp("The file.", valueName: "file"))
    var file: String

    @Option(name: .long, help: ArgumentHelp("Folder to write to: a new or an empty one.", valueName: "dir"))
    var to: String

    @Option(name: .long, help: ArgumentHelp("Most levels of files in files (default: 8).", valueName: "n"))
    var depth: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Most bytes of all files together, as in 500MB (default: 4GiB).", valueName: "size"))
    var maxSize: String?

    @Option(name: .long, help: ArgumentHelp("Configuration file; flags win over it.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "Signatures") var signatures: SignatureOptions

    func run(_ registry: StageRegistry) async throws {
        let byteStore = ByteStore()
        var limits = Limits()
        if let depth {
            guard depth >= 1 else { throw ConfigurationError("--depth is \(depth); it must be 1 or more") }
            limits.depth = depth
        }
        if let maxSize {
            guard let bytes = byteCount(maxSize) else {
                throw ConfigurationError("--max-size is '\(maxSize)'; write a number of bytes or as in 200MB, 4GB")
            }
            limits.expandedBytes = bytes
        }
        let sample = try Sample(file: file, path: nil, byteStore: byteStore)
        var settings = signatures.settings
        if let config { settings = settings.filled(from: try Settings(file: config)) }
        var request = try settings.scanRequest(defaultRules: shippedRules(), byteStore: byteStore)
        request.leavesOutMatchers = true
        let setup = try ScanSetup(request, registry: registry)
        let folder = try MemberFolder(to) { member in
            standardOutput(
                "\(member.size)\t\(oneLine(member.method))\t\(oneLine(member.path))\t\(oneLine(member.original))\n")
        }
        let chain = setup.chain.prepending(folder.stage)
        let scanLimits = limits
        let report = try await onScanThread { chain.scan(sample, limits: scanLimits, byteStore: byteStore) }
        let members = folder.members
        standardError("\(members.count) files, \(members.reduce(0) { $0 + $1.size }) bytes in \(oneLine(to))\n")
        for issue in report.issues { standardError("  \(issue.code) \(issue.stage): \(oneLine(issue.message))\n") }
        if let failure = folder.failure { throw ConfigurationError("--to: \(failure)") }
        if report.issues.contains(where: { $0.code == .limit || $0.code == .timeout }) { throw ExitCode(1) }
    }
}

extension Sample {
    // A file of this machine with the files beside it that belong to it.
    fileprivate init(file: String, path: String?, byteStore: ByteStore) throws(SystemError) {
        let content = try byteStore.content(ofFile: file)
        self.init(path: path ?? file, content: content, companions: try companionsBeside(file, byteStore: byteStore))
    }
}
