import ArgumentParser
import Glibc
import Pipeline
import Synchronization
import ThunderstormService

struct ScanCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Scans files and folders offline.",
        discussion: """
            Prints the same events as the service would log, files in a fixed order. Files of an unpacked triage \
            collection (KAPE, Velociraptor, UAC, CyLR, HOST/C/…) have the path and the host that they were \
            collected from.
            Exit code: 0 clean, 1 findings at Warning or above, 2 errors.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, kv, csv

        var eventFormat: EventFormat {
            switch self {
            case .text: .text
            case .json: .json
            case .kv: .keyValue
            case .csv: .csv
            }
        }
    }

    @Argument(help: ArgumentHelp("Files and folders.", valueName: "path"))
    var paths: [String]

    @Option(name: .long, help: "text: one line an event; json: JSON lines v3; kv: KEY='value'; csv: md5,path,score.")
    var format = Format.text

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Host name that findings carry (default: that of a triage collection, or this machine's).",
            valueName: "host"))
    var source: String?

    @Flag(name: .long, help: "Paths as they are here, also those of triage collections.")
    var keepPaths = false

    @Option(name: .long, help: ArgumentHelp("Lowest level shown; debug shows every reason.", valueName: "level"))
    var minLevel: String?

    @Option(name: .long, help: ArgumentHelp("Scan threads (default: one a processor).", valueName: "n"))
    var threads: Int?

    @Option(
        name: .long, help: ArgumentHelp("Larger files are skipped and listed (default: no limit).", valueName: "size"))
    var maxFileSize: String?

    @Option(name: .long, help: ArgumentHelp("Write an HTML report of the findings.", valueName: "file"))
    var htmlReport: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Private memory that scans may take (default: half of the machine's).", valueName: "size"))
    var engineMemory: String?

    @Flag(name: .long, help: "Scan in this process: a sample that crashes a parser then ends the whole run.")
    var inProcess = false

    @Option(name: .long, help: ArgumentHelp("Configuration file; flags win over it.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "Logs and targets") var outputs: OutputOptions

    @OptionGroup(title: "Signatures") var signatures: SignatureOptions

    func run(_ registry: StageRegistry) async throws {
        var settings = signatures.settings
        settings.threads = threads
        settings.engineMemory = engineMemory
        settings.minimumLevel = minLevel
        settings.maximumFileSize = maxFileSize
        settings.output = outputs.settings
        if let config { settings = settings.filled(from: try Settings(file: config)) }
        let level = try settings.level()
        var sizeLimit = Int.max
        if let size = settings.maximumFileSize {
            guard let bytes = byteCount(size) else {
                throw ConfigurationError("--max-file-size is '\(size)'; write a number of bytes or as in 200MB, 4GB")
            }
            sizeLimit = bytes
        }

        raiseDescriptorLimit()
        let byteStore = ByteStore()
        let scanID = makeScanID()
        let trail = try settings.output.trail(scanID: scanID, hostname: machineName())
        let (engine, loaded, close) = try await startEngine(settings, byteStore, registry, trail)
        let rejected = loaded.problems.filter(\.isRejected).count
        if rejected > 0 {
            standardError("\(rejected) signatures were left out; `thunderstorm rules check` lists them\n")
        }
        let host = source ?? machineName()
        // Two reasons are what people read; debug shows all, and JSON always has all.
        var options = try settings.output.eventOptions()
        options.reasonLimit = level == .debug ? .max : 2
        let sink = EventSink(
            descriptor: STDOUT_FILENO, format: format.eventFormat, minimumLevel: level, options: options)
        let report = try htmlReport.map { try HTMLReport(path: $0) }
        let reportSinks = report.map { [EventSink(report: $0, minimumLevel: level, options: options)] } ?? []
        let events = EventSinks(
            [sink] + reportSinks + (try settings.output.sinks(minimumLevel: level, hostname: host)),
            hostname: machineName(), scanID: scanID, trail: trail)
        let replay = Replay(
            engine: engine, events: events, byteStore: byteStore, source: host, scanID: scanID,
            maximumFileSize: sizeLimit, restoring: keepPaths ? .nothing : source == nil ? .pathsAndHosts : .paths)
        let progress = ProgressLine()
        let summary = await replay.run(paths) { done, total, path in progress.show(done, total, path) }
        progress.end()
        close()
        trail?.note(skipped: summary.skipped, source: host)
        for (target, lost) in await events.close() {
            standardError("\(target) did not take the last \(lost) events\n")
        }
        standardError(Self.text(summary))
        if let report { try Self.finish(report, summary, host: host, paths: paths) }
        if summary.exitCode != 0 { throw ExitCode(summary.exitCode) }
    }

    private static func finish(
        _ report: HTMLReport, _ summary: Replay.Summary, host: String, paths: [String]
    ) throws {
        var heading = HTMLReport.Heading(title: "Scan of \(host)", time: currentTime())
        heading.facts = [
            ("scanned", paths.joined(separator: ", ")), ("files", "\(summary.files)"),
            ("with contents", "\(summary.samples)"), ("records", "\(summary.records)"),
            ("skipped", "\(summary.skipped.count)"), ("not fully scanned", "\(summary.incomplete)"),
        ]
        let leftOut = try report.finish(heading)
        standardError("report: \(report.path)\n")
        if leftOut > 0 { standardError("\(leftOut) events did not fit into the report; --json-logfile keeps all\n") }
    }

    private func startEngine(
        _ settings: Settings, _ byteStore: ByteStore, _ registry: StageRegistry, _ trail: AuditTrail?
    ) async throws -> (any Engine, SignatureState, close: () -> Void) {
        if inProcess {
            let setup = try loadSetup(settings, byteStore: byteStore, registry: registry)
            let engine = try InProcessEngine(
                chain: setup.chain, threads: try settings.threadCount(), byteStore: byteStore, trail: trail)
            return (engine, setup.signatures, { engine.close() })
        }
        var options = EngineOptions()
        options.threads = try settings.threadCount()
        options.trail = trail
        let engine = try ProcessEngine(
            options, settings: settings, defaultRules: shippedRules(), temporaryDirectory: byteStore.temporaryDirectory,
            events: EngineNotices())
        return (engine, try await engine.start(), { engine.close() })
    }

    private static func text(_ summary: Replay.Summary) -> String {
        let seconds = Double(summary.nanoseconds) / 1e9
        let megabytes = Double(summary.bytes) / 1e6
        let levels: [Level] = [.alert, .warning, .notice, .info, .debug]
        let counts = levels.map { "\($0.name) \(summary.findings[$0, default: 0])" }.joined(separator: ", ")
        var text = """
            \(summary.files) files, \(summary.samples) samples with their contents, \(summary.records) records, \
            \(rounded(megabytes)) MB in \(rounded(seconds)) s (\(rounded(megabytes / max(seconds, 1e-9))) MB/s)
            findings: \(counts)

            """
        for (name, restored) in summary.collections.prefix(20) {
            text += "collection: \(oneLine(name)), \(restored) paths restored\n"
        }
        if summary.collections.count > 20 { text += "  and \(summary.collections.count - 20) more collections\n" }
        if summary.incomplete > 0 { text += "not fully scanned: \(summary.incomplete) files, see their issues\n" }
        let shown = summary.skipped.prefix(20)
        if !shown.isEmpty { text += "skipped: \(summary.skipped.count)\n" }
        for (path, reason) in shown { text += "  \(oneLine(path)): \(oneLine(reason))\n" }
        if summary.skipped.count > shown.count { text += "  and \(summary.skipped.count - shown.count) more\n" }
        for error in summary.errors { text += "error: \(oneLine(error))\n" }
        return text
    }

    private static func rounded(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

// What the engine says of itself goes to the terminal when it is bad news; findings go where they always go.
private struct EngineNotices: EventLog {
    func log(_ report: Report, context: EventContext) {}

    func message(_ level: Level, module: String, _ text: String, fields: [(String, String)]) {
        guard level >= .error else { return }
        let all = fields.map { "\($0.0): \($0.1)" }.joined(separator: ", ")
        standardError(oneLine("\(text) (\(all))") + "\n")
    }
}

/// A line on the terminal that says how far a long run is; nothing when standard error is no terminal.
final class ProgressLine: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let lastShown = Mutex<UInt64>(0)

    func show(_ done: Int, _ total: Int, _ path: String) {
        guard isTerminal else { return }
        let now = monotonicNanoseconds()
        let isDue = lastShown.withLock { last in
            guard now - last > 100_000_000 else { return false }
            last = now
            return true
        }
        if isDue { standardError("\r\u{1B}[K\(done)/\(total) \(oneLine(path).suffix(60))") }
    }

    func end() {
        if isTerminal { standardError("\r\u{1B}[K") }
    }
}
