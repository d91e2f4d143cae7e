import ArgumentParser
import Glibc
import Pipeline
import Synchronization
import ThunderstormService

struct RemoteCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "remote",
        abstract: "Scans many machines over ssh and gathers logs and reports.",
        discussion: """
            make dist
            thunderstorm remote -t targets.yml --archive dist/thunderstorm-0.1.0-linux-x86_64.tar.gz
            thunderstorm report remote-logs/*/*.jsonl -o report.html

            targets.yml:
              user: root
              hosts:
                - web1.example
                - {host: 10.1.2.3, port: 2222, user: admin, sudo: true, paths: [/var/www, /tmp]}

            Each machine gets the distribution into a RAM drive, scans, sends back what it found, and keeps nothing, \
            also when the connection breaks. ssh must log in without a question (keys, agent).
            Exit code: 0 clean, 1 findings on some machine, 2 some machine failed.
            """)

    @Option(name: [.customShort("t"), .customLong("targets")], help: ArgumentHelp("The machines.", valueName: "file"))
    var targets: String

    @Option(name: .long, help: ArgumentHelp("Distribution made by `make dist`.", valueName: "file"))
    var archive: String

    @Option(name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("Folder for logs.", valueName: "dir"))
    var output = "remote-logs"

    @Option(name: .long, help: ArgumentHelp("Machines at one time.", valueName: "n"))
    var parallel = 10

    @Option(name: .long, help: ArgumentHelp("Seconds over which the starts are spread.", valueName: "n"))
    var stagger = 0

    @Option(name: .long, help: ArgumentHelp("Niceness of the scans, 0 to 19.", valueName: "n"))
    var nice = 10

    @Option(name: .long, help: ArgumentHelp("Most processor time in percent of one processor.", valueName: "n"))
    var cpuLimit: Int?

    @Option(name: .long, help: ArgumentHelp("Size of the RAM drive on each machine.", valueName: "size"))
    var drive = "1G"

    @Option(name: .long, help: ArgumentHelp("Longest time of one machine in minutes.", valueName: "n"))
    var timeout = 360

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("One more word for ssh, as in --ssh-option=-i --ssh-option=key.", valueName: "word"))
    var sshOption: [String] = []

    func run(_ registry: StageRegistry) async throws {
        guard (0...19).contains(nice) else { throw ConfigurationError("--nice is \(nice); it must be 0 to 19") }
        guard parallel >= 1, stagger >= 0, timeout >= 1 else {
            throw ConfigurationError("--parallel and --timeout must be at least 1, --stagger at least 0")
        }
        if let cpuLimit, !(1...10_000).contains(cpuLimit) {
            throw ConfigurationError("--cpu-limit is \(cpuLimit); it must be 1 to 10000 percent")
        }
        guard byteCount(drive) != nil, drive.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isLetter) }) else {
            throw ConfigurationError("--drive is '\(drive)'; write a size such as 1G")
        }
        let hosts = try RemoteHosts(file: targets).hosts
        var options = RemoteRun.Options(archive: archive)
        options.output = output
        options.parallel = parallel
        options.stagger = stagger
        options.timeout = timeout * 60
        options.limits.nice = nice
        options.limits.cpuPercent = cpuLimit
        options.limits.drive = drive
        options.ssh += sshOption
        let view = RemoteView(hosts.map(\.name))
        let run = try RemoteRun(hosts: hosts, options: options) { index, state in view.show(index, state) }
        await run.run()
        let states = run.snapshot
        let failed = states.count { if case .failed = $0 { true } else { false } }
        let found = states.count { $0 == .done(found: true) }
        standardError("\(states.count) machines: \(found) with findings, \(failed) failed; logs in \(output)\n")
        if failed > 0 { throw ExitCode(2) }
        if found > 0 { throw ExitCode(1) }
    }
}

/// What is going on: a table that is drawn anew on a terminal, else a line for each change.
private final class RemoteView: Sendable {
    private let names: [String]
    private let states: Mutex<[String]>
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(_ names: [String]) {
        self.names = names
        states = Mutex(Array(repeating: "waiting", count: names.count))
        if isTerminal { standardError(String(repeating: "\n", count: names.count)) }
    }

    func show(_ index: Int, _ state: RemoteRun.State) {
        let text =
            switch state {
            case .waiting: "waiting"
            case .running(let step): step
            case .done(let found): found ? "done, with findings" : "done, clean"
            case .failed(let reason): "failed: " + reason
            }
        states.withLock { states in
            states[index] = oneLine(text)
            guard isTerminal else { return standardError("\(oneLine(names[index])): \(states[index])\n") }
            let width = names.map(\.count).max() ?? 0
            let rows = zip(names, states).map { name, state in
                "\r\u{1B}[K" + name + String(repeating: " ", count: width - name.count + 2) + state.prefix(100)
            }
            standardError("\u{1B}[\(names.count)A" + rows.joined(separator: "\n") + "\n")
        }
    }
}
