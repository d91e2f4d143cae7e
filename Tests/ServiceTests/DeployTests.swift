import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

/// What is in `deploy/`, held against the code that it is for.
struct DeployTests {
    private let deploy: String

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        deploy = root.appending(path: "deploy").path
    }

    @Test func theConfigurationFileNamesEveryKey() throws {
        let text = try String(contentsOfFile: deploy + "/thunderstorm.yml", encoding: .utf8)
        let keys = Settings.CodingKeys.allCases.map(\.rawValue) + OutputSettings.CodingKeys.allCases.map(\.rawValue)
        let named = Set(
            text.split(separator: "\n").map { line in
                String(line.drop { $0 == "#" || $0 == " " }.prefix { $0 != ":" })
            })
        for key in keys { #expect(named.contains(key), "deploy/thunderstorm.yml does not show '\(key)'") }
    }

    @Test func theConfigurationFileIsValidWithEverythingSwitchedOn() throws {
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: deploy + "/thunderstorm.yml", encoding: .utf8)
        _ = try Settings(file: deploy + "/thunderstorm.yml").serviceConfiguration()
        // A key or list entry behind `# ` is an example: it must be one that works.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.firstMatch(of: /^# ( *-? ?[{\w].*)$/).map { String($0.output.1) }
                .flatMap { $0.firstMatch(of: /^ *- |^ *[a-z0-9-]+:( |$)/) == nil ? nil : $0 } ?? String(line)
        }
        try folder.write("all.yml", lines.joined(separator: "\n"))
        let settings = try Settings(file: folder.path + "/all.yml")
        _ = try settings.serviceConfiguration()
        _ = try settings.output.eventOptions()
        _ = try settings.output.rotation()
        for target in settings.output.remoteLogs ?? [] { _ = try TargetAddress(target) }
        #expect(settings.scoreAlert == 81)
        #expect(settings.chains.map(\.name) == ["triage"])
    }

    @Test(arguments: ["install.sh", "thunderstorm-update"])
    func scriptsAreValidShell(_ name: String) throws {
        #expect(try ChildProgram(["sh", "-n", deploy + "/" + name], errors: 2).wait() == 0)
    }
}
