import JumpList
import Pipeline
import PipelineTesting
import Testing

@Suite struct JumpListTests {
    @Test func automaticListsHaveTimesAndLinks() {
        let output = scan(JumpListStage(), Bytes(JumpListBuilder().automatic), kind: "Jump List")
        #expect(goldenDifference("automatic.txt", output.text) == nil)
    }

    @Test func customListsAreLinks() {
        let output = scan(JumpListStage(), Bytes(JumpListBuilder().custom), kind: "Jump List")
        #expect(goldenDifference("custom.txt", output.text) == nil)
    }

    @Test func oldListsCountWithFractions() {
        let output = scan(JumpListStage(), Bytes(JumpListBuilder(version: 1).automatic), kind: "Jump List")
        #expect(output.records.count == 2)
        #expect(output.records.first?.fields.first { $0.key == "access_count" }?.value == "3")
        #expect(output.issues == [])
    }

    @Test func stageConforms() {
        let kit = StageConformance(kind: "Jump List")
        #expect(kit.violations(of: JumpListStage(), sample: JumpListBuilder().automatic) == [])
        #expect(kit.violations(of: JumpListStage(), sample: JumpListBuilder().custom) == [])
    }

    @Test func circlesOfSectorsEnd() throws {
        var bytes = JumpListBuilder().automatic
        // The directory's second half points back to its first; then every stream is found twice at most.
        bytes.replaceSubrange(512 + 4..<512 + 8, with: le32(1))
        let file = try CompoundFile(Bytes(bytes))
        #expect(file.streams.count <= bytes.count / 128)
        #expect(file.streams.contains { $0.name == "DestList" })
    }

    // Found by reading: every root entry had the whole file copied.
    @Test func onlyTheFirstRootCounts() throws {
        var bytes = JumpListBuilder().automatic
        // The first stream becomes a root that begins where no sector is.
        let entry = 1024 + 128
        bytes[entry + 66] = 5
        bytes.replaceSubrange(entry + 116..<entry + 120, with: le32(0xFFFF_FFFE))
        var file = try CompoundFile(Bytes(bytes))
        let link = try #require(file.streams.first { $0.name == "1" })
        #expect(!file.streams.contains { $0.name == "DestList" })
        #expect(file.content(of: link).starts(with: le32(0x4C)))
    }

    @Test func streamsCannotClaimMoreThanTheFileHas() throws {
        var bytes = JumpListBuilder().automatic
        let size = 1024 + 128 + 120
        bytes.replaceSubrange(size..<size + 4, with: le32(0xFFFF_FFFF))
        var file = try CompoundFile(Bytes(bytes))
        let entry = try #require(file.streams.first { $0.name == "DestList" })
        let content = file.content(of: entry)
        #expect(content.count <= bytes.count)
        #expect(!file.problems.isEmpty)
    }

    /// Destinations of each list: the count in the list's header, or the link headers in a custom list.
    ///
    /// The file of `raw` is in Base64 and holds none as it is.
    static let corpusCounts = [
        "APTSimulatorVM/5f7b5f1e01b83767.automaticDestinations-ms": 0,
        "APTSimulatorVM/7e4dca80246863e3.customDestinations-ms": 0,
        "APTSimulatorVM/f01b4d95cf55d32a.automaticDestinations-ms": 11,
        "APTSimulatorVM/f18460fded109990.customDestinations-ms": 0,
        "RathbunVM/5f7b5f1e01b83767.automaticDestinations-ms": 8,
        "RathbunVM/ccba5a5986c77e43.customDestinations-ms": 2,
        "RathbunVM/f01b4d95cf55d32a.automaticDestinations-ms": 9,
        "StolenSzechuan/28c8b86deab549a1.customDestinations-ms": 3,
        "StolenSzechuan/590aee7bdd69b59b.customDestinations-ms": 3,
        "StolenSzechuan/7e4dca80246863e3.automaticDestinations-ms": 2,
        "Win10/7e4dca80246863e3.automaticDestinations-ms": 1,
        "Win10/f01b4d95cf55d32a.automaticDestinations-ms": 9,
        "Win7/1b4dd67f29cb1962.automaticDestinations-ms": 4,
        "Win80/f01b4d95cf55d32a.automaticDestinations-ms": 4,
        "Win81/f01b4d95cf55d32a.automaticDestinations-ms": 4,
        "raw/5afe4de1b92fc382.customDestinations-ms": 0,
        "test_data/1b4dd67f29cb1962.automaticDestinations-ms": 11,
        "automaticDestinations-ms/1b4dd67f29cb1962.automaticDestinations-ms": 7,
        "customDestinations-ms/5afe4de1b92fc382.customDestinations-ms": 9,
        "customDestinations-ms/c98dce577f884ef8.customDestinations-ms": 0,
    ]

    @Test(.enabled(if: Shared.directory("corpus/jumplists") != nil, "no ../shared here"))
    func corpusIsReadWithoutProblems() throws {
        let folder = try #require(Shared.directory("corpus/jumplists"))
        var seen: Set<String> = []
        for path in Shared.files(below: folder) {
            let name = path.split(separator: "/").suffix(2).joined(separator: "/")
            seen.insert(name)
            let output = scan(JumpListStage(), try ByteStore().read(file: path), kind: "Jump List")
            #expect(output.records.count == Self.corpusCounts[name], "\(name)")
            #expect(output.records.allSatisfy { record in record.fields.contains { $0.key == "target" } }, "\(name)")
            #expect(output.issues == [], "\(name)")
        }
        #expect(seen == Set(Self.corpusCounts.keys))
    }
}
