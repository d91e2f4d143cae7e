import ArgumentParser
import Pipeline
import ThunderstormService

struct StagesCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "stages", abstract: "Lists the stages that chains can be made of.")

    @Flag(name: .long, help: "Markdown with options, references and limitations: docs/stages.md is made with it.")
    var markdown = false

    func run(_ registry: StageRegistry) async throws {
        if markdown { return standardOutput(stagesDocumentation(registry.stages.map { $0.descriptor })) }
        for descriptor in registry.stages.map({ $0.descriptor }) {
            standardOutput("\(descriptor.name)\n    \(descriptor.summary)\n")
            for option in descriptor.options { standardOutput("    \(option.name): \(option.help)\n") }
        }
    }
}
