import Foundation
import Pipeline
import PipelineTesting
import Testing

@testable import Sigma

@Suite("Public rules")
struct RuleSetTests {
    static func files() -> [SignatureFile] {
        guard let folder = Shared.directory("signatures/sigma") else { return [] }
        return Shared.files(below: folder).compactMap { path in
            guard path.hasSuffix(".yml"), !path.contains("/tests/"),
                let data = FileManager.default.contents(atPath: path)
            else { return nil }
            return SignatureFile(
                path: String(path.dropFirst(folder.count + 1)), kind: .sigma, bytes: Bytes(Array(data)))
        }
    }

    @Test(.enabled(if: Shared.directory("signatures/sigma") != nil, "no ../shared here"))
    func nearlyAllPublicRulesAreSupported() throws {
        let files = Self.files()
        let start = ContinuousClock.now
        let loaded = try load(files: files)
        let plan = loaded.stage.plan
        print("sigma: \(loaded.diagnostics.summaries.count) of \(files.count) rules in \(ContinuousClock.now - start)")
        print(
            "plan: \(plan.predicates.count) predicates, \(plan.nodes.count) nodes, \(plan.searches.count) searched fields"
        )
        let rejected = loaded.diagnostics.problems.filter(\.isRejected)
        for problem in loaded.diagnostics.problems { print(problem) }
        print("without trigger:", plan.rules.filter { $0.root != nil && $0.triggers == nil }.map(\.rule.title))
        #expect(files.count > 3_700)
        #expect(rejected.count * 200 <= files.count)
        #expect(loaded.diagnostics.summaries.count + rejected.count == files.count)
    }
}
