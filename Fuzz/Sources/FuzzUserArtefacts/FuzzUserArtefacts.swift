import FuzzSupport
import Pipeline
import PipelineTesting
import UserArtefacts

// The first byte chooses the stage, the rest is the sample: no crash, no hang, bounded memory.

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
    guard let choice = input.first else { return }
    let bytes = Bytes(Array(input.dropFirst()))
    switch choice % 3 {
    case 0: _ = scan(ErrorReportStage(), bytes, path: "Report.wer", kind: "WER")
    case 1: _ = scan(RecycleBinStage(), bytes, path: "$IABCDEF.txt", kind: "Recycle Bin Info")
    default: _ = scan(ModuleCacheStage(), bytes, path: "ModuleAnalysisCache", kind: "PowerShell Module Cache")
    }
}

private func seeds() -> [[UInt8]] {
    [
        [0] + ErrorReportSample.bytes, [0] + Array(ErrorReportSample.text.utf8), [1] + RecycleBinSample.old,
        [1] + RecycleBinSample.new, [2] + ModuleCacheSample.bytes, [2] + ModuleCacheSample.demo,
    ]
}
