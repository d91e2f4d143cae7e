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

    func run(_ registry: StageRegistry) async throws {
        let state = try loadSetup(signatures.settings, byteStore: ByteStore(), registry: registry).signatures
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
            standardOutput("rejected: \(rejected.count)\n")
        }
        if !rejected.isEmpty { throw ExitCode(1) }
    }
}

struct RulesListCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists every signature in use: kind, name, score, tags, origin.")

    @Flag(name: .long, help: "JSON lines instead of tab-separated columns.")
    var json = false

    @OptionGroup(title: "Signatures") var signatures: SignatureOptions

    func run(_ registry: StageRegistry) async throws {
        let state = try loadSetup(signatures.settings, byteStore: ByteStore(), registry: registry).signatures
        var text = ""
        for summary in state.summaries {
            if json {
                var writer = JSONWriter()
                writer.object { writer in
                    writer.field("kind", summary.kind.name)
                    writer.field("name", summary.name)
                    writer.field("score", summary.score)
                    writer.field("tags", summary.tags)
                    writer.field("origin", summary.file)
                }
                text += writer.text + "\n"
            } else {
                let columns = [
                    summary.kind.name, summary.name, "\(summary.score)", summary.tags.joined(separator: ","),
                    summary.file,
                ]
                text += columns.map(oneLine).joined(separator: "\t") + "\n"
            }
        }
        standardOutput(text)
    }
}
