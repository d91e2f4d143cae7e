import Foundation
import Pipeline
import PipelineTesting
import Plugins
import Testing

@testable import ThunderstormService

/// Documentation that is made from code is what the code says.
struct DocumentationTests {
    private let root = Shared.packageRoot

    @Test func stagesAreDocumentedFromTheirDescriptors() throws {
        let text = stagesDocumentation(BuiltinStages.all.map { $0.descriptor })
        let written = try String(contentsOfFile: root + "/docs/stages.md", encoding: .utf8)
        #expect(text == written, "run `make docs`")
    }

    @Test func theFullChainNamesEveryStageInOrder() throws {
        let chains = try ChainsFile(path: root + "/rules/chains.yml")
        let full = try chains.chain(named: "full").stages.map(\.name)
        #expect(full == BuiltinStages.all.map { $0.descriptor.name })
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
