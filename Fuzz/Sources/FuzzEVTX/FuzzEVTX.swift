import EVTX
import FuzzSupport
import Pipeline
import PipelineTesting

// Any bytes as an event log: no crash, no hang, bounded memory. What begins like a log is one; otherwise the first byte
// says what the rest is, a chunk behind its header or the binary XML of one record, so that the fuzzer need not find the
// layers around it.

private let stage = EVTXStage(options: NoOptions(), environment: StageEnvironment())

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
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    let file =
        switch first {
        case 0x45: bytes
        case 1: chunk(rest)
        default: chunk(record(rest))
        }
    _ = report(of: stage, Bytes(file), path: "sample.evtx", kind: "EVTX")
}

// A log of every kind of value, its chunk without the header, and the binary XML of its first record.
private func seeds() -> [[UInt8]] {
    let logs = [everyType(), SyntheticEventLog.intrusion().file()]
    return logs.flatMap { log in
        let chunk = Array(log.prefix(4096 + 65_536).dropFirst(4096 + 512))
        return [log, [1] + chunk.prefix(16_384), [2] + chunk.dropFirst(24).prefix(4096)]
    }
}

private func everyType() -> [UInt8] {
    let system = SyntheticEventLog.System(provider: "Demo", id: 42, channel: "Demo", providerGUID: Array(1...16))
    let values: [SyntheticEventValue] = [
        .null, .string("text"), .strings(["a", "b"]), .number(Int8(-1)), .number(UInt64.max), .hexadecimal(UInt32(255)),
        .bool(true), .binary([1, 2, 3]), .guid(Array(0..<16)), .filetime(132_539_328_000_000_000),
        .sid(5, [21, 1, 2, 3]),
        SyntheticEventValue(type: 0x12, bytes: [0xE4, 7, 1, 0, 3, 0, 1, 0] + [0, 0, 0, 0, 0, 0, 0, 0]),
        SyntheticEventValue(type: 0x0B, bytes: [0, 0, 0x80, 0x3F]),
        SyntheticEventValue(type: 0x91, bytes: Array(0..<16)),
    ]
    var log = SyntheticEventLog()
    log.append(system, data: values.enumerated().map { ("field\($0)", $1) })
    log.append(system, userData: "Root", values.enumerated().map { ("leaf\($0)", $1) })
    let mixed = SyntheticEventElement(
        "EventData", [],
        [
            .text("a"), .character(0x41), .entity("amp"), .cdata("c"), .instruction("target", "data"),
            .value(0, optional: true),
            .element(.data("named", slot: 1)),
        ])
    log.append(system, payload: mixed, values: [.string("x"), .string("y")])
    return log.file()
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
