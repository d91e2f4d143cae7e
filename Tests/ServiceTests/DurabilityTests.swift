import Foundation
import Glibc
import HTTPTypes
import HummingbirdTesting
import Pipeline
import ServiceLifecycle
import Testing

@testable import ThunderstormService

// Faults around the upload directory, each really made.

struct DurabilityTests {
    @Test func resultsSurviveARestart() async throws {
        let folder = try TemporaryFolder()
        let before = try TestServer(folder: folder)
        let (id, clean) = try await before.listen { port, _ async throws in
            let evil = try await Self.submit(MultipartForm("evil", filename: "/tmp/e"), to: port)
            let clean = try await Self.submit(MultipartForm("good"), to: port)
            for id in [evil, clean] { _ = try await Self.result(of: id, at: port) }
            return (evil, clean)
        }
        #expect(try folder.samples().isEmpty)
        let after = try TestServer(folder: folder)
        try await after.route { client async throws in
            let answer = try await client.get("/api/v1/getAsyncResults?id=\(id)").object
            #expect(answer["status"] as? String == "Sample analysis complete")
            let finding = try #require((answer["result"] as? [[String: Any]])?.first)
            let meta = try #require(finding["meta"] as? [String: Any])
            #expect(meta["hostname"] as? String == "pc1")
            #expect((meta["scan_id"] as? String)?.hasPrefix("S-test-") == true)
            let empty = try await client.get("/api/getAsyncResults?id=\(clean)").object
            #expect((empty["result"] as? [Any])?.isEmpty == true)
            #expect(try await client.sum("/api/sampleHistory") == 2)
            #expect(try await client.sum("/api/queueHistory") == 2)
        }
        #expect(after.engine.submissions.isEmpty)
    }

    @Test func aDamagedIndexIsSetAsideAndMadeAnew() async throws {
        let folder = try TemporaryFolder()
        let ids = try await Self.leftBehind(3, in: folder)
        try folder.write(ServiceIndex.fileName, String(repeating: "this is no database ", count: 1_000))
        try? FileManager.default.removeItem(atPath: folder.path + "/" + ServiceIndex.fileName + "-wal")
        let after = try TestServer(folder: folder)
        #expect(after.log.messages.contains { $0.contains("index is damaged") && $0.contains(".damaged-") })
        #expect(try folder.names().contains { $0.hasPrefix(ServiceIndex.fileName + ".damaged-") })
        try await after.route { client async throws in
            for id in ids {
                #expect(try await client.result(of: id)["status"] as? String == "Sample analysis complete")
            }
        }
        #expect(Set(after.engine.submissions.map(\.path)) == ["/tmp/0", "/tmp/1", "/tmp/2"])
    }

