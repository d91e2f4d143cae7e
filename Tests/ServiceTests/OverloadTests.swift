import Dispatch
import Glibc
import HTTPTypes
import HummingbirdTesting
import Pipeline
import ServiceLifecycle
import Testing

@testable import ThunderstormService

struct OverloadTests {
    @Test func syncRequestsBeyondAllPlacesAreRefused() async throws {
        let test = try TestServer(engine: EngineDouble(threads: 2, holding: [.sync])) { $0.waitingSlots = 1 }
        try await test.listen { port, _ async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await RawConnection.exchange(port, MultipartForm("x").request()).status }
                }
                while test.engine.running(.sync) < 3 { await Task.yield() }
                let refused = try await RawConnection.exchange(port, MultipartForm("x").request())
                #expect(refused.status == 503)
                #expect((1...120).contains(try #require(refused.headers["retry-after"].flatMap { Int($0) })))
                #expect(jsonObject(refused.body)["reason"] as? String == "no_scan_slot")
                let status = try await RawConnection.exchange(
                    port, Array("GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                #expect(status.status == 200)
                #expect(jsonObject(status.body)["denied_requests"] as? Int == 1)
                #expect(jsonObject(status.body)["denied_request_proportion"] as? Double == 0.25)
                test.engine.release()
                for try await status in group { #expect(status == 200) }
            }
            #expect(try await RawConnection.exchange(port, MultipartForm("x").request()).status == 200)
        }
    }

    @Test func aSlowUploadOfManyDoesNotRefuseTheRest() async throws {
        try await TestServer { $0.waitingSlots = 100 }.listen { port, _ async throws in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        let form = MultipartForm(
                            file: [UInt8](repeating: UInt8(index), count: 10_000 + index), filename: "/tmp/\(index)")
                        return try await RawConnection.exchange(
                            port, form.request(index % 2 == 0 ? "/api/check" : "/api/checkAsync")
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [Int](repeating: 200, count: 100))
        }
    }

