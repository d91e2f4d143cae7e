import HTTPTypes
import Hummingbird
import Pipeline
import Synchronization

// Browsers cannot send a token with every request, so they hand it over once and get a cookie: a random number that
// scripts cannot read and that no other site can make a browser send. It stands for the token, is of no use when the token
// is revoked or expires, and is forgotten when the service ends.

/// Browsers that have signed in.
final class Sessions: Sendable {
    /// What a session stands for.
    struct Session {
        /// Public part of the token.
        var tokenID: String
        /// Digest of the token.
        var tokenHash: String
        /// When it ends, in seconds since 1970.
        var ends: Int64
    }

    /// Seconds after which somebody has to sign in again.
    static let seconds: Int64 = 12 * 3_600
    // More than browsers of one team; the ones that end first go.
    private static let limit = 1_000
    private static let cookieName = "thunderstorm-session"

    private let sessions = Mutex<[String: Session]>([:])

    /// Begins a session; its id.
    func begin(_ token: AccessToken, now: Timestamp) -> String {
        var generator = SystemRandomNumberGenerator()
        let random = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let id = String(hex: random.rawSpan)
        let session = Session(tokenID: token.id, tokenHash: token.hash, ends: now.seconds + Self.seconds)
        let key = Self.key(id)
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.ends > now.seconds }
            if sessions.count >= Self.limit, let first = sessions.min(by: { $0.value.ends < $1.value.ends })?.key {
                sessions[first] = nil
            }
            sessions[key] = session
        }
        return id
    }

    /// A session; nil when there is none, or not any more.
    func session(_ id: String, now: Timestamp) -> Session? {
        let key = Self.key(id)
        guard let session = sessions.withLock({ $0[key] }), session.ends > now.seconds else { return nil }
        return session
    }

    /// Ends a session.
    func end(_ id: String) {
        let key = Self.key(id)
        sessions.withLock { $0[key] = nil }
    }

    /// The session of a request; nil when it names none.
    static func id(in request: Request) -> String? {
        request.cookies[cookieName]?.value
    }

    /// The cookie that names a session, or takes it away.
    static func cookie(_ id: String?, isSecure: Bool) -> String {
        "\(cookieName)=\(id ?? ""); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(id == nil ? 0 : seconds)"
            + (isSecure ? "; Secure" : "")
    }

    // Looked up by digest: how long it takes says nothing about the ids there are.
    private static func key(_ id: String) -> String {
        var digest = StreamingDigest()
        let bytes = Array(id.utf8)
        digest.update(bytes.rawSpan)
        return digest.value
    }
}

extension Request {
    /// Whether a page of this service made the request, and not one of another site.
    ///
    /// Browsers say so in `Sec-Fetch-Site` to addresses they trust (https, loopback), and with forms in `Origin`.
    var isFromOwnPage: Bool {
        let site = header("Sec-Fetch-Site")
        if !site.isEmpty { return site == "same-origin" }
        let host = (head.authority ?? "").lowercased()
        let origin = header("Origin").lowercased()
        return !host.isEmpty && (origin == "http://" + host || origin == "https://" + host)
    }

    /// Whether a browser asks, which wants a page to read even when something went wrong.
    var wantsPage: Bool { headers[.accept]?.contains("text/html") == true }

    private func header(_ name: String) -> String { HTTPField.Name(name).flatMap { headers[$0] } ?? "" }
}
