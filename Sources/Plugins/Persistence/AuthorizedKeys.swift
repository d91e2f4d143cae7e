import CommandLines
public import Pipeline

// Keys that may log in over SSH: `[OPTIONS] TYPE KEY [COMMENT]`, a key a line (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
// Emits each as one record `authorized_keys entry`: key_type, key, comment, line, options (list).

/// A line of an authorized_keys file.
struct AuthorizedKey: Equatable {
    /// Options before the key, as they are written.
    var options: [String] = []
    var type: String
    var key: String
    var comment: String

    private static let types = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"]

    /// Reads a line; nil when there is no key in it.
    init?(_ line: String) {
        var fields = Self.fields(line)
        guard let first = fields.first else { return nil }
        if !Self.isType(first) {
            options = Self.options(first)
            fields.removeFirst()
        }
        guard fields.count >= 2, Self.isType(fields[0]) else { return nil }
        type = fields[0]
        key = fields[1]
        comment = fields.dropFirst(2).joined(separator: " ")
    }

    /// The value of an option, without quotes; nil when it is not there.
    func value(of option: String) -> String? {
        for text in options where text.lowercased().hasPrefix(option + "=") {
            return String(text.dropFirst(option.count + 1)).replacing("\\\"", with: "\u{1}").replacing("\"", with: "")
                .replacing("\u{1}", with: "\"")
        }
        return nil
    }

    private static func isType(_ word: String) -> Bool {
        types.contains { word.hasPrefix($0) } && !word.contains("=") && !word.contains(",")
    }

    // Blanks and commas inside quotes separate nothing; a quote behind a backslash is none.
    private static func split(_ text: String, at separators: [UInt8]) -> [String] {
        var parts: [[UInt8]] = [[]]
        var isQuoted = false
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == 0x22, previous != 0x5C { isQuoted.toggle() }
            if !isQuoted, separators.contains(byte) { parts.append([]) } else { parts[parts.count - 1].append(byte) }
            previous = byte
        }
        return parts.filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func fields(_ line: String) -> [String] { split(line, at: [0x20, 0x09]) }

    private static func options(_ text: String) -> [String] { split(text, at: [0x2C]) }
}

/// Reads authorized_keys files.
public struct AuthorizedKeysStage: Stage {
    static let shell = Heuristic(
        "AuthorizedKeyShellCommand", score: 80,
        "A key that may log in runs a command that opens a shell or fetches a program",
        tags: ["T1098.004", "T1059.004"])
    static let temporary = Heuristic(
        "AuthorizedKeyTemporaryFolder", score: 70,
        "A key that may log in runs a command from a folder that every user can write to", tags: ["T1098.004"])
    static let forced = Heuristic(
        "AuthorizedKeyForcedCommand", score: 35, "A key that may log in runs a command of its own",
        tags: ["T1098.004"], falsePositives: ["Backups", "Version control over SSH"])
    static let environment = Heuristic(
        "AuthorizedKeyPreload", score: 75, "A key that may log in loads a library into its session",
        tags: ["T1098.004", "T1574.006"])
    static let attacker = Heuristic(
        "AuthorizedKeyAttackHost", score: 65, "A key that may log in was made on a system for attacks",
        tags: ["T1098.004"], falsePositives: ["Penetration tests", "Security staff's own keys"])

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "authorized-keys", summary: "Reads authorized_keys files: keys that may log in, with their options.",
        interest: .samples, module: "AuthorizedKeys", dependsOnNames: true,
        heuristics: [shell, temporary, forced, environment, attacker],
        references: ["https://man7.org/linux/man-pages/man8/sshd.8.html"],
        limitations: [
            "Only files named authorized_keys or authorized_keys2 are read, those in such a folder, and what a selector rule names."
        ])

    /// Type of the records.
    public static let recordType = RecordType("authorized_keys entry", module: "AuthorizedKeys", lists: ["options"])

    // Given by selector rules only.
    private static let kind = FileKind("Authorized Keys")

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one file.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        // `/etc/ssh/authorized_keys/USER` too.
        guard
            sample.kind == Self.kind
                || sample.lowerPathParts.suffix(2).contains(where: { $0.hasPrefix("authorized_keys") })
        else { return }
        try ConfigurationLines.each(of: sample, &out) { line, out throws(StageError) in
            guard let key = AuthorizedKey(line.text) else { return }
            try out.emit(Self.recordType, offset: line.offset) { builder in
                builder.field("key_type", key.type)
                builder.field("key", key.key)
                builder.field("comment", key.comment)
                builder.field("line", line.text)
                for option in key.options { builder.field("options", option) }
                Self.judge(key, &builder)
            }
        }
    }

    private static func judge(_ key: AuthorizedKey, _ builder: inout RecordBuilder) {
        let pointer = recordType.pointer(to: "options")
        if let command = key.value(of: "command") {
            let lower = command.lowercased()
            if SuspiciousCommand.isReverseShell(lower) || SuspiciousCommand.isDownloadIntoShell(lower)
                || SuspiciousCommand.isDecodedIntoShell(lower)
            {
                builder.report(shell.reason(command, at: pointer))
            } else if SuspiciousCommand.runsFromTemporaryFolder(lower) {
                builder.report(temporary.reason(command, at: pointer))
            } else {
                builder.report(forced.reason(command, at: pointer))
            }
        }
        if let variable = key.value(of: "environment"), variable.hasPrefix("LD_") {
            builder.report(environment.reason(variable, at: pointer))
        }
        let comment = key.comment.lowercased()
        if ["@kali", "kali@", "@parrot", "@blackarch", "@pentoo"].contains(where: { comment.contains($0) }) {
            builder.report(attacker.reason(key.comment, at: recordType.pointer(to: "comment")))
        }
    }
}
