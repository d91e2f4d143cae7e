import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

struct HTMLReportTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func heading() -> HTMLReport.Heading {
        var heading = HTMLReport.Heading(title: "</script><b>title", time: Timestamp(seconds: 0))
        heading.facts = [("scanned", "<img src=x>")]
        return heading
    }

    @Test func whatSamplesSayIsDataNeverMarkup() throws {
        let report = try HTMLReport(path: folder.path + "/report.html")
        let line = #"{"type":"THOR finding","subject":{"path":"</script><script>alert(1)</script><!--"}}"#
        report.append(Array((line + "\n").utf8))
        #expect(try report.finish(heading()) == 0)
        let html = try folder.read("report.html")
        // The page's own scripts: events, heading, script.
        #expect(html.components(separatedBy: "<script").count == 4)
        #expect(html.components(separatedBy: "</script").count == 4)
        #expect(!html.contains("<img") && !html.contains("<!--") && !html.contains("<b>title"))
        let data = try #require(html.components(separatedBy: "id=\"events\">").last).components(
            separatedBy: "</script>")[0]
        let parsed = try #require(
            try JSONSerialization.jsonObject(with: Data(data.trimmingCharacters(in: .newlines).utf8)) as? [String: Any])
        #expect((parsed["subject"] as? [String: String])?["path"] == "</script><script>alert(1)</script><!--")
    }

    @Test func thePolicyAllowsTheReportsOwnScriptOnly() throws {
        let report = try HTMLReport(path: folder.path + "/report.html")
        _ = try report.finish(heading())
        let html = try folder.read("report.html")
        #expect(html.contains("default-src 'none'; style-src 'sha256-"))
        #expect(!html.contains("unsafe-inline"))
        // The one address is the name of SVG, which nothing is fetched from.
        let addresses = html.replacing("http://www.w3.org/2000/svg", with: "")
        #expect(!addresses.contains("http://") && !addresses.contains("https://"))
        #expect(!html.contains("src=\"") && !html.contains("href=\""))
    }

    @Test func nothingStaysUnderItsNameBeforeItIsFinished() throws {
        do {
            let report = try HTMLReport(path: folder.path + "/report.html")
            report.append(Array("{}".utf8))
            #expect(try folder.names() == ["report.html.part"])
        }
        #expect(try folder.names().isEmpty)
        let error = #expect(throws: SystemError.self) { try HTMLReport(path: "/nonexistent/report.html") }
        #expect(error?.description.contains("/nonexistent/report.html") == true)
    }

    @Test func eventsBeyondTheLimitAreCounted() throws {
        let report = try HTMLReport(path: folder.path + "/report.html")
        for _ in 0..<(HTMLReport.eventLimit + 3) { report.append([0x7B, 0x7D]) }
        #expect(try report.finish(heading()) == 3)
        #expect(try folder.read("report.html").contains(#""left_out":3"#))
    }

    @Test func logsAreReadByTime() throws {
        var lines = EventLines()
        lines.since = "2026-01-02T00:00:00Z"
        lines.until = "2026-01-03T00:00:00Z"
        let log = """
            {"meta":{"time":"2026-01-01T23:59:59.9Z"},"n":1}
            {"meta":{"time":"2026-01-02T00:00:00.1Z"},"n":2}\r
            no event

            {"meta":{"time":"2026-01-03T00:00:00.0Z"},"n":3}
            {"meta":{}}
            """
        var taken: [String] = []
        let others = lines.forEach(in: Bytes(utf8: log)) { taken.append(String(decoding: $0, as: UTF8.self)) }
        #expect(taken == [#"{"meta":{"time":"2026-01-02T00:00:00.1Z"},"n":2}"#])
        #expect(others == 2)
    }
}
