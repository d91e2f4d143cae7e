import EVTX
import Foundation
import Pipeline
import PipelineTesting
import Testing

@testable import Sigma

/// The rules' own regression logs: each rule must match in its log.
@Suite("Public event logs")
struct RegressionTests {
    struct Row {
        var path: String
        var rule: String
        var matches: String
    }

    static func rows() -> [Row] {
        guard let folder = Shared.directory("corpus"),
            let data = FileManager.default.contents(atPath: folder + "/truth/sigma_regression.tsv")
        else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst().compactMap { line in
            let columns = line.split(separator: "\t").map(String.init)
            guard columns.count == 3 else { return nil }
            return Row(path: folder + "/" + columns[0], rule: columns[1], matches: columns[2])
        }
    }

    @Test(.enabled(if: Shared.directory("corpus/truth") != nil, "no ../shared here"))
    func everyRuleMatchesItsLog() throws {
        let stage = try load(files: RuleSetTests.files()).stage
        let environment = StageEnvironment()
        let chain = Chain(SetKind(options: NoOptions(), environment: environment))
            .appending(EVTXStage(options: NoOptions(), environment: environment)).appending(stage)
        let rows = Self.rows()
        var right = 0
        for row in rows {
            let data = try #require(FileManager.default.contents(atPath: row.path))
            let sample = Sample(path: row.path, bytes: Bytes(Array(data)))
            let report = chain.scan(sample)
            let hits = report.findings.filter { $0.reasons.contains { $0.signature.id == row.rule } }.count
            let isRight = row.matches.hasSuffix("+") ? hits > 0 : String(hits) == row.matches
            if isRight { right += 1 }
            #expect(isRight, "\(row.rule) in \(row.path): \(hits) records instead of \(row.matches)")
        }
        print("sigma regression: \(right) of \(rows.count) logs as expected")
        #expect(rows.count > 50)
    }
}

/// Takes every sample for an event log.
struct SetKind: Stage {
    static let descriptor = StageDescriptor(
        name: "set-kind", summary: "Takes samples for event logs.", interest: .samples)

    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        out.classify(FileKind("EVTX"))
    }
}
