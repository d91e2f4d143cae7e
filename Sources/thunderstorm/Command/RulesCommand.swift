import ArgumentParser
import Pipeline
import ThunderstormService

struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Checks and lists signatures.",
        subcommands: [RulesCheckCommand.self, RulesListCommand.self])
}

struct RulesCheckCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Loads all signatures and names each that cannot be used.",
        discussion: "Exit code: 0 when everything loads, 1 when something is rejected.")

    @Flag(name: .long, help: "One JSON object instead of text.")
    var json = false

    @OptionGroup(title: "Signatures") var signatures: SignatureOptions

    @Option(name: .long, help: ArgumentHelp("Configuration file; flags win over it.", valueName: "file"))
    var config: String?

    func run(_ registry: StageRegistry) async throws {
        let state = try signatureState(signatures, config, registry)
        let rejected = state.problems.filter(\.isRejected)
        if json {
            var writer = JSONWriter(pretty: true)
            writer.object { writer in
                writer.field("version", state.version)
                writer.key("counts")
                writer.object { writer in
                    for (kind, count) in state.counts.sorted(by: { $0.key < $1.key }) { writer.field(kind, count) }
                }
                writer.field("rejected", rejected.count)
                writer.field("excluded", state.excluded.count)
                writer.key("problems")
                writer.array { writer in
                    for problem in state.problems {
                        writer.object { writer in
                            writer.field("file", problem.file)
                            if let line = problem.line { writer.field("line", line) }
                            writer.field("message", problem.message)
                            writer.field("rejected", problem.isRejected)
                        }
                    }
                }
            }
            standardOutput(writer.text + "\n")
        } else {
            for problem in state.problems {
                standardOutput("\(problem.isRejected ? "rejected" : "warning")  \(problem)\n")
            }
            for (kind, count) in state.counts.sorted(by: { $0.key < $1.key }) { standardOutput("\(kind): \(count)\n") }
            if !state.excluded.isEmpty { standardOutput("excluded: \(state.excluded.count)\n") }
            standardOutput("rejected: \(rejected.count)\n")
        }
        if !rejected.isEmpty { throw ExitCode(1) }
    }
}

struct RulesListCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists every signature and heuristic: kind, name, score, tags, origin, file.",
        discussion: "What --exclude switches off is listed too, and marked.")

    @Flag(name: .long, help: "JSON lines instead of tab-separated columns.")
    var json = false

    @OptionGroup(title: "Signatures") var signatures: SignatureOptions

    @Option(name: .long, help: ArgumentHelp("Configuration file; flags win over it.", valueName: "file"))
    var config: String?

    func run(_ registry: StageRegistry) async throws {
        let state = try signatureState(signatures, config, registry)
        var text = ""
        for summary in state.summaries {
            let isExcluded = state.exclusions.excludes(summary)
            if json {
                var writer = JSONWriter()
                writer.object { writer in
                    writer.field("kind", summary.kind.name)
                    writer.field("name", summary.name)
                    if !summary.id.isEmpty { writer.field("id", summary.id) }
                    writer.field("score", summary.score)
                    writer.field("tags", summary.tags)
                    writer.field("origin", summary.origin.rawValue)
                    writer.field("file", summary.file)
                    writer.field("excluded", isExcluded)
                }
                text += writer.text + "\n"
            } else {
                var columns = [
                    summary.kind.name, summary.name, "\(summary.score)", summary.tags.joined(separator: ","),
                    summary.origin.rawValue, summary.file,
                ]
                if isExcluded { columns.append("excluded") }
                text += columns.map(oneLine).joined(separator: "\t") + "\n"
            }
        }
        standardOutput(text)
    }
}

// What is loaded with these flags and the configuration file.
private func signatureState(
    _ options: SignatureOptions, _ config: String?, _ registry: StageRegistry
) throws -> SignatureState {
    var settings = options.settings
    if let config { settings = settings.filled(from: try Settings(file: config)) }
    return try loadSetup(settings, byteStore: ByteStore(), registry: registry).signatures
}
