import Foundation
import PipelineTesting
import Testing

/// `thunderstorm explain` and `extract`, run as users run them.
struct ExplainCommandTests {
    // A ZIP with a text, a name that wants to leave, and a ZIP with a text.
    private func box(in folder: URL) throws -> String {
        let inner = SyntheticZip([.init("note.txt", Array("inner note\n".utf8))]).bytes
        let outer = SyntheticZip([
            .init("a.txt", Array("first\n".utf8)), .init("../../up.txt", Array("up\n".utf8)), .init("inner.zip", inner),
        ]).bytes
        let file = folder.appending(path: "box.zip")
        try Data(outer).write(to: file)
        return file.path
    }

    private func withFolder(_ test: (URL) throws -> Void) throws {
        let folder = try ProgramRun.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try test(folder)
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func stage(_ name: String, of sample: [String: Any]) throws -> [String: Any] {
        let stages = try #require(sample["stages"] as? [[String: Any]])
        return try #require(stages.first { $0["stage"] as? String == name })
    }

    @Test func theTreeIsToldAsJSON() throws {
        try withFolder { folder in
            let file = try box(in: folder)
            let run = try ProgramRun(["explain", file, "--json"])
            #expect(run.status == 0, "\(run.errors)")
            let top = try object(run.output)
            #expect(top["path"] as? String == file && top["type"] as? String == "ZIP")
            #expect((top["sha256"] as? String)?.count == 64)
            let archive = try stage("archive", of: top)
            #expect(archive["called"] as? Bool == true && archive["files_inside"] as? Int == 3)
            #expect((archive["nanoseconds"] as? Int ?? 0) > 0)
            let evtx = try stage("evtx", of: top)
            #expect(evtx["called"] as? Bool == false && evtx["why"] as? String == "looks at files of type EVTX")
            let inside = try #require(top["inside"] as? [[String: Any]])
            #expect(inside.map { $0["unpack_method"] as? String } == ["ZIP", "ZIP", "ZIP"])
            let deepest = try #require((inside[2]["inside"] as? [[String: Any]])?.first)
            #expect(deepest["path"] as? String == file + "/inner.zip/note.txt" && deepest["depth"] as? Int == 2)
        }
    }

    @Test func theTreeIsToldInWords() throws {
        try withFolder { folder in
            let file = try box(in: folder)
            let run = try ProgramRun(["explain", file])
            #expect(run.status == 0)
            #expect(run.lines.first == file)
            for part in [
                "type ZIP, ", "sha256 ", "it is ZIP  (looks at every sample)", "3 files inside", "inside, 3:",
                "had nothing to say: ", "evtx (looks at files of type EVTX)",
                "sigma (looks at records, there were none)",
                "\(file)/inner.zip/note.txt", "type Text, 11 bytes, unpacked by ZIP",
            ] { #expect(run.output.contains(part), "\(part) is missing") }
        }
    }

    @Test func aDamagedFileSaysSoWithItsStage() throws {
        try withFolder { folder in
            let file = folder.appending(path: "cut.gz")
            try Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x4B]).write(to: file)
            let run = try ProgramRun(["explain", file.path])
            #expect(run.output.contains("not looked at, or not as it should be:\n      decompress: "), "\(run.output)")
        }
    }

    @Test func aSelectorRuleStartsAParser() throws {
        try withFolder { folder in
            let file = folder.appending(path: "journal.odd")
            try Data("#odd\nfirst line\nsecond line with wevtutil.exe cl Security\n".utf8).write(to: file)
            let without = try object(try ProgramRun(["explain", file.path, "--json"]).output)
            #expect(try stage("log-lines", of: without)["records"] as? [String: Int] == [:])

            let rules = folder.appending(path: "mine/yara")
            try FileManager.default.createDirectory(at: rules, withIntermediateDirectories: true)
            try """
            rule odd_log : LOGSCAN {
                meta: score = 0
                strings: $head = "#odd"
                condition: $head at 0
            }
            """.write(to: rules.appending(path: "select.yar"), atomically: true, encoding: .utf8)
            let run = try ProgramRun(["explain", file.path, "--json", "--custom-signatures", folder.path + "/mine"])
            let with = try object(run.output)
            #expect(with["type"] as? String == "Log")
            #expect(try stage("selectors", of: with)["type"] as? String == "Log")
            #expect(try stage("log-lines", of: with)["records"] as? [String: Int] == ["log line": 3])
        }
    }

    @Test func whatIsInsideIsWritten() throws {
        try withFolder { folder in
            let file = try box(in: folder)
            let out = folder.appending(path: "out")
            let run = try ProgramRun(["extract", file, "--to", out.path])
            #expect(run.status == 0, "\(run.errors)")
            let paths = run.lines.map { $0.split(separator: "\t").map(String.init) }
            #expect(paths.map { $0[2] } == ["a.txt", "up.txt", "inner.zip", "inner.zip.contents/note.txt"])
            #expect(run.errors.contains("4 files, "))
            let note = out.appending(path: "inner.zip.contents/note.txt")
            #expect(try String(contentsOf: note, encoding: .utf8) == "inner note\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["box.zip", "out"])
            // A second run finds the folder full and touches nothing.
            let again = try ProgramRun(["extract", file, "--to", out.path])
            #expect(again.status == 2 && again.errors.contains("not empty") && again.output.isEmpty)
        }
    }

    @Test func whatALimitCutsIsSaid() throws {
        try withFolder { folder in
            let file = try box(in: folder)
            let flat = try ProgramRun(["extract", file, "--to", folder.path + "/flat", "--depth", "1"])
            #expect(flat.status == 1 && flat.lines.count == 3 && flat.errors.contains("depth limit reached"))
            let small = try ProgramRun(["extract", file, "--to", folder.path + "/small", "--max-size", "8"])
            #expect(small.status == 1 && small.errors.contains("expansion limit reached"))
            let sizes = small.lines.compactMap { $0.split(separator: "\t").first.flatMap { Int($0) } }
            #expect(!sizes.isEmpty && sizes.reduce(0, +) <= 8)
        }
    }

    @Test(arguments: [["explain"], ["extract", "--to", "/nowhere/out"]])
    func aFileThatIsNotThereIsAnError(_ command: [String]) throws {
        let run = try ProgramRun(command + ["/nowhere/at-all"])
        #expect(run.status == 2 && run.errors.contains("/nowhere/at-all") && run.output.isEmpty)
    }
}
