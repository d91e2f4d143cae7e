import FoundationEssentials
import Glibc
import Pipeline

/// What a token allows.
public enum AccessScope: String, Sendable, Codable, CaseIterable {
    /// Sending samples and collection markers.
    case submit
    /// Fetching results, histories and collections.
    case read
    /// Changing the service: reloading signatures.
    case admin
}

/// Who may use the service for what, until when; the secret itself is never stored.
public struct AccessToken: Sendable, Codable, Equatable {
    /// Public part of the token, in logs and lists.
    public var id: String
    /// Name for people.
    public var name: String
    /// Who it was given to, shown in `/api/info`.
    public var owner: String
    /// What it allows.
    public var scopes: [AccessScope]
    /// SHA-256 of the whole token, in lower-case hexadecimal.
    public var hash: String
    /// When it was made, in seconds since 1970.
    public var created: Int64
    /// When it expires; nil for never.
    public var expires: Int64?
    /// Uploads a minute; nil for no limit.
    public var uploadsPerMinute: Int?
    /// Bytes of uploads a day; nil for no limit.
    public var bytesPerDay: Int?

    /// What `uploadsPerMinute` may be.
    public static let uploadsPerMinuteRange = 1...10_000_000

    // Enough that guessing is hopeless, so one round of SHA-256 is the right hash: there is nothing to stretch.
    private static let secretBytes = 32

    /// A new token with its text, which is shown once.
    public static func make(
        name: String, owner: String, scopes: [AccessScope], expires: Int64?, now: Timestamp
    ) -> (token: AccessToken, text: String) {
        var generator = SystemRandomNumberGenerator()
        func random(_ count: Int) -> String {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            return String(hex: bytes.rawSpan)
        }
        let id = random(4)
        let text = "ts_\(id)_\(random(secretBytes))"
        let token = AccessToken(
            id: id, name: name, owner: owner, scopes: scopes, hash: hash(of: text), created: now.seconds,
            expires: expires)
        return (token, text)
    }

    /// Whether a text is this token; takes the same time whatever is wrong.
    func isProved(by text: String) -> Bool {
        let (own, given) = (Array(hash.utf8), Array(Self.hash(of: text).utf8))
        guard own.count == given.count else { return false }
        return zip(own, given).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// The public part of a token's text; nil when it is none.
    static func id(in text: String) -> String? {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0] == "ts" ? String(parts[1]) : nil
    }

    private static func hash(of text: String) -> String {
        var digest = StreamingDigest()
        let bytes = Array(text.utf8)
        digest.update(bytes.rawSpan)
        return digest.value
    }
}

/// The file of tokens: JSON, readable by its owner only, replaced as a whole.
public struct TokenFile: Sendable {
    private struct Content: Codable {
        var tokens: [AccessToken]
    }

    /// Its path.
    public let path: String

    /// The file at a path, which need not be there yet.
    public init(path: String) { self.path = path }

    /// All tokens.
    ///
    /// - Throws: `ConfigurationError` when it cannot be read.
    public func read() throws(ConfigurationError) -> [AccessToken] {
        guard fileExists(path) else {
            throw ConfigurationError(
                "--server-tokens: \(path) is not there; make it with `thunderstorm token create --server-tokens "
                    + "\(path) --name NAME`")
        }
        let bytes: Bytes
        do {
            bytes = try ByteStore().read(file: path)
        } catch {
            throw ConfigurationError("--server-tokens: \(error)")
        }
        guard let content = try? JSONDecoder().decode(Content.self, from: Data(bytes.array)) else {
            throw ConfigurationError("--server-tokens: \(path) is not a file of tokens")
        }
        return content.tokens
    }

    /// Changes the tokens; waits while somebody else does.
    ///
    /// - Throws: `ConfigurationError` when the file cannot be read or written; it is as it was then, unless only the
    ///   directory could not be synced.
    public func update(_ change: (inout [AccessToken]) -> Void) throws(ConfigurationError) {
        // A file of its own: the one of the tokens is replaced, and a lock would go with the old one.
        let lock = unsafe open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw ConfigurationError("--server-tokens: \(SystemError("cannot open \(path).lock"))") }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw ConfigurationError("--server-tokens: \(SystemError("cannot lock \(path).lock"))")
            }
        }
        var tokens = fileExists(path) ? try read() : []
        change(&tokens)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let encoded = try? encoder.encode(Content(tokens: tokens)) else {
            throw ConfigurationError("--server-tokens: the tokens cannot be written as JSON")
        }
        do {
            try replace(with: Array(encoded) + [0x0A])
        } catch {
            throw ConfigurationError("--server-tokens: \(error)")
        }
    }

    private func replace(with bytes: [UInt8]) throws(SystemError) {
        let part = path + ".new"
        unsafe unlink(part)
        let descriptor = unsafe open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("cannot create \(part)") }
        defer { close(descriptor) }
        try writeAll(bytes.rawSpan, to: descriptor, file: part)
        guard fsync(descriptor) == 0 else { throw SystemError("cannot sync \(part)") }
        guard unsafe rename(part, path) == 0 else { throw SystemError("cannot rename \(part)") }
        // A revoked token must not come back after a power failure.
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw SystemError("cannot open the directory \(folder)") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw SystemError("cannot sync the directory \(folder)") }
    }
}
