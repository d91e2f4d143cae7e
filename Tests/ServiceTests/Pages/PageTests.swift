import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Pipeline
import Testing

@testable import ThunderstormService

struct PageTests {
    static let places = ["/", "/findings", "/upload", "/collections", "/signatures", "/api-docs"]

    /// What every page of ours keeps to, whatever is on it.
    static func check(_ page: TestResponse, _ name: String) throws {
        #expect(page.headers[.contentType] == "text/html; charset=utf-8", "\(name)")
        let policy = try #require(page.headers[.contentSecurityPolicy])
        #expect(policy.hasPrefix("default-src 'none'") && !policy.contains("unsafe"), "\(name)")
        for directive in ["frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'", "script-src 'self'"] {
            #expect(policy.contains(directive), "\(name)")
        }
        let foreign = page.text.replacing("'http://HOST:PORT/", with: "")
        for word in [
            "<script>", "style=\"", "onload=\"", "onload='", "onerror=\"", "\"javascript:", "src=\"http", "href=\"http",
            "<iframe",
        ] {
            #expect(!foreign.contains(word), "\(name): \(word)")
        }
        #expect(page.text.matches(of: /<h1[ >]/).count == 1, "\(name)")
        #expect(page.text.contains(#"<html lang="en">"#) && page.text.contains(##"<a class="skip" href="#main">"##))
        // No heading level is left out on the way down.
        let levels = page.text.matches(of: /<h([1-6])[ >]/).compactMap { Int($0.1) }
        for (before, after) in zip(levels, levels.dropFirst()) { #expect(after <= before + 1, "\(name): \(levels)") }
        // Every field has a label, every column header a scope, every name one element.
        for field in page.text.matches(of: /<(?:input|select)[^>]* id="([^"]+)"/) where field.1 != "next" {
            #expect(page.text.contains("<label for=\"\(field.1)\">"), "\(name): \(field.1)")
        }
        #expect(page.text.matches(of: /<th(?! scope=)[ >]/).isEmpty, "\(name)")
        let names = page.text.matches(of: #/ id="([^"]+)"/#).map { String($0.1) }
        #expect(names.count == Set(names).count, "\(name)")
    }

