import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Pipeline
import Testing

@testable import ThunderstormService

struct SignInTests {
    private struct Tokens {
        let folder: TemporaryFolder
        let file: TokenFile
        var texts: [String: String] = [:]

        init(_ tokens: [String: [AccessScope]]) throws {
            folder = try TemporaryFolder()
            file = TokenFile(path: folder.path + "/tokens.json")
            for (name, scopes) in tokens {
                let made = AccessToken.make(name: name, owner: "O", scopes: scopes, expires: nil, now: currentTime())
                try file.update { $0.append(made.token) }
                texts[name] = made.text
            }
        }
    }

    private static func fetch(
        _ client: any TestClientProtocol, _ uri: String, _ method: HTTPRequest.Method = .get, cookie: String = "",
        body: String = "", origin: String? = "http://localhost"
    ) async throws -> TestResponse {
        var headers: HTTPFields = [.accept: "text/html,application/xhtml+xml", .cookie: cookie]
        if method == .post, let origin { headers[try #require(HTTPField.Name("Origin"))] = origin }
        return try await client.execute(uri: uri, method: method, headers: headers, body: ByteBuffer(string: body))
    }

    private static func signIn(_ client: any TestClientProtocol, _ token: String) async throws -> TestResponse {
        try await fetch(client, "/login", .post, body: "next=%2Ffindings%3Flevel%3Dalert&token=\(token)")
    }

    private static func cookie(_ response: TestResponse) throws -> String {
        String(try #require(response.headers[.setCookie]?.split(separator: ";").first))
    }

    @Test func aTokenOpensThePagesThroughACookie() async throws {
        let tokens = try Tokens(["reader": [.read], "sender": [.submit], "boss": [.read, .submit, .admin]])
        let test = try TestServer { $0.tokenFile = tokens.file.path }
        try await test.route { client async throws in
            // Browsers are led to the form, programs get the error they always got.
            let led = try await Self.fetch(client, "/findings?level=alert")
            #expect(led.status == .seeOther)
            #expect(led.headers[.location] == "/login?next=%2Ffindings%3Flevel%3Dalert")
            #expect(test.log.messages.isEmpty)
            let refused = try await client.get("/")
            #expect(refused.status == .unauthorized && refused.reason == "token_missing")
            #expect(test.log.messages.count == 1)
            let form = try await Self.fetch(client, "/login?next=%2Ffindings")
            try PageTests.check(form, "/login")
            #expect(form.text.contains(#"name="next" value="/findings""#))

            let done = try await Self.signIn(client, try #require(tokens.texts["reader"]))
            #expect(done.status == .seeOther && done.headers[.location] == "/findings?level=alert")
            let attributes = try #require(done.headers[.setCookie])
            for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
                #expect(attributes.contains(attribute))
            }
            #expect(!attributes.contains(try #require(tokens.texts["reader"]?.suffix(20))))
            let cookie = try Self.cookie(done)
            for place in ["/", "/findings", "/collections", "/signatures"] {
                let page = try await Self.fetch(client, place, cookie: cookie)
                #expect(page.status == .ok && page.text.contains("reader"), "\(place)")
                try PageTests.check(page, place)
            }
            // The cookie does what the token does, and opens nothing of the API.
            #expect(try await Self.fetch(client, "/upload", cookie: cookie).status == .forbidden)
            #expect(try await Self.fetch(client, "/signatures/reload", .post, cookie: cookie).status == .forbidden)
            #expect(!(try await Self.fetch(client, "/signatures", cookie: cookie).text.contains("Load them anew")))
            #expect(try await Self.fetch(client, "/api/v1/findings", cookie: cookie).status == .unauthorized)
            #expect(try await Self.fetch(client, "/metrics", cookie: cookie).status == .unauthorized)

            let out = try await Self.fetch(client, "/logout", .post, cookie: cookie)
            #expect(out.headers[.setCookie]?.contains("Max-Age=0") == true)
            #expect(try await Self.fetch(client, "/", cookie: cookie).status == .seeOther)
        }
    }

    @Test func wrongTokensAndOtherSitesGetNoSession() async throws {
        let tokens = try Tokens(["reader": [.read], "sender": [.submit], "boss": [.read, .submit, .admin]])
        let test = try TestServer { $0.tokenFile = tokens.file.path }
        try await test.route { client async throws in
            for (token, status) in [
                ("x", HTTPResponse.Status.unauthorized), ("", .unauthorized), ("ts_00000000_00", .unauthorized),
                (try #require(tokens.texts["sender"]), .forbidden),
            ] {
                let refused = try await Self.signIn(client, token)
                #expect(refused.status == status)
                #expect(refused.headers[.setCookie] == nil && refused.text.contains("role=\"alert\""))
            }
            #expect(test.log.messages.count == 4)
            for cookie in ["thunderstorm-session=", "thunderstorm-session=00", "other=1", "thunderstorm-session"] {
                #expect(try await Self.fetch(client, "/", cookie: cookie).status == .seeOther, "\(cookie)")
            }
            let cookie = try Self.cookie(try await Self.signIn(client, try #require(tokens.texts["boss"])))
            #expect(try await Self.fetch(client, "/upload", cookie: cookie).status == .ok)
            #expect(try await Self.fetch(client, "/signatures/reload", .post, cookie: cookie).status == .seeOther)
            for origin in ["http://evil.example", "null", "http://localhost.evil.example", nil] {
                for place in ["/signatures/reload", "/logout", "/upload", "/login"] {
                    let refused = try await Self.fetch(client, place, .post, cookie: cookie, origin: origin)
                    #expect(refused.status == .forbidden, "\(place) from \(origin ?? "nowhere")")
                }
            }
            // A program with the token itself needs no page.
            let headers: HTTPFields = [.authorization: "Bearer \(try #require(tokens.texts["boss"]))"]
            #expect(try await client.execute(uri: "/findings", method: .get, headers: headers).status == .ok)
        }
        #expect(test.reloads.withLock { $0 } == 1)
    }

    @Test func sessionsEndWithTheirTokenAndTheirTime() async throws {
        let tokens = try Tokens(["reader": [.read], "other": [.read]])
        let clock = SharedValue(Timestamp(seconds: 1_000_000))
        let test = try TestServer {
            $0.tokenFile = tokens.file.path
        } parts: { parts in
            parts.now = { clock.withLock { $0 } }
        }
        try await test.route { client async throws in
            let first = try Self.cookie(try await Self.signIn(client, try #require(tokens.texts["reader"])))
            let second = try Self.cookie(try await Self.signIn(client, try #require(tokens.texts["other"])))
            #expect(first != second)
            try tokens.file.update { tokens in tokens.removeAll { $0.name == "reader" } }
            test.core.access.reload(test.log)
            #expect(try await Self.fetch(client, "/", cookie: first).status == .seeOther)
            #expect(try await Self.fetch(client, "/", cookie: second).status == .ok)
            clock.withLock { $0 = Timestamp(seconds: 1_000_000 + Sessions.seconds) }
            #expect(try await Self.fetch(client, "/", cookie: second).status == .seeOther)
        }
    }

    @Test func sessionsAreBounded() {
        let sessions = Sessions()
        let token = AccessToken.make(name: "n", owner: "", scopes: [.read], expires: nil, now: currentTime()).token
        let ids = (0..<1_100).map { sessions.begin(token, now: Timestamp(seconds: Int64($0))) }
        #expect(ids.count { sessions.session($0, now: Timestamp(seconds: 1_100)) != nil } == 1_000)
        #expect(sessions.session(ids[0], now: Timestamp(seconds: 1_100)) == nil)
        #expect(Sessions.cookie("x", isSecure: true).hasSuffix("; Secure"))
    }

    @Test func withoutTokensThereIsNothingToSignInTo() async throws {
        try await TestServer().route { client async throws in
            #expect(try await client.get("/login").headers[.location] == "/")
            #expect(!(try await client.get("/").text.contains("Sign out")))
        }
    }
}
