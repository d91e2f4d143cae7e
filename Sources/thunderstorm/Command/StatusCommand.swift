import ArgumentParser
import Glibc
import Pipeline
import ThunderstormService

struct StatusCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how a running service is doing.",
        discussion: """
            thunderstorm status                                  one look
            thunderstorm status --watch                          every two seconds, until Ctrl-C
            thunderstorm status --url https://scan.example:8443 --token-file token
            Exit code: 0 ready for samples, 1 not ready, 2 no answer.
            """)

    @Option(name: .long, help: ArgumentHelp("The service (default: http://127.0.0.1:8080).", valueName: "url"))
    var url = "http://127.0.0.1:8080"

    @Option(name: .long, help: ArgumentHelp("File with an API token.", valueName: "file"))
    var tokenFile: String?

    @Flag(name: .long, help: "Look again and again.")
    var watch = false

    @Option(name: .long, help: ArgumentHelp("Seconds between two looks.", valueName: "n"))
    var interval = 2

    func run(_ registry: StageRegistry) async throws {
        guard interval >= 1 else { throw ConfigurationError("--interval is \(interval); it must be at least 1") }
        let client = try ServiceClient(url: url, token: try tokenFile.map(readToken))
        var before: MetricsReading?
        while true {
            let answer = try await client.send("GET", "/metrics")
            guard answer.status == 200 else {
                throw ConfigurationError(
                    "\(url)/metrics answered \(answer.status); with API tokens, name one with --token-file")
            }
            let now = MetricsReading(text: answer.body)
            let ready = try await client.send("GET", "/readyz")
            let lines = Self.lines(now, before, seconds: Double(interval), isReady: ready.status == 200)
            let isTerminal = isatty(STDOUT_FILENO) == 1
            standardOutput((watch && isTerminal ? "\u{1B}[H\u{1B}[J" : "") + lines.joined(separator: "\n") + "\n")
            guard watch else {
                if ready.status != 200 { throw ExitCode(1) }
                return
            }
            before = now
            try await Task.sleep(for: .seconds(interval))
        }
    }

    private static func lines(
        _ now: MetricsReading, _ before: MetricsReading?, seconds: Double, isReady: Bool
    ) -> [String] {
        let scanned = now.sum("submissions_total")
        let results = ["alert", "warning", "notice", "info", "clean", "failed"].map { name in
            "\(name) \(whole(now.sum("samples_total", "result", name)))"
        }
        var lines = [
            "state       \(isReady ? "ready" : "not ready")\(now.sum("draining") > 0 ? ", draining" : "")",
            "up          \(duration(now.sum("uptime_seconds"))), \(whole(now.sum("threads"))) threads, "
                + "\(megabytes(now.sum("resident_memory_bytes"))) MB",
            "scanned     \(whole(scanned)): \(results.joined(separator: ", "))",
            "queue       \(whole(now.sum("queue_samples"))) samples, \(megabytes(now.sum("queue_bytes"))) MB",
            "refused     \(whole(now.sum("uploads_refused_total"))) of \(whole(now.sum("uploads_total"))) uploads",
            "signatures  \(whole(now.sum("signatures"))), loaded \(duration(now.sum("signatures_age_seconds"))) ago, "
                + "\(whole(now.sum("signature_errors"))) left out",
        ]
        if let before {
            let rate = (scanned - before.sum("submissions_total")) / seconds
            let bytes = (now.sum("submitted_bytes_total") - before.sum("submitted_bytes_total")) / seconds
            lines.append("rate        \(tenths(rate)) samples/s, \(tenths(bytes / 1e6)) MB/s")
        }
        let total = max(now.sum("stage_seconds_total"), 1e-9)
        let shares = now.values(of: "stage", in: "stage_seconds_total")
            .map { (name: $0, share: now.sum("stage_seconds_total", "stage", $0) / total) }
            .filter { $0.share >= 0.01 }.sorted { $0.share > $1.share }
        if !shares.isEmpty {
            lines.append(
                "time        " + shares.map { "\($0.name) \(whole($0.share * 100)) %" }.joined(separator: ", "))
        }
        for target in now.values(of: "target", in: "target_up") {
            let state = now.sum("target_up", "target", target) > 0 ? "ok" : "does not take events"
            let waiting = whole(now.sum("target_waiting", "target", target))
            let dropped = whole(now.sum("target_dropped_total", "target", target))
            lines.append("target      \(oneLine(target)): \(state), \(waiting) waiting, \(dropped) dropped")
        }
        return lines
    }

    private static func whole(_ value: Double) -> String { "\(Int(value.rounded()))" }

    private static func megabytes(_ bytes: Double) -> String { whole(bytes / 1e6) }

    private static func tenths(_ value: Double) -> String {
        let number = Int((value * 10).rounded())
        return "\(number / 10).\(abs(number % 10))"
    }

    private static func duration(_ seconds: Double) -> String {
        let seconds = Int(seconds)
        if seconds < 120 { return "\(seconds) s" }
        if seconds < 7_200 { return "\(seconds / 60) min" }
        if seconds < 172_800 { return "\(seconds / 3_600) h" }
        return "\(seconds / 86_400) days"
    }
}

/// The token in a file: its first line.
func readToken(_ path: String) throws -> String {
    let text = try ByteStore().read(file: path).prefix(4_096).span.utf8Text
    guard let line = text.split(whereSeparator: \.isNewline).first, !line.isEmpty else {
        throw ConfigurationError("--token-file \(path) is empty; it must hold a token on its first line")
    }
    return String(line)
}
