import CommandLines
public import Pipeline

// Crontabs: `MINUTE HOUR DAY MONTH WEEKDAY COMMAND`, or `@daily COMMAND`; in `/etc/crontab` and `/etc/cron.d` a user
// stands before the command. Lines `NAME = VALUE` set the environment of what follows (crontab(5) of Vixie cron and
// cronie). Emits records `cron job` (user, schedule, command) and `environment variable` (variable, value).

/// A line of a crontab.
enum CrontabLine: Equatable {
    case job(user: String?, schedule: String, command: String)
    case variable(name: String, value: String)

    /// Reads a line; nil when it is none of both.
    init?(_ line: String, hasUser: Bool) {
        if let variable = Self.variable(line) {
            self = variable
            return
        }
        var rest = line[...]
        guard let first = Self.word(&rest) else { return nil }
        var schedule = first
        if first.hasPrefix("@") {
            // FreeBSD has `@3600`, everybody else names only.
            guard first.utf8.count > 1 else { return nil }
        } else {
            guard Self.isTime(first) else { return nil }
            for _ in 0..<4 {
                guard let next = Self.word(&rest), Self.isTime(next) else { return nil }
                schedule += " " + next
            }
        }
        let user = hasUser ? Self.word(&rest) : nil
        if hasUser, user == nil { return nil }
        let command = trimmed(rest)
        guard !command.isEmpty else { return nil }
        self = .job(user: user, schedule: schedule, command: command)
    }

    private static func word(_ rest: inout Substring) -> String? {
        let start = rest.drop { $0 == " " || $0 == "\t" }
        let word = start.prefix { $0 != " " && $0 != "\t" }
        rest = start[word.endIndex...]
        return word.isEmpty ? nil : String(word)
    }

    // Numbers, lists, ranges, steps, and names of months and days.
    private static func isTime(_ word: String) -> Bool {
        guard let first = word.utf8.first, word.utf8.count <= 200 else { return false }
        guard first == 0x2A || (0x30...0x39).contains(first) || first == 0x7E || isName(word) else { return false }
        return word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                || [0x2A, 0x2C, 0x2D, 0x2F, 0x7E, 0x3F, 0x23].contains(byte)
        }
    }

    private static let names: Set<String> = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        "sun", "mon", "tue", "wed", "thu", "fri", "sat",
    ]

    private static func isName(_ word: String) -> Bool { names.contains(String(word.prefix(3)).lowercased()) }

    private static func variable(_ line: String) -> CrontabLine? {
        guard let sign = line.firstIndex(of: "=") else { return nil }
        let name = unquoted(trimmed(line[..<sign]))
        guard let first = name.utf8.first, !(0x30...0x39).contains(first),
            name.utf8.allSatisfy({ $0 == 0x5F || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) })
        else { return nil }
        return .variable(name: name, value: unquoted(trimmed(line[line.index(after: sign)...])))
    }

    private static func unquoted(_ text: String) -> String {
        for quote in ["\"", "'"] where text.utf8.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
            return String(text.dropFirst().dropLast())
        }
        return text
    }
}

