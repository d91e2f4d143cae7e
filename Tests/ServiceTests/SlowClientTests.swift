import CLinux
import Glibc
import NIOCore
import Pipeline
import Testing

@testable import ThunderstormService

// Clients that are slow, stuck, idle or gone: none of them may cost a place that others need.

struct SlowClientTests {
    private static let impatient: @Sendable (inout ThunderstormServer.Parts) -> Void = {
        $0.patience = Patience(
            stall: .milliseconds(150), grace: .milliseconds(400), slowestRate: 1 << 20, head: .milliseconds(300),
            interval: .milliseconds(20))
    }

    @Test(arguments: ["/api/check", "/api/checkAsync"])
    func aStuckBodyTimesOut(_ uri: String) async throws {
        let test = try TestServer { _ in
        } parts: {
            Self.impatient(&$0)
        }
        try await test.listen { port, _ async throws in
            let form = MultipartForm(file: [UInt8](repeating: 1, count: 100_000), filename: "/tmp/stuck")
            let (answer, isClosed) = try await RawConnection.open(port) { connection in
                try connection.send(
                    form.request(uri, body: Array(form.bytes.prefix(50_000)), length: form.bytes.count))
                return (try connection.answer(), try connection.endsCleanly())
            }
            #expect(answer.status == 408)
            #expect(jsonObject(answer.body)["reason"] as? String == "too_slow")
            #expect(isClosed)
            #expect(try await RawConnection.exchange(port, MultipartForm("x").request(uri)).status == 200)
        }
        #expect(test.log.messages.contains { $0.contains("came too slowly") && $0.contains("FILE=/tmp/stuck") })
        #expect(test.core.arrivals.count == 0)
        #expect(test.byteStore.memoryInUse == 0)
        #expect(try test.folder.samples().isEmpty)
    }

    @Test func aTricklingBodyTimesOutToo() async throws {
        let test = try TestServer { _ in
        } parts: {
            Self.impatient(&$0)
        }
        try await test.listen { port, _ async throws in
            let form = MultipartForm(file: [UInt8](repeating: 1, count: 100_000), filename: "/tmp/trickle")
            let status = try await RawConnection.open(port) { connection in
                try connection.send(form.request(body: [], length: form.bytes.count))
                for byte in form.bytes.prefix(60) {
                    // The server may close in the middle of it.
                    do { try connection.send([byte]) } catch { break }
                    usleep(20_000)
                }
                return try connection.answer().status
            }
            #expect(status == 408)
        }
    }

    @Test func idleConnectionsAndHeadsThatNeverEndAreClosed() async throws {
        let test = try TestServer { _ in
        } parts: {
            Self.impatient(&$0)
        }
        try await test.listen { port, _ async throws in
            #expect(try await RawConnection.open(port) { try $0.endsCleanly() })
            let isClosed = try await RawConnection.open(port) { connection in
                try connection.send("GET /api/status HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                return try connection.endsCleanly()
            }
            #expect(isClosed)
        }
    }

    @Test func waitingForTheServiceIsNotTheClientsFault() async throws {
        let test = try TestServer(engine: EngineDouble(threads: 1, holding: [.sync])) { _ in
        } parts: {
            Self.impatient(&$0)
        }
        try await test.listen { port, _ async throws in
            async let answer = RawConnection.exchange(port, MultipartForm("evil").request())
            while test.engine.running(.sync) < 1 { await Task.yield() }
            try await Task.sleep(for: .milliseconds(700))
            test.engine.release()
            #expect(try await answer.status == 200)
        }
    }

    @Test func slowClientsHoldNoPlace() async throws {
        let test = try TestServer(engine: EngineDouble(threads: 1)) { $0.waitingSlots = 1 }
        try await test.listen { port, _ async throws in
            let form = MultipartForm(file: [UInt8](repeating: 1, count: 100_000), filename: "/tmp/slow")
            let half = form.request(body: Array(form.bytes.prefix(50_000)), length: form.bytes.count)
            let rest = Array(form.bytes.dropFirst(50_000))
            // A hundred slow ones on one thread: each sends half, and much later the rest.
            async let slow = RawConnection.open(port) { _ in
                let connections = try (0..<100).map { _ in try RawConnection(port) }
                for connection in connections { try connection.send(half) }
                while test.engine.submissions.count < 20 { usleep(1_000) }
                return try connections.map { connection in
                    try connection.send(rest)
                    return try connection.answer().status
                }
            }
            while test.core.arrivals.count < 100 { await Task.yield() }
            #expect(test.core.admission.count == 0)
            for index in 0..<20 {
                #expect(try await RawConnection.exchange(port, MultipartForm("quick \(index)").request()).status == 200)
            }
            #expect(try await slow.allSatisfy { $0 == 200 })
        }
        #expect(test.core.arrivals.count == 0)
    }

    @Test func aThousandIdleConnectionsHoldNothingUp() async throws {
        // Both ends are in this process.
        clinux_raise_open_files()
        let count = 1_000
        try await TestServer().listen { port, _ async throws in
            let status = try await RawConnection.open(port) { first in
                let idle = try (0..<count).map { _ in try RawConnection(port) }
                try first.send(MultipartForm("evil").request())
                let status = try first.answer().status
                // Each of them still works.
                for connection in idle.suffix(20) {
                    try connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    #expect(try connection.answer().status == 200)
                }
                return status
            }
            #expect(status == 200)
        }
    }

    @Test func tooManyUploadsAtOneTimeAreRefused() async throws {
        let test = try TestServer { $0.uploadSlots = 2 }
        try await test.listen { port, _ async throws in
            let form = MultipartForm("some content")
            try await RawConnection.open(port) { first in
                let second = try RawConnection(port)
                for connection in [first, second] {
                    try connection.send(form.request(body: Array(form.bytes.prefix(5)), length: form.bytes.count))
                }
                while test.core.arrivals.count < 2 { usleep(1_000) }
                let third = try RawConnection(port)
                try third.send(form.request("/api/checkAsync"))
                let refused = try third.answer()
                #expect(refused.status == 503)
                #expect(jsonObject(refused.body)["reason"] as? String == "too_many_uploads")
                #expect(refused.headers["retry-after"].flatMap { Int($0) } != nil)
                for connection in [first, second] {
                    try connection.send(Array(form.bytes.dropFirst(5)))
                    #expect(try connection.answer().status == 200)
                }
            }
        }
    }

    // Shapes that a proxy in front might read in another way than the service does.
    @Test(arguments: [
        "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Content-Length: +5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 0x5\r\n", "Content-Length : 5\r\n",
        "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding : chunked\r\n", "Content-Length:\r\n",
    ])
    func smugglingShapesAreRefused(_ headers: String) async throws {
        let test = try TestServer()
        try await test.listen { port, _ async throws in
            let (status, rest) = try await RawConnection.open(port) { connection in
                try connection.send(
                    "POST /api/check HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                        + headers + "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
                let status = try connection.answer().status
                return (status, try connection.endsCleanly())
            }
            #expect(status == 400)
            #expect(rest, "something behind the refused request was answered")
        }
        #expect(test.engine.submissions.isEmpty)
    }
}
