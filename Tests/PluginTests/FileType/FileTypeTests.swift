import Pipeline
import PipelineTesting
import Testing

@testable import FileType

@Suite struct FileTypeTests {
    private let detector = FileTypeDetector()

    private func kind(_ bytes: [UInt8]) -> String { detector.kind(of: bytes.rawSpan).name }

    @Test func tableHasEnoughTypes() {
        #expect(FileTypeDetector.names.count >= 110)
        #expect(Set(FileTypeDetector.names.map { $0.lowercased() }).count == FileTypeDetector.names.count)
    }

    @Test func namesThatRulesRelyOnExist() {
        let needed = [
            "EXE", "ELF", "MACH-O", "VBS", "PHP", "JSP", "Python", "LSASS Dump File", "ASP", "BATCH", "RTF", "MDMP",
            "PowerShell", "Base64 EXE", "PDF", "GIF", "EVTX", "Registry Hive", "NTFS MFT", "Windows At Job",
        ]
        #expect(Set(needed).subtracting(FileTypeDetector.names).isEmpty)
    }

    @Test func everyPatternIsWellFormed() {
        for magic in FileTypeDetector.builtIn + textMagics {
            #expect(Magic.parse(magic.pattern) != nil, "\(magic.kind): \(magic.pattern)")
        }
    }

    @Test func everyPatternWithoutCloserLookIsRecognised() throws {
        for magic in FileTypeDetector.builtIn where magic.look == nil {
            let (values, _) = try #require(Magic.parse(magic.pattern))
            let offset = magic.offset >= 0 ? magic.offset : 4096 + magic.offset
            let size = max(4096, offset + values.count)
            #expect(kind(Fixture.block(size, (offset, values))) == magic.kind.name, "\(magic.pattern)")
        }
    }