    @Test func asyncSamplesWaitInOrderAndBounded() async throws {
        let test = try TestServer(engine: EngineDouble(threads: 1, holding: [.async])) { $0.queueLimitCount = 3 }
        try await test.route { client async throws in
            var ids: [Int64] = []
            // The engine gets one for its thread and one to go on with.
            for index in 0..<5 {
                while test.engine.running(.async) < min(index, 2) { await Task.yield() }
                ids.append(try await client.submit(MultipartForm("\(index)")))
            }
            let refused = try await client.upload(MultipartForm("6"), to: "/api/checkAsync")
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.reason == "queue_full")
            #expect(refused.headers[.retryAfter].flatMap { Int($0) } != nil)
            #expect(try await client.get("/api/status").object["queued_async_requests"] as? Int == 3)
            #expect(try await client.status(of: ids[0]) == "Currently being scanned")
            #expect(try await client.status(of: ids[4]) == "Waiting for execution")
            #expect(ids == ids.sorted())
            #expect(try test.folder.samples().count == 5)
            #expect(try await client.sum("/api/deniedHistory") == 1)
            test.engine.release()
            for id in ids {
                #expect(try await client.result(of: id)["status"] as? String == "Sample analysis complete")
            }
        }
        // Two at a time were on their way to the engine.
        let scanned = test.engine.submissions.map { $0.bytes.span.utf8Text }
        #expect(scanned.sorted() == ["0", "1", "2", "3", "4"] && Set(scanned.prefix(2)) == ["0", "1"])
        #expect(try test.folder.samples().isEmpty)
    }

    @Test func theQueueIsBoundedInBytesAndByTheDisk() async throws {
        try await TestServer { $0.queueLimitBytes = 100 }.route { client async throws in
            let answer = try await client.upload(
                MultipartForm(String(repeating: "x", count: 200)), to: "/api/checkAsync")
            #expect(answer.reason == "queue_full")
        }
        try await TestServer { $0.diskReserveBytes = Int.max / 2 }.route { client async throws in
            let answer = try await client.upload(MultipartForm("x"), to: "/api/checkAsync")
            #expect(answer.status == .serviceUnavailable)
            #expect(answer.reason == "disk_full")
            #expect(try await client.get("/readyz").reason == "disk_full")
            #expect(try await client.upload(MultipartForm("x")).status == .ok)
        }
    }

    @Test func refusedUploadsDoNotUseUpTheDaysBytes() async throws {
        try await TestServer { $0.sourceAllowance.bytesPerDay = 1_000_000 }.route { client async throws in
            let content = [UInt8](repeating: 0x78, count: 600_000)
            var wrong = MultipartForm()
            wrong.add(disposition: "form-data; name=\"sample\"; filename=\"x\"", content)
            let right = MultipartForm(file: content, filename: "x")
            for path in ["/api/check", "/api/checkAsync"] {
                let refused = try await client.upload(wrong, to: path)
                #expect(refused.status == .badRequest)
                #expect(refused.reason == "no_file_part")
            }
            #expect(try await client.upload(right).status == .ok)
            #expect(try await client.upload(right).reason == "quota")
        }
    }

    @Test func anUploadCountsUnlessThereWasNoRoomForIt() async throws {
        let test = try TestServer {
            $0.sourceAllowance.uploadsPerMinute = 1
            $0.diskReserveBytes = Int.max / 2
        }
        try await test.route { client async throws in
            for _ in 0..<2 {
                #expect(try await client.upload(MultipartForm("x"), to: "/api/checkAsync").reason == "disk_full")
            }
            var wrong = MultipartForm()
            wrong.add(disposition: "form-data; name=\"sample\"", [0x78])
            #expect(try await client.upload(wrong).reason == "no_file_part")
            #expect(try await client.upload(MultipartForm("x")).reason == "rate_limit")
        }
    }

    @Test func whatIsGivenBackIsNotMoreThanThereWas() {
        let limits = RateLimits()
        let allowance = Allowance(uploadsPerMinute: 1, bytesPerDay: 100)
        #expect(limits.take("a", allowance, bytes: 60, now: 0) == nil)
        for _ in 0..<2 { limits.giveBack("a", allowance, bytes: 60, upload: true) }
        #expect(limits.take("a", allowance, bytes: 101, now: 0) != nil)
        #expect(limits.take("a", allowance, bytes: 50, now: 0) == nil)
        #expect(limits.take("a", allowance, bytes: 50, now: 0) == .rate(seconds: 60))
        limits.giveBack("nobody", allowance, bytes: 1, upload: true)
        #expect(limits.takeChanges(wall: Timestamp(seconds: 0), now: 0).map(\.bytes) == [50])
    }

    @Test func longSourcesAreCutAndSaySo() async throws {
        let test = try TestServer()
        let longest = String(repeating: "s", count: 255)
        try await test.route { client async throws in
            let long = String(repeating: "%C3%A4", count: 10_000)
            _ = try await client.upload(MultipartForm("1"), to: "/api/check?source=\(long)")
            let id = try await client.submit(MultipartForm("2"), to: "/api/checkAsync?source=\(long)")
            _ = try await client.result(of: id)
            _ = try await client.upload(MultipartForm("3"), to: "/api/check?source=\(longest)")
        }
        let cut = String(repeating: "ä", count: 126) + "…"
        #expect(cut.utf8.count == 255)
        #expect(test.engine.submissions.map(\.source) == [cut, cut, longest])
    }

    @Test func asyncWorkLeavesReservedThreadsAlone() async throws {
        let test = try TestServer(engine: EngineDouble(threads: 3, holding: [.async])) { $0.syncOnlyThreads = 1 }
        try await test.route { client async throws in
            for index in 0..<8 { _ = try await client.upload(MultipartForm("\(index)"), to: "/api/checkAsync") }
            // The engine has one for each of its other threads, and one more each to go on with; the rest is in the queue.
            while test.engine.running(.async) < 4 { await Task.yield() }
            #expect(try await client.upload(MultipartForm("evil")).array?.count == 1)
            #expect(test.engine.mostAtOnce(.async) == 4)
        }
    }

    // A sample is not to blame for what the system lacks.
    @Test func queuedSamplesWaitForDescriptors() async throws {
        let failures = SharedValue(3)
        let test = try TestServer(parts: { parts in
            parts.makeFiles = { path throws(SystemError) in try ShortFiles(path, failures: failures) }
        })
        try await test.route { client async throws in
            let answer = try await client.upload(MultipartForm("evil"), to: "/api/checkAsync").object
            let id = try #require(answer["id"] as? Int64)
            while true {
                let status = try await client.get("/api/getAsyncResults?id=\(id)").object["status"] as? String
                if status == "Sample analysis complete" { break }
                try #require(status != "Sample analysis failed")
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(failures.withLock { $0 } == 0)
            #expect(test.log.messages.contains { $0.contains("waits for what the system lacks") })
        }
    }

    // The same with the real engine: its only other thread hangs in async work.
    @Test func aSyncThreadIsFreeWhileAllElseIsBlocked() async throws {
        let engine = try InProcessEngine(chain: Chain(Gate()), threads: 2, syncOnly: 1, byteStore: ByteStore())
        defer { engine.close() }
        let folder = try TemporaryFolder()
        var configuration = ServiceConfiguration()
        configuration.uploadDirectory = folder.path
        configuration.diskReserveBytes = 0
        configuration.syncOnlyThreads = 1
        let state = SignatureState(
            set: SignatureSet(files: []), diagnostics: SignatureDiagnostics(), loaded: Timestamp(seconds: 0))
        let server = try ThunderstormServer(
            ThunderstormServer.Parts(
                configuration: configuration, engine: engine, eventLog: EventLogDouble(), byteStore: ByteStore(),
                signatures: { state }))
        try await server.application().test(.router) { client async throws in
            defer { for _ in 0..<5 { Gate.opened.signal() } }
            for _ in 0..<5 { _ = try await client.upload(MultipartForm("gate"), to: "/api/checkAsync") }
            #expect(try await client.upload(MultipartForm("free")).text == "[]\n")
            #expect(try await client.get("/api/status").object["queued_async_requests"] as? Int ?? 0 >= 3)
        }
    }
}

