import Crypto
import Glibc

// Signature files as they lie in the rules folders, recognised by sub-folder and by tags in the file name
// (REFERENCE C.1). Nothing is parsed here: each matcher takes the files of its kind.

/// What a signature file holds, as its folder and name say.
public enum SignatureFileKind: String, Sendable, CaseIterable {
    /// YARA rules for whole files.
    case yara
    /// YARA rules for the first bytes and the externals of every file.
    case yaraMeta
    /// YARA rules for the text form of any record.
    case yaraKeyword
    /// YARA rules for registry keys.
    case yaraRegistry
    /// YARA rules for log lines and events.
    case yaraLog
    /// YARA rules for process memory and dumps.
    case yaraProcess
    /// Digests that are bad.
    case hashes
    /// Digests that are good.
    case trustedHashes
    /// Regular expressions on paths.
    case filenames
    /// Plain texts in records.
    case keywords
    /// Domains and addresses.
    case c2
    /// Mutexes and events.
    case handles
    /// Named pipes.
    case pipes
    /// IOCs of all kinds in YAML.
    case yamlIOCs
    /// Sigma rules.
    case sigma
    /// STIX 2 bundles.
    case stix
    /// Magic numbers of file types.
    case fileTypes

    /// The kind of a file by its path, the rules folder's own name included; nil when it is none of ours.
    public init?(path: String) {
        let parts = path.split(separator: "/").map { $0.lowercased() }
        guard let name = parts.last, let dot = name.lastIndex(of: ".") else { return nil }
        if name == "chains.yml" { return nil }
        let words = Self.words(of: String(name[..<dot]))
        // The innermost folder with a telling name decides: `sigma/rules/windows/x.yml` is a Sigma rule.
        let folder = parts.dropLast().last { ["sigma", "iocs", "stix"].contains($0) }
        func has(_ tags: String...) -> Bool { tags.contains { words.contains($0) } }
        switch String(name[dot...]) {
        case ".yar", ".yara":
            if has("meta") {
                self = .yaraMeta
            } else if has("registry") {
                self = .yaraRegistry
            } else if has("log") {
                self = .yaraLog
            } else if has("keyword", "keywords") {
                self = .yaraKeyword
            } else if has("process", "memory") {
                self = .yaraProcess
            } else {
                self = .yara
            }
        case ".txt":
            if has("trusted-hash", "trusted-hashes", "falsepositive-hash", "falsepositive-hashes") {
                self = .trustedHashes
            } else if has("hash", "hashes") {
                self = .hashes
            } else if has("filename", "filenames") {
                self = .filenames
            } else if has("keyword", "keywords") {
                self = .keywords
            } else if has("c2", "domains") {
                self = .c2
            } else if has("handle", "handles") {
                self = .handles
            } else if has("pipe", "pipes") {
                self = .pipes
            } else if name.contains("file-type") {
                self = .fileTypes
            } else {
                return nil
            }
        case ".yml", ".yaml":
            if folder == "sigma" {
                self = .sigma
            } else if folder == "iocs" {
                self = .yamlIOCs
            } else {
                return nil
            }
        case ".json":
            guard folder == "stix" else { return nil }
            self = .stix
        default:
            return nil
        }
    }

    /// Why a file in a signature folder is none of ours, where its author may think otherwise; nil where not.
    public static func problem(of path: String) -> SignatureProblem? {
        let parts = path.split(separator: "/").map { $0.lowercased() }
        guard let name = parts.last, let dot = name.lastIndex(of: "."), !name.hasPrefix("readme") else { return nil }
        let folder = parts.dropLast().last { ["sigma", "iocs", "stix", "yara"].contains($0) } ?? ""
        func problem(_ message: String, isRejected: Bool = true) -> SignatureProblem {
            SignatureProblem(file: path, line: nil, message: message, isRejected: isRejected)
        }
        switch (String(name[dot...]), folder) {
        case (".txt", "iocs"):
            return problem(
                "no tag in the name says what the list holds; put one of hash, trusted-hash, filename, keyword, c2, "
                    + "domains, handles, pipes between dashes or dots, as in case-7-filename-iocs.txt")
        case (".dat", "iocs"), (".yas", _):
            return problem("encrypted signatures are not read", isRejected: false)
        case (".yml", "yara"), (".yaml", "yara"), (".yml", "stix"), (".yaml", "stix"):
            return problem("YAML is read below iocs/ and sigma/ only; move the file")
        case (".json", "iocs"), (".json", "sigma"), (".json", "yara"):
            return problem("JSON is read below stix/ only, as a STIX 2 bundle", isRejected: false)
        default: return nil
        }
    }

    // Words of a name, and neighbours joined by a dash, so that `x-trusted-hash-y` has the tag `trusted-hash`.
    // The start and end of the name are boundaries too.
    private static func words(of stem: String) -> Set<String> {
        let single = stem.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
        return Set(single).union(zip(single, single.dropFirst()).map { $0 + "-" + $1 })
    }
}

/// One signature file with its content.
public struct SignatureFile: Sendable {
    /// Path for people: as the folder was given, and below it.
    public let path: String
    /// What it holds.
    public let kind: SignatureFileKind
    /// Its content.
    public let bytes: Bytes
    /// Shipped with the program, or brought by the user.
    public let origin: Signature.Origin

    /// A file with its content.
    public init(path: String, kind: SignatureFileKind, bytes: Bytes, origin: Signature.Origin = .internal) {
        self.path = path
        self.kind = kind
        self.bytes = bytes
        self.origin = origin
    }
}

/// All signature files of a service or replay, in a fixed order.
public struct SignatureSet: Sendable {
    /// Largest signature file that is read, in bytes.
    public static let fileSizeLimit = 256 << 20

    /// The files, by folder as given and by path.
    public let files: [SignatureFile]
    /// SHA-256 over all paths and contents: the version of the set, in lower-case hexadecimal.
    public let version: String

    /// A set of files.
    public init(files: [SignatureFile]) {
        self.files = files
        var hasher = SHA256()
        for file in files {
            hasher.update(data: Array(file.path.utf8) + [0])
            unsafe file.bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
        }
        version = String(hex: Array(hasher.finalize()).rawSpan)
    }

    /// Files of one kind.
    public func files(of kind: SignatureFileKind) -> [SignatureFile] { files.filter { $0.kind == kind } }
}
