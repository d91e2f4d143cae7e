import ArgumentParser
import Pipeline
import ThunderstormService

struct StagesCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "stages", abstract: "Lists the stages that chains can be made of.")

    @Flag(name: .long, help: "Markdown with options, references and limitations: docs/stages.md is made with it.")
    var markdown = false

    @Option(name: .long, help: ArgumentHelp("Show what this would switch off; may be repeated.", valueName: "name"))
    var exclude: [String] = []

    func run(_ registry: StageRegistry) async throws {
        if markdown { return standardOutput(stagesDocumentation(registry.stages.map { $0.descriptor })) }
        let exclusions = Exclusions(exclude)
        if let unknown = exclusions.unknown(among: registry.excludableNames).first {
            throw ConfigurationError("--exclude: no stage or heuristic is named '\(unknown.name)'")
        }
        for descriptor in registry.stages.map({ $0.descriptor }) {
            let isOff = exclusions.excludes(stage: descriptor.name)
            standardOutput("\(descriptor.name)\(isOff ? "  (excluded)" : "")\n    \(descriptor.summary)\n")
            for option in descriptor.options { standardOutput("    \(option.name): \(option.help)\n") }
            for heuristic in descriptor.heuristics {
                let isOff = isOff || exclusions.excludes(.heuristic, name: heuristic.id, id: "")
                standardOutput(
                    "    heuristic \(heuristic.id), score \(heuristic.score)\(isOff ? " (excluded)" : ""): "
                        + "\(heuristic.description)\n")
            }
        }
    }
}
