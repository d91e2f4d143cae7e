import Dispatch
import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

/// Rules that are replaced by broken ones, in the program itself.
@Suite(
    .enabled(
        if: fileExists(ServiceProcess.program), "needs the thunderstorm program: build without THUNDERSTORM_ONLY"))
struct BrokenRulesTests {
    private static let sample = MultipartForm("find this", filename: "/rules/sample").request("/api/check")

    private static func exchange(_ request: [UInt8], _ port: Int) throws -> RawAnswer {
        let connection = try RawConnection(port)
        try connection.send(request)
        return try connection.answer()
    }

    private static func rule(_ name: String) -> String {
        "rule \(name) { meta: score = 80 strings: $a = \"find this\" condition: $a }\n"
    }

    @Test func theOldRulesServeOnUnderLoad() async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            DispatchQueue(label: "broken-rules").async { done.resume(with: Result { try Self.run() }) }
        }
    }

    private static func run() throws {
        let service = try ServiceProcess()
        let port = service.port.value
        let isOver = SharedValue(false)
        let answers = SharedValue<[String]>([])
        let clients = DispatchGroup()
        for client in 0..<2 {
            DispatchQueue(label: "broken-rules-\(client)").async(group: clients) {
                while !isOver.withLock({ $0 }) {
                    let text = (try? exchange(sample, port).body) ?? "no answer"
                    answers.withLock { $0.append(text) }
                }
            }
        }
        func reload() throws -> (status: Int, body: String) {
            let request = "POST /api/v1/signatures/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
            let answer = try exchange(Array(request.utf8), port)
            return (answer.status, answer.body)
        }
        try service.write(rules: "rule broken { condition: ")
        let broken = try reload()
        #expect(broken.status == 422 && broken.body.contains("kill.yar"))
        let info = try exchange(Array("GET /api/info HTTP/1.1\r\nHost: x\r\n\r\n".utf8), port).body
        #expect(info.contains("reload_failure") && info.contains("kill.yar"))
        // One of three that is broken is left out.
        try service.write(rules: rule("First") + rule("Second") + "rule Third { condition: nothing }\n")
        #expect(try reload().status == 200)
        isOver.withLock { $0 = true }
        clients.wait()
        let found = answers.withLock { $0 }
        #expect(found.count > 10 && found.allSatisfy { $0.contains("Kill_Test") || $0.contains("Second") })
        #expect(found.contains { $0.contains("Kill_Test") })
        #expect(try exchange(sample, port).body.contains("Second"))
    }

    @Test func aSetIsRefusedForWhatItLoses() {
        func state(
            _ rules: [(kind: Signature.Kind, file: String, count: Int)], rejected: [String] = []
        ) -> SignatureState {
            let diagnostics = SignatureDiagnostics()
            for (kind, file, count) in rules {
                let summary = SignatureSummary(kind: kind, name: file, score: 50, file: file)
                diagnostics.loaded([SignatureSummary](repeating: summary, count: count))
            }
            for file in rejected { diagnostics.report(SignatureProblem(file: file, line: 3, message: "is broken")) }
            return SignatureState(
                set: SignatureSet(files: []), diagnostics: diagnostics, loaded: Timestamp(seconds: 0))
        }
        let old = state([(.yara, "a.yar", 2), (.yara, "b.yar", 3), (.sigma, "s.yml", 1)])
        #expect(old.loss(with: state([(.yara, "a.yar", 2)])) == nil)
        #expect(old.loss(with: state([(.yara, "b.yar", 3), (.sigma, "s.yml", 1)], rejected: ["a.yar"])) == nil)
        #expect(old.loss(with: old) == nil)
        #expect(old.loss(with: state([(.yara, "b.yar", 3)], rejected: ["new.yar", "a.yar"])) == nil)
        let yara = old.loss(with: state([(.yara, "a.yar", 2), (.sigma, "s.yml", 1)], rejected: ["new.yar", "b.yar"]))
        #expect(yara?.description.contains("3 of 5") == true)
        #expect(yara?.description.contains("b.yar:3: is broken") == true)
        let sigma = old.loss(with: state([(.yara, "a.yar", 2), (.yara, "b.yar", 3)], rejected: ["s.yml"]))
        #expect(sigma?.description.contains("1 of 1") == true)
        // All under new names, and broken; what was rejected before says nothing.
        let renamed = old.loss(with: state([(.sigma, "s.yml", 1)], rejected: ["c.yar"]))
        #expect(renamed?.description.contains("5 of 5") == true)
        let known = state([(.yara, "a.yar", 2), (.sigma, "s.yml", 1)], rejected: ["c.yar"])
        #expect(known.loss(with: state([(.yara, "a.yar", 2)], rejected: ["c.yar"])) == nil)
    }
}
