import Pipeline

// Programs whose run is suspicious by itself: names of attack tools, and programs in places that any user may write to.

enum PrefetchHeuristics {
    // Starts of program names, upper case, without extension.
    private static let attackTools = [
        "MIMIKATZ", "MIMIDRV", "SAFETYKATZ", "SHARPKATZ", "RUBEUS", "SHARPHOUND", "AZUREHOUND", "LAZAGNE", "PWDUMP",
        "FGDUMP", "GSECDUMP", "QUARKSPWDUMP", "NANODUMP", "DUMPERT", "PYPYKATZ", "SEATBELT", "SHARPUP", "SHARPVIEW",
        "WINPEAS", "KERBRUTE", "CRACKMAPEXEC", "NETSCAN", "JUICYPOTATO", "ROTTENPOTATO", "PRINTSPOOFER", "GODPOTATO",
        "SWEETPOTATO", "SHARPDPAPI", "CERTIFY", "WHISKER", "INVEIGH", "RESPONDER", "CHISEL", "SHARPCHROME", "COVENANT",
        "GRUNT", "SLIVER", "METERPRETER",
    ]
    // Tools that administrators use too; the whole name.
    private static let dualUse: Set<String> = [
        "PSEXEC.EXE", "PSEXEC64.EXE", "PSEXESVC.EXE", "PAEXEC.EXE", "REMCOM.EXE", "PROCDUMP.EXE", "PROCDUMP64.EXE",
        "NC.EXE", "NC64.EXE", "NCAT.EXE", "ADFIND.EXE", "WCE.EXE", "RCLONE.EXE", "PLINK.EXE", "NGROK.EXE",
    ]
    private static let writablePlaces = [
        "\\USERS\\PUBLIC\\", "\\WINDOWS\\TEMP\\", "\\APPDATA\\LOCAL\\TEMP\\", "\\PERFLOGS\\", "\\$RECYCLE.BIN\\",
        "\\RECYCLER\\", "\\WINDOWS\\TASKS\\", "\\WINDOWS\\DEBUG\\", "\\WINDOWS\\TRACING\\", "\\WINDOWS\\FONTS\\",
    ]

    private static let attackTool = Heuristic(
        "PrefetchAttackTool", score: 75, "A program with the name of an attack tool was run", tags: ["T1588.002"],
        falsePositives: ["Programs that share a name with one"])
    private static let dualUseTool = Heuristic(
        "PrefetchDualUseTool", score: 45, "An administration tool that attackers bring along was run",
        tags: ["T1588.002", "T1569.002"], falsePositives: ["Administrators' own use"])
    private static let writablePlace = Heuristic(
        "PrefetchUserWritablePlace", score: 45, "A program was run from a place that any user may write to",
        tags: ["T1204.002", "T1036.005"], falsePositives: ["Installers that unpack themselves"])

    /// All of them, for the documentation.
    static let all = [attackTool, dualUseTool, writablePlace]

    /// Reasons against a program.
    static func reasons(_ file: PrefetchFile, type: RecordType) -> [Reason] {
        var reasons: [Reason] = []
        let name = file.executable.uppercased()
        let pointer = type.pointer(to: "executable")
        if attackTools.contains(where: { name.hasPrefix($0) }) {
            reasons.append(attackTool.reason(file.executable, at: pointer))
        } else if dualUse.contains(name) {
            reasons.append(dualUseTool.reason(file.executable, at: pointer))
        }
        if let path = file.executablePath {
            let upper = path.uppercased()
            if writablePlaces.contains(where: { upper.contains(utf8: $0) }) {
                reasons.append(writablePlace.reason(path, at: type.pointer(to: "path")))
            }
        }
        return reasons
    }
}
