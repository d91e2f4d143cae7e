import Pipeline
import PipelineTesting
import Testing

@testable import LogLines

@Suite struct AuditLogTests {
    static func hex(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
    }

    static let text = """
        type=SYSCALL msg=audit(1795227111.101:801): arch=c000003e syscall=59 success=yes a0=55d0 a1=AB ppid=1 comm="sh" exe="/usr/bin/dash" key="exec"
        node=web type=USER_CMD msg=audit(1795227112.5:77): pid=9 msg='cwd="/root" cmd=\(hex("id -un")) terminal=pts/0 res=success'
        type=EXECVE msg=audit(1795227111.101:801): argc=3 a0="sh" a1="-c" a2=\(hex("echo \"a b\""))
        garbage between the lines
        type=PATH msg=audit(1795227111.101:801): item=0 name=\(hex("/tmp/a b")) inode=7 nametype=NORMAL
        type=PROCTITLE msg=audit(1795227111.101:801): proctitle=\(hex("sh\0-c\0echo"))
        type=EOE msg=audit(1795227111.101:801):
        type=EXECVE msg=audit(1795227113.000:802): argc=2 a0="x" a1_len=8 a1[0]="abcd" a1[1]="efgh"
        type=LOGIN msg=audit(1795227114.000:803): pid=3 uid=0 old-auid=4294967295 auid=0 res=1\u{1D}UID="root" AUID="root"

        """

    private func audit(_ text: String) throws -> ScannedOutput {
        scan(try LogLinesStage(), Bytes(utf8: text), path: "audit.log", kind: "Auditd Log")
    }

    private func value(_ record: RecordSubject, _ key: String) -> [String] {
        record.fields.filter { $0.key == key }.map(\.value)
    }

    @Test func linesOfAnEventAreOneRecord() throws {
        #expect(goldenDifference("audit.txt", try audit(Self.text).text) == nil)
    }

    @Test func argumentsOfSystemCallsStayNumbers() throws {
        let first = try #require(try audit(Self.text).records.first { $0.type.name == "audit log entry" })
        #expect(value(first, "a1") == ["AB", "-c"])
        #expect(value(first, "command_line") == ["sh -c echo \"a b\""])
    }

    @Test func everyLineEndsUpSomewhere() throws {
        let lines = (0..<5000).map { "type=CWD msg=audit(1.000:\($0 % 40)): cwd=\"/\($0)\"\n" }.joined()
        let output = try audit(lines)
        #expect(output.records.flatMap { value($0, "cwd") }.count == 5000)
        #expect(output.issues.isEmpty)
        let one = (0..<3000).map { "type=CWD msg=audit(1.000:1): cwd=\"/\($0)\"\n" }.joined()
        #expect(try audit(one).records.map { value($0, "cwd").count } == [1024, 1024, 952])
    }

    @Test func stageConforms() throws {
        let kit = StageConformance(path: "audit.log", kind: "Auditd Log")
        #expect(kit.violations(of: try LogLinesStage(), sample: Array(Self.text.utf8)) == [])
    }

    @Test func otherFormsAreNone() {
        for text in ["", "type=", "type=A msg=audit(", "type=A msg=audit 1", "node=a", "node= type=A msg=audit()"] {
            let line = Array(text.utf8)
            #expect((AuditLine(line.rawSpan) == nil) == (text != "node= type=A msg=audit()"))
        }
        #expect(AuditLine.time(Array("99999999999999999999.1:1".utf8).rawSpan) == nil)
    }
}
