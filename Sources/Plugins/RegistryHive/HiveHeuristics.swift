import CommandLines
import Pipeline

// What is suspicious in a registry by itself, whatever rules are loaded: each heuristic with its id, score and what
// it says. The checks are below the table.

enum HiveHeuristics {
    private static let autorunPlace = Heuristic(
        "HiveAutorunUserWritable", score: 60,
        "A program that starts by itself lies in a folder that every user can write to",
        tags: ["T1547.001"], falsePositives: ["Updaters that unpack themselves to a temporary folder"])
    private static let autorunEncoded = Heuristic(
        "HiveAutorunEncodedPowerShell", score: 80, "PowerShell starts by itself with an encoded or hidden command",
        tags: ["T1547.001", "T1059.001"])
    private static let autorunScript = Heuristic(
        "HiveAutorunScriptHost", score: 75, "A script host or proxy program starts by itself with code or an address",
        tags: ["T1547.001", "T1218"])
    private static let servicePlace = Heuristic(
        "HiveServiceUserWritable", score: 70, "The program of a service lies in a folder that every user can write to",
        tags: ["T1543.003"],
        falsePositives: ["Agents that installers run once from a temporary folder"])
    private static let serviceShell = Heuristic(
        "HiveServiceShell", score: 75, "A service starts a command interpreter",
        tags: ["T1543.003", "T1569.002"], falsePositives: ["Scripts that administrators run as a service"])
    private static let accessibilityDebugger = Heuristic(
        "HiveDebuggerLogonScreen", score: 85, "A program of the logon screen is replaced by another one",
        tags: ["T1546.008", "T1546.012"])
    private static let debugger = Heuristic(
        "HiveDebugger", score: 60, "A program is replaced by another one through its debugger entry",
        tags: ["T1546.012"], falsePositives: ["Tools that replace system programs with the user's consent"])
    private static let attackTool = Heuristic(
        "HiveAttackToolName", score: 70, "A program with the name of an attack tool was on the system",
        tags: ["T1588.002"], falsePositives: ["Penetration tests", "Administrators who use the same tools"])
    private static let oddPlace = Heuristic(
        "HiveProgramOddPlace", score: 50, "A program was run or seen in a folder where programs do not belong",
        tags: ["T1036.005"],
        falsePositives: ["Installers that users kept in a public folder"])
    private static let hiddenTask = Heuristic(
        "HiveHiddenTask", score: 80, "A scheduled task is hidden: its security descriptor is gone",
        tags: ["T1053.005", "T1564"])
    private static let taskCode = Heuristic(
        "HiveTaskRunsCode", score: 75, "A scheduled task of the registry starts PowerShell or a script host with code",
        tags: ["T1053.005", "T1059.001"], falsePositives: ["Scripts of management software"])
    private static let taskPlace = Heuristic(
        "HiveTaskUserWritable", score: 65,
        "A scheduled task of the registry runs from a folder that every user can write to",
        tags: ["T1053.005", "T1036.005"], falsePositives: ["Installers that go on after a restart"])
    private static let teamViewer = Heuristic(
        "HiveTeamViewerPassword", score: 60, "A password of TeamViewer is stored in a form that everybody can decrypt",
        tags: ["T1552.002"],
        falsePositives: ["Old versions of TeamViewer that are no longer used"])

    /// All of them, for the documentation.
    static let all = [
        autorunPlace, autorunEncoded, autorunScript, servicePlace, serviceShell, accessibilityDebugger, debugger,
        attackTool, oddPlace, hiddenTask, taskCode, taskPlace, teamViewer,
    ]

    // MARK: Checks

    static func autorun(_ entry: AutorunEntry, _ type: RecordType, _ builder: inout RecordBuilder) {
        let command = entry.command.lowercased()
        if SuspiciousCommand.isEncodedPowerShell(command) {
            report(autorunEncoded, entry.command, "launch_string", type, &builder)
        } else if SuspiciousCommand.isScriptHost(command) {
            report(autorunScript, entry.command, "launch_string", type, &builder)
        }
        if SuspiciousCommand.isInUserWritablePlace(command) {
            report(autorunPlace, entry.command, "launch_string", type, &builder)
        }
    }

