import Pipeline

/// Reads signature folders into a set.
public struct SignatureFolders: Sendable {
    /// The files that were read.
    public let set: SignatureSet
    /// Files that could not be read.
    public let problems: [SignatureProblem]

    /// Reads all folders.
    ///
    /// - Parameters:
    ///   - shipped: Folders whose signatures count as internal.
    ///   - custom: Folders whose signatures count as the user's own.
    /// - Throws: `ConfigurationError` naming a folder that is not there, or a shipped one that holds no signature file.
    public init(shipped: [String], custom: [String]) throws {
        var files: [SignatureFile] = []
        var problems: [SignatureProblem] = []
        var known: [String: String] = [:]
        for (folder, origin) in shipped.map({ ($0, Signature.Origin.internal) }) + custom.map({ ($0, .custom) }) {
            let walk: DirectoryWalk
            do {
                walk = try DirectoryWalk(folder, followsLinks: true)
            } catch {
                throw ConfigurationError(
                    "signature folder: \(error); name a readable folder with --rules or --custom-signatures")
            }
            let before = files.count
            // Links to folders are not followed, so that the walk ends; a folder of that kind can be named itself.
            for (path, reason) in walk.skipped {
                problems.append(
                    SignatureProblem(
                        file: path, line: nil, message: "\(reason); nothing of it is loaded", isRejected: false))
            }
            for file in walk.files {
                guard let kind = SignatureFileKind(path: file.path) else {
                    problems += SignatureFileKind.problem(of: file.path).map { [$0] } ?? []
                    continue
                }
                guard file.size <= SignatureSet.fileSizeLimit else {
                    problems.append(
                        SignatureProblem(
                            file: file.path, line: nil,
                            message: "\(file.size) bytes are more than \(SignatureSet.fileSizeLimit); split the file"))
                    continue
                }
                do {
                    let bytes = try ByteStore(memoryLimit: 0).read(file: file.path)
                    // The same rule twice would count twice: a folder that is named twice, a copy in the other folder.
                    let key = kind.rawValue + Digests(of: bytes).sha256
                    if let first = known[key] {
                        problems.append(
                            SignatureProblem(
                                file: file.path, line: nil, message: "same content as \(first); left out",
                                isRejected: false))
                        continue
                    }
                    known[key] = file.path
                    files.append(SignatureFile(path: file.path, kind: kind, bytes: bytes, origin: origin))
                } catch {
                    problems.append(SignatureProblem(file: file.path, line: nil, message: "\(error)"))
                }
            }
            // The folder for signatures of one's own is empty after an installation, and that is no fault.
            if origin == .internal, files.count == before, problems.isEmpty {
                throw ConfigurationError(
                    "\(folder) holds no signature file; files are known by name and sub-folder, see rules/README.md")
            }
        }
        set = SignatureSet(files: files)
        self.problems = problems
    }
}

/// What is loaded, as `/api/info` and `rules list` tell it.
public struct SignatureState: Sendable {
    /// SHA-256 over all signature files.
    public let version: String
    /// When the set was loaded.
    public let loaded: Timestamp
    /// Signatures, lines and files that were left out, and warnings.
    public let problems: [SignatureProblem]
    /// Signatures and heuristics that are loaded, those that are switched off too.
    public let summaries: [SignatureSummary]
    /// Signatures in use, by kind name; heuristics and what is switched off are not counted.
    public let counts: [String: Int]
    /// What is switched off.
    public let exclusions: Exclusions
    /// Versions of the libraries that match them, by name.
    public let libraries: [String: String]
    /// Why the last attempt to load a newer set failed; nil when this set is from the last attempt.
    public var reloadFailure: ReloadFailure?

    /// A newer set that could not be loaded.
    public struct ReloadFailure: Sendable, Equatable {
        /// When it was tried.
        public var time: Timestamp
        /// What is wrong, and what to do.
        public var message: String
    }

    /// The state after a chain was built.
    public init(
        set: SignatureSet, diagnostics: SignatureDiagnostics, heuristics: [Heuristic] = [],
        exclusions: Exclusions = Exclusions(), loaded: Timestamp
    ) {
        // Stages may share a check.
        var listed: Set<String> = []
        let own = heuristics.filter { listed.insert($0.id).inserted }.map {
            SignatureSummary(kind: .heuristic, name: $0.id, score: $0.score, tags: $0.tags, file: "built-in")
        }
        self.init(
            version: set.version, loaded: loaded, problems: diagnostics.problems,
            summaries: diagnostics.summaries + own, exclusions: exclusions, libraries: diagnostics.libraries)
    }

    init(
        version: String, loaded: Timestamp, problems: [SignatureProblem], summaries: [SignatureSummary],
        exclusions: Exclusions = Exclusions(), libraries: [String: String]
    ) {
        self.version = version
        self.loaded = loaded
        self.problems = problems
        self.summaries = summaries
        self.libraries = libraries
        self.exclusions = exclusions
        counts = summaries.filter { $0.kind != .heuristic && !exclusions.excludes($0) }
            .reduce(into: [:]) { $0[$1.kind.name, default: 0] += 1 }
    }

    /// When the set was loaded, `YYYY/MM/DD-HHMMSS`.
    public var date: String { LocalTime(loaded).signatureVersion }
}

extension SignatureState {
    /// Loaded signatures that are switched off.
    public var excluded: [SignatureSummary] { summaries.filter { exclusions.excludes($0) } }
}

extension Exclusions {
    /// Whether a loaded signature is switched off.
    public func excludes(_ summary: SignatureSummary) -> Bool {
        excludes(summary.kind, name: summary.name, id: summary.id)
    }
}
