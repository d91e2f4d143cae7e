// What makes a command suspicious wherever it is stored: the vocabulary that the heuristics of hives, tasks, crontabs
// and error reports share. Everything here expects text in lower case.

import Pipeline

/// Questions about a command line or path in lower case.
public enum SuspiciousCommand {
    // MARK: Windows

    /// Whether PowerShell is started with an encoded or hidden command, or with a download.
    public static func isEncodedPowerShell(_ command: String) -> Bool {
        guard command.contains(utf8: "powershell") || command.contains(utf8: "pwsh") else { return false }
        return powerShellSigns.contains { command.contains(utf8: $0) }
    }

    private static let powerShellSigns = [
        " -enc ", " -e ", " -ec ", " -en ", "-encod", " /enc", " /e ", "frombase64string", "-w hidden",
        "-windowstyle h", "-w h", "-w 1 ", "downloadstring", "downloadfile", "net.webclient", "invoke-webrequest",
        "iex ", "iex(", "invoke-expression",
    ]

    /// Whether a script host or another proxy program is started with code or an address.
    public static func isScriptHost(_ command: String) -> Bool {
        let hosts = ["mshta", "regsvr32", "rundll32", "wscript", "cscript", "certutil", "bitsadmin", "msbuild"]
        guard hosts.contains(where: { command.contains(utf8: $0) }) else { return false }
        return ["http:", "https:", "javascript:", "vbscript:", "scrobj.dll", "\\\\"].contains {
            command.contains(utf8: $0)
        }
    }

    /// Whether the program itself is a command interpreter of Windows.
    public static func isShell(_ command: String) -> Bool {
        let image = CommandLineParts(command).image
        return ["cmd.exe", "cmd", "%comspec%", "powershell.exe", "powershell", "pwsh.exe"].contains(fileName(image))
    }

    /// Whether a command or path of Windows leads to a folder that every user can write to.
    public static func isInUserWritablePlace(_ command: String) -> Bool {
        writablePlaces.contains { command.contains(utf8: $0) }
    }

    private static let writablePlaces = [
        "\\users\\public\\", "\\windows\\temp\\", "\\appdata\\local\\temp\\", "\\perflogs\\", "\\$recycle.bin\\",
        "\\windows\\tasks\\", "\\windows\\tracing\\", "\\windows\\debug\\", "%temp%\\", "%tmp%\\", "%public%\\",
        "\\temp\\", "\\local settings\\temp\\", "\\windows\\fonts\\", "\\intel\\logs\\", "\\programdata\\temp\\",
    ]

    /// Whether a file has the name of a tool that has no other use than an attack, or hardly one.
    ///
    /// Some names are compared as a whole, less the extension, others are looked for inside.
    public static func isAttackTool(_ file: String) -> Bool {
        // Dots in front are no extension.
        let name = file.utf8.drop { $0 == 0x2E }.prefix { $0 != 0x2E }
        return attackTools.contains(String(Substring(name))) || attackToolParts.contains { file.contains(utf8: $0) }
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

    /// The name at the end of a path, whatever separates its parts.
    public static func fileName(_ path: String) -> String {
        let start = path.utf8.lastIndex { $0 == 0x5C || $0 == 0x2F }
        return String(path[(start.map { path.utf8.index(after: $0) } ?? path.startIndex)...])
    }

    // MARK: Unix

    /// Whether something is fetched and handed to an interpreter.
    public static func isDownloadIntoShell(_ command: String) -> Bool {
        guard ["curl ", "wget ", "fetch ", "lwp-download"].contains(where: { command.contains(utf8: $0) }) else {
            return false
        }
        return isPipedIntoShell(command) || executions.contains { command.contains(utf8: $0) }
    }

    /// Whether Base64 or hexadecimal is decoded and handed to an interpreter.
    public static func isDecodedIntoShell(_ command: String) -> Bool {
        ["base64 -d", "base64 --d", "xxd -r", "openssl enc", "b64decode", "decode_base64"]
            .contains { command.contains(utf8: $0) } && (isPipedIntoShell(command) || command.contains(utf8: "exec("))
    }

    /// Whether a shell is opened to the network.
    public static func isReverseShell(_ command: String) -> Bool {
        let signs = [
            "/dev/tcp/", "/dev/udp/", "nc.traditional -e", "ncat -e", "socket.socket", "use socket", "fsockopen(",
        ]
        return signs.contains { command.contains(utf8: $0) }
            // Not the end of another name, as in `rsync -e ssh`.
            || (" " + command).contains(/[\s\/;&|(]nc -e/)
            || command.contains(utf8: "socat ") && command.contains(utf8: "exec:")
            || command.contains(utf8: "mkfifo")
                && (command.contains(utf8: "nc ") || command.contains(utf8: "openssl s_client"))
    }

    /// Whether a command of Unix runs something from a folder that every user can write to.
    public static func runsFromTemporaryFolder(_ command: String) -> Bool {
        command.split(whereSeparator: { " ;|&()`\"'=".contains($0) }).contains { word in
            temporaryFolders.contains { word.hasPrefix($0) && word.utf8.count > $0.utf8.count }
        }
    }

    private static let temporaryFolders = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/", "/dev/mqueue/"]

    private static let executions = [
        "chmod +x", "chmod 7", "chmod a+x", "$(curl", "$(wget", "`curl", "`wget", "<(curl",
    ]

    private static func isPipedIntoShell(_ command: String) -> Bool {
        let stages = command.split(separator: "|", omittingEmptySubsequences: true).dropFirst()
        return stages.contains { stage in
            let words = stage.split(separator: " ").filter { $0 != "sudo" && $0 != "exec" }
            guard let first = words.first else { return false }
            return ["sh", "bash", "zsh", "ksh", "dash", "ash", "python", "python3", "python2", "perl", "php", "ruby"]
                .contains(fileName(String(first)))
        }
    }
}
