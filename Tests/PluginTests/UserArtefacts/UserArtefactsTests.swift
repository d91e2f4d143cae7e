import Pipeline
import PipelineTesting
import Testing
import UserArtefacts

func le16(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }

func le32(_ value: UInt32) -> [UInt8] { le16(UInt16(value & 0xFFFF)) + le16(UInt16(value >> 16)) }

func le64(_ value: UInt64) -> [UInt8] { le32(UInt32(value & 0xFFFF_FFFF)) + le32(UInt32(value >> 32)) }

func wide(_ text: String) -> [UInt8] { Array(text.utf16.map { le16($0) }.joined()) }

@Suite struct RecycleBinTests {
    static let path = "C:\\Users\\anna\\Desktop\\plan.xlsx"
    static let old: [UInt8] = {
        let name = wide(path)
        return le64(1) + le64(4321) + le64(132_539_328_001_234_560) + name
            + [UInt8](repeating: 0, count: 520 - name.count)
    }()
    static let new =
        le64(2) + le64(4321) + le64(132_539_328_001_234_560) + le32(UInt32(path.utf16.count + 1))
        + wide(path) + [0, 0]

    @Test(arguments: [old, new])
    func bothVersionsSayTheSame(bytes: [UInt8]) {
        let output = scan(
            RecycleBinStage(), Bytes(bytes), path: "$IABCDEF.xlsx", kind: "Recycle Bin Info",
            companions: [Companion(name: "$RABCDEF.xlsx", bytes: Bytes([1, 2, 3]))])
        #expect(goldenDifference("recycle-bin.txt", output.text) == nil)
    }

    @Test(arguments: [old, new])
    func stageConforms(bytes: [UInt8]) {
        #expect(StageConformance(kind: "Recycle Bin Info").violations(of: RecycleBinStage(), sample: bytes) == [])
    }

    @Test func lengthsBeyondTheEndAreSaid() {
        var bytes = Self.new
        bytes.replaceSubrange(24..<28, with: le32(0xFFFF_FFFF))
        let output = scan(RecycleBinStage(), Bytes(bytes), kind: "Recycle Bin Info")
        #expect(output.records.first?.fields.first?.value == Self.path)
        #expect(output.issues.map(\.code) == [.damaged])
    }
}

@Suite struct ErrorReportTests {
    static let text = """
        Version=1\r\nEventType=APPCRASH\r\nEventTime=132539328001234560\r\nReportType=2\r\nNsAppName=mimikatz.exe\r
        OriginalFilename=mimikatz.exe\r\nSig[0].Name=Application Name\r\nSig[0].Value=mimikatz.exe\r
        Sig[3].Name=Fault Module Name\r\nSig[3].Value=samlib.dll\r\nSig[6].Name=Exception Code\r
        Sig[6].Value=c0000005\r\nLoadedModule[0]=C:\\Windows\\Temp\\mimikatz.exe\r
        LoadedModule[1]=C:\\Windows\\SYSTEM32\\ntdll.dll\r\nFriendlyEventName=Stopped working\r
        AppName=mimikatz\r\nAppPath=C:\\Windows\\Temp\\mimikatz.exe\r\n
        """
    static let bytes = [0xFF, 0xFE] + wide(text)

    @Test func fieldsAndReasons() {
        let output = scan(ErrorReportStage(), Bytes(Self.bytes), path: "Report.wer", kind: "WER")
        #expect(goldenDifference("wer.txt", output.text) == nil)
    }

    @Test func stageConforms() {
        #expect(StageConformance(kind: "WER", flips: 200).violations(of: ErrorReportStage(), sample: Self.bytes) == [])
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
    static let bytes = cache([
        ("C:\\Modules\\Lister\\Lister.psd1", ["Get-List", "Set-List"], ["Entry"]),
        ("C:\\Modules\\Empty\\Empty.psm1", [], []),
    ])
    static let demo = cache([
        ("C:\\Modules\\Lister\\Lister.psd1", ["Get-List"], []),
        ("C:\\Users\\Public\\PowerView\\PowerView.psd1", ["Get-DomainUser", "Invoke-Kerberoast"], []),
    ])

    static func cache(_ modules: [(String, [String], [String])]) -> [UInt8] {
        func text(_ text: String) -> [UInt8] { le32(UInt32(text.utf8.count)) + Array(text.utf8) }
        func module(_ path: String, _ commands: [String], _ types: [String]) -> [UInt8] {
            le64(637_450_560_000_000_000) + text(path)
                + le32(UInt32(commands.count)) + Array(commands.map { text($0) + le32(2) }.joined())
                + le32(UInt32(types.count)) + Array(types.map { text($0) + le32(1) }.joined())
        }
        return Array("PSMODULECACHE".utf8) + [1] + le32(UInt32(modules.count))
            + Array(modules.map { module($0.0, $0.1, $0.2) }.joined())
    }

    @Test func modulesAreReadInOrder() {
        let output = scan(ModuleCacheStage(), Bytes(Self.bytes), kind: "PowerShell Module Cache")
        #expect(goldenDifference("module-cache.txt", output.text) == nil)
    }

    @Test func stageConforms() {
        let kit = StageConformance(kind: "PowerShell Module Cache")
        #expect(kit.violations(of: ModuleCacheStage(), sample: Self.bytes) == [])
    }

    @Test func countsBeyondTheEndAreSaid() {
        var bytes = Self.bytes
        bytes.replaceSubrange(14..<18, with: le32(0xFFFF_FFFF))
        let output = scan(ModuleCacheStage(), Bytes(bytes), kind: "PowerShell Module Cache")
        #expect(output.records.count == 2)
        #expect(output.issues.map(\.code) == [.damaged])
    }
}