    @Test(arguments: [
        ("EXE", Fixture.program()),
        ("EXE", Fixture.program(header: [0x4E, 0x45])),
        ("EXE", Array(Fixture.program().prefix(100))),
        ("DOS EXE", Fixture.program(header: [0, 0])),
        ("Text", Fixture.text("MZ is how programs of that system begin, and this sentence does too, at length.")),
        ("ELF", Fixture.elf(type: 2)),
        ("ELF Core", Fixture.elf(type: 4)),
        ("Java Class", [0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 52, 0, 20]),
        ("MACH-O", [0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 2, 1, 0, 0, 7]),
        ("Python Bytecode", [0xA7, 0x0D, 0x0D, 0x0A, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]),
        ("SWF", [0x43, 0x57, 0x53, 9, 0, 2, 0, 0, 0x78, 0x9C]),
    ])
    func programs(name: String, bytes: [UInt8]) { #expect(kind(bytes) == name) }

    @Test(
        arguments: [
            ("GZIP", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("UNKNOWN", [0x1F, 0x8B, 8, 0xFF, 0, 0, 0, 0, 0, 3, 0, 0, 1, 2]),
            ("BZIP2", Fixture.text("BZh9") + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0, 0]),
            ("Text", Fixture.text("BZhave a look at this.")),
            ("LZMA", [0x5D, 0, 0, 0x80, 0] + [UInt8](repeating: 0xFF, count: 8) + [0, 0x12, 0x34]),
            ("ZLIB", [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1]),
            ("TAR", Fixture.tar(magic: "ustar\u{0}00")),
            ("TAR", Fixture.tar(magic: "")),
            ("DEB", Fixture.text("!<arch>\ndebian-binary   ")),
            ("AR", Fixture.text("!<arch>\nobject.o/       ")),
            ("LHA", Fixture.block(64, (0, [0x20, 0x55]), (2, Fixture.text("-lh5-")))),
            ("ISO", Fixture.block(40_000, (32_769, Fixture.text("CD001")))),
            ("DMG", Fixture.block(2048, (1536, Fixture.text("koly") + [0, 0, 0, 4]))),
            ("ZIP", Fixture.zip([("a.txt", "hello")])),
            ("ZIP", Fixture.zip([("inner.zip", "PK\u{3}\u{4}word/document.xml[Content_Types].xml")])),
            ("ZIP", Fixture.text("prefix\u{0}\u{1}") + Fixture.zip([("a.txt", "hello")])),
            ("Office", Fixture.zip([("[Content_Types].xml", "<x/>"), ("word/document.xml", "<x/>")])),
            ("Office", Fixture.zip([("[Content_Types].xml", "<x/>"), ("xl/workbook.xml", "<x/>")], directory: false)),
            ("JAR", Fixture.zip([("META-INF/MANIFEST.MF", "Manifest-Version: 1.0"), ("A.class", "x")])),
            ("WAR", Fixture.zip([("META-INF/MANIFEST.MF", "x"), ("WEB-INF/web.xml", "x")])),
            ("APK", Fixture.zip([("META-INF/MANIFEST.MF", "x"), ("AndroidManifest.xml", "x")])),
            ("EPUB", Fixture.zip([("mimetype", "application/epub+zip"), ("OEBPS/a.xhtml", "x")])),
            ("OpenDocument", Fixture.zip([("mimetype", "application/vnd.oasis.opendocument.text")])),
        ] as [(String, [UInt8])])
    func archives(name: String, bytes: [UInt8]) { #expect(kind(bytes) == name) }

    @Test func officeIsFoundThroughTheCentralDirectory() {
        let media = String(repeating: "x", count: 70_000)
        let members = [("media/film.bin", media), ("[Content_Types].xml", "<x/>"), ("ppt/presentation.xml", "<x/>")]
        #expect(kind(Fixture.zip(members)) == "Office")
    }

    @Test(
        arguments: [
            ("Registry Hive", Fixture.block(4096, (0, Fixture.text("regf")))),
            ("Registry Transaction Log", Fixture.block(4096, (0, Fixture.text("regf")), (0x1C, [6]))),
            ("Windows At Job", Fixture.block(80, (0, [1, 6, 1, 0]), (20, [0x46, 0]), (22, [0x60, 0]))),
            ("ETL", Fixture.block(4096, (0, Fixture.little(65_536, 4)), (72, [2, 0, 2, 0xC0]))),
            ("NTFS MFT", Fixture.block(1024, (0, Fixture.text("FILE")), (4, [0x30, 0, 3, 0]))),
            ("Text", Fixture.text("FILE0001 and FILE0002 are missing from the drawer.")),
            ("NTFS USN Journal", Fixture.usnRecord()),
            ("Recycle Bin Info", Fixture.recycleBin(version: 1, path: "C:\\a.txt")),
            ("Recycle Bin Info", Fixture.recycleBin(version: 2, path: "C:\\a.txt")),
            ("Jump List", Fixture.block(128, (0, [2, 0, 0, 0, 1, 0, 0, 0]), (124, [0xAB, 0xFB, 0xBF, 0xBA]))),
            ("Jump List", Fixture.compound(entries: ["1", "DestList"])),
            ("Jump List", Fixture.compound(entries: ["1", "2", "3", "4", "DestList"])),
            ("MSG", Fixture.compound(entries: ["__nameid_version1.0"])),
            ("MSI", Fixture.compound(rootClass: 0x000C_1084, entries: ["x"])),
            ("MST", Fixture.compound(rootClass: 0x000C_1082, entries: ["x"])),
            ("OLE", Fixture.compound(entries: ["WordDocument"])),
            ("OLE", Array(Fixture.compound(entries: ["DestList"]).prefix(40))),
            ("MDMP", Fixture.minidump(module: "C:\\Windows\\System32\\notepad.exe")),
            ("LSASS Dump File", Fixture.minidump(module: "C:\\Windows\\System32\\lsass.exe")),
            ("Windows Hibernation", Fixture.block(4096, (0, Fixture.text("hibr")), (24, Fixture.little(4096, 4)))),
            ("Certificate DER", Fixture.certificate()),
            ("MP3", Fixture.mp3()),
            ("HEIC", Fixture.block(32, (0, [0, 0, 0, 24]), (4, Fixture.text("ftypheic")))),
            ("MP4", Fixture.block(32, (0, [0, 0, 0, 24]), (4, Fixture.text("ftypisom")))),
            ("BMP", Fixture.block(64, (0, Fixture.text("BM")), (10, [54]), (14, [40]))),
            ("ICO", Fixture.block(64, (2, [1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0, 40, 0, 0, 0, 22]))),
        ] as [(String, [UInt8])])
    func artefacts(name: String, bytes: [UInt8]) { #expect(kind(bytes) == name) }

    @Test func emptyAndRandomAreUnknown() {
        #expect(kind([]) == "UNKNOWN")
        var generator = SplitMix64(seed: 7)
        var named = 0
        for _ in 0..<2000 {
            let bytes = (0..<256).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            if kind(bytes) != "UNKNOWN" { named += 1 }
        }
        // Two-byte magics such as those of compress and lzh cannot tell chance.
        #expect(named <= 4)
    }

    @Test func conforms() {
        let stage = FileTypeStage(options: NoOptions(), environment: StageEnvironment())
        let samples = [
            Fixture.program(), Fixture.zip([("mimetype", "application/epub+zip"), ("a", "b")]),
            Fixture.minidump(module: "lsass.exe"),
            Fixture.compound(entries: ["1", "2", "3", "4", "DestList"]),
            Fixture.utf16("Version=1\r\nEventType=APPCRASH\r\n"),
            Fixture.text("{\"a\": [1, 2, {\"b\": \"c\"}]}"), Fixture.text("#!/usr/bin/env python3\nimport os\n"),
        ]
        for sample in samples {
            #expect(StageConformance(flips: 150).violations(of: stage, sample: sample) == [])
        }
    }

    @Test func onlyClassifies() {
        let stage = FileTypeStage(options: NoOptions(), environment: StageEnvironment())
        let output = scan(stage, Bytes(Fixture.program()))
        #expect(output.kind == FileKind("EXE"))
        #expect(output.children.isEmpty && output.records.isEmpty && output.findings.isEmpty && output.issues.isEmpty)
    }
}
