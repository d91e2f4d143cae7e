import Pipeline
import PipelineTesting
import Plugins
import Testing

@testable import ThunderstormService

/// `--sigma-threshold` decides which of the shipped rules are used, whatever the chain says.
struct SigmaThresholdTests {
    private func rules(_ threshold: String?, chains: [ChainConfiguration] = []) throws -> Int {
        var request = ScanSetup.Request(rules: [Shared.packageRoot + "/rules"])
        request.sigmaThreshold = threshold
        request.chains = chains
        if let chain = chains.first { request.chain = chain.name }
        let state = try ScanSetup(request, registry: StageRegistry(BuiltinStages.all)).signatures
        return state.counts["Sigma Rule", default: 0]
    }

    @Test func fewerRulesAreUsedAboveAHigherThreshold() throws {
        let chain = try ChainsFile(text: "chains: {own: [file-type, {sigma: {threshold: critical}}]}", file: "own")
        let (all, medium, high) = try (rules("informational"), rules("medium"), rules("high"))
        // The shipped rules of level low are counted by correlations, which need them at any threshold.
        #expect(all >= medium)
        #expect(medium > high)
        #expect(high > 0)
        #expect(try rules(nil) == medium)
        #expect(try rules("informational", chains: chain.chains) == all)
        #expect(try rules(nil, chains: chain.chains) < high)
    }
}
