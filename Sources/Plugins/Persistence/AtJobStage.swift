public import Pipeline

// Emits each `.job` file as one record `at job`: command, then working_directory, author, comment, status, last_run
// (local time of the machine), exit_code, triggers (list), uuid.

/// Reads `.job` files of the old task scheduler.
public struct AtJobStage: Stage {
    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "at-job", summary: "Reads .job files of the task scheduler before Windows Vista.",
        interest: .kinds("Windows At Job"), module: "AtJobs",
        heuristics: [
            ScheduledTaskStage.encoded, ScheduledTaskStage.scriptHost, ScheduledTaskStage.writablePlace,
            ScheduledTaskStage.attackTool,
        ],
        references: ["https://learn.microsoft.com/openspecs/windows_protocols/ms-tsch (MS-TSCH, section 2.4)"],
        limitations: ["The signature of a job is not verified.", "User data and reserved data are not shown."])

    /// Type of the records.
    public static let recordType = RecordType("at job", module: "AtJobs", lists: ["triggers"])

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one job.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        let job: AtJob
        do throws(ParseError) {
            job = try AtJob(sample.bytes.span)
        } catch {
            throw StageError(error)
        }
        if let problem = job.problem { out.note(.damaged, problem.message, offset: problem.offset) }
        try out.emit(Self.recordType, offset: 0) { builder in
            builder.field("command", job.command)
            if !job.workingDirectory.isEmpty { builder.field("working_directory", job.workingDirectory) }
            if !job.author.isEmpty { builder.field("author", job.author) }
            if !job.comment.isEmpty { builder.field("comment", job.comment) }
            builder.field("status", job.statusName)
            builder.field("last_run", job.lastRun)
            builder.field("exit_code", "0x" + String(job.exitCode, radix: 16))
            for trigger in job.triggers { builder.field("triggers", trigger) }
            builder.field("uuid", job.uuid)
            ScheduledTaskStage.judge(job.command, field: "command", Self.recordType, &builder)
        }
    }
}
