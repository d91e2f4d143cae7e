import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Pipeline
import Testing

@testable import ThunderstormService

// The API against the router, without a socket.

struct HTTPTests {
    @Test func checkAnswersWithFindingsInBothShapes() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            let legacy = try await client.upload(
                MultipartForm("evil", filename: "C:\\Temp\\x.exe"), to: "/api/check?source=pc7")
            #expect(legacy.status == .ok)
            #expect(legacy.headers[.contentType] == "application/json")
            let first = try #require(legacy.array?.first)
            #expect(first["level"] as? String == "Alert")
            #expect((first["context"] as? [String: Any])?["file"] as? String == "C:\\Temp\\x.exe")
            #expect(((first["matches"] as? [[String: Any]])?.first)?["rulename"] as? String == "Evil")

            let v1 = try await client.upload(MultipartForm("evil"), to: "/api/v1/check")
            let finding = try #require(v1.array?.first)
            #expect(finding["log_version"] as? String == "v3.0.0")
            let meta = try #require(finding["meta"] as? [String: Any])
            #expect(meta["scan_id"] as? String == "S-test-2")
            #expect(meta["hostname"] as? String == "unknown")
        }
        #expect(test.log.contexts.map(\.scanID) == ["S-test-1", "S-test-2"])
        #expect(test.log.contexts.map(\.hostname) == ["pc7", "unknown"])
    }

    @Test(arguments: ["/api/check", "/api/v1/check"])
    func cleanSamplesGetAnEmptyArray(_ uri: String) async throws {
        try await TestServer().route { client async throws in
            let answer = try await client.upload(MultipartForm("harmless"), to: uri)
            #expect(answer.text == "[]\n")
        }
    }

    @Test func prettyIndents() async throws {
        try await TestServer().route { client async throws in
            #expect(
                try await client.upload(MultipartForm("evil"), to: "/api/check?pretty=true").text.hasPrefix("[\n  {\n"))
            #expect(try await client.upload(MultipartForm("evil"), to: "/api/check?pretty=false").text.hasPrefix("[{"))
            #expect(try await client.get("/api/status?pretty").text.hasPrefix("{\n  \"scanned_samples\""))
        }
    }

    @Test func zeroBytesAndMissingNamesAreLegal() async throws {
        let test = try TestServer()
        var nameless = MultipartForm()
        nameless.add(disposition: "form-data; name=\"file\"", [])
        let form = nameless
        try await test.route { client async throws in
            #expect(try await client.upload(form).text == "[]\n")
            #expect(try await client.upload(MultipartForm("", filename: "")).text == "[]\n")
        }
        #expect(test.engine.submissions.map(\.path) == ["", ""])
        #expect(test.engine.submissions.map(\.bytes.count) == [0, 0])
    }

    @Test func otherPartsAreIgnored() async throws {
        let test = try TestServer()
        var form = MultipartForm()
        form.add(disposition: "form-data; name=\"hostname\"", Array("pc1".utf8))
        form.add(disposition: "form-data; name=\"file\"; filename=\"a\"", Array("content".utf8))
        form.add(disposition: "form-data; name=\"source_path\"; filename=\"b\"", Array("evil".utf8))
        let sent = form
        try await test.route { client async throws in
            #expect(try await client.upload(sent).text == "[]\n")
        }
        #expect(test.engine.submissions.map { $0.bytes.span.utf8Text } == ["content"])
    }

    @Test(arguments: [
        ("/api/check?source=pc1", "pc1"), ("/api/check?Source=pc1", "pc1"), ("/api/check?SOURCE=pc%201", "pc 1"),
        ("/api/check?source=a+b", "a b"), ("/api/check?source=%E4", "ä"), ("/api/check?source=a&source=b", "a"),
        ("/api/check?source=", "unknown"), ("/api/check?source", "unknown"), ("/api/check?&&=&x=%", "unknown"),
        ("/api/check?scan_id=1&source=%3Cb%3E%0A", "<b>\n"), ("/api/check?source=100%", "100%"),
    ])
    func sourceOfASample(_ uri: String, _ source: String) async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            #expect(try await client.upload(MultipartForm("x"), to: uri).status == .ok)
        }
        #expect(test.engine.submissions.map(\.source) == [source])
    }

    @Test func asyncSamplesAreQueuedScannedAndKept() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            let answer = try await client.upload(
                MultipartForm("evil", filename: "/tmp/b"), to: "/api/checkAsync?source=pc1")
            #expect(answer.status == .ok)
            let id = try #require(answer.object["id"] as? Int64)
            #expect(id > 1_000_000_000_000)
            #expect(!answer.text.contains("reason"))
            let legacy = try await client.result(of: id)
            #expect(legacy["status"] as? String == "Sample analysis complete")
            let finding = try #require((legacy["result"] as? [[String: Any]])?.first)
            #expect((finding["context"] as? [String: Any])?["file"] as? String == "/tmp/b")
            let v1 = try await client.result(of: id, in: "/api/v1")
            let meta = try #require(((v1["result"] as? [[String: Any]])?.first)?["meta"] as? [String: Any])
            #expect(meta["hostname"] as? String == "pc1")
            let next = try await client.submit(MultipartForm("x"), to: "/api/v1/checkAsync")
            #expect(next > id)
        }
    }

    @Test func resultsAreForgottenAfterTheCacheIsFull() async throws {
        let test = try TestServer { $0.resultCacheSize = 1 }
        try await test.route { client async throws in
            let first = try await client.submit(MultipartForm("a"))
            _ = try await client.result(of: first)
            let second = try await client.submit(MultipartForm("b"))
            #expect(try await client.result(of: second)["status"] as? String == "Sample analysis complete")
            // The second result drives the first one out when it is stored.
            var forgotten = try await client.get("/api/getAsyncResults?id=\(first)")
            while forgotten.status == .ok { forgotten = try await client.get("/api/getAsyncResults?id=\(first)") }
            #expect(forgotten.status == .badRequest)
            #expect(forgotten.reason == "unknown_id")
        }
    }

    @Test func aCacheOfNothingKeepsNothing() async throws {
        let test = try TestServer { $0.resultCacheSize = 0 }
        try await test.route { client async throws in
            let id = try await client.submit(MultipartForm("a"))
            #expect(try await client.result(of: id)["reason"] as? String == "unknown_id")
        }
    }

    @Test(arguments: [
        ("", "missing_id"), ("?id=", "missing_id"), ("?id=abc", "invalid_id"), ("?id=-1", "invalid_id"),
        ("?id=99999999999999999999", "invalid_id"), ("?id=12", "unknown_id"), ("?id=1%00", "invalid_id"),
    ])
    func badIDs(_ query: String, _ reason: String) async throws {
        try await TestServer().route { client async throws in
            for api in ["/api", "/api/v1"] {
                let answer = try await client.get("\(api)/getAsyncResults\(query)")
                #expect(answer.status == .badRequest)
                #expect(answer.reason == reason)
                #expect(answer.object["message"] is String)
            }
        }
    }

    @Test func statusHasTheKeysOfBothGenerations() async throws {
        try await TestServer().route { client async throws in
            _ = try await client.upload(MultipartForm("x"))
            for uri in ["/api/status", "/api/v1/status"] {
                let status = try await client.get(uri).object
                for key in [
                    "scanned_samples", "queued_async_requests", "avg_scan_time_milliseconds",
                    "avg_wait_time_milliseconds", "uptime_seconds", "avg_scan_time_ms", "avg_total_time_ms", "uptime_s",
                    "denied_requests", "denied_request_proportion", "quota_waits", "quota_wait_time_ms",
                ] {
                    #expect(status[key] is NSNumber, "\(key)")
                }
                #expect(status["scanned_samples"] as? Int == 1)
                #expect(status["uptime_seconds"] as? Int ?? 0 > 0)
                #expect(status["status"] == nil)
            }
        }
    }

    @Test func infoOfBothGenerations() async throws {
        try await TestServer().route { client async throws in
            let legacy = try await client.get("/api/info").object
            for key in [
                "license_expiration_date", "sigma_version", "signature_version", "thor_version", "yara_version",
            ] {
                #expect(legacy[key] is String, "\(key)")
            }
            #expect(legacy["threads"] as? Int == 2)
            let v1 = try await client.get("/api/v1/info").object
            #expect((v1["version_info"] as? [String: Any])?["thor"] as? String == thunderstormVersion)
            #expect(v1["arguments"] as? [String] == ["serve", "--threads", "2"])
            let signatures = try #require(v1["signatures"] as? [String: Any])
            #expect((signatures["counts"] as? [String: Int])?["YARA Rule"] == 1)
            let problem = try #require((signatures["problems"] as? [[String: Any]])?.first)
            #expect(problem["line"] as? Int == 7)
        }
    }

    @Test func historiesCountByMinute() async throws {
        try await TestServer().route { client async throws in
            _ = try await client.upload(MultipartForm("x"))
            let id = try await client.submit(MultipartForm("y"))
            _ = try await client.result(of: id)
            for api in ["/api", "/api/v1"] {
                #expect(try await client.sum("\(api)/sampleHistory") == 2)
                #expect(try await client.sum("\(api)/queueHistory?aggregate=15&limit=60") == 1)
            }
            #expect(try await client.sum("/api/deniedHistory") == 0)
            let keys = try await client.get("/api/sampleHistory").object.keys
            #expect(keys.allSatisfy { $0.wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d/) != nil })
            #expect(try await client.get("/api/v1/deniedHistory").status == .notFound)
        }
    }

    @Test(arguments: [
        ("aggregate=x", "invalid_aggregate"), ("aggregate=0", "invalid_aggregate"), ("limit=1.5", "invalid_limit"),
        ("limit=-1", "invalid_limit"), ("limit=999999999999999999999", "invalid_limit"),
    ])
    func badHistoryParameters(_ query: String, _ reason: String) async throws {
        try await TestServer().route { client async throws in
            let answer = try await client.get("/api/sampleHistory?\(query)")
            #expect(answer.status == .badRequest)
            #expect(answer.reason == reason)
        }
    }

    @Test func whateverIsNotThereIsSaidInJSON() async throws {
        try await TestServer().route { client async throws in
            for (method, uri, status) in [
                (HTTPRequest.Method.get, "/nothing", 404), (.post, "/api/nothing", 404),
                (.put, "/api/collection", 405),
                (.get, "/api/check", 405), (.put, "/api/v1/checkAsync", 405), (.delete, "/", 405),
                (.get, "/%2e%2e/%2e%2e/etc/passwd", 404),
            ] {
                let answer = try await client.execute(uri: uri, method: method)
                #expect(answer.status.code == status, "\(uri)")
                #expect(answer.reason != nil, "\(uri)")
                #expect(answer.object["message"] is String, "\(uri)")
            }
            let wrong = try await client.execute(uri: "/api/check", method: .get)
            #expect(wrong.headers[.allow] == "POST")
            let head = try await client.execute(uri: "/api/status", method: .head)
            #expect(head.status == .ok && head.text.isEmpty)
        }
    }

    @Test func healthAndReadiness() async throws {
        let full = try TestServer { $0.queueLimitCount = 0 }
        try await full.route { client async throws in
            #expect(try await client.get("/healthz").object["healthy"] as? Bool == true)
            let answer = try await client.get("/readyz")
            #expect(answer.status == .serviceUnavailable)
            #expect(answer.reason == "queue_full")
        }
        try await TestServer().route { client async throws in
            #expect(try await client.get("/readyz").object["ready"] as? Bool == true)
        }
    }

    @Test func theDescriptionIsTheOneInDocs() async throws {
        let path = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let docs = try String(contentsOfFile: path + "/docs/openapi.yaml", encoding: .utf8)
        try await TestServer().route { client async throws in
            let answer = try await client.get("/api/v1/openapi.yaml")
            #expect(answer.headers[.contentType] == "application/yaml")
            #expect(answer.text == docs)
            // Every path that is described answers something else than 404.
            let paths = docs.split(separator: "\n").filter { $0.hasPrefix("  /") && $0.hasSuffix(":") }
            #expect(paths.count == 23)
            for path in paths {
                let uri = String(path.dropFirst(2).dropLast())
                #expect(try await client.get(uri).status != .notFound, "\(uri)")
            }
            #expect(docs.contains("version: \(thunderstormVersion)\n"))
        }
    }
}
