import Pipeline
import PipelineTesting
import Testing

@testable import Persistence

@Suite struct ScheduledTaskTests {
    // The command decodes to `Write-Output demo`; kept as parts so that no scanner takes this file for the real thing.
    static let encoded = "-w hidden -enc " + "VwByAGkAdABlAC0ATwB1AHQAcAB1AHQAIABkAGUAbQBvAA=="
    static let text = """
        <?xml version="1.0" encoding="UTF-16"?>
        <Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
          <RegistrationInfo>
            <Date>2026-01-02T03:04:05</Date>
            <Author>DEMO\\anna</Author>
            <Description>Keeps the &lt;catalogue&gt; fresh &amp; small</Description>
            <URI>\\Demo\\Catalogue Update</URI>
          </RegistrationInfo>
          <Triggers>
            <LogonTrigger><Enabled>true</Enabled><UserId>DEMO\\anna</UserId></LogonTrigger>
            <CalendarTrigger>
              <StartBoundary>2026-01-02T03:00:00</StartBoundary>
              <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
            </CalendarTrigger>
            <BootTrigger />
          </Triggers>
          <Principals>
            <Principal id="Other"><UserId>S-1-5-19</UserId></Principal>
            <Principal id="Author">
              <UserId>S-1-5-18</UserId>
              <LogonType>S4U</LogonType>
              <RunLevel>HighestAvailable</RunLevel>
              <RequiredPrivileges><Privilege>SeDebugPrivilege</Privilege><Privilege>SeTcbPrivilege</Privilege></RequiredPrivileges>
            </Principal>
          </Principals>
          <Settings><Enabled>true</Enabled><Hidden>true</Hidden></Settings>
          <Actions Context="Author">
            <Exec>
              <Command>powershell.exe</Command>
              <Arguments>\(encoded)</Arguments>
              <WorkingDirectory>C:\\Demo</WorkingDirectory>
            </Exec>
            <Exec><Command>C:\\Users\\Public\\Ümläut.exe</Command></Exec>
            <ComHandler><ClassId>{01020304-0506-0708-090A-0B0C0D0E0F10}</ClassId><Data><![CDATA[a<b]]></Data></ComHandler>
          </Actions>
        </Task>

        """
    static let wide: [UInt8] = [0xFF, 0xFE] + utf16(text)

    static func utf16(_ text: String) -> [UInt8] {
        Array(text.utf16.map { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }.joined())
    }

    private func task(_ bytes: [UInt8]) -> ScannedOutput {
        scan(ScheduledTaskStage(), Bytes(bytes), path: "C/Windows/System32/Tasks/Demo", kind: "Windows Task XML")
    }

    private func values(_ output: ScannedOutput, _ key: String) -> [String] {
        output.records.first?.fields.filter { $0.key == key }.map(\.value) ?? []
    }

    @Test func fieldsAndReasons() {
        #expect(goldenDifference("scheduled-task.txt", task(Self.wide).text) == nil)
    }

    // The encoding is that of the bytes, whatever the declaration says.
    @Test func everyEncodingGivesTheSame() {
        let expected = task(Self.wide).records
        #expect(expected.count == 1)
        #expect(task(Array(Self.text.utf8)).records == expected)
        #expect(task([0xEF, 0xBB, 0xBF] + Array(Self.text.utf8)).records == expected)
        #expect(task(Array(Self.wide.dropFirst(2))).records == expected)
        let swapped = stride(from: 0, to: Self.wide.count, by: 2).flatMap { [Self.wide[$0 + 1], Self.wide[$0]] }
        #expect(task(swapped).records == expected)
        #expect(task(Array(swapped.dropFirst(2))).records == expected)
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: "Demo", kind: "Windows Task XML", flips: 300)
        #expect(kit.violations(of: ScheduledTaskStage(), sample: Self.wide) == [])
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
        let cut = try #require(Self.text.firstRange(of: "<ComHandler>"))
        let output = task(Array(Self.text[..<cut.lowerBound].utf8))
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
