import Pipeline
import PipelineTesting
import Prefetch
import Testing

@Suite struct PrefetchTests {
    @Test func everyPartIsReadInOrder() {
        let output = scan(PrefetchStage(), Bytes(PrefetchBuilder().bytes), kind: "Prefetch")
        #expect(goldenDifference("version30.txt", output.text) == nil)
    }

    @Test func compressedFilesReadTheSame() throws {
        let plain = PrefetchBuilder().bytes
        let packed = try PrefetchFile(PrefetchBuilder.compressed(plain).rawSpan)
        let file = try PrefetchFile(plain.rawSpan)
        #expect(packed.isCompressed)
        #expect(packed.problems == [])
        #expect(packed.accessedFiles == file.accessedFiles)
        #expect(packed.executionTimes == file.executionTimes)
    }

    @Test(arguments: [(17, 1), (23, 1), (26, 2), (30, 2), (31, 2)])
    func versionsDifferInTheirTimes(version: UInt32, times: Int) throws {
        var builder = PrefetchBuilder(version: version)
        builder.times = Array(builder.times.prefix(times))
        if version == 26 { builder.metricsOffset = 0x130 }
        let file = try PrefetchFile(builder.bytes.rawSpan)
        #expect(file.version == version)
        #expect(file.executionTimes.count == times)
        #expect(file.executionCount == 7)
        #expect(file.hash == 0x0BAD_F00D)
        #expect(file.volumes.map(\.path) == ["\\VOLUME{01d0}"])
        #expect(file.problems == [])
    }

    // Found by reading: many volumes with one long path were as many copies of it.
    @Test func manyEntriesCannotFillTheMemory() throws {
        var bytes = PrefetchBuilder().bytes
        let volumes = bytes.count
        bytes.replaceSubrange(108..<116, with: le32(UInt32(volumes)) + le32(0xFFFF_FFFF))
        let count = 3000
        for _ in 0..<count {
            bytes += le32(UInt32(count * 96)) + le32(0x7FFF_FFFF) + [UInt8](repeating: 1, count: 88)
        }
        bytes += [UInt8](repeating: 0x41, count: 100_000)
        let file = try PrefetchFile(bytes.rawSpan)
        #expect(file.volumes.count == 1024)
        #expect(file.volumes.allSatisfy { $0.path.utf8.count <= 4096 })
        #expect(file.problems.map(\.code) == [.limit, .limit])

        var names = PrefetchBuilder()
        names.files = [String](repeating: "a", count: 70_000)
        let many = try PrefetchFile(names.bytes.rawSpan)
        #expect(many.accessedFiles.count == 65_536)
        #expect(many.problems.map(\.code) == [.limit])
        #expect(many.volumes.count == 1)
    }

    @Test func stageConforms() {
        let plain = PrefetchBuilder().bytes
        let kit = StageConformance(kind: "Prefetch")
        #expect(kit.violations(of: PrefetchStage(), sample: plain) == [])
        #expect(kit.violations(of: PrefetchStage(), sample: PrefetchBuilder.compressed(plain)) == [])
    }

    // All literals and one code for a match: 256 lengths of nine bits for the literals, one bit for the match.
    @Test func matchesMayOverlapWhatTheyCopy() {
        // Literals 'a' (0x61) and symbol 256 + 15 (distance 1, long length) share the one-bit codes 0 and 1.
        var lengths = [UInt8](repeating: 0, count: 256)
        lengths[0x61 / 2] = 0x10
        lengths[(256 + 15) / 2] = 0x10
        // 'a', then the match; the length stands behind the two words that were read ahead: 10 + 15 + 3.
        let stream = lengths + le16(0x4000) + le16(0) + [10]
        let inflated = XpressHuffman(stream.rawSpan, size: 29)
        let output = inflated.output
        #expect(output == [UInt8](repeating: 0x61, count: 29))
    }

    @Test func brokenStreamsEnd() {
        let empty = XpressHuffman([UInt8](repeating: 0, count: 300).rawSpan, size: 1 << 30)
        let emptyProblem = empty.problem
        #expect(emptyProblem == ParseError(.invalid, "", at: 0))
        let crowded = XpressHuffman([UInt8](repeating: 0x11, count: 300).rawSpan, size: 1 << 30)
        let crowdedProblem = crowded.problem
        #expect(crowdedProblem == ParseError(.invalid, "", at: 0))
        let short = XpressHuffman(PrefetchBuilder.literals([1, 2, 3]).rawSpan, size: 1 << 30)
        let shortProblem = short.problem
        #expect(shortProblem == ParseError(.truncated, "", at: 0))
    }

    @Test func declaredSizesAreLimited() {
        let claim = Array("MAM".utf8) + [4] + le32(0xFFFF_FFFF) + [UInt8](repeating: 0, count: 400)
        #expect(throws: ParseError(.limit, "", at: 0)) { try PrefetchFile(claim.rawSpan) }
        var limits = Limits()
        limits.expandedBytes = 100
        let packed = PrefetchBuilder.compressed(PrefetchBuilder().bytes)
        let output = scan(PrefetchStage(), Bytes(packed), kind: "Prefetch", limits: limits)
        #expect(output.issues.map(\.code) == [.limit])
        #expect(output.records.isEmpty)
    }

    @Test(arguments: [
        ("PrefetchAttackTool", "MIMIKATZ.EXE", "\\VOLUME{1}\\TOOLS\\MIMIKATZ.EXE"),
        ("PrefetchDualUseTool", "PSEXESVC.EXE", "\\VOLUME{1}\\WINDOWS\\PSEXESVC.EXE"),
        ("PrefetchUserWritablePlace", "A.EXE", "\\VOLUME{1}\\USERS\\PUBLIC\\A.EXE"),
    ])
    func suspiciousProgramsAreReported(id: String, name: String, path: String) {
        let bytes = PrefetchBuilder(executable: name, files: [path]).bytes
        let output = scan(PrefetchStage(), Bytes(bytes), kind: "Prefetch")
        #expect(output.findings.flatMap(\.reasons).map(\.signature.ruleName) == [id])
    }
}