/// Reads crontabs.
public struct CronStage: Stage {
    static let download = Heuristic(
        "CronDownloadIntoShell", score: 80, "A cron job fetches something and runs it", tags: ["T1053.003", "T1105"],
        falsePositives: ["Installers of software that update themselves"])
    static let reverseShell = Heuristic(
        "CronReverseShell", score: 85, "A cron job opens a shell to the network", tags: ["T1053.003", "T1059.004"])
    static let decoded = Heuristic(
        "CronDecodedCommand", score: 75, "A cron job decodes a text and runs it", tags: ["T1053.003", "T1140"])
    static let temporary = Heuristic(
        "CronTemporaryFolder", score: 65, "A cron job runs something from a folder that every user can write to",
        tags: ["T1053.003", "T1036.005"], falsePositives: ["Scripts that administrators test"])
    static let preload = Heuristic(
        "CronPreload", score: 65, "A crontab loads a library into everything that it runs", tags: ["T1574.006"],
        falsePositives: ["Memory allocators that are set for all jobs"])
    static let pathInTemporary = Heuristic(
        "CronPathTemporaryFolder", score: 60,
        "A crontab looks for programs in a folder that every user can write to", tags: ["T1574.007"])

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "cron", summary: "Reads crontabs: jobs with user and schedule, and the variables that are set for them.",
        interest: .samples, module: "Cron", dependsOnNames: true,
        heuristics: [download, reverseShell, decoded, temporary, preload, pathInTemporary],
        references: ["https://man7.org/linux/man-pages/man5/crontab.5.html"],
        limitations: [
            "A crontab is known by its path (crontab, cron.d, crontabs, var/spool/cron) or by a selector rule.",
            "Scripts of cron.daily and its sisters are scanned as files only.",
        ])

    /// Type of the jobs.
    public static let recordType = RecordType("cron job", module: "Cron")
    /// Type of the variables.
    public static let variableType = RecordType("environment variable", module: "Cron")

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one crontab.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        guard let form = CrontabForm(sample) else { return }
        try ConfigurationLines.each(of: sample, &out) { line, out throws(StageError) in
            switch CrontabLine(line.text, hasUser: form.hasUser) {
            case .job(let user, let schedule, let command):
                try out.emit(Self.recordType, offset: line.offset) { builder in
                    builder.field("user", user ?? form.user)
                    builder.field("schedule", schedule)
                    builder.field("command", command)
                    Self.judge(command, &builder)
                }
            case .variable(let name, let value):
                try out.emit(Self.variableType, offset: line.offset) { builder in
                    builder.field("variable", name)
                    builder.field("value", value)
                    Self.judge(name, value, &builder)
                }
            case nil: break
            }
        }
    }

    private static func judge(_ command: String, _ builder: inout RecordBuilder) {
        let lower = command.lowercased()
        let pointer = recordType.pointer(to: "command")
        if SuspiciousCommand.isReverseShell(lower) { builder.report(reverseShell.reason(command, at: pointer)) }
        if SuspiciousCommand.isDownloadIntoShell(lower) { builder.report(download.reason(command, at: pointer)) }
        if SuspiciousCommand.isDecodedIntoShell(lower) { builder.report(decoded.reason(command, at: pointer)) }
        if SuspiciousCommand.runsFromTemporaryFolder(lower) { builder.report(temporary.reason(command, at: pointer)) }
    }

    private static func judge(_ name: String, _ value: String, _ builder: inout RecordBuilder) {
        let pointer = variableType.pointer(to: "value")
        if name == "LD_PRELOAD" || name == "DYLD_INSERT_LIBRARIES" {
            builder.report(preload.reason(value, at: pointer))
        }
        if name == "PATH",
            value.split(separator: ":").contains(where: { ["/tmp", "/var/tmp", "/dev/shm"].contains($0) })
        {
            builder.report(pathInTemporary.reason(value, at: pointer))
        }
    }
}

/// Whether a crontab is the system's, with a user on each line, or a user's own, named after its owner.
private struct CrontabForm {
    var hasUser: Bool
    var user: String?

    private static let systemKind = FileKind("System Crontab")
    private static let userKind = FileKind("User Crontab")

    init?(_ sample: Sample) {
        let parts = sample.lowerPathParts
        guard let name = parts.last else { return nil }
        let folders = parts.dropLast()
        // A selector rule may say what no name does.
        if sample.kind == Self.systemKind {
            hasUser = true
        } else if sample.kind == Self.userKind {
            hasUser = false
            user = sample.name
        } else if name == "crontab" || folders.last == "cron.d" {
            hasUser = true
        } else if folders.last == "crontabs" || folders.suffix(2) == ["spool", "cron"] || folders.last == "tabs" {
            hasUser = false
            user = sample.name
        } else if name.hasPrefix("crontab") || name.hasSuffix(".crontab") || name.hasSuffix(".cron") {
            // `crontab -l > crontab.txt`
            hasUser = false
        } else {
            return nil
        }
    }
}
