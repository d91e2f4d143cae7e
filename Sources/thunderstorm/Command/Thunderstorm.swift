import ArgumentParser
import Glibc
import Pipeline
import ThunderstormService

/// The command line.
///
/// A program with stages of its own calls `Thunderstorm.main(stages: BuiltinStages.all + [MyStage.self])`.
public struct Thunderstorm: ParsableCommand {
    /// Name, help text and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "thunderstorm",
        abstract: "Scans file samples and answers with scored findings.",
        discussion: """
            thunderstorm serve                      receive samples over HTTP on 127.0.0.1:8080
            thunderstorm scan evidence/             replay a folder offline
            thunderstorm records Security.evtx      dump every record as JSON lines
            thunderstorm explain mail.eml           what each stage did with a file, and why
            thunderstorm extract mail.eml --to out  write out what is inside
            thunderstorm rules check --rules mine/  see which signatures load, and why others do not
            """,
        version: thunderstormVersion,
        subcommands: [
            ServeCommand.self, ScanCommand.self, ExplainCommand.self, ExtractCommand.self, PackageCommand.self,
            RecordsCommand.self, ReferenceCommand.self, RemoteCommand.self, ReportCommand.self, RulesCommand.self,
            StagesCommand.self, StatusCommand.self, TokenCommand.self,
        ])

    /// Used by the argument parser.
    public init() {}

    /// Runs the command line of this process with the given stages, and ends the process.
    public static func main(stages: [any Stage.Type]) async {
        // The service starts this itself; it is no command for people, and must not depend on their flags.
        if CommandLine.arguments.dropFirst() == ["engine"] { runEngineLoader(StageRegistry(stages)) }
        // The original's spelling of the service.
        let arguments = Array(CommandLine.arguments.dropFirst())
        let isOriginal = arguments.contains("--thunderstorm")
        await run((isOriginal ? ["serve"] : []) + arguments.filter { $0 != "--thunderstorm" }, stages: stages)
    }

    private static func run(_ arguments: [String], stages: [any Stage.Type]) async {
        do {
            let command = try parseAsRoot(arguments)
            guard let action = command as? any StageCommand else {
                var command = command
                return try command.run()
            }
            try await action.run(StageRegistry(stages))
        } catch let error as ConfigurationError {
            standardError("thunderstorm: \(error)\n")
            Glibc.exit(2)
        } catch let error as SystemError {
            standardError("thunderstorm: \(error)\n")
            Glibc.exit(2)
        } catch {
            exit(withError: error)
        }
    }
}

/// A subcommand that needs the stages of this program.
protocol StageCommand: ParsableCommand {
    func run(_ registry: StageRegistry) async throws
}

/// Writes to standard error.
func standardError(_ text: String) { write(text, to: STDERR_FILENO) }

/// Writes to standard output.
func standardOutput(_ text: String) { write(text, to: STDOUT_FILENO) }

private func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
        let put = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
        }
        if put < 0 && errno == EINTR { continue }
        guard put > 0 else { return }
        done += put
    }
}
