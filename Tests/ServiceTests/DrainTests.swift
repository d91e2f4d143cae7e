import HummingbirdTesting
import Pipeline
import Testing

@testable import ThunderstormService

struct DrainTests {
    // SIGTERM goes to the whole process, so what `run` does after it is tried with the deadline alone.
    @Test func scansThatDoNotEndAreLeftToTheNextRun() async throws {
        let folder = try TemporaryFolder()
        let test = try TestServer(engine: EngineDouble(threads: 1, holding: [.async]), folder: folder) {
            $0.shutdownSeconds = 0
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        async let run: Void = test.server.run { port.yield($0) }
        var iterator = ports.makeAsyncIterator()
        let number = try #require(await iterator.next())
        let answer = try await RawConnection.exchange(number, MultipartForm("evil").request("/api/checkAsync"))
        let id = try #require(jsonObject(answer.body)["id"] as? Int64)
        while test.engine.running(.async) < 1 { await Task.yield() }
        test.server.beginDraining()
        try await run
        #expect(test.log.messages.contains { $0.contains("not finished in time") })
        // The engine ends its scan after the service: its result is nobody's any more.
        test.engine.release()
        let after = try TestServer(folder: folder)
        try await after.route { client async throws in
            #expect((try await client.result(of: id)["result"] as? [Any])?.count == 1)
        }
    }
}
