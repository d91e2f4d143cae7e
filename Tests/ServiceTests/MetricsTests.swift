import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Pipeline
import Testing

@testable import ThunderstormService

struct MetricsTests {
    @Test func textIsWhatPrometheusReads() {
        var text = PrometheusText()
        text.family("a_total", .counter, "Help.") { family in
            family.sample(3, [("name", "q\"b\\n\n")])
            family.sample(0.5, suffix: "_sum")
        }
        text.family("empty", .gauge, "Not shown.") { _ in }
        #expect(
            text.text == """
                # HELP thunderstorm_a_total Help.
                # TYPE thunderstorm_a_total counter
                thunderstorm_a_total{name="q\\"b\\\\n\\n"} 3
                thunderstorm_a_total_sum 0.5

                """)
    }

    @Test func durationsFallIntoClasses() {
        var histogram = DurationHistogram()
        for seconds in [0.0005, 0.003, 0.003, 1_000] { histogram.add(nanoseconds: UInt64(seconds * 1e9)) }
        var text = PrometheusText()
        text.family("s", .histogram, "H.") { histogram.write(to: &$0) }
        for line in [
            "s_bucket{le=\"0.001\"} 1", "s_bucket{le=\"0.0025\"} 1", "s_bucket{le=\"0.005\"} 3",
            "s_bucket{le=\"600.0\"} 3",
            "s_bucket{le=\"+Inf\"} 4", "s_count 4",
        ] { #expect(text.text.contains("thunderstorm_" + line + "\n"), "\(line)") }
    }

    @Test func scansAreAddedUp() {
        let metrics = ScanMetrics()
        var report = Report()
        report.samples = 3
        report.records = 10
        var stage = StageStatistics(name: "yara")
        stage.runs = 3
        stage.nanoseconds = 2_000_000
        report.stages = [stage]
        let file = FileSubject(Sample(path: "x", bytes: .empty))
        let reason = Reason(summary: "r", signature: Signature(kind: .yara, score: 90))
        report.findings = [
            Finding(
                subject: .file(file), module: "Filescan", reasons: [reason], score: 90, level: .alert, context: [],
                issues: [Issue(.limit, stage: "yara", message: "m")])
        ]
        metrics.count(report, lane: .sync, bytes: 7, total: 5_000_000)
        metrics.count(Report(), lane: .async, bytes: 1, total: 1_000_000)
        var failed = Report()
        failed.failure = "it crashed"
        metrics.count(failed, lane: .async, bytes: 0, total: 0)
        let sums = metrics.snapshot
        #expect(sums.results == ["alert": 1, "clean": 1, "failed": 1])
        #expect(sums.findings == [.alert: 1])
        #expect(sums.issues == ["limit": 1])
        #expect(sums.lanes == ["sync": 1, "async": 2])
        #expect((sums.bytes, sums.samples, sums.records) == (8, 3, 10))
        #expect(sums.stages.map(\.nanoseconds) == [2_000_000])
        #expect(sums.scan.count == 3 && sums.wait.count == 3)
    }

    @Test func theServiceAnswersThem() async throws {
        let server = try TestServer()
        try await server.route { client in
            try await client.execute(uri: "/metrics", method: .get) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
                let text = String(buffer: response.body)
                for name in [
                    "thunderstorm_samples_total{result=\"alert\"} 0", "thunderstorm_queue_samples 0",
                    "thunderstorm_signatures{kind=", "thunderstorm_signature_errors 1",
                    "thunderstorm_resident_memory_bytes ",
                ] { #expect(text.contains("\n" + name), "\(name)") }
            }
        }
    }
}
