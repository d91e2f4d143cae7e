// What comes out of a scan. Encoders turn these values into JSON or text; nothing here knows a format.

/// A file as the subject or context of a finding.
public struct FileSubject: Sendable, Equatable {
    /// Path as submitted, members joined with `/`.
    public var path: String
    /// Extension with dot, lower case; may be empty.
    public var fileExtension: String
    /// Type by content.
    public var kind: FileKind
    /// Size in bytes.
    public var size: Int
    /// MD5 in lower-case hexadecimal.
    public var md5: String
    /// SHA-1 in lower-case hexadecimal.
    public var sha1: String
    /// SHA-256 in lower-case hexadecimal.
    public var sha256: String
    /// The first 20 bytes, or fewer.
    public var firstBytes: [UInt8]
    /// How it was unpacked, outermost first.
    public var unpackSource: [String]
    /// Times that a container or file system told.
    public var times: FileTimes

    /// Describes a sample; computes its digests.
    public init(_ sample: Sample) {
        path = sample.path
        fileExtension = sample.fileExtension
        kind = sample.kind
        size = sample.size
        md5 = sample.digests.md5
        sha1 = sample.digests.sha1
        sha256 = sample.digests.sha256
        firstBytes = sample.bytes.prefix(20).array
        unpackSource = sample.unpackSource
        times = sample.times
    }

    /// A file that was described elsewhere.
    public init(
        path: String, fileExtension: String, kind: FileKind, size: Int, md5: String, sha1: String, sha256: String,
        firstBytes: [UInt8], unpackSource: [String], times: FileTimes
    ) {
        self.path = path
        self.fileExtension = fileExtension
        self.kind = kind
        self.size = size
        self.md5 = md5
        self.sha1 = sha1
        self.sha256 = sha256
        self.firstBytes = firstBytes
        self.unpackSource = unpackSource
        self.times = times
    }
}

/// A record as the subject of a finding.
public struct RecordSubject: Sendable, Equatable {
    /// One field with its value as text.
    public struct Field: Sendable, Equatable {
        /// Name, unique or repeated for lists.
        public var key: String
        /// Value as text.
        public var value: String

        /// A field with its value.
        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// What kind of record it is and how its fields are shown.
    public var type: RecordType
    /// Position in the sample: bytes from its start, or what the parser says (`log-lines`: the line's first byte).
    public var offset: Int
    /// Fields in the order of the artefact.
    public var fields: [Field]

    /// A record with its fields.
    public init(type: RecordType, offset: Int, fields: [Field]) {
        self.type = type
        self.offset = offset
        self.fields = fields
    }
}

/// A part of a large file as the subject of a finding.
public struct ChunkSubject: Sendable, Equatable {
    /// The file.
    public var file: FileSubject
    /// Where the part stands in the file, in bytes from its start.
    public var range: Range<Int>

    /// A part of a file.
    public init(file: FileSubject, range: Range<Int>) {
        self.file = file
        self.range = range
    }
}

/// What a finding is about.
public enum Subject: Sendable, Equatable {
    /// A whole file.
    case file(FileSubject)
    /// One entry inside a file.
    case record(RecordSubject)
    /// A part of a large file, with the file.
    case chunk(ChunkSubject)
}

/// An object that the subject belongs to.
public struct ContextObject: Sendable, Equatable {
    /// How the subject relates to it.
    public enum Relation: String, Sendable {
        /// The file that the subject lies in.
        case parent
        /// The file that was submitted.
        case topmostAncestor = "topmost ancestor"
    }

    /// The object.
    public var file: FileSubject
    /// Its relations to the subject, the most relevant first.
    public var relations: [Relation]

    /// A context object.
    public init(file: FileSubject, relations: [Relation]) {
        self.file = file
        self.relations = relations
    }
}

/// One object with the reasons against it.
public struct Finding: Sendable, Equatable {
    /// The file or record.
    public var subject: Subject
    /// Feature that found it, as logs name it (`Filescan`, `LogScan`).
    public var module: String
    /// Reasons, those with the highest subscore first; empty when there are only issues.
    public var reasons: [Reason]
    /// Weighed score, 0...100.
    public var score: Int
    /// Level by score.
    public var level: Level
    /// Parent and topmost ancestor; empty for a submitted file.
    public var context: [ContextObject]
    /// What was not looked at in this object.
    public var issues: [Issue]
    /// The triage collection that it lay in; nil when it lay in none.
    public var origin: TriageOrigin?

    /// A finding with its parts.
    public init(
        subject: Subject, module: String, reasons: [Reason], score: Int, level: Level, context: [ContextObject],
        issues: [Issue], origin: TriageOrigin? = nil
    ) {
        self.subject = subject
        self.module = module
        self.reasons = reasons
        self.score = score
        self.level = level
        self.context = context
        self.issues = issues
        self.origin = origin
    }
}

/// Everything a scan of one submission has to say.
public struct Report: Sendable, Equatable {
    /// Findings, parents before children, records after their file.
    public var findings: [Finding] = []
    /// Samples looked at: the submitted one and all extracted ones.
    public var samples = 0
    /// Records looked at.
    public var records = 0
    /// Bytes of all samples.
    public var bytes = 0
    /// What each stage did.
    public var stages: [StageStatistics] = []
    /// Why the scan as a whole failed: nothing is known of the sample then; nil when it came to its end.
    public var failure: String?

    /// An empty report.
    public init() {}

    /// All issues of all findings.
    public var issues: [Issue] { findings.flatMap(\.issues) }

    /// The highest level of any finding; nil when there is none.
    public var level: Level? { findings.filter { !$0.reasons.isEmpty }.map(\.level).max() }
}

/// What one stage did during a submission.
public struct StageStatistics: Sendable, Equatable {
    /// Name of the stage.
    public var name: String
    /// Samples it looked into.
    public var runs = 0
    /// Nanoseconds of its own, without the stages downstream.
    public var nanoseconds: UInt64 = 0
    /// Errors it ended with.
    public var errors = 0
    /// Children it extracted.
    public var children = 0
    /// Records it emitted.
    public var records = 0
    /// Reasons it reported.
    public var reasons = 0

    /// Statistics of a stage that has not run.
    public init(name: String) { self.name = name }
}
