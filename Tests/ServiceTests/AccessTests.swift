import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOPosix
import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

struct AccessTests {
    /// Tokens of every kind in a file.
    private struct Tokens {
        let folder: TemporaryFolder
        let file: TokenFile
        var texts: [String: String] = [:]

        init() throws {
            folder = try TemporaryFolder()
            file = TokenFile(path: folder.path + "/tokens.json")
            try add("submit", [.submit])
            try add("read", [.read])
            try add("admin", [.admin])
            try add("both", [.submit, .read])
            try add("expired", [.submit, .read], expires: 1_000)
        }

        mutating func add(
            _ name: String, _ scopes: [AccessScope], expires: Int64? = nil, rate: Int? = nil, quota: Int? = nil
        ) throws {
            let made = AccessToken.make(
                name: name, owner: "Owner of \(name)", scopes: scopes, expires: expires, now: currentTime())
            var token = made.token
            token.uploadsPerMinute = rate
            token.bytesPerDay = quota
            try file.update { [token] in $0.append(token) }
            texts[name] = made.text
        }

        func header(_ name: String) -> HTTPFields { [.authorization: "Bearer \(texts[name] ?? name)"] }
    }

    private func upload(
        _ client: any TestClientProtocol, _ headers: HTTPFields, to uri: String = "/api/check"
    ) async throws -> TestResponse {
        let form = MultipartForm("evil")
        var headers = headers
        headers[.contentType] = form.contentType
        headers[.contentLength] = "\(form.bytes.count)"
        return try await client.execute(uri: uri, method: .post, headers: headers, body: ByteBuffer(bytes: form.bytes))
    }

    @Test func scopesDecide() async throws {
        let tokens = try Tokens()
        let test = try TestServer { $0.tokenFile = tokens.file.path }
        try await test.route { client async throws in
            func status(_ uri: String, _ name: String) async throws -> HTTPResponse.Status {
                try await client.execute(uri: uri, method: .get, headers: tokens.header(name)).status
            }
            #expect(try await upload(client, tokens.header("submit")).status == .ok)
            #expect(try await upload(client, tokens.header("both"), to: "/api/v1/checkAsync").status == .ok)
            for name in ["read", "admin"] {
                let refused = try await upload(client, tokens.header(name))
                #expect(refused.status == .forbidden)
                #expect(refused.reason == "scope_missing")
            }
            for uri in ["/api/queueHistory", "/api/sampleHistory", "/api/deniedHistory", "/", "/api/collection"] {
                #expect(try await status(uri, "read") == .ok)
                #expect(try await status(uri, "submit") == .forbidden)
            }
            #expect(try await status("/api/getAsyncResults?id=5", "read") == .badRequest)
            #expect(try await status("/api/getAsyncResults?id=5", "submit") == .forbidden)
            for name in ["submit", "read", "admin"] {
                #expect(try await status("/api/status", name) == .ok)
                #expect(try await status("/api/info", name) == .ok)
            }
            for uri in ["/healthz", "/readyz", "/api/v1/openapi.yaml", "/page.css"] {
                #expect(try await client.get(uri).status == .ok)
            }
        }
        #expect(test.engine.submissions.count == 2)
    }

    @Test func missingWrongAndExpiredTokensAreRefusedAndAudited() async throws {
        let tokens = try Tokens()
        let test = try TestServer { $0.tokenFile = tokens.file.path }
        let good = try #require(tokens.texts["both"])
        try await test.route { client async throws in
            let cases: [(HTTPFields, String)] = [
                ([:], "token_missing"), ([.authorization: "Basic abc"], "token_missing"),
                ([.authorization: "Bearer"], "token_missing"), ([.authorization: "Bearer x"], "token_invalid"),
                ([.authorization: "Bearer \(good)0"], "token_invalid"),
                ([.authorization: "Bearer \(good.dropLast())"], "token_invalid"),
                ([.authorization: "Bearer ts_00000000_00"], "token_invalid"),
                (tokens.header("expired"), "token_expired"),
            ]
            for (headers, reason) in cases {
                let refused = try await upload(client, headers)
                #expect(refused.status == .unauthorized)
                #expect(refused.reason == reason)
                #expect(refused.headers[.wwwAuthenticate] == "Bearer")
                #expect(test.log.messages.last?.contains("REASON=\(reason)") == true)
            }
            #expect(try await upload(client, [.authorization: "bearer  \(good)"]).status == .ok)
        }
        #expect(test.engine.submissions.count == 1)
        // Nothing secret is in the log or in the file.
        let secret = try #require(good.split(separator: "_").last)
        #expect(!test.log.messages.contains { $0.contains(secret) })
        #expect(!(try tokens.folder.read("tokens.json").contains(secret)))
    }

