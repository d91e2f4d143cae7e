import Decompress
import FuzzSupport
import Pipeline

// Any bytes as a compressed stream of the kind that they begin like: no crash, no hang, bounded memory. Seeds are made
// by run.sh with gzip and xz.

private let stage = try? DecompressStage()

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let stage, count > 0 else { return -1 }
    let kind =
        switch start[0] {
        case 0x1F: "GZIP"
        case 0xFD: "XZ"
        case 0x78: "ZLIB"
        default: "LZMA"
        }
    fuzz(stage, start, count, path: "sample.gz", kind: kind)
    return 0
}
