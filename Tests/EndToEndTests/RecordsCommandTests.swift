import Foundation
import PipelineTesting
import Testing

/// `thunderstorm records`, run as users run it, on files of the demo tree.
struct RecordsCommandTests {
    private struct Run {
        var lines: [[String: Any]]
        var raw: [String]
        var errors: String
        var status: Int32
    }

    private func records(_ arguments: [String]) throws -> Run {
        let run = try ProgramRun(["records"] + arguments)
        let lines = try run.lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        return Run(lines: lines, raw: run.lines, errors: run.errors, status: run.status)
    }

    // A demo file as it is in the tree, under its own name.
    private func demo(_ path: String, in folder: URL) throws -> String {
        let source = Shared.packageRoot + "/samples/source/" + path
        let file = folder.appending(path: String(path.split(separator: "/").last ?? "x"))
        if let plain = FileManager.default.contents(atPath: source) {
            try plain.write(to: file)
        } else {
            let text = try String(contentsOfFile: source + ".b64", encoding: .utf8)
            let data = try #require(Data(base64Encoded: text, options: .ignoreUnknownCharacters))
            try data.write(to: file)
        }
        return file.path
    }

    @Test func fieldsStandInOrderUnderTheirNames() throws {
        let folder = try ProgramRun.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let task = try demo("win/C/Windows/System32/Tasks/Demo/Catalogue Update", in: folder)
        let run = try records([task])
        #expect(run.status == 0)
        #expect(run.errors.hasPrefix("\(task): 1 records (1 scheduled task)\n"))
        #expect(run.lines.first?["type"] as? String == "scheduled task")
        let fields = try #require(run.lines.first?["fields"] as? [String: Any])
        #expect(fields["name"] as? String == "Catalogue Update")
        #expect((fields["commands"] as? [String])?.count == 2)
        // What may be there several times is a list when there is one of it.
        #expect(fields["com_handlers"] as? [String] == ["{01020304-0506-0708-090A-0B0C0D0E0F10} a<b"])
        let line = try #require(run.raw.first)
        let names = [
            "\"name\"", "\"path\"", "\"commands\"", "\"enabled\"", "\"triggers\"", "\"user\"", "\"run_level\"",
        ]
        let places = names.map { line.range(of: $0)?.lowerBound }
        #expect(!places.contains(nil))
        #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    }

    @Test func typeAndLimitChooseWhatIsPrinted() throws {
        let folder = try ProgramRun.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let hive = try demo("win/C/Windows/System32/config/SOFTWARE", in: folder)
        let all = try records([hive])
        let some = try records([hive, "--type", "autorun entry"])
        #expect(some.lines.count > 1)
        #expect(some.lines.count < all.lines.count)
        #expect(some.lines.allSatisfy { $0["type"] as? String == "autorun entry" })
        let limited = try records([hive, "--type", "autorun entry", "--limit", "1"])
        #expect(limited.raw == Array(some.raw.prefix(1)))
        // The count is that of the file, not of what was printed.
        #expect(limited.errors.contains("\(some.lines.count) records (\(some.lines.count) autorun entry)"))
    }

    @Test(arguments: [
        ("win/C/Windows/System32/winevt/Logs/Security.evtx", "eventlog entry"),
        ("win/C/Users/alice/Downloads/Invoice.pdf.lnk", "link info"),
        ("win/C/Windows/Prefetch/MIMIKATZ.EXE-0BADF00D.pf", "prefetch info"),
        ("win/C/Windows/Tasks/At1.job", "at job"), ("web/opt/tomcat/conf/tomcat-users.xml", "Tomcat user"),
        ("linux/etc/hosts", "hosts file entry"), ("linux/var/log/audit/audit.log", "audit log entry"),
    ])
    func everyFormatIsPrinted(path: String, type: String) throws {
        let folder = try ProgramRun.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = try records([try demo(path, in: folder)])
        #expect(run.status == 0)
        #expect(!run.lines.isEmpty)
        #expect(run.lines.allSatisfy { $0["type"] as? String == type })
    }

    @Test func aFileThatIsNotThereIsAnError() throws {
        let run = try records(["/nowhere/at-all"])
        #expect(run.status == 2)
        #expect(run.errors.contains("/nowhere/at-all"))
        #expect(run.lines.isEmpty)
    }
}
