import FileType
import FuzzSupport
import Pipeline
import PipelineTesting

// Any bytes as a sample whose type is looked for: no crash, no hang, bounded memory.

private let stage = try? FileTypeStage(options: .init(), environment: StageEnvironment())

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
    _ = report(of: stage, Bytes(bytes), path: "sample.txt", kind: nil)
}

private func seeds() -> [[UInt8]] {
    // The magics are short enough to be found; the text detectors want words.
    [
        "#!/bin/sh\nset -e\nexit 0\n", "<?php\nfunction f($a) { return $a; }\n?>", "<html><body><script>var a</script>",
        "{\"a\": [1, 2, {\"b\": null}]}", "a,b,c\n1,2,3\n4,5,6\n", "[section]\nkey=value\n",
        "key: value\nlist:\n  - a\n",
        "Jan  2 03:04:05 host sshd[1]: text\n", "PK\u{3}\u{4}", "import os\ndef f(a):\n    return a\n",
    ].map { Array($0.utf8) }
}
