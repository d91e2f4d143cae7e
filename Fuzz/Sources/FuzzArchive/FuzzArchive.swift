import Archive
import FuzzSupport
import Pipeline
import PipelineTesting

// Any bytes as the structure of a ZIP file, and as a sample of the Archive stage: no crash, no hang, bounded memory.
// libarchive is not ours to fuzz, so the stage sees ZIP files only.

private let stage = try? ArchiveStage(options: .init(), environment: StageEnvironment())

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Called once by libFuzzer.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    prepare(seeds: seeds(), run)
}

private func run(_ input: [UInt8]) {
    guard let stage else { fatalError("the default options are refused") }
    let bytes = Bytes(input)
    let structure = ZipStructure(bytes.span)
    if !structure.directories.isEmpty || !structure.hidden.isEmpty {
        _ = scan(stage, bytes, path: "sample.zip", kind: "ZIP")
    }
}

private func seeds() -> [[UInt8]] {
    let collection = SyntheticCollection(
        host: "WS-7", files: [("C:\\$MFT", [1]), ("C:\\SYSTEM", [2]), ("C:\\SYSTEM.LOG1", [3])])
    var odd = SyntheticZip([
        .init("a", [1, 2, 3]), .init("hidden", [4]), .init("inner.zip", SyntheticZip([.init("b", [5])]).bytes),
    ])
    odd.members[0].localName = [0x62]
    odd.members[1].isListed = false
    odd.comment = Array("comment".utf8)
    var headless = odd
    headless.hasDirectory = false
    return [collection.zip(.kape), collection.zip(.velociraptor), odd.bytes, headless.bytes, odd.bytes + odd.bytes]
}