    @Test func everyPageIsOneOfOurs() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            #expect(try await client.upload(MultipartForm("evil")).status == .ok)
            test.core.findings?.flush()
            for place in Self.places {
                let page = try await client.get(place)
                #expect(page.status == .ok, "\(place)")
                try Self.check(page, place)
                #expect(page.text.contains("<a href=\"\(place)\" aria-current=\"page\">"), "\(place)")
                #expect(page.text.contains("\"/page.css\"") && page.text.contains("\"/page.js\""))
            }
            for asset in ["/page.css", "/page.js"] {
                let answer = try await client.get(asset)
                #expect(answer.status == .ok)
                #expect(!answer.text.contains("://"))
            }
            for span in OverviewPage.Span.allCases {
                let page = try await client.get("/?span=\(span.rawValue)")
                #expect(page.text.contains("aria-current=\"true\">\(span.title)<"))
                #expect(page.text.contains("Alert 1 in all"), "\(span)")
                #expect(page.text.contains("scanned 1 in all"), "\(span)")
            }
        }
    }

    @Test func whatProgramsGotAtTheRootTheyStillGet() async throws {
        try await TestServer().route { client async throws in
            let page = try await client.execute(uri: "/", method: .get, headers: [.accept: "*/*"])
            #expect(page.status == .ok && page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.text.contains("data-key=\"queued_async_requests\">0<"))
            #expect(try await client.execute(uri: "/", method: .head).text.isEmpty)
        }
    }

    @Test func hostileFindingsStayText() async throws {
        let test = try TestServer()
        let hostile = "<script>alert(1)</script>\" onload='x' &amp; \u{1b}[31m\u{202e}\u{0}\n</table>"
        var finding = FindingBuilder(path: "/tmp/\(hostile)").finding
        finding.module = hostile
        let signature = Signature(
            kind: Signature.Kind(hostile), score: 85, ruleName: hostile, description: hostile, author: hostile,
            references: ["javascript:alert(1)", hostile], date: hostile, tags: [hostile], id: hostile,
            falsePositives: [hostile])
        var match = MatchedText(
            data: Array(hostile.utf8), name: hostile, context: Array(hostile.utf8) + [0xFF], offset: 3, field: hostile)
        match.place = MemoryPlace(address: 1, module: hostile)
        finding.reasons = [Reason(summary: hostile, signature: signature, matched: [match])]
        finding.issues = [Issue(.damaged, stage: hostile, message: hostile, offset: 1)]
        var record = finding
        record.subject = .record(
            RecordSubject(
                type: RecordType("log line", module: "M"), offset: 0, fields: [.init(key: hostile, value: hostile)]))
        record.context = [ContextObject(file: FindingBuilder.file(hostile, md5: 1), relations: [.parent])]
        var report = Report()
        report.findings = [finding, record]
        test.core.findings?.append(
            report, context: EventContext(time: currentTime(), hostname: hostile, scanID: hostile))
        test.core.findings?.flush()
        _ = test.core.collections.begin(source: hostile, hostname: hostile, collector: hostile)
        let asked = queryEscaped(hostile)
        try await test.route { client async throws in
            let pages = [
                "/", "/findings", "/findings/1", "/findings/2", "/collections", "/findings?source=\(asked)",
                "/findings?rule=\(asked)", "/findings?scan=\(asked)", "/findings?hash=\(asked)",
                "/findings?since=\(asked)", "/findings?level=\(asked)", "/findings?rule=script",
                "/signatures?q=\(asked)", "/collections?state=\(asked)", "/?span=\(asked)",
            ]
            for place in pages {
                let page = try await client.get(place)
                try Self.check(page, place)
                // Only line ends of the controls, and no mark that turns text.
                let scalars = page.text.unicodeScalars
                #expect(!scalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x202E }, "\(place)")
                #expect(!page.text.contains("alert(1)</script>"), "\(place)")
                #expect(page.text.ranges(of: "</table>").count == page.text.ranges(of: "<table>").count, "\(place)")
            }
            let found = try await client.get("/findings?source=\(asked)&rule=\(asked)")
            #expect(found.text.contains("/findings/1\"") && found.text.contains("/findings/2\""))
        }
    }

    @Test func megabytesOfMatchedTextMakeNoLargePage() async throws {
        let test = try TestServer()
        var finding = FindingBuilder(path: "/big").finding
        finding.reasons[0].matched = [MatchedText](
            repeating: MatchedText(data: [UInt8](repeating: 0, count: 4 << 20)), count: 20)
        var report = Report()
        report.findings = [Finding](repeating: finding, count: 60)
        test.core.findings?.append(report, context: EventContext(time: currentTime(), hostname: "h", scanID: "s"))
        test.core.findings?.flush()
        try await test.route { client async throws in
            let page = try await client.get("/findings/1")
            #expect(page.status == .ok && page.text.utf8.count < 1 << 20)
            #expect(page.text.contains("the store keeps 64 KiB of a finding"))
            #expect(try await client.get("/findings").text.utf8.count < 256 << 10)
        }
    }

    @Test func aSearchShowsItsResultsAndLeadsOn() async throws {
        // Their times are long ago.
        let test = try TestServer { $0.findings?.age = 1 << 40 }
        for index in 0..<130 {
            var report = Report()
            report.findings = [
                FindingBuilder(path: "/f\(index)", rule: "Mimikatz_\(index % 2)", level: index < 5 ? .alert : .notice)
                    .finding
            ]
            test.core.findings?.append(
                report,
                context: EventContext(
                    time: Timestamp(seconds: 1_000_000 + Int64(index)), hostname: "pc", scanID: "S-\(index)"))
        }
        test.core.findings?.flush()
        try await test.route { client async throws in
            var (place, seen): (String?, [String]) = ("/findings?source=PC&limit=50", [])
            while let next = place {
                let page = try await client.get(next)
                seen += page.text.matches(of: /href="\/findings\/\d+">\/f(\d+)</).map { String($0.1) }
                place = page.text.firstMatch(of: /rel="next" href="([^"]+)"/).map {
                    String($0.1).replacing("&amp;", with: "&")
                }
                #expect(page.text.contains("value=\"PC\""))
            }
            #expect(seen == (0..<130).reversed().map { "\($0)" })
            let alerts = try await client.get("/findings?level=alert&since=1970-01-12T13:46:41")
            #expect(alerts.text.matches(of: /href="\/findings\/\d+"/).count == 4)
            #expect(alerts.text.contains(#"<option value="alert" selected>"#))
            #expect(alerts.text.contains("value=\"1970-01-12T13:46:41\""))
            let none = try await client.get("/findings?rule=mimi")
            #expect(none.text.contains("No findings.") && none.text.contains("href=\"/findings?rule=Mimikatz_1\""))
            let wrong = try await client.get("/findings?hash=zz")
            #expect(wrong.status == .badRequest && wrong.text.contains("role=\"alert\""))
        }
    }

    @Test func aFindingIsShownWithReasonsAndMatchedText() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            #expect(
                try await client.upload(MultipartForm("evil", filename: "/tmp/e.bin"), to: "/api/check?source=pc9")
                    .status == .ok)
            test.core.findings?.flush()
            let page = try await client.get("/findings/1")
            for text in [
                "/tmp/e.bin", "YARA rule Evil / Finds evil", "<code class=\"match\">evil</code>",
                "/findings?source=pc9",
                "/findings?rule=Evil", "&quot;type&quot;: &quot;THOR finding&quot;",
            ] { #expect(page.text.contains(text), "\(text)") }
            let none = try await client.execute(uri: "/findings/99", method: .get, headers: [.accept: "text/html"])
            #expect(none.status == .notFound && none.text.contains("--findings-age"))
            try Self.check(none, "/findings/99")
            #expect(try await client.get("/findings/99").reason == "unknown_finding")
        }
    }

    @Test func collectionsAndSignaturesAreListed() async throws {
        let test = try TestServer()
        let id = test.core.collections.begin(source: "pc1", hostname: "host<1>", collector: "bash/1")
        _ = test.core.collections.begin(source: "pc2", hostname: "other", collector: "go/1")
        _ = test.core.collections.end(id, as: .interrupted, reported: [:])
        try await test.route { client async throws in
            let all = try await client.get("/collections").text
            #expect(all.contains("host&lt;1&gt;") && all.contains("other"))
            let interrupted = try await client.get("/collections?state=interrupted").text
            #expect(interrupted.contains("host&lt;1&gt;") && !interrupted.contains("other"))
            #expect(try await client.get("/collections?state=silent").text.contains("No such runs."))
            let signatures = try await client.get("/signatures").text
            for text in ["2023-11-14 22:13:20", "broken.yar", "syntax &lt;error&gt;", "evil.yar", "Load them anew"] {
                #expect(signatures.contains(text), "\(text)")
            }
            #expect(try await client.get("/signatures?q=nothing").text.contains("No such signatures."))
            #expect(try await client.get("/signatures?q=EVIL").text.contains("evil.yar"))
        }
    }

    @Test func theFormScansAFileAndShowsWhatWasFound() async throws {
        let test = try TestServer()
        var form = MultipartForm()
        form.add(disposition: "form-data; name=\"source\"", Array("my<host>".utf8))
        form.add(disposition: "form-data; name=\"file\"; filename=\"evil.bin\"", Array("evil".utf8))
        let body = form
        try await test.route { client async throws in
            func send(_ form: MultipartForm, _ headers: HTTPFields) async throws -> TestResponse {
                var headers = headers
                headers[.contentType] = form.contentType
                headers[.accept] = "text/html"
                return try await client.execute(
                    uri: "/upload", method: .post, headers: headers, body: ByteBuffer(bytes: form.bytes))
            }
            let own: HTTPFields = [try #require(HTTPField.Name("Sec-Fetch-Site")): "same-origin"]
            let found = try await send(body, own)
            #expect(found.status == .ok)
            try Self.check(found, "/upload")
            #expect(found.text.contains("1 finding") && found.text.contains("my&lt;host&gt;"))
            #expect(test.engine.submissions.map(\.source) == ["my<host>"])
            #expect(test.engine.submissions.map(\.path) == ["evil.bin"])
            #expect(try await send(MultipartForm("good"), own).text.contains("Nothing was found."))
            let empty = try await send(MultipartForm(), own)
            #expect(empty.status == .badRequest && empty.text.contains("role=\"alert\""))
            // The same form on another site.
            for headers in [
                [try #require(HTTPField.Name("Sec-Fetch-Site")): "cross-site"],
                [try #require(HTTPField.Name("Sec-Fetch-Site")): "same-site"],
                [try #require(HTTPField.Name("Origin")): "http://evil.example"],
                [try #require(HTTPField.Name("Origin")): "null"], [:],
            ] as [HTTPFields] {
                let refused = try await send(body, headers)
                #expect(refused.status == .forbidden && refused.text.contains("programs use /api"))
            }
            #expect(try await send(body, [try #require(HTTPField.Name("Origin")): "http://localhost"]).status == .ok)
        }
        #expect(test.engine.submissions.count == 3)
        // Programs send what they always did: a field of that name is no source for them.
        try await TestServer().route { client async throws in
            let answer = try await client.upload(body, to: "/api/v1/check?source=real")
            #expect((answer.array?.first?["meta"] as? [String: Any])?["hostname"] as? String == "real")
        }
    }

    @Test func signaturesAreLoadedAnewByAFormOfOurs() async throws {
        let test = try TestServer()
        let own: HTTPFields = [
            try #require(HTTPField.Name("Sec-Fetch-Site")): "same-origin", .accept: "text/html",
        ]
        try await test.route { client async throws in
            let done = try await client.execute(uri: "/signatures/reload", method: .post, headers: own)
            #expect(done.status == .seeOther && done.headers[.location] == "/signatures")
            test.reloadError.withLock { $0 = "evil.yar: broken" }
            let failed = try await client.execute(uri: "/signatures/reload", method: .post, headers: own)
            #expect(failed.status == .unprocessableContent && failed.text.contains("evil.yar: broken"))
            #expect(try await client.execute(uri: "/signatures/reload", method: .post).status == .forbidden)
        }
        #expect(test.reloads.withLock { $0 } == 2)
    }

    @Test func withoutAStoreThePagesSaySo() async throws {
        try await TestServer { $0.findings = nil }.route { client async throws in
            let overview = try await client.get("/")
            try Self.check(overview, "/")
            #expect(overview.text.contains("No findings are kept"))
            let search = try await client.execute(uri: "/findings", method: .get, headers: [.accept: "text/html"])
            #expect(search.status == .notFound && search.text.contains("--findings-limit 0"))
        }
    }
}
