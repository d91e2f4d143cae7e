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

    /// Reasons against a program.
    static func reasons(_ file: PrefetchFile, type: RecordType) -> [Reason] {
        var reasons: [Reason] = []
        let name = file.executable.uppercased()
        func add(
            _ id: String, _ score: Int, _ description: String, _ tags: [String], _ falsePositives: [String],
            field: String, text: String
        ) {
            reasons.append(
                Reason(
                    summary: description,
                    signature: Signature(
                        kind: .heuristic, score: score, ruleName: id, description: description, tags: tags,
                        falsePositives: falsePositives),
                    matched: [MatchedText(text, field: type.pointer(to: field))]))
        }
        if attackTools.contains(where: { name.hasPrefix($0) }) {
            add(
                "PrefetchAttackTool", 75, "A program with the name of an attack tool was run", ["T1588.002"],
                ["Programs that share a name with one"], field: "executable", text: file.executable)
        } else if dualUse.contains(name) {
            add(
                "PrefetchDualUseTool", 45, "An administration tool that attackers bring along was run",
                ["T1588.002", "T1569.002"], ["Administrators' own use"], field: "executable", text: file.executable)
        }
        if let path = file.executablePath {
            let upper = path.uppercased()
            if writablePlaces.contains(where: { upper.contains($0) }) {
                add(
                    "PrefetchUserWritablePlace", 45, "A program was run from a place that any user may write to",
                    ["T1204.002", "T1036.005"], ["Installers that unpack themselves"], field: "path", text: path)
            }
        }
        return reasons
    }
}
