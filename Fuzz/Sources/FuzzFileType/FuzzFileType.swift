import FileType
import Pipeline
import PipelineTesting

// Any bytes as a sample of the FileType stage: no crash, no hang, bounded memory.

private let stage = try? FileTypeStage(options: .init(), environment: StageEnvironment())

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let stage else { return -1 }
    let bytes = Bytes(Array(UnsafeBufferPointer(start: start, count: count)))
    _ = scan(stage, bytes, path: "sample.txt", kind: nil)
    return 0
}
