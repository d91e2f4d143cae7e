import ArgumentParser
import Pipeline
import ThunderstormService

struct ReportCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes one HTML file of JSON logs, from any number of machines.",
        discussion: """
            thunderstorm report remote-logs/*.jsonl -o report.html
            thunderstorm report /var/log/thunderstorm/thunderstorm.jsonl --since 2026-11-25T00:00:00Z -o day.html
            The file needs nothing else and asks no other host for anything.
            """)

    @Argument(help: ArgumentHelp("Logs in JSON lines v3 (--json-logfile).", valueName: "file"))
    var files: [String]

    @Option(name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("The report.", valueName: "file"))
    var output: String

    @Option(name: .long, help: ArgumentHelp("Title of the page.", valueName: "text"))
    var title = "Thunderstorm report"

    @Option(name: .long, help: ArgumentHelp("Earliest event, as in 2026-01-02T00:00:00Z.", valueName: "time"))
    var since = ""

    @Option(name: .long, help: ArgumentHelp("Only events before this time.", valueName: "time"))
    var until = ""

    func run(_ registry: StageRegistry) async throws {
        let report = try HTMLReport(path: output)
        var lines = EventLines()
        lines.since = since
        lines.until = until
        let byteStore = ByteStore()
        for file in files {
            let others = lines.forEach(in: try byteStore.read(file: file)) { report.append($0) }
            if others > 0 { standardError("\(oneLine(file)): \(others) lines are no events and were left out\n") }
        }
        var heading = HTMLReport.Heading(title: title, time: currentTime())
        heading.facts = [("logs", "\(files.count)")]
        if !since.isEmpty { heading.facts.append(("since", since)) }
        if !until.isEmpty { heading.facts.append(("until", until)) }
        let leftOut = try report.finish(heading)
        if leftOut > 0 {
            standardError(
                "\(leftOut) events did not fit: a report holds \(HTMLReport.eventLimit); narrow it with --since\n")
        }
    }
}
