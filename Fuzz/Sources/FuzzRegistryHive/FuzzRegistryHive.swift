import Pipeline
import PipelineTesting
import RegistryHive

// Any bytes as a sample of the RegistryHive stage: no crash, no hang, bounded memory.

private let stage = try? RegistryHiveStage(options: .init(), environment: StageEnvironment())

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let stage else { return -1 }
    let bytes = Bytes(Array(UnsafeBufferPointer(start: start, count: count)))
    _ = scan(stage, bytes, path: "SYSTEM", kind: "Registry Hive")
    return 0
}
