import HTTPTypes
import Hummingbird
import Pipeline
import Synchronization

// Who may do what. Without tokens everyone may do everything, which is why the service then listens on loopback only;
// with tokens each request names one (`Authorization: Bearer …`), except those of supervisors and for static pages.

/// What a route asks of its caller.
enum RouteAccess: Sendable {
    /// Nothing: health of the process and static pages.
    case open
    /// Any valid token: status and info, which collectors ask before they send.
    case known
    /// A token with this scope.
    case scope(AccessScope)
    /// A token with this scope, or a browser that signed in with one.
    case page(AccessScope)

    /// The scope that is asked for; nil for any token.
    var scope: AccessScope? {
        switch self {
        case .open, .known: nil
        case .scope(let scope), .page(let scope): scope
        }
    }
}

/// Decides on requests.
final class Access: Sendable {
    private struct Contents {
        var tokens: [String: AccessToken]
        var stamp: FileStamp?
    }

    /// Browsers that have signed in.
    let sessions = Sessions()

    private let file: TokenFile?
    private let contents: Mutex<Contents>
    private let audit: AuditLog
    private let now: @Sendable () -> Timestamp

    /// - Parameter file: The tokens; nil when none are asked for.
    /// - Throws: `ConfigurationError` when the file cannot be read.
    init(
        file: TokenFile?, audit: AuditLog, now: @escaping @Sendable () -> Timestamp
    ) throws(ConfigurationError) {
        self.file = file
        self.audit = audit
        self.now = now
        let stamp = file.flatMap { FileStamp($0.path) }
        let tokens = try file?.read() ?? []
        contents = Mutex(Contents(tokens: Self.byID(tokens), stamp: stamp))
    }

    /// Whether requests need a token.
    var asksForTokens: Bool { file != nil }

    /// The caller of a request; nil when no tokens are asked for.
    ///
    /// - Throws: `APIError` when it may not do this.
    func check(_ request: Request, peer: String, needs: RouteAccess) throws(APIError) -> AccessToken? {
        guard file != nil else { return nil }
        if case .open = needs { return nil }
        do {
            return try token(of: request, needs: needs)
        } catch {
            // Somebody who opens a page is led to where tokens are asked for; nothing was tried.
            if case .page = needs, request.method == .get || request.method == .head, request.wantsPage,
                Self.text(in: request) == nil, Sessions.id(in: request) == nil
            {
                throw error
            }
            let given = Self.text(in: request).flatMap { AccessToken.id(in: $0) } ?? ""
            audit.refused(error.reason, request: request, peer: peer, token: given)
            throw error
        }
    }

    /// Reads the tokens again when their file has changed; a file that cannot be read leaves the old ones in force.
    func reload(_ log: any EventLog) {
        guard let file else { return }
        let stamp = FileStamp(file.path)
        guard contents.withLock({ $0.stamp != stamp }) else { return }
        do {
            let tokens = try file.read()
            contents.withLock { $0 = Contents(tokens: Self.byID(tokens), stamp: stamp) }
            log.message(.info, module: "HTTPServer", "tokens were read again", fields: [("COUNT", "\(tokens.count)")])
        } catch {
            // Said once for each change, not at every look.
            contents.withLock { $0.stamp = stamp }
            log.message(
                .error, module: "HTTPServer", "tokens could not be read again; the old ones stay in force",
                fields: [("ERROR", "\(error)")])
        }
    }

    /// Begins a session for the holder of a token; the session's id.
    ///
    /// - Throws: `APIError` when the token does not allow to read.
    func signIn(_ text: String, request: Request, peer: String) throws(APIError) -> String {
        do {
            let token = try known(text)
            try check(token, has: .read)
            return sessions.begin(token, now: now())
        } catch {
            audit.refused(error.reason, request: request, peer: peer, token: AccessToken.id(in: text) ?? "")
            throw error
        }
    }

    private func token(of request: Request, needs: RouteAccess) throws(APIError) -> AccessToken {
        let token: AccessToken
        switch (needs, Self.text(in: request)) {
        case (_, let text?): token = try known(text)
        case (.page, nil): token = try signedIn(request)
        case (_, nil):
            throw Self.unauthorized("token_missing", "this service asks for a token: Authorization: Bearer TOKEN")
        }
        try check(token, has: needs.scope)
        return token
    }

    private func known(_ text: String) throws(APIError) -> AccessToken {
        guard let id = AccessToken.id(in: text), let token = contents.withLock({ $0.tokens[id] }),
            token.isProved(by: text)
        else {
            throw Self.unauthorized("token_invalid", "the token is not known here; ask the operator for one")
        }
        return token
    }

    private func signedIn(_ request: Request) throws(APIError) -> AccessToken {
        guard let id = Sessions.id(in: request), let session = sessions.session(id, now: now()),
            let token = contents.withLock({ $0.tokens[session.tokenID] }), token.hash == session.tokenHash
        else {
            throw Self.unauthorized(
                "token_missing", "this service asks for a token: Authorization: Bearer TOKEN, or sign in at /login")
        }
        return token
    }

    private func check(_ token: AccessToken, has scope: AccessScope?) throws(APIError) {
        if let expires = token.expires, now().seconds >= expires {
            throw Self.unauthorized("token_expired", "the token has expired; ask the operator for a new one")
        }
        if let scope, !token.scopes.contains(scope) {
            throw APIError(
                status: .forbidden, reason: "scope_missing",
                message: "the token does not allow this: it needs the scope \(scope.rawValue)")
        }
    }

    private static func unauthorized(_ reason: String, _ message: String) -> APIError {
        APIError(status: .unauthorized, reason: reason, message: message)
    }

    private static func text(in request: Request) -> String? {
        guard let value = request.headers[.authorization] else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1].trimmingPrefix { $0 == " " }.description
    }

    private static func byID(_ tokens: [AccessToken]) -> [String: AccessToken] {
        Dictionary(tokens.map { ($0.id, $0) }) { first, _ in first }
    }
}
