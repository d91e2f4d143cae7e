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
    /// - Throws: `ConfigurationError` naming a folder that is not there, or holds no signature file.
    public init(shipped: [String], custom: [String]) throws {
        var files: [SignatureFile] = []
        var problems: [SignatureProblem] = []
        for (folder, origin) in shipped.map({ ($0, Signature.Origin.internal) }) + custom.map({ ($0, .custom) }) {
            let walk: DirectoryWalk
            do {
                walk = try DirectoryWalk(folder, followsLinks: true)
            } catch {
                throw ConfigurationError(
                    "signature folder: \(error); name a readable folder with --rules or --custom-signatures")
            }
            let before = files.count
            for file in walk.files {
                guard let kind = SignatureFileKind(path: file.path) else { continue }
                guard file.size <= SignatureSet.fileSizeLimit else {
                    problems.append(
                        SignatureProblem(
                            file: file.path, line: nil,
                            message: "\(file.size) bytes are more than \(SignatureSet.fileSizeLimit); split the file"))
                    continue
                }
                do {
                    let bytes = try ByteStore(memoryLimit: 0).read(file: file.path)
                    files.append(SignatureFile(path: file.path, kind: kind, bytes: bytes, origin: origin))
                } catch {
                    problems.append(SignatureProblem(file: file.path, line: nil, message: "\(error)"))
                }
            }
            if files.count == before, problems.isEmpty {
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
    /// Signatures in use.
    public let summaries: [SignatureSummary]
    /// Signatures in use, by kind name.
    public let counts: [String: Int]
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
    public init(set: SignatureSet, diagnostics: SignatureDiagnostics, loaded: Timestamp) {
        self.init(
            version: set.version, loaded: loaded, problems: diagnostics.problems, summaries: diagnostics.summaries,
            libraries: diagnostics.libraries)
    }

    init(
        version: String, loaded: Timestamp, problems: [SignatureProblem], summaries: [SignatureSummary],
        libraries: [String: String]
    ) {
        self.version = version
        self.loaded = loaded
        self.problems = problems
        self.summaries = summaries
        self.libraries = libraries
        counts = summaries.reduce(into: [:]) { $0[$1.kind.name, default: 0] += 1 }
    }

    /// When the set was loaded, `YYYY/MM/DD-HHMMSS`.
    public var date: String { LocalTime(loaded).signatureVersion }
}
