import Pipeline

// What is suspicious in a registry by itself, whatever rules are loaded: each heuristic with its id, score and what
// it says. The checks are below the table.

enum HiveHeuristics {
    private struct Heuristic: Sendable {
        var id: String
        var score: Int
        var description: String
        var tags: [String]
        var falsePositives: [String] = []
    }

    private static let autorunPlace = Heuristic(
        id: "HiveAutorunUserWritable", score: 60,
        description: "A program that starts by itself lies in a folder that every user can write to",
        tags: ["T1547.001"], falsePositives: ["Updaters that unpack themselves to a temporary folder"])
    private static let autorunEncoded = Heuristic(
        id: "HiveAutorunEncodedPowerShell", score: 80,
        description: "PowerShell starts by itself with an encoded or hidden command",
        tags: ["T1547.001", "T1059.001"])
    private static let autorunScript = Heuristic(
        id: "HiveAutorunScriptHost", score: 75,
        description: "A script host or proxy program starts by itself with code or an address",
        tags: ["T1547.001", "T1218"])
    private static let servicePlace = Heuristic(
        id: "HiveServiceUserWritable", score: 70,
        description: "The program of a service lies in a folder that every user can write to", tags: ["T1543.003"],
        falsePositives: ["Agents that installers run once from a temporary folder"])
    private static let serviceShell = Heuristic(
        id: "HiveServiceShell", score: 75, description: "A service starts a command interpreter",
        tags: ["T1543.003", "T1569.002"], falsePositives: ["Scripts that administrators run as a service"])
    private static let accessibilityDebugger = Heuristic(
        id: "HiveDebuggerLogonScreen", score: 85,
        description: "A program of the logon screen is replaced by another one", tags: ["T1546.008", "T1546.012"])
    private static let debugger = Heuristic(
        id: "HiveDebugger", score: 60, description: "A program is replaced by another one through its debugger entry",
        tags: ["T1546.012"], falsePositives: ["Tools that replace system programs with the user's consent"])
    private static let attackTool = Heuristic(
        id: "HiveAttackToolName", score: 70, description: "A program with the name of an attack tool was on the system",
        tags: ["T1588.002"], falsePositives: ["Penetration tests", "Administrators who use the same tools"])
    private static let oddPlace = Heuristic(
        id: "HiveProgramOddPlace", score: 50,
        description: "A program was run or seen in a folder where programs do not belong", tags: ["T1036.005"],
        falsePositives: ["Installers that users kept in a public folder"])
    private static let hiddenTask = Heuristic(
        id: "HiveHiddenTask", score: 80, description: "A scheduled task is hidden: its security descriptor is gone",
        tags: ["T1053.005", "T1564"])
    private static let teamViewer = Heuristic(
        id: "HiveTeamViewerPassword", score: 60,
        description: "A password of TeamViewer is stored in a form that everybody can decrypt", tags: ["T1552.002"],
        falsePositives: ["Old versions of TeamViewer that are no longer used"])

    // MARK: Checks

    static func autorun(_ entry: AutorunEntry, _ type: RecordType, _ builder: inout RecordBuilder) {
        let command = entry.command.lowercased()
        if isEncodedPowerShell(command) {
            report(autorunEncoded, entry.command, "launch_string", type, &builder)
        } else if isScriptHost(command) {
            report(autorunScript, entry.command, "launch_string", type, &builder)
        }
        if isUserWritable(command) { report(autorunPlace, entry.command, "launch_string", type, &builder) }
    }

    static func service(_ entry: ServiceEntry, _ type: RecordType, _ builder: inout RecordBuilder) {
        for (command, field) in [(entry.image, "image"), (entry.failureCommand, "failure_command")] {
            guard let command else { continue }
            let lower = command.lowercased()
            if isUserWritable(lower) { report(servicePlace, command, field, type, &builder) }
            if isShell(lower) || isEncodedPowerShell(lower) || isScriptHost(lower) {
                report(serviceShell, command, field, type, &builder)
            }
            if isAttackTool(String(lastPart(CommandLineParts(lower).image))) {
                report(attackTool, command, field, type, &builder)
            }
        }
    }

    static func debugger(_ entry: RegisteredDebugger, _ type: RecordType, _ builder: inout RecordBuilder) {
        let name = entry.executable.lowercased()
        let command = entry.debugger.lowercased()
        if logonScreen.contains(name) {
            report(accessibilityDebugger, entry.debugger, "debugger", type, &builder)
        } else if !knownDebuggers.contains(where: { command.contains($0) }) {
            report(debugger, entry.debugger, "debugger", type, &builder)
        }
    }

    /// Checks a program that was run or seen, by its path and the names it gives itself.
    static func program(
        _ path: String, names: [String?], field: String, _ type: RecordType, _ builder: inout RecordBuilder
    ) {
        let lower = path.lowercased()
        if let name = names.compactMap({ $0 }).first(where: { isAttackTool($0.lowercased()) }) {
            report(attackTool, name, field, type, &builder)
        } else if isAttackTool(String(lastPart(lower))) {
            report(attackTool, path, field, type, &builder)
        }
        if oddPlaces.contains(where: { lower.contains($0) }), isProgram(lower) {
            report(oddPlace, path, field, type, &builder)
        }
    }

