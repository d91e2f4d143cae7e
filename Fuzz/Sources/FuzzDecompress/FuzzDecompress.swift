import Decompress
import FuzzSupport
import Pipeline
import PipelineTesting

// Any bytes as a compressed stream of the kind that they begin like: no crash, no hang, bounded memory. Seeds are made
// by run.sh with gzip and xz.

private let stage = try? DecompressStage()

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Called once by libFuzzer.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    prepare(seeds: [], run)
}

private func run(_ bytes: [UInt8]) {
    guard let stage, let first = bytes.first else { return }
    let kind =
        switch first {
        case 0x1F: "GZIP"
        case 0xFD: "XZ"
        case 0x78: "ZLIB"
        default: "LZMA"
        }
    _ = report(of: stage, Bytes(bytes), path: "sample.gz", kind: kind)
}
