import Pipeline
import PipelineTesting
import YARA

// Any bytes as a signature file of each kind that the YARA stage reads: a bad entry is told, nothing crashes, and a good
// rule before and behind it in the same file is not lost where nothing opens a bracket, comment or text.

private let kinds: [SignatureFileKind] = [.yara, .yaraMeta, .yaraLog, .yaraKeyword, .yaraRegistry, .yaraProcess]
private let line = RecordType("log line", module: "LogScan")

/// Entry point of libFuzzer: one input of `count` bytes, the first of which says what the others are.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let content = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    if start[0] & 0x80 != 0 {
        checkRepair(content)
        return 0
    }
    let kind = kinds[Int(start[0]) % kinds.count]
    let bytes = Bytes(content)
    let signatures = SignatureSet(files: [SignatureFile(path: "fuzz", kind: kind, bytes: bytes)])
    guard let stage = try? YARAStage(options: .init(), environment: StageEnvironment(signatures: signatures)) else {
        return 0
    }
    _ = scan(stage, bytes, path: "C:\\Windows\\Temp\\a.exe")
    let text = String(decoding: content, as: UTF8.self)
    _ = match(stage, records: [RecordSubject(type: line, offset: 0, fields: [.init(key: "line", value: text)])])
    return 0
}

// Words that can neither open nor close anything, nor be a keyword that changes the rules around them.
private func checkRepair(_ content: [UInt8]) {
    let isHarmless = content.allSatisfy { byte in
        (0x61...0x7A).contains(byte) || byte == 0x20 || byte == 0x0A || byte == 0x2E || byte == 0x3D || byte == 0x24
    }
    let words = String(decoding: content, as: UTF8.self).split { $0 == " " || $0 == "\n" || $0 == "." || $0 == "=" }
    let keywords: Set<Substring> = ["rule", "global", "private", "import", "include"]
    guard isHarmless, !words.contains(where: { keywords.contains($0) }) else { return }
    let text =
        Array("rule fuzzFirst { condition: true }\nrule fuzzBad { condition: ".utf8) + content
        + Array("\n}\nrule fuzzLast { condition: true }\n".utf8)
    let names = YARARules(compiling: [YARASource(name: "f", text: Bytes(text))]).rules.map(\.signature.ruleName)
    precondition(names.contains("fuzzFirst") && names.contains("fuzzLast"), "a good rule was lost")
}
