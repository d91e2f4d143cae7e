import Pipeline
import PipelineTesting
import UserArtefacts

// The first byte chooses the stage, the rest is the sample: no crash, no hang, bounded memory.

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    let bytes = Bytes(Array(input.dropFirst()))
    switch choice % 3 {
    case 0: _ = scan(ErrorReportStage(), bytes, path: "Report.wer", kind: "WER")
    case 1: _ = scan(RecycleBinStage(), bytes, path: "$IABCDEF.txt", kind: "Recycle Bin Info")
    default: _ = scan(ModuleCacheStage(), bytes, path: "ModuleAnalysisCache", kind: "PowerShell Module Cache")
    }
    return 0
}
