// What a scan looked at, object by object, while it runs: for audit trails, which list what findings leave out.
//
// Identifiers are places in the tree of a submission, the same every time: the submitted sample is the empty text, its
// second child `/2`, a chunk of a large sample `@1`, a record `#57`; they are joined, as in `/2/1#57`.

/// A file, or a part of a large one, that was looked at.
public struct SeenObject: Sendable {
    /// Place in the tree of the submission.
    public var id: String
    /// Place of what it was found in; nil for the submitted sample.
    public var parent: String?
    /// The file or chunk.
    public var subject: Subject
    /// Reasons against it, in the order of the report.
    public var reasons: [Reason]
    /// What was not looked at in it.
    public var issues: [Issue]
    /// Which triage collection it comes from; nil for others.
    public var origin: TriageOrigin?

    /// An object with its parts.
    public init(
        id: String, parent: String? = nil, subject: Subject, reasons: [Reason], issues: [Issue],
        origin: TriageOrigin? = nil
    ) {
        self.origin = origin
        self.id = id
        self.parent = parent
        self.subject = subject
        self.reasons = reasons
        self.issues = issues
    }
}

/// Records of one batch that were looked at.
public struct SeenRecords: Sendable {
    /// Place of the file or chunk that they stand in.
    public var parent: String
    /// Number of the first one in that file, counted from 1; the others follow.
    public var first: Int
    /// Reasons against them, by position in the batch.
    public var reasons: [Int: [Reason]]
}

/// Is told of every object that a scan looks at, on whichever thread looks at it.
///
/// A file is told after everything inside it: only then all reasons are known.
public protocol ScanWitness: Sendable {
    /// A file or chunk was looked at.
    func saw(_ object: SeenObject)

    /// The records of a batch were looked at.
    func saw(_ batch: borrowing RecordBatch, _ records: SeenRecords)
}
