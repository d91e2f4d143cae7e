import FuzzSupport
import MemoryDump
import Pipeline
import PipelineTesting

// Any bytes as a dump of the format whose magic they have, or as a raw image: no crash, no hang, bounded memory. Chunks
// are small, so that a small input has several of them.

private let kinds = [
    ("MDMP", "MDMP"), ("PAGE", "Windows Crash Dump"), ("\u{7F}ELF", "ELF Core"), ("EMiL", "LiME Dump"),
]

private let stage: MemoryDumpStage? = {
    var options = MemoryDumpStage.Options()
    options.chunkSize = 4096
    options.overlap = 256
    return try? MemoryDumpStage(options: options)
}()

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
    let kind = kinds.first { bytes.starts(with: $0.0.utf8) }?.1 ?? "Memory Image"
    _ = report(of: stage, Bytes(bytes), path: "sample.dmp", kind: kind)
}

private func seeds() -> [[UInt8]] {
    let page = [UInt8](repeating: 0x41, count: 4096)
    var full = MinidumpBuilder()
    full.isFull = true
    full.memory.append((0x50_0000, program(isMapped: true)))
    return [
        MinidumpBuilder().build(), full.build(), crashDump(is64: true, runs: [(1, page), (9, page)]),
        crashDump(is64: false, runs: [(1, page)]), crashDump(is64: true, runs: [(1, page)], bitmap: true),
        limeDump([(0x1000, page), (0x9000, Array("memory".utf8))]), CoreBuilder().build(),
        CoreBuilder(is64: false).build(), CoreBuilder(isBigEndian: true).build(),
        [UInt8](repeating: 0, count: 100) + program(isMapped: false),
    ]
}
