import Pipeline

/// What an event carries besides its finding.
public struct EventContext: Sendable, Equatable {
    /// When it was found.
    public var time: Timestamp
    /// Source of the sample, or this host for messages about the service.
    public var hostname: String
    /// Scan id of the run, with the sample's number.
    public var scanID: String

    /// A context with its parts.
    public init(time: Timestamp, hostname: String, scanID: String) {
        self.time = time
        self.hostname = hostname
        self.scanID = scanID
    }

    /// The context of one finding: its host is the one that a triage collection was taken from, where that is known.
    func at(_ origin: TriageOrigin?) -> EventContext {
        guard let host = origin?.host else { return self }
        return EventContext(time: time, hostname: host, scanID: scanID)
    }
}

/// Where findings and messages go.
public protocol EventLog: Sendable {
    /// Logs the findings of a report at or above the log's minimum level.
    func log(_ report: Report, context: EventContext)

    /// Logs a message about the service itself.
    func message(_ level: Level, module: String, _ text: String, fields: [(String, String)])
}

/// One line of an event: words that all encoders share.
enum EventWords {
    static let logVersion = "v3.0.0"

    /// The message of a finding, as jsonlog v3 words it.
    static func message(of finding: Finding) -> String {
        let object =
            switch finding.subject {
            case .file: "file"
            case .record(let record): record.type.name
            case .chunk: "file chunk"
            }
        if finding.reasons.isEmpty { return "Not fully scanned \(object)" }
        return finding.level == .alert ? "Malicious \(object) found" : "Suspicious \(object) found"
    }

    /// The level an event has: findings without reasons say what was not looked at.
    static func level(of finding: Finding) -> Level { finding.reasons.isEmpty ? .warning : finding.level }

    /// Findings that an answer or log shows: at or above the level, and all that say what was not looked at.
    static func shown(_ report: Report, minimumLevel: Level) -> [Finding] {
        var findings: [Finding] = []
        forEachShown(report, minimumLevel: minimumLevel) { findings.append($0) }
        return findings
    }

    /// Calls `body` for each of them.
    static func forEachShown(_ report: Report, minimumLevel: Level, _ body: (Finding) -> Void) {
        for finding in report.findings {
            if !finding.reasons.isEmpty, finding.level >= minimumLevel {
                body(finding)
            } else if !finding.issues.isEmpty {
                var message = finding
                message.reasons = []
                message.score = 0
                body(message)
            }
        }
    }
}
