import Pipeline

// A made-up intrusion as an event log, for samples/ and end-to-end tests: everyday events around a process with an
// encoded command line, a service that runs a command interpreter, and the clearing of the Security log. No event was
// ever real; names and addresses are those reserved for examples.

extension SyntheticEventLog {
    /// An event log with six events, three of which are suspicious.
    public static func intrusion() -> SyntheticEventLog {
        // 2026-01-12T09:14:00Z, and a time step of one minute.
        let start: UInt64 = 134_126_828_400_000_000
        func time(_ minute: UInt64) -> UInt64 { start + minute * 600_000_000 }
        var log = SyntheticEventLog()
        log.append(
            System(
                provider: "Microsoft-Windows-Security-Auditing", id: 4624, channel: "Security", time: time(0),
                level: 0),
            data: [
                ("SubjectUserSid", .sid(5, [18])), ("SubjectUserName", .string("WS01$")),
                ("TargetUserName", .string("alice")), ("TargetDomainName", .string("CORP")),
                ("LogonType", .number(UInt32(2))), ("LogonProcessName", .string("User32 ")),
                ("IpAddress", .string("192.0.2.17")), ("IpPort", .string("0")),
            ])
        log.appendProcess(
            time(1), image: "C:\\Program Files\\Editor\\editor.exe", commandLine: "\"editor.exe\" notes.txt",
            parent: "C:\\Windows\\explorer.exe", parentCommandLine: "C:\\Windows\\Explorer.EXE", id: 4711)
        // The encoded text says: Write-Output 'demo'
        log.appendProcess(
            time(2), image: "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
            commandLine: "powershell.exe -NoP -NonI -W Hidden -Exec Bypass -EncodedCommand "
                + "VwByAGkAdABlAC0ATwB1AHQAcAB1AHQAIAAnAGQAZQBtAG8AJwA=",
            parent: "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE",
            parentCommandLine: "\"WINWORD.EXE\" /n \"C:\\Users\\alice\\Downloads\\invoice.docm\"", id: 4812)
        log.append(
            System(provider: "Service Control Manager", id: 7036, channel: "System", time: time(3)),
            data: [("param1", .string("Windows Update")), ("param2", .string("running"))])
        log.append(
            System(provider: "Service Control Manager", id: 7045, channel: "System", time: time(4)),
            data: [
                ("ServiceName", .string("UpdSvc")),
                ("ImagePath", .string("%COMSPEC% /Q /c echo whoami ^> \\\\127.0.0.1\\C$\\__out > %TEMP%\\e.bat")),
                ("ServiceType", .string("user mode service")), ("StartType", .string("demand start")),
                ("AccountName", .string("LocalSystem")),
            ])
        log.append(
            System(provider: "Microsoft-Windows-Eventlog", id: 1102, channel: "Security", time: time(5)),
            userData: "LogFileCleared",
            [
                ("SubjectUserSid", .sid(5, [21, 1_004_336_348, 1_177_238_915, 682_003_330, 1_105])),
                ("SubjectUserName", .string("alice")), ("SubjectDomainName", .string("CORP")),
                ("SubjectLogonId", .hexadecimal(UInt64(0x3_E7A1))),
            ])
        return log
    }

    // Sysmon's event 1.
    private mutating func appendProcess(
        _ time: UInt64, image: String, commandLine: String, parent: String, parentCommandLine: String, id: UInt32
    ) {
        let guid = (0..<16).map { UInt8(truncatingIfNeeded: id &* 7 &+ $0 &* 13) }
        let name = image.split(separator: "\\").last.map(String.init) ?? image
        append(
            System(
                provider: "Microsoft-Windows-Sysmon", id: 1, channel: "Microsoft-Windows-Sysmon/Operational",
                time: time),
            data: [
                ("RuleName", .string("-")), ("UtcTime", .string("2026-01-12 09:14:00.000")),
                ("ProcessGuid", .guid(guid)), ("ProcessId", .number(id)), ("Image", .string(image)),
                ("FileVersion", .string("-")), ("Description", .string("-")), ("Product", .string("-")),
                ("Company", .string("-")), ("OriginalFileName", .string(name)),
                ("CommandLine", .string(commandLine)), ("CurrentDirectory", .string("C:\\Users\\alice\\")),
                ("User", .string("CORP\\alice")), ("LogonGuid", .guid(guid.reversed())),
                ("LogonId", .hexadecimal(UInt64(0x3_E7A1))), ("TerminalSessionId", .number(UInt32(1))),
                ("IntegrityLevel", .string("Medium")),
                ("Hashes", .string("SHA1=0000000000000000000000000000000000000001")),
                ("ParentProcessGuid", .guid(guid)), ("ParentProcessId", .number(UInt32(4_100))),
                ("ParentImage", .string(parent)), ("ParentCommandLine", .string(parentCommandLine)),
                ("ParentUser", .string("CORP\\alice")),
            ])
    }
}
