import LogLines
import Pipeline
import PipelineTesting

// Any bytes as a sample of the LogLines stage: no crash, no hang, bounded memory.

private let stage = try? LogLinesStage(options: .init(), environment: StageEnvironment())

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let stage else { return -1 }
    let bytes = Bytes(Array(UnsafeBufferPointer(start: start, count: count)))
    _ = scan(stage, bytes, path: "sample.log", kind: nil)
    return 0
}