    static func task(_ task: CachedTask, _ type: RecordType, _ builder: inout RecordBuilder) {
        if task.isHidden { report(hiddenTask, task.path ?? task.guid, "path", type, &builder) }
    }

    static func password(_ name: String, _ type: RecordType, _ builder: inout RecordBuilder) {
        report(teamViewer, name, "name", type, &builder)
    }

    private static func report(
        _ heuristic: Heuristic, _ text: String, _ field: String, _ type: RecordType, _ builder: inout RecordBuilder
    ) {
        builder.report(
            Reason(
                summary: heuristic.description,
                signature: Signature(
                    kind: .heuristic, score: heuristic.score, ruleName: heuristic.id,
                    description: heuristic.description, tags: heuristic.tags,
                    falsePositives: heuristic.falsePositives),
                matched: [MatchedText(text, field: type.pointer(to: field))]))
    }

    // MARK: What they look for, in lower case

    private static func isUserWritable(_ command: String) -> Bool {
        writablePlaces.contains { command.contains($0) }
    }

    private static let writablePlaces = [
        "\\users\\public\\", "\\windows\\temp\\", "\\appdata\\local\\temp\\", "\\perflogs\\", "\\$recycle.bin\\",
        "\\windows\\tasks\\", "\\windows\\tracing\\", "\\windows\\debug\\", "%temp%\\", "%tmp%\\", "%public%\\",
        "\\temp\\", "\\local settings\\temp\\", "\\windows\\fonts\\", "\\intel\\logs\\", "\\programdata\\temp\\",
    ]
    private static let oddPlaces = [
        "\\$recycle.bin\\", "\\perflogs\\", "\\users\\public\\", "\\windows\\debug\\", "\\windows\\tracing\\",
        "\\windows\\fonts\\", "\\windows\\tasks\\", "\\system volume information\\", "\\intel\\logs\\",
        "\\windows\\system32\\spool\\drivers\\color\\",
    ]

    private static func isProgram(_ path: String) -> Bool {
        [".exe", ".com", ".bat", ".cmd", ".ps1", ".scr", ".dll", ".vbs", ".js", ".hta"].contains { path.hasSuffix($0) }
    }

    private static func isEncodedPowerShell(_ command: String) -> Bool {
        guard command.contains("powershell") || command.contains("pwsh") else { return false }
        return [
            " -enc ", " -e ", " -ec ", " -en ", "-encod", " /enc", " /e ", "frombase64string", "-w hidden",
            "-windowstyle h",
            "-w h", "-w 1 ", "downloadstring", "downloadfile", "net.webclient", "invoke-webrequest", "iex ", "iex(",
            "invoke-expression",
        ].contains { command.contains($0) }
    }

    private static func isScriptHost(_ command: String) -> Bool {
        let hosts = ["mshta", "regsvr32", "rundll32", "wscript", "cscript", "certutil", "bitsadmin", "msbuild"]
        guard hosts.contains(where: { command.contains($0) }) else { return false }
        return ["http:", "https:", "javascript:", "vbscript:", "scrobj.dll", "\\\\"].contains { command.contains($0) }
    }

    // A service's own program, not an argument of another one.
    private static func isShell(_ command: String) -> Bool {
        let image = lastPart(CommandLineParts(command).image)
        return ["cmd.exe", "cmd", "%comspec%", "powershell.exe", "powershell", "pwsh.exe"].contains(String(image))
    }

    private static let logonScreen: Set<String> = [
        "sethc.exe", "utilman.exe", "osk.exe", "magnify.exe", "narrator.exe", "displayswitch.exe", "atbroker.exe",
    ]
    private static let knownDebuggers = [
        "vsjitdebugger.exe", "drwtsn32", "windbg.exe", "procexp", "systemsettings", "ntsd", "taskkill.exe", "cdb.exe",
        "processhacker", "systeminformer", "msvsmon.exe", "vsdbg",
    ]

    // Names of tools that have no other use, or hardly one; compared with the name less its extension.
    private static func isAttackTool(_ file: String) -> Bool {
        let name = file.split(separator: ".").first.map(String.init) ?? file
        return attackTools.contains(name) || attackToolParts.contains { file.contains($0) }
    }

    private static let attackTools: Set<String> = [
        "adfind", "adexplorer", "chisel", "dumpert", "fgdump", "gsecdump", "grunt",
        "juicypotato", "kekeo", "ladon", "ligolo", "mimidrv", "mimilib", "nanodump", "nc", "nc64", "ncat", "netcat",
        "netscan", "ngrok", "pchunter", "pchunter64", "powertool", "powertool64", "printspoofer", "procdump",
        "procdump64", "psexesvc", "pwdump", "quarkspwdump", "revsocks", "rubeus", "safetykatz", "seatbelt", "sharpup",
        "smbexec", "snaffler", "sweetpotato", "wce", "wmiexec", "xmrig",
    ]
    private static let attackToolParts = [
        "mimikatz", "lazagne", "bloodhound", "sharphound", "cobaltstrike", "meterpreter", "metasploit", "godpotato",
        "sharpview", "sharpdump", "crackmapexec", "impacket", "kerbrute", "winpeas",
        "linpeas", "powersploit", "powerview", "sharpshares", "pypykatz", "roguepotato", "rottenpotato", "badpotato",
    ]
}
