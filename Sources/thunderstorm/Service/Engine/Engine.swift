import Pipeline

/// What a client sent, or what replay read: one file with where it came from.
public struct Submission: Sendable {
    /// Number of the sample within this run, counted from 1; part of its scan id.
    public var number: Int
    /// Path on the machine it came from.
    public var path: String
    /// Host or collector that it came from.
    public var source: String
    /// The content.
    public var content: Content
    /// When it was received.
    public var received: Timestamp
    /// Files that belong to it.
    public var companions: [Companion]

    /// A submission whose bytes are at hand.
    public init(
        number: Int, path: String, source: String, bytes: Bytes, received: Timestamp, companions: [Companion] = []
    ) {
        self.init(
            number: number, path: path, source: source, content: .whole(bytes), received: received,
            companions: companions)
    }

    /// A submission with its parts.
    public init(
        number: Int, path: String, source: String, content: Content, received: Timestamp, companions: [Companion] = []
    ) {
        self.number = number
        self.path = path
        self.source = source
        self.content = content
        self.received = received
        self.companions = companions
    }
}

/// Which kind of client waits for a scan.
public enum Lane: Sendable {
    /// A client holds its connection until the answer.
    case sync
    /// Nobody waits: the result is fetched later.
    case async
}

/// Scans submissions.
///
/// Everything in the service talks to this protocol; whether scans run in this process or in one of their own is the
/// engine's business.
public protocol Engine: Sendable {
    /// Scan threads.
    var threads: Int { get }

    /// Scans one submission and returns when it is done.
    func scan(_ submission: Submission, lane: Lane) async -> Report
}

extension Report {
    /// The report of a scan that failed as a whole: answers and logs say so of the submitted file.
    init(failure: String, of submission: Submission) {
        self.init()
        self.failure = failure
        let sample = Sample(path: submission.path, content: submission.content)
        samples = 1
        bytes = submission.content.count
        findings = [
            Finding(
                subject: .file(FileSubject(sample)), module: "Filescan", reasons: [], score: 0, level: .error,
                context: [], issues: [Issue(.failed, stage: "engine", message: failure)])
        ]
    }
}
