import IOC
import Pipeline
import PipelineTesting
import Testing

private let folder = Shared.directory("signatures/signature-base/iocs")

/// The largest public set of lists in these formats: every line of it that can be used is used.
@Suite(.enabled(if: folder != nil, "no ../shared/signatures/signature-base here"))
struct SignatureBaseTests {
    private func files() throws -> [SignatureFile] {
        let folder = try #require(folder)
        return try Shared.files(below: folder).compactMap { path in
            guard let kind = SignatureFileKind(path: path) else { return nil }
            return SignatureFile(path: path, kind: kind, bytes: try ByteStore().read(file: path))
        }
    }

    @Test func everyUsableLineIsUsed() throws {
        let files = try files()
        #expect(files.map(\.kind) == [.c2, .filenames, .hashes, .keywords])
        var written: [SignatureFileKind: Int] = [:]
        var used: [SignatureFileKind: Int] = [:]
        for file in files {
            let lines = file.bytes.span.utf8Text.split(separator: "\n").filter {
                !$0.hasPrefix("#") && $0.contains { $0 != " " && $0 != "\t" }
            }
            let parsed = parseIOCList(file)
            written[file.kind] = lines.count
            used[file.kind] = parsed.iocs.count
            print("\(file.kind.rawValue): \(lines.count) lines, \(parsed.iocs.count) used")
            for problem in parsed.problems { print("  \(problem.line ?? 0): \(problem.message)") }
            // Whatever is not used is named.
            #expect(parsed.iocs.count + parsed.problems.filter(\.isRejected).count == lines.count)
        }
        #expect(used[.filenames] == written[.filenames])
        #expect(used[.keywords] == written[.keywords])
        #expect(used[.c2] == written[.c2])
        #expect(used[.hashes] == written[.hashes])

        let loaded = try Loaded(files)
        print("loaded: \(loaded.diagnostics.counts.sorted { $0.key < $1.key })")
        let repeated = loaded.diagnostics.problems.filter { $0.message.hasPrefix("also in") }.count
        #expect(loaded.diagnostics.counts.values.reduce(repeated, +) == used.values.reduce(0, +))
        for problem in loaded.diagnostics.problems where !problem.message.hasPrefix("also in") { print("  \(problem)") }
        #expect(loaded.rejected == [])
    }

    @Test func itMatches() throws {
        let loaded = try Loaded(files())
        #expect(loaded.reasons(path: "C:\\Temp\\procdump64.exe").contains { $0.subscore == 50 })
        #expect(loaded.hits(line: "ran sekurlsa::logonpasswords now").count == 1)
        #expect(loaded.hits(line: "connect cht.blankchair.com:443").count == 1)
        #expect(loaded.hits(line: "nothing to see at example.com on 192.0.2.1") == [])
        #expect(loaded.hits(path: "/usr/lib/x86_64-linux-gnu/libc.so.6") == [])
    }
}
