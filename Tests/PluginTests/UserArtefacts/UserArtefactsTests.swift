import Pipeline
import PipelineTesting
import Testing
import UserArtefacts

@Suite struct RecycleBinTests {
    @Test(arguments: [RecycleBinSample.old, RecycleBinSample.new])
    func bothVersionsSayTheSame(bytes: [UInt8]) {
        let output = scan(
            RecycleBinStage(), Bytes(bytes), path: "$IABCDEF.xlsx", kind: "Recycle Bin Info",
            companions: [Companion(name: "$RABCDEF.xlsx", bytes: Bytes([1, 2, 3]))])
        #expect(goldenDifference("recycle-bin.txt", output.text) == nil)
    }

    @Test(arguments: [RecycleBinSample.old, RecycleBinSample.new])
    func stageConforms(bytes: [UInt8]) {
        #expect(StageConformance(kind: "Recycle Bin Info").violations(of: RecycleBinStage(), sample: bytes) == [])
    }

    @Test func lengthsBeyondTheEndAreSaid() {
        var bytes = RecycleBinSample.new
        bytes.replaceSubrange(24..<28, with: le32(0xFFFF_FFFF))
        let output = scan(RecycleBinStage(), Bytes(bytes), kind: "Recycle Bin Info")
        #expect(output.records.first?.fields.first?.value == RecycleBinSample.path)
        #expect(output.issues.map(\.code) == [.damaged])
    }
}

@Suite struct ErrorReportTests {
    @Test func fieldsAndReasons() {
        let output = scan(ErrorReportStage(), Bytes(ErrorReportSample.bytes), path: "Report.wer", kind: "WER")
        #expect(goldenDifference("wer.txt", output.text) == nil)
    }

    @Test func stageConforms() {
        #expect(
            StageConformance(kind: "WER", flips: 200).violations(
                of: ErrorReportStage(), sample: ErrorReportSample.bytes) == [])
    }

    @Test func noLineMeansDamaged() {
        let output = scan(ErrorReportStage(), Bytes(utf8: "nothing here"), kind: "WER")
        #expect(output.issues.map(\.code) == [.damaged])
    }

    // The made reports of the corpus name program and type in their folder.
    @Test(.enabled(if: Shared.directory("corpus/wer") != nil, "no ../shared here"))
    func corpusReportsSayWhatTheirFoldersSay() throws {
        let folder = try #require(Shared.directory("corpus/wer"))
        var count = 0
        for path in Shared.files(below: folder) {
            let output = scan(ErrorReportStage(), try ByteStore().read(file: path), kind: "WER")
            let fields = try #require(output.records.first).fields
            func value(_ key: String) -> String? { fields.first { $0.key == key }?.value }
            let directory = try #require(path.split(separator: "/").dropLast().last)
            let parts = directory.split(separator: "_")
            count += 1
            #expect(value("date") != nil)
            guard path.contains("/generated/") else { continue }
            #expect(value("event_type") == String(parts[0]))
            #expect(value("exe") == String(parts[1]))
            #expect(value("app_name") == String(parts[1]))
            #expect(value("loaded_modules") == value("app_path"))
        }
        #expect(count == 38)
    }
}

@Suite struct ModuleCacheTests {
    @Test func modulesAreReadInOrder() {
        let output = scan(ModuleCacheStage(), Bytes(ModuleCacheSample.bytes), kind: "PowerShell Module Cache")
        #expect(goldenDifference("module-cache.txt", output.text) == nil)
    }

    @Test func stageConforms() {
        let kit = StageConformance(kind: "PowerShell Module Cache")
        #expect(kit.violations(of: ModuleCacheStage(), sample: ModuleCacheSample.bytes) == [])
    }

    @Test func countsBeyondTheEndAreSaid() {
        var bytes = ModuleCacheSample.bytes
        bytes.replaceSubrange(14..<18, with: le32(0xFFFF_FFFF))
        let output = scan(ModuleCacheStage(), Bytes(bytes), kind: "PowerShell Module Cache")
        #expect(output.records.count == 2)
        #expect(output.issues.map(\.code) == [.damaged])
    }
}
