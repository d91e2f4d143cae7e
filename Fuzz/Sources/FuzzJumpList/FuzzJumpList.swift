import FuzzSupport
import JumpList
import Pipeline
import PipelineTesting

// Any bytes as a jump list, automatic or custom: no crash, no hang, bounded memory.

private let stage = JumpListStage()

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
    _ = report(of: stage, Bytes(bytes), path: "sample.automaticDestinations-ms", kind: "Jump List")
}

private func seeds() -> [[UInt8]] {
    var builder = JumpListBuilder()
    var seeds = [builder.automatic, builder.custom]
    builder.version = 1
    seeds.append(builder.automatic)
    return seeds
}
