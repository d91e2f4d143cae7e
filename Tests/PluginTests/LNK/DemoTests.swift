import PipelineTesting
import Testing

// The links of the demo tree.
struct LinkDemoTests {
    @Test func linkToAnInterpreter() {
        var link = LinkBuilder()
        link.items = [
            LinkBuilder.root(LinkBuilder.myComputer), LinkBuilder.volume("C:\\"),
            LinkBuilder.file("WINDOWS", "Windows", isDirectory: true), LinkBuilder.file("CMD.EXE", "cmd.exe"),
        ]
        link.info = LinkBuilder.localInfo(path: "C:\\Windows\\System32\\cmd.exe", suffix: "", label: "System")
        // The encoded text says: Write-Output demo
        let command = "/c powershell -w hidden -enc " + "VwByAGkAdABlAC0ATwB1AHQAcAB1AHQAIABkAGUAbQBvAA=="
        link.strings = [(4, "Invoice"), (0x20, command), (0x40, "C:\\Program Files\\Reader\\invoice.pdf")]
        link.blocks = [LinkBuilder.tracker(machine: "ws01")]
        #expect(demoDifference("win/C/Users/alice/Downloads/Invoice.pdf.lnk", link.bytes) == nil)
    }

    @Test func ordinaryLink() {
        var link = LinkBuilder()
        link.info = LinkBuilder.localInfo(path: "C:\\Windows\\notepad.exe", suffix: "", label: "System")
        link.strings = [(0x20, "C:\\Work\\list.txt"), (0x40, "%SystemRoot%\\notepad.exe")]
        #expect(demoDifference("win/C/Users/alice/Desktop/List.lnk", link.bytes) == nil)
    }
}
