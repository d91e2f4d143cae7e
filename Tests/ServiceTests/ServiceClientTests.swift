import Pipeline
import Testing

@testable import ThunderstormService

struct ServiceClientTests {
    @Test func metricsAreReadBack() {
        var text = PrometheusText()
        text.family("target_up", .gauge, "Help.") { family in
            family.sample(1, [("target", "a \"quoted\" \\ name\n"), ("x", "y=z,{}")])
            family.sample(0.25, [("target", "b")])
        }
        text.single("queue_samples", .gauge, "Help.", 7)
        let reading = MetricsReading(text: text.text + "go_gc 3\nthunderstorm_broken{a=\"b 1\nthunderstorm_text x\n")
        #expect(reading.samples.count == 3)
        #expect(reading.sum("queue_samples") == 7)
        #expect(reading.sum("target_up") == 1.25)
        #expect(reading.sum("target_up", "x", "y=z,{}") == 1)
        #expect(reading.values(of: "target", in: "target_up") == ["a \"quoted\" \\ name\n", "b"])
    }

    @Test func aRunningServiceIsAsked() async throws {
        let server = try TestServer()
        try await server.listen { port, _ in
            let client = try ServiceClient(url: "http://127.0.0.1:\(port)", token: "secret")
            let answer = try await client.send("GET", "/metrics")
            #expect(answer.status == 200)
            #expect(MetricsReading(text: answer.body).sum("threads") >= 1)
            #expect(try await client.send("GET", "/nothing").status == 404)
        }
    }

    @Test func silenceSaysWhatToCheck() async throws {
        #expect(throws: ConfigurationError.self) { try ServiceClient(url: "127.0.0.1:8080") }
        let error = await #expect(throws: ConfigurationError.self) {
            try await ServiceClient(url: "http://127.0.0.1:1").send("GET", "/")
        }
        #expect(error?.description.contains("no answer from http://127.0.0.1:1/") == true)
        #expect(error?.description.contains("is --url right?") == true)
    }
}
