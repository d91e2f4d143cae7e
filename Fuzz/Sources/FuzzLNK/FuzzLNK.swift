import FuzzSupport
import LNK
import Pipeline
import PipelineTesting

// Any bytes as a shell link: no crash, no hang, bounded memory.

private let stage = LNKStage()

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Called once by libFuzzer.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    prepare(seeds: seeds(), run)
}

private func run(_ bytes: [UInt8]) {
    _ = report(of: stage, Bytes(bytes), path: "sample.lnk", kind: "LNK")
}

private func seeds() -> [[UInt8]] {
    var full = LinkBuilder()
    full.items = [
        LinkBuilder.root(LinkBuilder.myComputer), LinkBuilder.volume("C:\\"),
        LinkBuilder.file("WINDOWS", "Windows", isDirectory: true), LinkBuilder.file("NOTEPA~1.EXE", "notepad.exe"),
    ]
    full.info = LinkBuilder.localInfo(path: "C:\\Windows\\notepad.exe", suffix: "", label: "System")
    full.strings = [
        (4, "Opens the list"), (8, "..\\notepad.exe"), (0x10, "C:\\Work"), (0x20, "C:\\Work\\list.txt"),
        (0x40, "%SystemRoot%\\notepad.exe"),
    ]
    full.blocks = [
        LinkBuilder.tracker(machine: "ws01"), LinkBuilder.environment("%SystemRoot%\\notepad.exe"),
        LinkBuilder.property(LinkBuilder.myComputer, id: 100, text: "S-1-5-21-1-2-3-1001"),
        LinkBuilder.block(0xA000_0005, le32(36) + le32(0x14)), LinkBuilder.block(0xA000_0004, le32(850)),
        LinkBuilder.block(0xA000_000B, LinkBuilder.myComputer + le32(0x14)),
        LinkBuilder.block(0xA000_000C, LinkBuilder.root(LinkBuilder.myComputer) + [0, 0]),
    ]
    var share = LinkBuilder(isWide: false)
    share.info = LinkBuilder.shareInfo(share: "\\\\files\\team", device: "T:", suffix: "plans\\q3.xlsx")
    share.strings = [(0x20, "/c dir"), (0x40, "shell32.dll")]
    return [full.bytes, share.bytes]
}
