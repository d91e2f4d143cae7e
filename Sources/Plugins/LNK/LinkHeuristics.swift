import Pipeline

// Links that are suspicious by themselves. Each heuristic: id, score, what it says, and a check that gives the field
// it is about with the text that is the reason.

enum LinkHeuristics {
    private struct Check: Sendable {
        var heuristic: Heuristic
        var find: @Sendable (borrowing Facts) -> (field: String, text: String)?

        init(
            id: String, score: Int, description: String, tags: [String], falsePositives: [String] = [],
            check: @escaping @Sendable (borrowing Facts) -> (field: String, text: String)?
        ) {
            heuristic = Heuristic(id, score: score, description, tags: tags, falsePositives: falsePositives)
            find = check
        }
    }

    // What the checks look at, in lower case once.
    struct Facts {
        var target: String
        var arguments: String
        var icon: String
        var rawArguments: String
        var appended: Int
    }

    private static let table: [Check] = [
        Check(
            id: "LinkHiddenArguments", score: 75,
            description: "The arguments of a link are pushed out of sight with white space", tags: ["T1027.012"],
            check: { facts in
                longestBlank(facts.rawArguments) >= 48 ? ("arguments", facts.rawArguments) : nil
            }),
        Check(
            id: "LinkLongArguments", score: 55,
            description: "A link has more arguments than the properties dialog shows", tags: ["T1204.002"],
            falsePositives: ["Links that installers of browsers and web applications make"],
            check: { facts in
                // The dialog shows 260 units.
                facts.rawArguments.utf16.count > 260 ? ("arguments", facts.rawArguments) : nil
            }),
        Check(
            id: "LinkRunsHiddenPowerShell", score: 70,
            description: "A link starts PowerShell hidden, encoded or with a download",
            tags: ["T1059.001", "T1204.002"],
            falsePositives: ["Administrators' own links"],
            check: { facts in
                guard holds(facts.target + " " + facts.arguments, ["powershell", "pwsh"]),
                    holds(
                        facts.arguments,
                        [
                            " -enc", " -e ", " -ec ", "-encodedcommand", "/enc", "frombase64string", "-w hidden",
                            "-windowstyle hidden", "-w 1 ", "-wi h", "downloadstring", "downloadfile",
                            "downloaddata",
                            "invoke-webrequest", "iex", "invoke-expression", " iwr ", " irm ", "net.webclient",
                            "start-bitstransfer", "mshta",
                        ]) || facts.arguments.hasPrefix("-e ") || facts.arguments.hasPrefix("-enc")
                else { return nil }
                return ("arguments", facts.rawArguments)
            }),
        Check(
            id: "LinkRunsScriptHost", score: 70,
            description: "A link starts a script or a download through a system program",
            tags: ["T1218", "T1204.002"], falsePositives: ["Links to administration scripts"],
            check: { facts in
                let both = facts.target + " " + facts.arguments
                let isScript = holds(
                    both,
                    [
                        "mshta http", "mshta.exe http", "mshta.exe\" http", "javascript:", "vbscript:", "/i:http",
                        "scrobj.dll", "certutil -urlcache", "certutil.exe -urlcache", "bitsadmin /transfer",
                        "bitsadmin.exe /transfer", "findstr /r", "findstr \"tv",
                    ])
                let isRemoteHTML = facts.target.hasSuffix("mshta.exe") && facts.arguments.contains("http")
                return isScript || isRemoteHTML ? ("command_line", both) : nil
            }),
        Check(
            id: "LinkRemoteTarget", score: 65, description: "A link starts a program from a WebDAV server",
            tags: ["T1204.002", "T1021.002"], falsePositives: ["Document libraries that are mapped with WebDAV"],
            check: { facts in
                holds(facts.target, ["\\davwwwroot", "@ssl", "@80\\", "@443\\", "@8080\\"])
                    && facts.target.hasPrefix("\\\\") ? ("target", facts.target) : nil
            }),
        Check(
            id: "LinkAddressTarget", score: 45,
            description: "A link points to a share of a machine that is named by its address", tags: ["T1021.002"],
            falsePositives: ["Networks without names"],
            check: { facts in isAddressShare(facts.target) ? ("target", facts.target) : nil }),
        Check(
            id: "LinkIconMismatch", score: 60,
            description: "A link to a command interpreter shows the icon of a document", tags: ["T1036.008"],
            check: { facts in
                let interpreters = [
                    "cmd.exe", "powershell.exe", "pwsh.exe", "mshta.exe", "wscript.exe", "cscript.exe", "rundll32.exe",
                    "regsvr32.exe", "%comspec%",
                ]
                let documents = [
                    ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".rtf", ".jpg", ".png", ".txt", ".zip",
                    "winword.exe", "excel.exe", "powerpnt.exe", "acrord32.exe", "acrobat.exe", "wordpad.exe",
                    "notepad.exe", "msedge.exe", "photoviewer.dll", "wordicon.exe", "xlicons.exe",
                ]
                return interpreters.contains { facts.target.hasSuffix($0) }
                    && documents.contains { facts.icon.hasSuffix($0) } ? ("icon_location", facts.icon) : nil
            }),
        Check(
            id: "LinkRemoteIcon", score: 50,
            description: "A link takes its icon from a server, which shows the user's credentials to it",
            tags: ["T1187"], falsePositives: ["Icons on a company share"],
            check: { facts in
                facts.icon.hasPrefix("\\\\") || facts.icon.hasPrefix("http") ? ("icon_location", facts.icon) : nil
            }),
        Check(
            id: "LinkAppendedData", score: 60, description: "A link has data behind its end", tags: ["T1027.012"],
            check: { facts in facts.appended > 1024 ? ("appended_bytes", String(facts.appended)) : nil }),
    ]

    /// Reasons against a link in a file of `count` bytes.
    static func reasons(_ link: ShellLink, fileSize count: Int, type: RecordType) -> [Reason] {
        let facts = Facts(
            target: (link.target ?? "").lowercased(), arguments: (link.arguments ?? "").lowercased(),
            icon: (link.iconLocation ?? link.extra.environmentIcon ?? "").lowercased(),
            rawArguments: link.arguments ?? "", appended: count - link.size)
        return table.compactMap { check in
            check.find(facts).map { check.heuristic.reason($0.text, at: type.pointer(to: $0.field)) }
        }
    }

    /// All of them, for the documentation.
    static let all = table.map(\.heuristic)

    private static func holds(_ text: String, _ parts: [String]) -> Bool { parts.contains { text.contains(utf8: $0) } }

    private static func longestBlank(_ text: String) -> Int {
        var longest = 0
        var run = 0
        for scalar in text.unicodeScalars {
            run = scalar.properties.isWhitespace || scalar.value < 0x20 ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }

    // `\\10.0.0.1\share`
    private static func isAddressShare(_ target: String) -> Bool {
        guard target.hasPrefix("\\\\") else { return false }
        let host = target.dropFirst(2).prefix { $0 != "\\" && $0 != "@" }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil } && host != "127.0.0.1"
    }
}
