import Pipeline
import PipelineTesting
import Testing

@testable import Persistence

@Suite struct ScheduledTaskTests {
    private func task(_ bytes: [UInt8]) -> ScannedOutput {
        scan(ScheduledTaskStage(), Bytes(bytes), path: "C/Windows/System32/Tasks/Demo", kind: "Windows Task XML")
    }

    private func values(_ output: ScannedOutput, _ key: String) -> [String] {
        output.records.first?.fields.filter { $0.key == key }.map(\.value) ?? []
    }

    @Test func fieldsAndReasons() {
        #expect(goldenDifference("scheduled-task.txt", task(TaskSample.wide).text) == nil)
    }

    // The encoding is that of the bytes, whatever the declaration says.
    @Test func everyEncodingGivesTheSame() {
        let expected = task(TaskSample.wide).records
        #expect(expected.count == 1)
        #expect(task(Array(TaskSample.text.utf8)).records == expected)
        #expect(task([0xEF, 0xBB, 0xBF] + Array(TaskSample.text.utf8)).records == expected)
        #expect(task(Array(TaskSample.wide.dropFirst(2))).records == expected)
        let swapped = stride(from: 0, to: TaskSample.wide.count, by: 2).flatMap {
            [TaskSample.wide[$0 + 1], TaskSample.wide[$0]]
        }
        #expect(task(swapped).records == expected)
        #expect(task(Array(swapped.dropFirst(2))).records == expected)
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: "Demo", kind: "Windows Task XML", flips: 300)
        #expect(kit.violations(of: ScheduledTaskStage(), sample: TaskSample.wide) == [])
    }

    @Test func exportsHoldSeveralTasks() {
        let one = "<Task><Actions><Exec><Command>a.exe</Command></Exec></Actions></Task>"
        let output = task(Array("<?xml version=\"1.0\"?><Tasks><!-- \\A -->\(one)<Task/></Tasks>".utf8))
        #expect(output.records.count == 2)
        #expect(values(output, "commands") == ["a.exe"])
        #expect(values(output, "name") == ["Demo"])
        #expect(values(output, "enabled") == ["true"])
    }

    @Test func whatStandsBeforeTheBreakIsKept() throws {
        let cut = try #require(TaskSample.text.firstRange(of: "<ComHandler>"))
        let output = task(Array(TaskSample.text[..<cut.lowerBound].utf8))
        #expect(values(output, "commands").count == 2)
        #expect(values(output, "user") == ["S-1-5-18"])
        #expect(output.issues.map(\.code) == [.damaged])
        #expect(output.issues.first?.message.hasPrefix("line ") == true)
    }

    // Expansion is what makes a small document large, and an outer entity would read our files.
    @Test func entitiesAreNotExpanded() {
        let bomb = """
            <!DOCTYPE Task [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
            <!ENTITY f SYSTEM "file:///etc/hostname">]>
            <Task><Actions><Exec><Command>&b;&f;</Command></Exec></Actions></Task>
            """
        let output = task(Array(bomb.utf8))
        #expect(output.records.isEmpty)
        #expect(output.issues.map(\.message) == ["the document declares entities; it was not read"])
        // A DTD elsewhere is not fetched; an entity that nobody declared is left out, and said.
        let outer =
            "<!DOCTYPE Task SYSTEM \"http://127.0.0.1:9/t.dtd\"><Task><Actions><Exec><Command>a</Command></Exec></Actions></Task>"
        #expect(values(task(Array(outer.utf8)), "commands") == ["a"])
        #expect(!task(Array("<Task><Actions>&none;</Actions></Task>".utf8)).issues.isEmpty)
    }

    @Test func nestingAndNumbersAreLimited() {
        let deep = String(repeating: "<a>", count: 100_000)
        #expect(task(Array("<Task>\(deep)".utf8)).issues.map(\.code) == [.damaged])
        let many = String(repeating: "<a/>", count: XMLTree.elementLimit + 10)
        #expect(task(Array("<Task>\(many)</Task>".utf8)).issues.map(\.code) == [.limit])
        #expect(task(Array("<Other/>".utf8)).issues.map(\.code) == [.damaged])
    }

    private static func judged(_ command: String) -> [String] {
        let text = "<Task><Actions><Exec><Command>\(command)</Command></Exec></Actions></Task>"
        let output = scan(ScheduledTaskStage(), Bytes(utf8: text), path: "T", kind: "Windows Task XML")
        return output.findings.flatMap(\.reasons).map(\.signature.ruleName)
    }

    @Test(arguments: [
        ("powershell -e AAAA", ["TaskEncodedPowerShell"]), ("mshta http://a.example/x", ["TaskScriptHost"]),
        ("C:\\Windows\\Temp\\a.exe", ["TaskUserWritablePlace"]), ("C:\\x\\mimikatz.exe", ["TaskAttackTool"]),
        ("%windir%\\system32\\rundll32.exe a.dll,Run", []), ("C:\\Program Files\\A\\a.exe /update", []),
    ])
    func commandsAreJudged(command: String, ids: [String]) { #expect(Self.judged(command) == ids) }

    // Compared with Python's ElementTree by docs/comparisons/compare-tasks.py; here: every task of the corpus is read.
    @Test(.enabled(if: Shared.directory("corpus/tasks") != nil, "no ../shared here"))
    func corpusTasksAreRead() throws {
        let folder = try #require(Shared.directory("corpus/tasks"))
        let store = ByteStore()
        var count = 0
        // Three files there are sources in Python.
        for path in Shared.files(below: folder) where !path.hasSuffix(".py") {
            let bytes = try store.read(file: path)
            let output = scan(ScheduledTaskStage(), bytes, path: path, kind: "Windows Task XML")
            #expect(output.issues.isEmpty, "\(path)")
            #expect(output.records.count == 1, "\(path)")
            #expect(!values(output, "commands").isEmpty || !values(output, "com_handlers").isEmpty, "\(path)")
            count += 1
        }
        #expect(count == 125)
    }
}
