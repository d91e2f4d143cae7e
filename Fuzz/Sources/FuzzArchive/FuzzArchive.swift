import Archive
import Pipeline
import PipelineTesting

// Any bytes as the structure of a ZIP file, and as a sample of the Archive stage: no crash, no hang, bounded memory.
// libarchive is not ours to fuzz, so the stage sees ZIP files only.

private let stage = try? ArchiveStage(options: .init(), environment: StageEnvironment())

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let stage else { return -1 }
    let bytes = Bytes(Array(UnsafeBufferPointer(start: start, count: count)))
    let structure = ZipStructure(bytes.span)
    if !structure.directories.isEmpty || !structure.hidden.isEmpty {
        _ = scan(stage, bytes, path: "sample.zip", kind: "ZIP")
    }
    return 0
}