    static func service(_ entry: ServiceEntry, _ type: RecordType, _ builder: inout RecordBuilder) {
        for (command, field) in [(entry.image, "image"), (entry.failureCommand, "failure_command")] {
            guard let command else { continue }
            let lower = command.lowercased()
            if SuspiciousCommand.isInUserWritablePlace(lower) { report(servicePlace, command, field, type, &builder) }
            if SuspiciousCommand.isShell(lower) || SuspiciousCommand.isEncodedPowerShell(lower)
                || SuspiciousCommand.isScriptHost(lower)
            {
                report(serviceShell, command, field, type, &builder)
            }
            if SuspiciousCommand.isAttackTool(String(lastPart(CommandLineParts(lower).image))) {
                report(attackTool, command, field, type, &builder)
            }
        }
    }

    static func debugger(_ entry: RegisteredDebugger, _ type: RecordType, _ builder: inout RecordBuilder) {
        let name = entry.executable.lowercased()
        let command = entry.debugger.lowercased()
        if logonScreen.contains(name) {
            report(accessibilityDebugger, entry.debugger, "debugger", type, &builder)
        } else if !knownDebuggers.contains(where: { command.contains(utf8: $0) }) {
            report(debugger, entry.debugger, "debugger", type, &builder)
        }
    }

    /// Checks a program that was run or seen, by its path and the names it gives itself.
    static func program(
        _ path: String, names: [String?], field: String, _ type: RecordType, _ builder: inout RecordBuilder
    ) {
        let lower = path.lowercased()
        if let name = names.compactMap({ $0 }).first(where: { SuspiciousCommand.isAttackTool($0.lowercased()) }) {
            report(attackTool, name, field, type, &builder)
        } else if SuspiciousCommand.isAttackTool(String(lastPart(lower))) {
            report(attackTool, path, field, type, &builder)
        }
        if oddPlaces.contains(where: { lower.contains(utf8: $0) }), isProgram(lower) {
            report(oddPlace, path, field, type, &builder)
        }
    }

    static func task(_ task: CachedTask, _ type: RecordType, _ builder: inout RecordBuilder) {
        if task.isHidden { report(hiddenTask, task.path ?? task.guid, "path", type, &builder) }
        for command in task.commands {
            let lower = command.lowercased()
            if SuspiciousCommand.isEncodedPowerShell(lower) || SuspiciousCommand.isScriptHost(lower) {
                report(taskCode, command, "commands", type, &builder)
            }
            if SuspiciousCommand.isInUserWritablePlace(lower) {
                report(taskPlace, command, "commands", type, &builder)
            }
            if SuspiciousCommand.isAttackTool(String(lastPart(CommandLineParts(lower).image))) {
                report(attackTool, command, "commands", type, &builder)
            }
        }
    }

    static func password(_ name: String, _ type: RecordType, _ builder: inout RecordBuilder) {
        report(teamViewer, name, "name", type, &builder)
    }

    private static func report(
        _ heuristic: Heuristic, _ text: String, _ field: String, _ type: RecordType, _ builder: inout RecordBuilder
    ) {
        builder.report(heuristic.reason(text, at: type.pointer(to: field)))
    }

    // MARK: What they look for, in lower case

    private static let oddPlaces = [
        "\\$recycle.bin\\", "\\perflogs\\", "\\users\\public\\", "\\windows\\debug\\", "\\windows\\tracing\\",
        "\\windows\\fonts\\", "\\windows\\tasks\\", "\\system volume information\\", "\\intel\\logs\\",
        "\\windows\\system32\\spool\\drivers\\color\\",
    ]

    private static func isProgram(_ path: String) -> Bool {
        [".exe", ".com", ".bat", ".cmd", ".ps1", ".scr", ".dll", ".vbs", ".js", ".hta"].contains { path.hasSuffix($0) }
    }

    private static let logonScreen: Set<String> = [
        "sethc.exe", "utilman.exe", "osk.exe", "magnify.exe", "narrator.exe", "displayswitch.exe", "atbroker.exe",
    ]
    private static let knownDebuggers = [
        "vsjitdebugger.exe", "drwtsn32", "windbg.exe", "procexp", "systemsettings", "ntsd", "taskkill.exe", "cdb.exe",
        "processhacker", "systeminformer", "msvsmon.exe", "vsdbg",
    ]
}
