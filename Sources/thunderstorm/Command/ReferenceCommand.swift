import ArgumentParser
import Pipeline
import ThunderstormService

struct ReferenceCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference", abstract: "Prints the reference of all commands and flags.")

    @Flag(name: .long, help: "As a man page; else Markdown.")
    var man = false

    func run(_ registry: StageRegistry) async throws {
        standardOutput(try man ? Thunderstorm.manualPage() : Thunderstorm.flagReference())
    }
}
