import Dispatch
import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

/// More clients than the service has descriptors for.
@Suite(
    .enabled(
        if: fileExists(ServiceProcess.program) && fileExists("/usr/bin/prlimit"),
        "needs the thunderstorm program (build without THUNDERSTORM_ONLY) and prlimit"))
struct ConnectionLimitTests {
    @Test func idleConnectionsLeaveDescriptorsForSamples() async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            DispatchQueue(label: "connection-limit").async { done.resume(with: Result { try Self.run() }) }
        }
    }

    private static func run() throws {
        let service = try ServiceProcess(prefix: ["/usr/bin/prlimit", "--nofile=300:300"])
        let port = service.port.value
        // (300 - 128) / 2 of them are taken; the others wait.
        let before = service.openFiles
        do {
            let idle = try (0..<200).map { _ in try RawConnection(port) }
            while service.openFiles < before + 86 { usleep(5_000) }
            usleep(100_000)
            #expect(idle.count == 200 && service.openFiles < before + 120)
        }
        let connection = try RawConnection(port)
        try connection.send(MultipartForm("find this", filename: "/limit/sample").request("/api/check"))
        #expect(try connection.answer().body.contains("Kill_Test"))
    }
}