/// A directory whose files cannot be opened so many times, for want of descriptors.
private final class ShortFiles: SpoolFiles {
    private let base: DirectoryFiles
    let failures: SharedValue<Int>

    init(_ path: String, failures: SharedValue<Int>) throws(SystemError) {
        base = try DirectoryFiles(path: path)
        self.failures = failures
    }

    var path: String { base.path }
    func create(_ name: String) throws(SystemError) -> Int32 { try base.create(name) }
    func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) { try base.write(bytes, to: descriptor) }
    func rename(_ name: String, to other: String) throws(SystemError) { try base.rename(name, to: other) }
    func sync(_ descriptors: [Int32]) throws(SystemError) { try base.sync(descriptors) }
    func remove(_ name: String) { base.remove(name) }
    func names() throws(SystemError) -> [String] { try base.names() }
    func close(_ descriptor: Int32) { base.close(descriptor) }

    func open(_ name: String) throws(SystemError) -> Int32 {
        let fails = failures.withLock { left in
            defer { left = max(left - 1, 0) }
            return left > 0
        }
        if fails { throw SystemError("cannot open \(name)", number: EMFILE) }
        return try base.open(name)
    }
}

/// Holds samples that say `gate` until it is opened.
private struct Gate: Stage {
    static let descriptor = StageDescriptor(name: "gate", summary: "Waits.", interest: .samples)
    static let opened = DispatchSemaphore(value: 0)

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        if sample.bytes.span.utf8Text == "gate" { Self.opened.wait() }
    }
}
