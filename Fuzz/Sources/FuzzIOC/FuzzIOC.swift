import IOC
import Pipeline
import PipelineTesting

// Any bytes as a signature file of each kind that the IOC stage reads: a bad entry is told, nothing crashes.

private let kinds: [SignatureFileKind] = [
    .hashes, .trustedHashes, .filenames, .keywords, .c2, .handles, .pipes, .yamlIOCs, .stix,
]

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let kind = kinds[Int(start[0]) % kinds.count]
    let bytes = Bytes(Array(UnsafeBufferPointer(start: start + 1, count: count - 1)))
    let signatures = SignatureSet(files: [SignatureFile(path: "fuzz", kind: kind, bytes: bytes)])
    guard let stage = try? IOCStage(options: .init(), environment: StageEnvironment(signatures: signatures)) else {
        return 0
    }
    _ = scan(stage, bytes, path: "C:\\Windows\\Temp\\a.exe")
    return 0
}
