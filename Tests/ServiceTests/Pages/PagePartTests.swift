import Pipeline
import Testing

@testable import ThunderstormService

struct PagePartTests {
    @Test func textIsEscapedWhereverItIsPut() {
        #expect(htmlEscaped(#"<a href='x' title="y">&"#) == "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;")
        let name = "<script>", html: HTML = "<b>\(name)</b>"
        #expect(html.text == "<b>&lt;script&gt;</b>")
        let outer: HTML = "<p>\(html)\([html, html])\(7)</p>"
        #expect(outer.text == "<p>\(String(repeating: "<b>&lt;script&gt;</b>", count: 3))7</p>")
    }

    @Test func controlsAreShownAndDirectionsAreNotTurned() {
        #expect(htmlEscaped("a\u{1b}[31mb\u{0}\u{7f}\u{9b}") == "a\\x1b[31mb\\x00\\x7f\\x9b")
        #expect(htmlEscaped("cod\u{202e}txt.exe\u{2066}") == "cod\\u202etxt.exe\\u2066")
        #expect(htmlEscaped("two\nlines\r\n\tü€😀") == "two\nlines\\r\n\\x09ü€😀")
        #expect(htmlEscaped("") == "")
    }

    @Test func valuesInAddressesAreEscaped() {
        #expect(queryEscaped("a b&c=d#ü/<\n") == "a%20b%26c%3Dd%23%C3%BC%2F%3C%0A")
        for text in ["pc 1", "a&b=c", "100%", "ü\u{202e}", "+"] {
            #expect(RequestQuery("x=\(queryEscaped(text))")["x"] == text)
        }
    }

    @Test func numbersAreShownAsPeopleReadThem() {
        #expect([0, 999, 1_000, 1_234_567, -1_000].map(grouped) == ["0", "999", "1,000", "1,234,567", "-1,000"])
        #expect(
            [0, 1_023, 1_024, 1_536, 64 << 30].map(shownBytes) == ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "64.0 GiB"])
        #expect(
            [-1, 59, 61, 3_700, 90_000].map(shownDuration) == ["0 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"])
    }

    @Test func aChartHasBarsWordsAndATable() {
        let chart = Chart(
            id: "c", title: "Findings <1>", column: "Minute", labels: ["10:00", "10:01", "10:02"],
            series: [
                Chart.Series(name: "Alert", style: "Alert", values: [0, 3, 1]),
                Chart.Series(name: "Notice", style: "Notice", values: [0, 1, -5]),
            ])
        let html = chart.html.text
        #expect(html.contains("Findings &lt;1&gt;: Alert 4 in all, Notice -4 in all; most, 4, at 10:01"))
        #expect(html.contains(#"<rect class="Alert" x="10" y="25.00" width="8" height="75.00"/>"#))
        #expect(html.contains(#"<rect class="Notice" x="10" y="0.00" width="8" height="25.00"/>"#))
        #expect(html.contains(#"<rect class="Alert" x="20" y="75.00" width="8" height="25.00"/>"#))
        // Nothing is drawn for nothing, and a number below nothing is none.
        #expect(html.ranges(of: "<rect ").count == 3)
        #expect(html.matches(of: /<th scope="row" class="">/).count == 3)
        #expect(html.contains(#"role="img" aria-labelledby="c-words""#) && html.contains(#"<title id="c-words">"#))
    }

    @Test func anEmptyChartSaysSo() {
        let chart = Chart(
            id: "c", title: "Queue", column: "Minute", labels: ["10:00", "10:01"],
            series: [Chart.Series(name: "waiting", style: "one", values: [])], isLevel: true)
        #expect(chart.html.text.contains("Queue: nothing from 10:00 to 10:01"))
        #expect(!chart.html.text.contains("<rect"))
    }

    @Test func placesToGoToAreOfThisService() {
        for place in ["/", "/findings?source=a&x=%20", "/findings/7"] { #expect(LoginPage.place(place) == place) }
        for place in [
            nil, "", "//evil.example/", "https://evil.example/", "/\\evil.example", "findings", "/a b",
            "/a\r\nSet-Cookie: x",
            "/ü",
        ] { #expect(LoginPage.place(place) == "/", "\(place ?? "nil")") }
    }

    @Test func theDescriptionOfTheAPIIsOnItsPage() throws {
        let html = InterfacePage.main.text
        let paths = OpenAPIDocument.text.split(separator: "\n").filter { $0.hasPrefix("  /") && $0.hasSuffix(":") }
        #expect(paths.count > 20)
        for path in paths { #expect(html.contains("<code>\(path.dropFirst(2).dropLast())</code>"), "\(path)") }
        // What is referred to is shown where it is needed, and every link within the page leads somewhere.
        #expect(html.contains("<code>scan_id</code>") && html.contains("from 1"))
        #expect(!html.contains("$ref"))
        for link in html.matches(of: /href="#([^"]+)"/) { #expect(html.contains("id=\"\(link.1)\""), "\(link.1)") }
        #expect(InterfacePage("nothing: here") == nil)
    }

    @Test func gaugesRememberTheirPeaksForHalfAnHour() {
        let gauges = GaugeHistory()
        for (seconds, waiting) in [(10, 900), (2_000, 5), (2_010, 9), (2_011, 2), (3_700, 1)] as [(Int64, Int)] {
            gauges.add(GaugeHistory.Look(seconds: seconds, waiting: waiting, busy: waiting > 5 ? 2 : 0))
        }
        let peaks = gauges.peaks(parts: 60, now: 3_709)
        #expect(peaks.waiting.count == 60 && peaks.waiting.last == 1)
        #expect(peaks.waiting.max() == 9 && peaks.busy.max() == 2)
        #expect(peaks.waiting.filter { $0 > 0 }.count == 2)
        #expect(gauges.peaks(parts: 60, now: 3_709 + 1_800).waiting.max() == 0)
        // The clock is set back.
        gauges.add(GaugeHistory.Look(seconds: 100, waiting: 3, busy: 0))
        #expect(gauges.peaks(parts: 60, now: 100).waiting == [Int](repeating: 0, count: 59) + [3])
    }

    @Test func historiesAreCutIntoBuckets() {
        let history = MinuteHistory(start: Timestamp(seconds: 6_000))
        for seconds in [6_000, 6_059, 6_060, 9_590] as [Int64] { history.record(at: Timestamp(seconds: seconds)) }
        #expect(history.counts(step: 60, from: 5_940, buckets: 4) == [0, 2, 1, 0])
        #expect(history.counts(step: 3_600, from: 3_600, buckets: 3) == [3, 1, 0])
    }
}
