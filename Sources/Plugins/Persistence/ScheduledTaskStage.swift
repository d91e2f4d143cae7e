import CommandLines
public import Pipeline

// Emits each task as one record `scheduled task`: name, path, commands (list), com_handlers (list), enabled, triggers
// (list), user, logon_type, run_level, privileges (list); then author, description, date, hidden, working_directory
// (list). The XML knows neither the last nor the next run.

/// Reads scheduled tasks in XML.
public struct ScheduledTaskStage: Stage {
    static let encoded = Heuristic(
        "TaskEncodedPowerShell", score: 80, "A scheduled task starts PowerShell with an encoded or hidden command",
        tags: ["T1053.005", "T1059.001"], falsePositives: ["Scripts of management software"])
    static let scriptHost = Heuristic(
        "TaskScriptHost", score: 75, "A scheduled task starts a script host or proxy program with code or an address",
        tags: ["T1053.005", "T1218"])
    static let writablePlace = Heuristic(
        "TaskUserWritablePlace", score: 65, "A scheduled task runs from a folder that every user can write to",
        tags: ["T1053.005", "T1036.005"], falsePositives: ["Installers that go on after a restart"])
    static let attackTool = Heuristic(
        "TaskAttackTool", score: 75, "A scheduled task runs a program with the name of an attack tool",
        tags: ["T1053.005", "T1588.002"], falsePositives: ["Penetration tests"])
    static let hidden = Heuristic(
        "TaskHiddenShell", score: 55, "A hidden scheduled task runs a command interpreter",
        tags: ["T1053.005", "T1564"],
        falsePositives: ["Maintenance tasks of software"])

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "scheduled-task", summary: "Reads scheduled tasks in XML: commands, triggers, and whom they run as.",
        interest: .kinds("Windows Task XML"), module: "ScheduledTasks",
        heuristics: [encoded, scriptHost, writablePlace, attackTool, hidden],
        references: ["https://learn.microsoft.com/openspecs/windows_protocols/ms-tsch (MS-TSCH, section 2.5)"],
        limitations: [
            "Mails and messages, actions of the past, are not shown.",
            "A document that declares entities is not read.",
            "Of a document larger than 16 MiB, or with more than 100000 elements, the rest is not read.",
        ])

    /// Type of the records.
    public static let recordType = RecordType(
        "scheduled task", module: "ScheduledTasks", booleans: ["enabled", "hidden"],
        lists: ["commands", "com_handlers", "triggers", "privileges", "working_directory"])

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads the tasks of one document.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        let tree = try XMLTree(sample, &out)
        let tasks = ScheduledTask.all(in: tree.root)
        if tasks.isEmpty { throw StageError(.damaged, "the document's outermost element is no Task") }
        for task in tasks {
            try out.emit(Self.recordType, offset: 0) { builder throws(StageError) in
                let path = task.path ?? sample.path
                builder.field("name", SuspiciousCommand.fileName(path))
                builder.field("path", path)
                for command in task.commands { builder.field("commands", command) }
                for handler in task.handlers { builder.field("com_handlers", handler) }
                builder.field("enabled", task.isEnabled == false ? "false" : "true")
                for trigger in task.triggers { builder.field("triggers", trigger) }
                builder.field("user", task.user)
                builder.field("logon_type", task.logonType)
                builder.field("run_level", task.runLevel)
                for privilege in task.privileges { builder.field("privileges", privilege) }
                builder.field("author", task.author)
                builder.field("description", task.description)
                builder.field("date", task.date)
                builder.field("hidden", task.isHidden.map { $0 ? "true" : "false" })
                for directory in task.workingDirectories { builder.field("working_directory", directory) }
                for command in task.commands {
                    Self.judge(command, field: "commands", Self.recordType, &builder)
                    if task.isHidden == true, SuspiciousCommand.isShell(command.lowercased()) {
                        builder.report(Self.hidden.reason(command, at: Self.recordType.pointer(to: "commands")))
                    }
                }
            }
        }
    }

    /// Checks a command that a task or job runs.
    static func judge(_ command: String, field: String, _ type: RecordType, _ builder: inout RecordBuilder) {
        let lower = command.lowercased()
        let pointer = type.pointer(to: field)
        if SuspiciousCommand.isEncodedPowerShell(lower) {
            builder.report(encoded.reason(command, at: pointer))
        } else if SuspiciousCommand.isScriptHost(lower) {
            builder.report(scriptHost.reason(command, at: pointer))
        }
        if SuspiciousCommand.isInUserWritablePlace(lower) { builder.report(writablePlace.reason(command, at: pointer)) }
        if SuspiciousCommand.isAttackTool(SuspiciousCommand.fileName(CommandLineParts(lower).image)) {
            builder.report(attackTool.reason(command, at: pointer))
        }
    }
}

extension XMLTree {
    // The document of a sample; where it breaks is said.
    init(_ sample: Sample, _ out: inout Output) throws(StageError) {
        do throws(ParseError) {
            self = try XMLTree(sample.bytes.span)
        } catch {
            throw StageError(error)
        }
        if let problem { out.note(problem.code == .limit ? .limit : .damaged, problem.message) }
    }
}
