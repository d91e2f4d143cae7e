import HTTPTypes
import HummingbirdTesting
import Pipeline
import ServiceLifecycle
import Testing

@testable import ThunderstormService

struct ShutdownTests {
    @Test func runningScansAreFinishedAndNewOnesRefused() async throws {
        let test = try TestServer(engine: EngineDouble(threads: 2, holding: [.sync, .async]))
        try await test.listen { port, group async throws in
            async let sync = RawConnection.open(port) { connection in
                try connection.send(MultipartForm("evil").request())
                return (try connection.answer(), try connection.endsCleanly())
            }
            for index in 0..<6 {
                let answer = try await RawConnection.exchange(
                    port, MultipartForm("\(index)").request("/api/checkAsync"))
                #expect(answer.status == 200)
            }
            while test.engine.running(.sync) < 1 || test.engine.running(.async) < 4 { await Task.yield() }
            await group.triggerGracefulShutdown()
            while !test.server.isDraining { await Task.yield() }
            test.engine.release()
            let (answer, isClosed) = try await sync
            #expect(answer.status == 200 && answer.body.contains("Evil") && isClosed)
        }
        // Four were with the engine, one for each thread and one more each; two wait on disk for the next run.
        #expect(test.engine.submissions.count == 5)
        #expect(try test.folder.samples().count == 2)
    }

    @Test func aDrainingServiceTakesNoSamples() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            test.server.beginDraining()
            for uri in ["/api/check", "/api/checkAsync"] {
                let answer = try await client.upload(MultipartForm("x"), to: uri)
                #expect(answer.status == .serviceUnavailable)
                #expect(answer.reason == "shutting_down")
                #expect(answer.headers[.retryAfter] != nil)
            }
            #expect(try await client.get("/readyz").reason == "shutting_down")
            #expect(try await client.get("/api/status").status == .ok)
        }
    }

    @Test func samplesOfAnEarlierRunAreScannedUnderTheirIDs() async throws {
        let folder = try TemporaryFolder()
        let before = try TestServer(engine: EngineDouble(threads: 1, holding: [.async]), folder: folder)
        let ids = try await before.listen { port, group async throws in
            var ids: [Int64] = []
            for index in 0..<4 {
                let answer = try await RawConnection.exchange(
                    port,
                    MultipartForm("evil \(index)", filename: "/tmp/\(index)").request("/api/checkAsync?source=pc1"))
                ids.append(try #require(jsonObject(answer.body)["id"] as? Int64))
            }
            while before.engine.running(.async) < 2 { await Task.yield() }
            return ids
        }
        try folder.write("sample-77.part", "not complete")
        try folder.write("sample-79.data", "nothing is known of it")
        try folder.write("other.txt", "not ours")
        try folder.write("5.json", "not ours")
        let after = try TestServer(folder: folder)
        try await after.route { client async throws in
            for id in ids.dropFirst(2) {
                let answer = try await client.result(of: id)
                #expect(answer["status"] as? String == "Sample analysis complete")
                #expect((answer["result"] as? [Any])?.count == 1)
            }
            let fresh = try await client.submit(MultipartForm("x"))
            #expect(fresh > ids[3])
            _ = try await client.result(of: fresh)
        }
        #expect(after.engine.submissions.prefix(2).map(\.path) == ["/tmp/2", "/tmp/3"])
        #expect(after.engine.submissions.prefix(2).map(\.source) == ["pc1", "pc1"])
        #expect(after.log.messages.contains { $0.contains("sample-79.damaged") })
        #expect(try folder.samples() == ["sample-79.damaged"])
        #expect(try folder.names().contains("other.txt") && folder.names().contains("5.json"))
    }

    @Test func aPortInUseIsNamedWithTheRemedy() async throws {
        try await TestServer().listen { port, _ async throws in
            let second = try TestServer { $0.port = port }
            let error = await #expect(throws: ConfigurationError.self) { try await second.server.run() }
            let text = error?.description ?? ""
            #expect(text.contains("127.0.0.1 port \(port)") && text.contains("--server-port"), "\(text)")
        }
    }

    @Test func anAddressThatIsNotOursIsNamed() async throws {
        let test = try TestServer { $0.host = "192.0.2.1" }
        let error = await #expect(throws: ConfigurationError.self) { try await test.server.run() }
        #expect(error?.description.contains("--server-host") == true)
    }

    @Test func twoServicesDoNotShareAnUploadDirectory() async throws {
        let folder = try TemporaryFolder()
        let first = try TestServer(folder: folder)
        let error = #expect(throws: ConfigurationError.self) { try TestServer(folder: folder) }
        #expect(error?.description.contains("another service uses \(folder.path)") == true)
        try await first.listen { _, _ in }
        _ = try TestServer(folder: folder)
    }

    @Test func anUploadDirectoryThatCannotBeUsedIsNamed() throws {
        let folder = try TemporaryFolder()
        try folder.write("file", "")
        for path in ["/file", "/missing/below"] {
            let error = #expect(throws: ConfigurationError.self) {
                try TestServer { $0.uploadDirectory = folder.path + path }
            }
            #expect(error?.description.contains("--server-upload-dir") == true)
        }
    }
}
