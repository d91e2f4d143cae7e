import Glibc
import Pipeline
import PipelineTesting
import Testing
import YARA

// The same matches as YARA's own command line: same rules, same external variables, the stage against `yara`, rule
// names per file. Needs the `yara` package and the rule set and corpus beside the project; skips saying so.

private let signatureBase = Shared.directory("signatures/signature-base/yara")
private let corpus = Shared.directory("corpus")

/// What a shell command prints; nil if it fails.
private func shell(_ command: String) -> String? {
    guard let pipe = unsafe popen(command, "r") else { return nil }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let got = unsafe fread(&buffer, 1, buffer.count, pipe)
        if got == 0 { break }
        text += buffer[..<got]
    }
    return unsafe pclose(pipe) == 0 ? String(decoding: text, as: UTF8.self) : nil
}

private func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

private func write(_ text: String, to path: String) {
    guard let file = unsafe fopen(path, "w") else { return }
    unsafe fputs(text, file)
    unsafe fclose(file)
}

@Suite struct CommandLineTests {
    private struct Case {
        let file: String
        let bytes: Bytes
        let path: String
    }

    @Test(
        .enabled(if: signatureBase != nil && corpus != nil, "no ../shared here"),
        .enabled(if: shell("command -v yara yarac") != nil, "the yara command line is not installed"))
    func sameRulesAsTheCommandLine() throws {
        let folder = try #require(shell("mktemp -d")).filter { $0 != "\n" }
        defer { _ = shell("rm -r \(quoted(folder))") }
        let files =
            try Shared.files(below: #require(signatureBase)).filter { $0.hasSuffix(".yar") }
            + Shared.files(below: Shared.packageRoot + "/rules/yara").filter {
                SignatureFileKind(path: $0) == .yara
            }
        let store = ByteStore()
        let signatures = SignatureSet(
            files: try files.map { SignatureFile(path: $0, kind: .yara, bytes: try store.read(file: $0)) })
        let diagnostics = SignatureDiagnostics()
        let stage = try YARAStage(
            environment: StageEnvironment(signatures: signatures, diagnostics: diagnostics))
        #expect(diagnostics.problems.filter(\.isRejected) == [])
        #expect(diagnostics.summaries.count > 5_800)

        let cases = try self.cases(folder)
        #expect(cases.count > 150)
        try compile(files, folder)
        let expected = try commandLine(cases, folder)
        let elsewhere = notForFiles(signatures)
        for (number, one) in cases.enumerated() {
            let wanted = expected[number].filter { !elsewhere.contains($0) }.sorted()
            let got = scan(stage, one.bytes, path: one.path).reasons.map(\.signature.ruleName).sorted()
            #expect(got == wanted, "\(one.path)")
        }
        #expect(expected.count { !$0.isEmpty } > 20)
    }

    // A spread of the corpus, and the demo tree.
    private func cases(_ folder: String) throws -> [Case] {
        let kinds = [
            "archives", "eml", "evtx", "hives", "jumplists", "lnk", "logs", "memdumps", "ole-office", "prefetch",
        ]
        var files: [String] = []
        for kind in kinds {
            let all = try Shared.files(below: #require(corpus) + "/" + kind)
            files += stride(from: 0, to: all.count, by: max(1, all.count / 15)).map { all[$0] }
        }
        let root = Shared.packageRoot
        _ = shell("\(quoted(root + "/samples/unpack.sh")) \(quoted(folder + "/tree")) >/dev/null 2>&1")
        files += Shared.files(below: folder + "/tree")
        let store = ByteStore()
        return try files.compactMap { file in
            let bytes = try store.read(file: file)
            guard bytes.count < 2 << 20 else { return nil }
            // The command line takes values that look like numbers for numbers.
            return Case(file: file, bytes: bytes, path: file + "_.bin")
        }
    }

    private func compile(_ files: [String], _ folder: String) throws {
        let names =
            ["filename", "filepath", "extension", "filetype", "owner", "group", "permissions", "timezone"]
            + ["language", "unpack_parent", "unpack_source", "md5"]
        let values = names.map { "-d \($0)=' '" } + ["-d filemode=0", "-d osversion=0", "-d age=0.5"]
        let sources = files.enumerated().map { "n\($0):\(quoted($1))" }
        let command = (["yarac", "-w"] + values + sources + [quoted(folder + "/rules")]).joined(separator: " ")
        write(command, to: folder + "/compile.sh")
        try #require(shell("sh \(quoted(folder + "/compile.sh")) 2>&1") != nil)
    }

    private func commandLine(_ cases: [Case], _ folder: String) throws -> [[String]] {
        var script = ""
        for one in cases {
            let externals = YARAExternals(
                Sample(path: one.path, bytes: one.bytes), withMD5: true, now: Timestamp(seconds: 0))
            let values = [
                ("filename", externals.filename), ("filepath", externals.filepath),
                ("extension", externals.fileExtension), ("filetype", externals.filetype), ("md5", externals.md5),
            ].map { "-d \($0)=\(quoted($1))" }.joined(separator: " ")
            script += "yara -w -C \(values) \(quoted(folder + "/rules")) \(quoted(one.file)) || exit 1\necho ///\n"
        }
        write(script, to: folder + "/scan.sh")
        let text = try #require(shell("sh \(quoted(folder + "/scan.sh"))"))
        var results: [[String]] = [[]]
        for line in text.split(separator: "\n") {
            if line == "///" {
                results.append([])
            } else if let name = line.split(separator: " ").first {
                results[results.count - 1].append(String(name))
            }
        }
        return results.dropLast()
    }

    // Rules that say in their meta section that they are not meant for files.
    private func notForFiles(_ signatures: SignatureSet) -> Set<String> {
        let rules = YARARules(
            compiling: signatures.files.map { YARASource(name: $0.path, text: $0.bytes) }
        ).rules
        return Set(
            rules.filter { $0.target == .memory || !$0.isMeant(for: "Filescan") }.map(\.signature.ruleName))
    }
}
