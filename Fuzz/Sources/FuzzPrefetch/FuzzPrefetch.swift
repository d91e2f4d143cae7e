import FuzzSupport
import Pipeline
import PipelineTesting
import Prefetch

// Any bytes as a prefetch file, compressed or not: no crash, no hang, bounded memory.

private let stage = PrefetchStage()

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
    _ = report(of: stage, Bytes(bytes), path: "SAMPLE.EXE-0BADF00D.pf", kind: "Prefetch")
}

private func seeds() -> [[UInt8]] {
    [17, 23, 26, 30, 31].flatMap { (version: UInt32) in
        var builder = PrefetchBuilder(version: version)
        builder.times = Array(builder.times.prefix(version < 26 ? 1 : 2))
        return [builder.bytes, PrefetchBuilder.compressed(builder.bytes)]
    }
}
