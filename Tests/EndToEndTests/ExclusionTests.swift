import Pipeline
import PipelineTesting
import Plugins
import Testing

@testable import ThunderstormService

/// What a user switches off stays silent, and only that.
struct ExclusionTests {
    private func setup(_ excluded: [String], chain: String = "full") throws -> ScanSetup {
        var settings = Settings()
        settings.exclude = excluded
        settings.chain = chain
        let request = try settings.scanRequest(
            defaultRules: Shared.packageRoot + "/rules", byteStore: ByteStore())
        return try ScanSetup(request, registry: StageRegistry(BuiltinStages.all))
    }

    // The EICAR file, in two halves: the whole text would wake virus scanners.
    private var eicar: Sample {
        let text = #"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR"# + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
        return Sample(path: "/tmp/.Downloads/eicar.com", bytes: Bytes(utf8: text))
    }

    private func reasons(_ excluded: [String]) throws -> [Reason] {
        try setup(excluded).chain.scan(eicar).findings.flatMap(\.reasons)
    }

    @Test func rulesKindsAndStagesAreSwitchedOff() throws {
        let all = try reasons([])
        #expect(all.contains { $0.signature.ruleName == "TEST_EICAR_Antivirus_Test_File" })
        #expect(all.contains { $0.signature.kind == .filename })
        #expect(all.contains { $0.signature.kind == .stix })
        let one = try reasons(["TEST_EICAR_Antivirus_Test_File"])
        #expect(one == all.filter { $0.signature.ruleName != "TEST_EICAR_Antivirus_Test_File" })
        #expect(try reasons(["filename"]) == all.filter { $0.signature.kind != .filename })
        #expect(try reasons(["stix"]) == all.filter { $0.signature.kind != .stix })
        #expect(try reasons(["yara"]) == all.filter { $0.signature.kind != .yara })
    }

    @Test func theStateSaysWhatIsOff() throws {
        let title = try #require(
            try setup([]).signatures.summaries.first { $0.kind == .sigma && !$0.id.isEmpty })
        let state = try setup([title.id, "LinkRemoteIcon", "pipe"]).signatures
        #expect(Set(state.excluded.map(\.kind)) == [.sigma, .heuristic, .pipe])
        #expect(state.excluded.contains { $0.name == title.name })
        #expect(state.counts["Named Pipe IOC"] == nil)
        #expect(state.counts["Internal Heuristic"] == nil)
    }

    @Test func unknownNamesAreErrors() throws {
        let error = #expect(throws: ConfigurationError.self) { try setup(["TEST_EICAR_Antivirus_Test_Fil"]) }
        #expect(error?.description.contains("near are: TEST_EICAR_Antivirus_Test_File") == true)
        #expect(error?.description.contains("(hash, filename, keyword, c2, handle, pipe, stix)") == true)
        // A chain without Sigma does not know Sigma's rules.
        let state = try setup(["Some Sigma rule"], chain: "pure-yara").signatures
        #expect(state.problems.contains { $0.file == "exclude" && !$0.isRejected })
    }

    @Test func flagsAndFileAddUp() {
        var flags = Settings()
        flags.exclude = ["a"]
        var file = Settings()
        file.exclude = ["b"]
        #expect(flags.filled(from: file).exclude == ["a", "b"])
        #expect(Settings().filled(from: file).exclude == ["b"])
    }

    @Test func heuristicsHaveUniqueNames() {
        // Stages may share a check; then it is the same.
        var known: [String: Heuristic] = [:]
        for heuristic in BuiltinStages.all.flatMap({ $0.descriptor.heuristics }) {
            let first = known[heuristic.id] ?? heuristic
            known[heuristic.id] = first
            #expect(first.description == heuristic.description && first.score == heuristic.score, "\(heuristic.id)")
        }
        #expect(known.count >= 70)
    }
}