    @Test func anIndexOfANewerVersionIsRefused() throws {
        let folder = try TemporaryFolder()
        let index = try ServiceIndex(directory: folder.path, resultLimit: 1) { _ in }
        index.close()
        // Bytes 60...63 of a database are its user version (SQLite file format, 1.3).
        let path = folder.path + "/" + ServiceIndex.fileName
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: 60)
        try file.write(contentsOf: Data([0, 0, 0, 99]))
        try file.close()
        let error = #expect(throws: ConfigurationError.self) { try TestServer(folder: folder) }
        #expect(error?.description.contains("newer version") == true)
    }

    @Test func samplesThatAreDamagedOrGoneFailAndAreSaid() async throws {
        let folder = try TemporaryFolder()
        let ids = try await Self.leftBehind(3, in: folder)
        try FileManager.default.removeItem(atPath: folder.path + "/sample-\(ids[0]).data")
        try folder.write("sample-\(ids[1]).data", "cut off")
        let after = try TestServer(folder: folder)
        #expect(after.log.messages.contains { $0.contains("is gone") && $0.contains("\(ids[0])") })
        try await after.route { client async throws in
            var states: [String] = []
            for id in ids { states.append(try await client.result(of: id)["status"] as? String ?? "") }
            #expect(
                states == ["Sample analysis failed", "Sample analysis failed", "Sample analysis complete"])
        }
        #expect(try folder.samples() == ["sample-\(ids[1]).damaged"])
    }

    @Test func aRemovedUploadDirectoryTakesNothing() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            #expect(try await client.get("/readyz").status == .ok)
            try FileManager.default.removeItem(atPath: test.folder.path)
            let refused = try await client.upload(MultipartForm("x"), to: "/api/checkAsync")
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.headers[.retryAfter] != nil)
            #expect(try await client.get("/readyz").reason == "upload_directory_gone")
            #expect(try await client.upload(MultipartForm("evil")).array?.count == 1)
            // Another directory of the same name is not the one that the next run would find samples in.
            try FileManager.default.createDirectory(atPath: test.folder.path, withIntermediateDirectories: false)
            #expect(try await client.upload(MultipartForm("x"), to: "/api/checkAsync").status == .serviceUnavailable)
        }
    }

    @Test func aRemovedIndexTakesNothing() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            for suffix in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: "\(test.folder.path)/\(ServiceIndex.fileName)\(suffix)")
            }
            #expect(try await client.upload(MultipartForm("x"), to: "/api/checkAsync").status == .serviceUnavailable)
            #expect(try test.folder.samples().isEmpty)
        }
    }

    @Test func aClockSetBackGivesNoIDTwice() async throws {
        let folder = try TemporaryFolder()
        let before = try TestServer(folder: folder) { _ in
        } parts: {
            $0.now = { Timestamp(seconds: 2_000_000_000) }
        }
        let first = try await before.listen { port, _ async throws in
            let id = try await Self.submit(MultipartForm("evil"), to: port)
            _ = try await Self.result(of: id, at: port)
            return id
        }
        #expect(first > 2_000_000_000_000_000)
        let after = try TestServer(folder: folder) { _ in
        } parts: {
            $0.now = { Timestamp(seconds: 1_000_000_000) }
        }
        try await after.route { client async throws in
            let second = try await client.submit(MultipartForm("good"))
            #expect(second == first + 1)
            #expect((try await client.result(of: second)["result"] as? [Any])?.isEmpty == true)
            #expect((try await client.result(of: first)["result"] as? [Any])?.count == 1)
            #expect(try await client.get("/api/sampleHistory?limit=5").status == .ok)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to mount a small tmpfs"))
    func aFullDiskNeverLosesAnAcknowledgedSample() async throws {
        let folder = try TemporaryFolder()
        try Self.command("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder.path)
        defer { try? Self.command("umount", "-l", folder.path) }
        let content = String(repeating: "evil ", count: 60_000)
        let before = try TestServer(engine: EngineDouble(threads: 1, holding: [.async]), folder: folder)
        let ids = try await before.listen { port, _ async throws in
            var ids: [Int64] = []
            while true {
                let answer = try await RawConnection.exchange(
                    port, MultipartForm(content, filename: "/tmp/\(ids.count)").request("/api/checkAsync"))
                guard answer.status == 200 else {
                    #expect(answer.status == 503)
                    #expect(answer.headers["retry-after"].flatMap { Int($0) } != nil)
                    break
                }
                ids.append(try #require(jsonObject(answer.body)["id"] as? Int64))
            }
            return ids
        }
        #expect(ids.count > 5)
        // The next run works the full disk off: each result that is stored makes room.
        let after = try TestServer(engine: EngineDouble(remembers: false), folder: folder)
        try await after.listen { port, _ async throws in
            for id in ids {
                let result = try await Self.result(of: id, at: port)
                #expect(result["status"] as? String == "Sample analysis complete")
                #expect((result["result"] as? [Any])?.count == 1)
            }
            // A result is seen before it is stored and its sample gone: until then there may be no room yet.
            var status = 503
            for _ in 0..<1_000 where status == 503 {
                status = try await RawConnection.exchange(port, MultipartForm(content).request("/api/checkAsync"))
                    .status
                if status == 503 { try await Task.sleep(for: .milliseconds(10)) }
            }
            #expect(status == 200)
        }
    }

    // Samples of a run that ended before it could scan them: the first one was being scanned.
    private static func leftBehind(_ count: Int, in folder: TemporaryFolder) async throws -> [Int64] {
        let server = try TestServer(engine: EngineDouble(threads: 1, holding: [.async]), folder: folder)
        return try await server.listen { port, _ async throws in
            // One for its thread and one to go on with.
            for _ in 0..<2 { _ = try await submit(MultipartForm("blocker"), to: port) }
            while server.engine.running(.async) < 2 { await Task.yield() }
            var ids: [Int64] = []
            for index in 0..<count {
                ids.append(try await submit(MultipartForm("evil", filename: "/tmp/\(index)"), to: port))
            }
            return ids
        }
    }

    private static func submit(_ form: MultipartForm, to port: Int) async throws -> Int64 {
        let answer = try await RawConnection.exchange(port, form.request("/api/checkAsync?source=pc1"))
        return try #require(jsonObject(answer.body)["id"] as? Int64, "\(answer.status) \(answer.body)")
    }

    private static func result(of id: Int64, at port: Int) async throws -> [String: Any] {
        while true {
            let request = "GET /api/getAsyncResults?id=\(id) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            let answer = jsonObject(try await RawConnection.exchange(port, Array(request.utf8)).body)
            let status = answer["status"] as? String
            guard status == "Waiting for execution" || status == "Currently being scanned" else { return answer }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static func command(_ words: String...) throws {
        guard try ChildProgram(words, errors: 2).wait() == 0 else {
            throw SystemError(words.joined(separator: " "), number: EPERM)
        }
    }
}
