import Email
import Pipeline
import PipelineTesting

// Any bytes as a message, mailbox, winmail.dat or calendar file: no crash, no hang, bounded memory.

private let stage = EmailStage()

/// Entry point of libFuzzer: one input of `count` bytes; the first chooses the format.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let kinds = ["EMAIL", "EMAIL", "MBOX", "TNEF", "ICS", "Uuencode"]
    _ = scan(stage, Bytes(Array(input.dropFirst())), path: "sample", kind: kinds[Int(first) % kinds.count])
    return 0
}
