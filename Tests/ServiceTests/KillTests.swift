import Dispatch
import Foundation
import Glibc
import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

// KILL_SUBMISSIONS and KILL_TIMES make it larger; Benchmarks/kill.sh runs it with 5,000 and 20.
@Suite(
    .enabled(
        if: fileExists(ServiceProcess.program), "needs the thunderstorm program: build without THUNDERSTORM_ONLY"))
struct KillTests {
    private static func number(_ name: String, _ otherwise: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? otherwise
    }

    private static let submissions = number("KILL_SUBMISSIONS", 80)
    private static let kills = number("KILL_TIMES", 3)

    private final class Progress: Sendable {
        private struct Contents {
            var next = 0
            var acknowledged: [(id: Int64, index: Int)] = []
        }

        private let contents = Mutex(Contents())

        var acknowledged: [(id: Int64, index: Int)] { contents.withLock { $0.acknowledged } }

        func takeNext() -> Int {
            contents.withLock { contents in
                defer { contents.next += 1 }
                return contents.next
            }
        }

        func acknowledge(_ id: Int64, _ index: Int) { contents.withLock { $0.acknowledged.append((id, index)) } }
    }

    private static func form(_ index: Int) -> MultipartForm {
        let words = String(repeating: "line of sample \(index)\n", count: 60)
        return MultipartForm(index % 3 == 0 ? words + "find this" : words, filename: "/kill/\(index)")
    }

    @Test func killedAtRandomMomentsItLosesNothing() async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            DispatchQueue(label: "kill-test").async { done.resume(with: Result { try Self.run() }) }
        }
    }

    private static func run() throws {
        let service = try ServiceProcess()
        let progress = Progress()
        let clients = DispatchGroup()
        for client in 0..<4 {
            DispatchQueue(label: "kill-client-\(client)").async(group: clients) { [port = service.port] in
                submit(to: port, progress)
            }
        }
        var random = SystemRandomNumberGenerator()
        var engines = 0
        for kill in 1...kills {
            let part = submissions / (kills + 1)
            let moment = kill * part + Int.random(in: 0...max(part / 2, 1), using: &random)
            // Between the ends of the service, those of an engine of its.
            let between = max(moment - part / 2, 0)
            while progress.acknowledged.count < min(between, submissions) { usleep(500) }
            engines += service.killEngine() ? 1 : 0
            while progress.acknowledged.count < min(moment, submissions) { usleep(500) }
            usleep(UInt32.random(in: 0...20_000, using: &random))
            service.kill()
            try service.start()
        }
        clients.wait()
        let acknowledged = progress.acknowledged
        #expect(acknowledged.count == submissions)
        #expect(Set(acknowledged.map(\.id)).count == submissions)
        var (lost, wrong) = (0, 0)
        for (id, index) in acknowledged {
            let answer = try result(of: id, from: service)
            guard answer["status"] as? String == "Sample analysis complete" else {
                lost += 1
                continue
            }
            let findings = answer["result"] as? [[String: Any]] ?? []
            let path = (findings.first?["context"] as? [String: Any])?["file"] as? String
            if findings.count != (index % 3 == 0 ? 1 : 0) || path != (index % 3 == 0 ? "/kill/\(index)" : nil) {
                wrong += 1
            }
        }
        print("\(submissions) acknowledged, \(kills) kills and \(engines) of engines: \(lost) lost, \(wrong) wrong")
        #expect(engines > 0)
        #expect(lost == 0)
        #expect(wrong == 0)
    }

    // A sample whose answer did not come is sent again, as collectors do.
    private static func submit(to port: CurrentPort, _ progress: Progress) {
        while true {
            let index = progress.takeNext()
            guard index < submissions else { return }
            while true {
                if let connection = try? RawConnection(port.value),
                    (try? connection.send(form(index).request("/api/checkAsync?source=pc\(index % 5)"))) != nil,
                    let answer = try? connection.answer(), answer.status == 200,
                    let id = jsonObject(answer.body)["id"] as? Int64
                {
                    progress.acknowledge(id, index)
                    break
                }
                usleep(5_000)
            }
        }
    }

    private static func result(of id: Int64, from service: ServiceProcess) throws -> [String: Any] {
        while true {
            let connection = try RawConnection(service.port.value)
            try connection.send("GET /api/getAsyncResults?id=\(id) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = jsonObject(try connection.answer().body)
            let status = answer["status"] as? String
            guard status == "Waiting for execution" || status == "Currently being scanned" else { return answer }
            usleep(2_000)
        }
    }
}
