import IOC
import Pipeline
import PipelineTesting

// Any bytes as a signature file of each kind that the IOC stage reads, and as a STIX pattern without the JSON around
// it: a bad entry is told, nothing crashes. What loads is matched against the same bytes.

private let kinds: [SignatureFileKind] = [
    .hashes, .trustedHashes, .filenames, .keywords, .c2, .handles, .pipes, .yamlIOCs, .stix,
]
private let line = RecordType("log line", module: "LogScan")
private let value = RecordType("registry value", module: "RegistryHive")

// A bundle with one indicator; the pattern's bytes are written as JSON escapes.
private func bundle(_ pattern: String) -> Bytes {
    let escaped = pattern.utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
    return Bytes(utf8: "[{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern\":\"\(escaped.joined())\"}]")
}

/// Entry point of libFuzzer: one input of `count` bytes, the first of which says what the others are.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    var bytes = Bytes(Array(UnsafeBufferPointer(start: start + 1, count: count - 1)))
    let text = String(decoding: bytes.array, as: UTF8.self)
    let choice = Int(start[0]) % (kinds.count + 1)
    var kind = SignatureFileKind.stix
    if choice < kinds.count {
        kind = kinds[choice]
    } else {
        _ = try? parseSTIXPattern(text)
        bytes = bundle(text)
    }
    let signatures = SignatureSet(files: [SignatureFile(path: "fuzz", kind: kind, bytes: bytes)])
    guard let stage = try? IOCStage(options: .init(), environment: StageEnvironment(signatures: signatures)) else {
        return 0
    }
    _ = scan(stage, bytes, path: "C:\\Windows\\Temp\\a.exe")
    let records = [
        RecordSubject(type: line, offset: 0, fields: [.init(key: "line", value: text)]),
        RecordSubject(
            type: value, offset: 1,
            fields: [.init(key: "key", value: "\\Run\\" + text.prefix(100)), .init(key: "value", value: text)]),
        RecordSubject(
            type: line, offset: 2,
            fields: [
                .init(key: "PipeName", value: text), .init(key: "ObjectName", value: text),
                .init(key: "Hashes", value: text),
            ]),
    ]
    _ = match(stage, records: records)
    return 0
}
