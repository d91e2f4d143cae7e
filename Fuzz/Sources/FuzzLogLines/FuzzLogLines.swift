import FuzzSupport
import LogLines
import Pipeline
import PipelineTesting

// Any bytes as a log: no crash, no hang, bounded memory.

private let stage = try? LogLinesStage()

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
    guard let stage else { return }
    _ = report(of: stage, Bytes(bytes), path: "sample.log", kind: "Text")
}

private func seeds() -> [[UInt8]] {
    let text = "Jan  2 03:04:05 host sshd[1]: Failed password for root\r\nzweite Zeile: ü\n\nlast\u{1B}[0m"
    let wide = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let turned = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    return [
        Array(text.utf8), [0xFF, 0xFE] + wide, wide, [0xFE, 0xFF] + turned, turned, [0xEF, 0xBB, 0xBF] + text.utf8,
    ]
}
