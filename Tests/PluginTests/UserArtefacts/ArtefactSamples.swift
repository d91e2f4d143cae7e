// The files that the tests read and that fuzzing begins with, made without the parsers' definitions.

func le16(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }

func le32(_ value: UInt32) -> [UInt8] { le16(UInt16(value & 0xFFFF)) + le16(UInt16(value >> 16)) }

func le64(_ value: UInt64) -> [UInt8] { le32(UInt32(value & 0xFFFF_FFFF)) + le32(UInt32(value >> 32)) }

func wide(_ text: String) -> [UInt8] { Array(text.utf16.map { le16($0) }.joined()) }

enum RecycleBinSample {
    static let path = "C:\\Users\\anna\\Desktop\\plan.xlsx"
    static let old: [UInt8] = {
        let name = wide(path)
        return le64(1) + le64(4321) + le64(132_539_328_001_234_560) + name
            + [UInt8](repeating: 0, count: 520 - name.count)
    }()
    static let new =
        le64(2) + le64(4321) + le64(132_539_328_001_234_560) + le32(UInt32(path.utf16.count + 1))
        + wide(path) + [0, 0]
}

enum ErrorReportSample {
    static let text = """
        Version=1\r\nEventType=APPCRASH\r\nEventTime=132539328001234560\r\nReportType=2\r\nNsAppName=mimikatz.exe\r
        OriginalFilename=mimikatz.exe\r\nSig[0].Name=Application Name\r\nSig[0].Value=mimikatz.exe\r
        Sig[3].Name=Fault Module Name\r\nSig[3].Value=samlib.dll\r\nSig[6].Name=Exception Code\r
        Sig[6].Value=c0000005\r\nLoadedModule[0]=C:\\Windows\\Temp\\mimikatz.exe\r
        LoadedModule[1]=C:\\Windows\\SYSTEM32\\ntdll.dll\r\nFriendlyEventName=Stopped working\r
        AppName=mimikatz\r\nAppPath=C:\\Windows\\Temp\\mimikatz.exe\r\n
        """
    static let bytes = [0xFF, 0xFE] + wide(text)
}

enum ModuleCacheSample {
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
}