    @Test func whatABrowserIsRefusedIsAudited() async throws {
        let tokens = try Tokens()
        let test = try TestServer { $0.tokenFile = tokens.file.path }
        try await test.route { client async throws in
            func refusals() -> Int { test.log.messages.count { $0.contains("a request was refused") } }
            func send(_ method: HTTPRequest.Method, _ uri: String, site: String) async throws -> Int {
                var headers = HTTPFields()
                headers[.accept] = "text/html"
                headers[try #require(HTTPField.Name("Sec-Fetch-Site"))] = site
                return try await client.execute(uri: uri, method: method, headers: headers).status.code
            }
            // A page that is opened without a sign-in is no attempt; to change something is.
            #expect(try await send(.get, "/signatures", site: "none") == 303)
            #expect(refusals() == 0)
            #expect(try await send(.post, "/signatures/reload", site: "same-origin") == 303)
            #expect(refusals() == 1)
            #expect(try await send(.post, "/signatures/reload", site: "cross-site") == 403)
            #expect(refusals() == 2)
        }
    }

    @Test func theBodyOfARefusedUploadIsNotWaitedFor() async throws {
        let tokens = try Tokens()
        try await TestServer { $0.tokenFile = tokens.file.path }.listen { port, _ async throws in
            let answer = try await RawConnection.open(port) { connection in
                try connection.send(
                    "POST /api/check HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                        + "Expect: 100-continue\r\nContent-Length: 100000000\r\n\r\n")
                return try connection.answer()
            }
            #expect(answer.status == 401)
        }
    }

    @Test func ownerAndExpirationAreThoseOfTheToken() async throws {
        var made = try Tokens()
        try made.add("lab", [.read], expires: 4_000_000_000, rate: 5)
        let tokens = made
        try await TestServer { $0.tokenFile = tokens.file.path }.route { client async throws in
            let v1 = try await client.execute(uri: "/api/v1/info", method: .get, headers: tokens.header("lab")).object
            #expect(v1["license_owner"] as? String == "Owner of lab")
            #expect(v1["license_expiration"] as? String == "2096-10-02T07:06:40Z")
            let legacy = try await client.execute(uri: "/api/info", method: .get, headers: tokens.header("lab")).object
            #expect(legacy["license_expiration_date"] as? String == "2096/10/02")
            #expect(legacy["allowed_samples_per_hour"] as? Int == 300)
            #expect(legacy["license_owner"] as? String == "Owner of lab")
        }
        // Whatever a token file says of it, the service goes on.
        try made.add("fast", [.read], rate: .max)
        let fast = made
        try await TestServer { $0.tokenFile = fast.file.path }.route { client async throws in
            let info = try await client.execute(uri: "/api/info", method: .get, headers: fast.header("fast")).object
            #expect(info["allowed_samples_per_hour"] as? Int ?? 0 > 10_000_000)
        }
    }

    @Test func changesOfTheFileCount() async throws {
        var made = try Tokens()
        let test = try TestServer { $0.tokenFile = made.file.path }
        try made.add("late", [.submit])
        try made.file.update { tokens in tokens.removeAll { $0.name == "both" } }
        let tokens = made
        try await test.route { client async throws in
            // The service may have read it already.
            test.core.access.reload(test.log)
            #expect(try await upload(client, tokens.header("late")).status == .ok)
            #expect(try await upload(client, tokens.header("both")).status == .unauthorized)
            try tokens.folder.write("tokens.json", "{")
            for _ in 0..<2 { test.core.access.reload(test.log) }
            #expect(try await upload(client, tokens.header("late")).status == .ok)
        }
        #expect(test.log.messages.filter { $0.contains("could not be read again") }.count == 1)
    }

    @Test func tokensWithLimitsHaveToWait() async throws {
        var made = try Tokens()
        try made.add("slow", [.submit], rate: 1)
        try made.add("small", [.submit], quota: 1_000)
        let tokens = made
        let test = try TestServer { $0.tokenFile = tokens.file.path }
        try await test.route { client async throws in
            #expect(try await upload(client, tokens.header("slow")).status == .ok)
            let refused = try await upload(client, tokens.header("slow"))
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.reason == "rate_limit")
            #expect((1...120).contains(try #require(refused.headers[.retryAfter].flatMap { Int($0) })))
            var reasons: [String?] = []
            for _ in 0..<10 { reasons.append(try await upload(client, tokens.header("small")).reason) }
            #expect(reasons.first == .some(nil))
            #expect(reasons.last == "quota")
            let status = try await client.execute(uri: "/api/status", method: .get, headers: tokens.header("read"))
                .object
            #expect(status["quota_waits"] as? Int ?? 0 >= 2)
        }
    }

    @Test func sourcesWithLimitsHaveToWait() async throws {
        let test = try TestServer { $0.sourceAllowance.uploadsPerMinute = 1 }
        try await test.route { client async throws in
            #expect(try await upload(client, [:], to: "/api/check?source=a").status == .ok)
            #expect(try await upload(client, [:], to: "/api/check?source=a").reason == "rate_limit")
            #expect(try await upload(client, [:], to: "/api/check?source=b").status == .ok)
        }
        #expect(test.log.messages.contains { $0.contains("REASON=rate_limit") })
    }

    @Test func allowancesFillAgainAndStayBounded() {
        let limits = RateLimits()
        let second: UInt64 = 1_000_000_000
        let rate = Allowance(uploadsPerMinute: 60)
        for _ in 0..<60 { #expect(limits.take("a", rate, bytes: 0, now: second) == nil) }
        #expect(limits.take("a", rate, bytes: 0, now: second) == .rate(seconds: 1))
        #expect(limits.take("a", rate, bytes: 0, now: 3 * second) == nil)
        let quota = Allowance(bytesPerDay: 100)
        #expect(limits.take("b", quota, bytes: 60, now: 0) == nil)
        #expect(limits.take("b", quota, bytes: 60, now: second) == .quota(seconds: 86_400))
        limits.add("b", bytes: 40)
        #expect(limits.take("b", quota, bytes: 1, now: second) != nil)
        #expect(limits.take("b", quota, bytes: 60, now: 86_400 * second) == nil)
        #expect(limits.take("b", Allowance(), bytes: .max, now: 0) == nil)
    }

    @Test func aDaysUseOutlivesARestart() async throws {
        let folder = try TemporaryFolder()
        func serve(_ expected: String?) async throws {
            let test = try TestServer(folder: folder) { $0.sourceAllowance.bytesPerDay = 400 }
            try await test.route { client async throws in
                for name in ["a", "b"] {
                    let answer = try await upload(client, [:], to: "/api/check?source=\(name)")
                    #expect(answer.reason == (name == "a" ? expected : nil))
                }
            }
            test.core.close()
        }
        try await serve(nil)
        let index = try ServiceIndex(directory: folder.path, resultLimit: 0) { _ in }
        let stored = try index.dayUses(now: Timestamp(seconds: 0)).first { $0.name == "source a" }
        #expect((stored?.bytes ?? 0) > 0)
        try index.commit(
            ServiceIndex.Changes(dayUses: [RateLimits.DayUse(name: "source a", bytes: 400, ends: stored?.ends ?? 0)]))
        index.close()
        try await serve("quota")
    }

    @Test func storedDaysAreNotMadeLongerByAWrongClock() {
        let second: UInt64 = 1_000_000_000
        let stored = [
            RateLimits.DayUse(name: "over", bytes: 100, ends: 999),
            RateLimits.DayUse(name: "far", bytes: 100, ends: .max),
            RateLimits.DayUse(name: "running", bytes: 100, ends: 1060),
        ]
        let limits = RateLimits(stored: stored, wall: Timestamp(seconds: 1000), now: 5 * second)
        let quota = Allowance(bytesPerDay: 100)
        #expect(limits.take("over", quota, bytes: 1, now: 5 * second) == nil)
        #expect(limits.take("far", quota, bytes: 1, now: 5 * second) == .quota(seconds: 86_401))
        #expect(limits.take("running", quota, bytes: 1, now: 5 * second) == .quota(seconds: 61))
        #expect(limits.take("running", quota, bytes: 7, now: 65 * second) == nil)
        let changes = limits.takeChanges(wall: Timestamp(seconds: 1060), now: 65 * second).sorted { $0.name < $1.name }
        #expect(changes.map(\.name) == ["over", "running"])
        #expect(changes.last == RateLimits.DayUse(name: "running", bytes: 7, ends: 1060 + 86_400))
        #expect(limits.takeChanges(wall: Timestamp(seconds: 1060), now: 65 * second).isEmpty)
    }

    @Test func aFloodOfRefusalsIsNoFloodOfTheLog() async throws {
        let tokens = try Tokens()
        let test = try TestServer { $0.tokenFile = tokens.file.path }
        try await test.route { client async throws in
            for _ in 0..<200 { _ = try await upload(client, [:]) }
        }
        #expect(test.log.messages.count < 200)
    }

    @Test func addressesThatOthersReachNeedAGuardOrAWord() throws {
        func check(_ change: (inout Settings) -> Void) throws {
            var settings = Settings()
            change(&settings)
            _ = try settings.serviceConfiguration()
        }
        for host in ["127.0.0.1", "127.8.9.1", "localhost", "::1"] { try check { $0.serverHost = host } }
        for host in ["0.0.0.0", "192.0.2.7", "::", "127.0.0.1.evil", "example.com", ""] {
            let error = #expect(throws: ConfigurationError.self) { try check { $0.serverHost = host } }
            #expect(error?.description.contains("--allow-insecure") == true)
            try check {
                $0.serverHost = host
                $0.allowInsecure = true
            }
            try check {
                $0.serverHost = host
                $0.serverTokens = "tokens.json"
            }
            try check {
                $0.serverHost = host
                $0.serverCertificate = "a"
                $0.serverKey = "b"
            }
        }
        #expect(throws: ConfigurationError.self) { try check { $0.serverCertificate = "a" } }
        #expect(throws: ConfigurationError.self) { try check { $0.serverClientAuthorities = "a" } }
        #expect(throws: ConfigurationError.self) { try check { $0.viewDirectory = "a" } }
        #expect(throws: ConfigurationError.self) { try check { $0.storeSamples = "some" } }
    }

    @Test func tokensThatAreMadeAtOnceAreAllThere() async throws {
        let folder = try TemporaryFolder()
        let file = TokenFile(path: folder.path + "/tokens.json")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<32 {
                group.addTask {
                    try await spoolThreads.runIfActive {
                        let token = AccessToken.make(
                            name: "\(index)", owner: "", scopes: [.read], expires: nil, now: currentTime()
                        ).token
                        try file.update { $0.append(token) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let names = try file.read().map(\.name)
        #expect(names.count == 32)
        #expect(Set(names) == Set((0..<32).map { "\($0)" }))
        #expect(try folder.names() == ["tokens.json", "tokens.json.lock"])
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path + ".lock")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func theTokenFileIsPrivateAndNamedWhenItIsMissing() throws {
        let tokens = try Tokens()
        let attributes = try FileManager.default.attributesOfItem(atPath: tokens.file.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let error = #expect(throws: ConfigurationError.self) {
            try TestServer { $0.tokenFile = "/nonexistent/tokens.json" }
        }
        #expect(error?.description.contains("thunderstorm token create") == true)
    }
}
