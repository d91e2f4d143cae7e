import FuzzSupport
import JumpList
import Pipeline

// Any bytes as a jump list, automatic or custom: no crash, no hang, bounded memory.

private let stage = JumpListStage()

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    fuzz(stage, start, count, path: "sample.automaticDestinations-ms", kind: "Jump List")
    return 0
}

/// Called once by libFuzzer.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    writeSeeds(seeds())
}

private func seeds() -> [[UInt8]] {
    var builder = JumpListBuilder()
    var seeds = [builder.automatic, builder.custom]
    builder.version = 1
    seeds.append(builder.automatic)
    return seeds
}
