import HTTPTypes
import HummingbirdTesting
import Pipeline
import Testing

@testable import ThunderstormService

struct VerdictCacheTests {
    private let scope = VerdictCache.Scope(signatures: "1", loaded: "now")

    private func report(_ code: Pipeline.Issue.Code? = nil, failure: String? = nil) -> Report {
        var report = Report()
        report.samples = 1
        report.failure = failure
        if let code {
            report.findings = [
                Finding(
                    subject: .record(RecordSubject(type: RecordType("x", module: "X"), offset: 0, fields: [])),
                    module: "X", reasons: [], score: 0, level: .info, context: [],
                    issues: [Pipeline.Issue(code, stage: "x", message: "x")])
            ]
        }
        return report
    }

    @Test func knownContentsAreNotScannedAgain() async throws {
        let test = try TestServer { $0.cachesVerdicts = true }
        try await test.route { client async throws in
            let form = MultipartForm("evil", filename: "/tmp/a")
            for source in ["pc1", "pc2"] {
                let answer = try await client.upload(form, to: "/api/v1/check?source=\(source)")
                let meta = try #require(answer.array?.first?["meta"] as? [String: Any])
                #expect(meta["hostname"] as? String == source)
                #expect(meta["scan_id"] as? String == (source == "pc1" ? "S-test-1" : "S-test-2"))
            }
            #expect(test.engine.submissions.count == 1)
            // Signatures look at names, so another path is another verdict.
            _ = try await client.upload(MultipartForm("evil", filename: "/tmp/b"))
            #expect(test.engine.submissions.count == 2)
            _ = try await client.result(of: try await client.submit(form))
            #expect(test.engine.submissions.count == 2)
            let status = try await client.get("/api/status").object
            #expect(status["verdict_cache_hits"] as? Int == 2)
            #expect(status["scanned_samples"] as? Int == 4)
        }
        #expect(test.log.contexts.count == 4)
    }

    @Test func largeContentsAreToldApartByEachByte() async throws {
        let test = try TestServer { $0.cachesVerdicts = true }
        try await test.route { client async throws in
            let text = String(repeating: "evil ", count: 30_000)
            for _ in 0..<2 { _ = try await client.upload(MultipartForm(text, filename: "/tmp/a")) }
            #expect(test.engine.submissions.count == 1)
            _ = try await client.upload(MultipartForm(text.dropLast() + "!", filename: "/tmp/a"))
            #expect(test.engine.submissions.count == 2)
            // The digest of an async upload is made on its way in.
            _ = try await client.result(of: try await client.submit(MultipartForm(text, filename: "/tmp/a")))
            #expect(test.engine.submissions.count == 2)
        }
    }

    @Test func theCacheCanBeTurnedOff() async throws {
        let test = try TestServer { $0.cachesVerdicts = false }
        try await test.route { client async throws in
            for _ in 0..<3 { _ = try await client.upload(MultipartForm("evil")) }
            #expect(test.engine.submissions.count == 3)
        }
    }

    @Test func whatMayBeOtherwiseNextTimeIsNotKept() {
        let cache = VerdictCache(byteLimit: 1 << 20)
        func isKept(_ report: Report) -> Bool {
            cache.keep(report, sha256: "a", path: "\(report)", scope: scope)
            return cache.report(sha256: "a", path: "\(report)", scope: scope) != nil
        }
        #expect(isKept(report()))
        #expect(isKept(report(.damaged)))
        #expect(isKept(report(.limit)))
        #expect(!isKept(report(.timeout)))
        #expect(!isKept(report(.failed)))
        #expect(!isKept(report(failure: "the engine crashed")))
    }

    @Test func contentPathAndSignaturesTellVerdictsApart() {
        let cache = VerdictCache(byteLimit: 1 << 20)
        cache.keep(report(), sha256: "a", path: "/x", scope: scope)
        #expect(cache.report(sha256: "a", path: "/x", scope: scope) == report())
        #expect(cache.report(sha256: "b", path: "/x", scope: scope) == nil)
        #expect(cache.report(sha256: "a", path: "/y", scope: scope) == nil)
        #expect(cache.report(sha256: "a", path: "/x", scope: .init(signatures: "2", loaded: "now")) == nil)
    }

    @Test func theLongestUnusedVerdictsGo() {
        let cache = VerdictCache(byteLimit: 64 << 10)
        for index in 0..<1_000 {
            cache.keep(report(), sha256: "\(index)", path: "/x", scope: scope)
            #expect(cache.report(sha256: "0", path: "/x", scope: scope) != nil)
        }
        #expect(cache.bytes <= 64 << 10)
        #expect(cache.report(sha256: "1", path: "/x", scope: scope) == nil)
        #expect(cache.report(sha256: "999", path: "/x", scope: scope) != nil)
    }
}
