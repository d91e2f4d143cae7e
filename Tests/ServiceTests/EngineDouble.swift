import Pipeline
import Synchronization

@testable import ThunderstormService

/// An engine that finds `evil` without scanning, and holds scans of a lane until it is told to let them go.
final class EngineDouble: Engine {
    private struct Contents {
        var held: Set<Lane>
        var waiting: [(lane: Lane, go: CheckedContinuation<Void, Never>)] = []
        var running: [Lane: Int] = [:]
        var most: [Lane: Int] = [:]
        var submissions: [Submission] = []
    }

    let threads: Int
    private let remembers: Bool
    private let contents: Mutex<Contents>

    /// - Parameter remembers: Whether it keeps what it scanned, and with it the files of removed samples open.
    init(threads: Int = 2, holding: Set<Lane> = [], remembers: Bool = true) {
        self.threads = threads
        self.remembers = remembers
        contents = Mutex(Contents(held: holding))
    }

    /// What was scanned or is being scanned, if it remembers.
    var submissions: [Submission] { contents.withLock { $0.submissions } }

    /// Most scans of a lane at one time.
    func mostAtOnce(_ lane: Lane) -> Int { contents.withLock { $0.most[lane] ?? 0 } }

    /// Scans of a lane now.
    func running(_ lane: Lane) -> Int { contents.withLock { $0.running[lane] ?? 0 } }

    /// Lets the held scans of all lanes go, and all that come.
    func release() {
        let waiting = contents.withLock { contents in
            contents.held = []
            defer { contents.waiting = [] }
            return contents.waiting
        }
        for scan in waiting { scan.go.resume() }
    }

    func scan(_ submission: Submission, lane: Lane) async -> Report {
        contents.withLock { contents in
            if remembers { contents.submissions.append(submission) }
            contents.running[lane, default: 0] += 1
            contents.most[lane] = max(contents.most[lane] ?? 0, contents.running[lane] ?? 0)
        }
        defer { contents.withLock { $0.running[lane, default: 1] -= 1 } }
        await withCheckedContinuation { go in
            let isHeld = contents.withLock { contents in
                guard contents.held.contains(lane) else { return false }
                contents.waiting.append((lane, go))
                return true
            }
            if !isHeld { go.resume() }
        }
        return Self.report(on: submission)
    }

    private static func report(on submission: Submission) -> Report {
        if submission.bytes.span.firstOffset(of: Array("killer".utf8)) != nil {
            return Report(failure: "the engine ended each time", of: submission)
        }
        var report = Report()
        report.samples = 1
        report.bytes = submission.bytes.count
        guard submission.bytes.span.firstOffset(of: Array("evil".utf8)) != nil else { return report }
        let signature = Signature(
            kind: .yara, score: 85, ruleName: "Evil", description: "Finds evil", date: "2026-01-02", tags: ["TEST"])
        report.findings = [
            Finding(
                subject: .file(FileSubject(Sample(path: submission.path, bytes: submission.bytes))),
                module: "Filescan",
                reasons: [
                    Reason(summary: "YARA rule Evil / Finds evil", signature: signature, matched: [MatchedText("evil")])
                ],
                score: 85, level: .alert, context: [], issues: [])
        ]
        return report
    }
}

/// An event log that remembers.
final class EventLogDouble: EventLog {
    private struct Contents {
        var contexts: [EventContext] = []
        var messages: [String] = []
    }

    private let contents = Mutex(Contents())

    /// Contexts of logged reports.
    var contexts: [EventContext] { contents.withLock { $0.contexts } }

    /// Messages with their fields, as `text KEY=value`.
    var messages: [String] { contents.withLock { $0.messages } }

    func log(_ report: Report, context: EventContext) { contents.withLock { $0.contexts.append(context) } }

    func message(_ level: Level, module: String, _ text: String, fields: [(String, String)]) {
        let line = ([text] + fields.map { "\($0.0)=\($0.1)" }).joined(separator: " ")
        contents.withLock { $0.messages.append(line) }
    }
}

extension Submission {
    /// The content as it is now.
    var bytes: Bytes { content.available(at: 0, count: content.count) }
}
