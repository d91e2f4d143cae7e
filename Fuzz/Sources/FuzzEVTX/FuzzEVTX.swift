import EVTX
import Pipeline
import PipelineTesting

// Any bytes as an event log: no crash, no hang, bounded memory. The first byte says what the rest is: a whole file, one
// chunk behind its header, or the binary XML of one record, so that the fuzzer need not find the layers around it.

private let stage = EVTXStage(options: NoOptions(), environment: StageEnvironment())

/// Runs the stage on one made-up log.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let rest = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let file: [UInt8]
    switch start[0] % 4 {
    case 0: file = rest
    case 1: file = chunk(rest)
    default: file = chunk(record(rest))
    }
    _ = scan(stage, Bytes(file), path: "sample.evtx", kind: "EVTX")
    return 0
}

// A file with one chunk whose records are the given bytes; checksums are wrong, which the parser only notes.
private func chunk(_ records: [UInt8]) -> [UInt8] {
    var file = [UInt8]("ElfFile\0".utf8) + [UInt8](repeating: 0, count: 4_088)
    var header = [UInt8]("ElfChnk\0".utf8) + [UInt8](repeating: 0, count: 504)
    header[24] = 1
    header[32] = 2
    header.replaceSubrange(48..<52, with: littleEndian(UInt32(truncatingIfNeeded: 512 + records.count)))
    file += header + records
    return file
}

private func record(_ content: [UInt8]) -> [UInt8] {
    let size = littleEndian(UInt32(truncatingIfNeeded: content.count + 28))
    return [0x2A, 0x2A, 0, 0] + size + [1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + content + size
}

private func littleEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
}
