import Foundation
import Pipeline
import PipelineTesting
import Plugins
import Testing
import ThunderstormCommand

@testable import ThunderstormService

/// Documentation that is made from code is what the code says.
struct DocumentationTests {
    private let root = Shared.packageRoot

    @Test func stagesAreDocumentedFromTheirDescriptors() throws {
        let text = stagesDocumentation(BuiltinStages.all.map { $0.descriptor })
        let written = try String(contentsOfFile: root + "/docs/stages.md", encoding: .utf8)
        #expect(text == written, "run `make docs`")
    }

    @Test func flagsAreDocumentedFromTheCommandLine() throws {
        let written = try String(contentsOfFile: root + "/docs/flags.md", encoding: .utf8)
        #expect(try Thunderstorm.flagReference() == written, "run `make docs`")
        let manual = try String(contentsOfFile: root + "/deploy/thunderstorm.1", encoding: .utf8)
        #expect(try Thunderstorm.manualPage() == manual, "run `make docs`")
    }

    // Every flag that a document names is one of a command.
    @Test func documentsNameFlagsThatExist() throws {
        let known = Set(try Thunderstorm.flagReference().matches(of: /--[a-z][a-z0-9-]+/).map { String($0.output) })
        #expect(known.count > 80)
        let foreign: Set<String> = [
            // Of curl and systemd.
            "--cacert", "--now", "--offline",
        ]
        for name in ["operate", "service"] {
            let text = try String(contentsOfFile: root + "/docs/\(name).md", encoding: .utf8)
            for match in text.matches(of: /--[a-z][a-z0-9-]+/) where !foreign.contains(String(match.output)) {
                #expect(known.contains(String(match.output)), "docs/\(name).md: \(match.output)")
            }
        }
    }

    @Test func theFullChainNamesEveryStageInOrder() throws {
        let chains = try ChainsFile(path: root + "/rules/chains.yml")
        let full = try chains.chain(named: "full").stages.map(\.name)
        let all = BuiltinStages.all.map { $0.descriptor }
        #expect(full == all.filter { !$0.startsPrograms }.map(\.name))
    }

    @Test func everyStageSaysWhatItIs() {
        for descriptor in BuiltinStages.all.map({ $0.descriptor }) {
            #expect(descriptor.summary.hasSuffix("."), "\(descriptor.name)")
            #expect(descriptor.name.allSatisfy { $0.isLowercase || $0 == "-" || $0.isNumber }, "\(descriptor.name)")
        }
        #expect(Set(BuiltinStages.all.map { $0.descriptor.name }).count == BuiltinStages.all.count)
    }

    @Test func linksInTheReadmeLeadSomewhere() throws {
        let readme = try String(contentsOfFile: root + "/README.md", encoding: .utf8)
        let links = readme.matches(of: /\]\(([^)#]+)\)/).map { String($0.1) }.filter { !$0.hasPrefix("http") }
        #expect(links.count > 5)
        for link in links { #expect(FileManager.default.fileExists(atPath: root + "/" + link), "\(link)") }
    }
}
