import Synchronization

/// What a stage is built with: the signatures, and where to tell which of them could not be used.
public struct StageEnvironment: Sendable {
    /// Signature files of all folders.
    public let signatures: SignatureSet
    /// Where problems and counts of signatures go.
    public let diagnostics: SignatureDiagnostics
    /// Where large children live.
    public let byteStore: ByteStore
    /// What the user switched off.
    public let exclusions: Exclusions

    /// An environment.
    public init(
        signatures: SignatureSet = SignatureSet(files: []),
        diagnostics: SignatureDiagnostics = SignatureDiagnostics(), byteStore: ByteStore = ByteStore(),
        exclusions: Exclusions = Exclusions()
    ) {
        self.signatures = signatures
        self.diagnostics = diagnostics
        self.byteStore = byteStore
        self.exclusions = exclusions
    }
}

/// A signature, line or file that could not be used.
public struct SignatureProblem: Sendable, Equatable, CustomStringConvertible {
    /// File as it was given.
    public let file: String
    /// Line, counted from 1; nil for the file as a whole.
    public let line: Int?
    /// Why, and what to do.
    public let message: String
    /// Whether the signature was left out; otherwise it works, but not as its author may think.
    public let isRejected: Bool

    /// A problem in a file.
    public init(file: String, line: Int?, message: String, isRejected: Bool = true) {
        self.file = file
        self.line = line
        self.message = message
        self.isRejected = isRejected
    }

    /// `file:line: message`.
    public var description: String {
        "\(file)\(line.map { ":\($0)" } ?? ""): \(message)"
    }
}

/// A loaded signature as `rules list` shows it.
public struct SignatureSummary: Sendable, Equatable {
    /// What kind it is.
    public let kind: Signature.Kind
    /// Rule name, or the IOC's text.
    public let name: String
    /// Unique id of the rule, empty if it has none.
    public let id: String
    /// Its score.
    public let score: Int
    /// Its tags.
    public let tags: [String]
    /// Shipped with the program, or brought by the user.
    public let origin: Signature.Origin
    /// File it is from.
    public let file: String

    /// A summary line.
    public init(
        kind: Signature.Kind, name: String, id: String = "", score: Int, tags: [String] = [],
        origin: Signature.Origin = .internal, file: String
    ) {
        self.kind = kind
        self.name = name
        self.id = id
        self.score = score
        self.tags = tags
        self.origin = origin
        self.file = file
    }
}

/// Collects what happened while signatures were compiled.
public final class SignatureDiagnostics: Sendable {
    private struct Contents {
        var problems: [SignatureProblem] = []
        var loaded: [SignatureSummary] = []
        var libraries: [String: String] = [:]
    }

    private let contents = Mutex(Contents())

    /// An empty collection.
    public init() {}

    /// Tells of a signature that cannot be used, or not fully.
    public func report(_ problem: SignatureProblem) {
        contents.withLock { $0.problems.append(problem) }
    }

    /// Tells of signatures that are in use.
    public func loaded(_ summaries: [SignatureSummary]) {
        contents.withLock { $0.loaded += summaries }
    }

    /// Tells which version of a library matches signatures.
    public func uses(library: String, version: String) {
        contents.withLock { $0.libraries[library] = version }
    }

    /// Versions of the libraries that match signatures, by name.
    public var libraries: [String: String] { contents.withLock { $0.libraries } }

    /// All problems, in the order of files and lines.
    public var problems: [SignatureProblem] {
        contents.withLock { $0.problems }.sorted { ($0.file, $0.line ?? 0) < ($1.file, $1.line ?? 0) }
    }

    /// All signatures in use, as they were loaded.
    public var summaries: [SignatureSummary] { contents.withLock { $0.loaded } }

    /// Number of signatures in use by kind name.
    public var counts: [String: Int] {
        summaries.reduce(into: [:]) { $0[$1.kind.name, default: 0] += 1 }
    }
}
