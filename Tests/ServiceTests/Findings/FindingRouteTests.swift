import Foundation
import Glibc
import HTTPTypes
import HummingbirdTesting
import Pipeline
import Testing

@testable import ThunderstormService

struct FindingRouteTests {
    @Test func findingsOfBothLanesAreListedAndTold() async throws {
        let test = try TestServer()
        try await test.listen { port, _ async throws in
            let form = MultipartForm("evil", filename: "/tmp/e")
            _ = try await RawConnection.open(port) { connection in
                try connection.send(form.request("/api/check?source=pc1"))
                return try connection.answer()
            }
        }
        let after = try TestServer(folder: test.folder)
        try await after.route { client async throws in
            #expect(try await client.upload(MultipartForm("evil"), to: "/api/v1/check?source=pc2").status == .ok)
            #expect(try await client.upload(MultipartForm("good"), to: "/api/v1/check?source=pc2").status == .ok)
            after.core.findings?.flush()
            let list = try await client.get("/api/v1/findings?pretty").object
            let findings = try #require(list["findings"] as? [[String: Any]])
            #expect(findings.map { $0["source"] as? String } == ["pc2", "pc1"])
            #expect(findings[1]["name"] as? String == "/tmp/e")
            #expect(findings[1]["rules"] as? [String] == ["Evil"])
            #expect(list["next"] is NSNull)
            let id = try #require(findings[0]["id"] as? Int)
            let one = try await client.get("/api/v1/findings/\(id)").object
            #expect((one["meta"] as? [String: Any])?["hostname"] as? String == "pc2")
            #expect((one["reasons"] as? [[String: Any]])?.count == 1)
            #expect((one["meta"] as? [String: Any])?["scan_id"] as? String == findings[0]["scan_id"] as? String)
        }
    }

    @Test func findingsOfAnAsyncResultAreOnTheDiskBeforeItsSampleIsGone() async throws {
        let folder = try TemporaryFolder()
        let test = try TestServer(folder: folder)
        try await test.route { client async throws in
            let id = try await client.submit(MultipartForm("evil"))
            _ = try await client.result(of: id)
            // The sample is removed when its result is committed; nothing was flushed by us.
            while !(try folder.samples().isEmpty) { try await Task.sleep(for: .milliseconds(5)) }
            let page = try test.core.findings?.page(FindingQuery())
            #expect(page?.findings.count == 1)
        }
    }

    @Test(arguments: [
        ("hash=xyz", "invalid_hash"), ("hash=0123456789abcdef", "invalid_hash"), ("level=severe", "invalid_level"),
        ("since=yesterday", "invalid_since"), ("until=2026-13-01", "invalid_until"), ("before=7", "invalid_before"),
        ("before=a-b", "invalid_before"), ("limit=0", "invalid_limit"), ("limit=201", "invalid_limit"),
        ("since=99999999999999999999-01-01", "invalid_since"), ("before=1--5", "invalid_before"),
    ])
    func badParameters(_ query: String, _ reason: String) async throws {
        try await TestServer().route { client async throws in
            let answer = try await client.get("/api/v1/findings?\(query)")
            #expect(answer.status == .badRequest)
            #expect(answer.reason == reason)
        }
    }

    @Test func timesMayBeShortened() throws {
        for (text, seconds) in [
            ("2026-01-02", 1_767_312_000), ("2026-01-02T03:04", 1_767_323_040),
            ("2026-01-02 03:04:05", 1_767_323_045), ("2026-01-02T03:04:05.678Z", 1_767_323_045),
            ("2026-01-02T03:04:05%2B02:00", 1_767_315_845), ("2026-01-02T03:04:05-0130", 1_767_328_445),
        ] as [(String, Int64)] {
            #expect(try FindingQuery(RequestQuery("since=\(text)")).since == seconds, "\(text)")
        }
    }

    @Test func whatIsNotThereOrNotKeptIsSaid() async throws {
        try await TestServer().route { client async throws in
            for (id, reason) in [
                ("1", "unknown_finding"), ("0", "invalid_id"), ("x", "invalid_id"), ("-1", "invalid_id"),
            ] {
                #expect(try await client.get("/api/v1/findings/\(id)").reason == reason)
            }
        }
        let none = try TestServer { $0.findings = nil }
        try await none.route { client async throws in
            #expect(try await client.upload(MultipartForm("evil")).array?.count == 1)
            #expect(try await client.get("/api/v1/findings").reason == "no_findings_kept")
            #expect(try await client.get("/api/v1/findings/1").reason == "no_findings_kept")
        }
        #expect(!(try none.folder.names().contains(FindingStore.fileName)))
    }

    @Test func settingsAreChecked() throws {
        var settings = Settings()
        #expect(try settings.serviceConfiguration().findings == FindingStore.Limits())
        settings.findingsLimit = 5
        settings.findingsAge = 2
        let limits = try #require(try settings.serviceConfiguration().findings)
        #expect(limits.count == 5 && limits.age == 172_800)
        settings.findingsLimit = 0
        #expect(try settings.serviceConfiguration().findings == nil)
        settings.findingsAge = 0
        #expect(throws: ConfigurationError.self) { try settings.serviceConfiguration() }
        settings.findingsAge = nil
        settings.findingsLimit = -1
        #expect(throws: ConfigurationError.self) { try settings.serviceConfiguration() }
    }
}
