import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Pipeline
import ServiceLifecycle
import Synchronization
import Testing

@testable import ThunderstormService

/// A server over an engine double, with its upload directory.
struct TestServer {
    let folder: TemporaryFolder
    let engine: EngineDouble
    let log = EventLogDouble()
    let server: ThunderstormServer
    let byteStore = ByteStore()
    /// How often signatures were loaded anew, and why that fails.
    let reloads = SharedValue(0)
    let reloadError = SharedValue("")

    init(
        engine: EngineDouble = EngineDouble(), folder: TemporaryFolder? = nil,
        _ configure: (inout ServiceConfiguration) -> Void = { _ in },
        parts adjust: (inout ThunderstormServer.Parts) -> Void = { _ in }
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        var configuration = ServiceConfiguration()
        configuration.port = 0
        configuration.uploadDirectory = folder.path
        configuration.diskReserveBytes = 0
        configuration.scanIDPrefix = "S-test"
        // Tests look at what reaches the engine; those of the cache turn it on.
        configuration.cachesVerdicts = false
        configure(&configuration)
        let diagnostics = SignatureDiagnostics()
        diagnostics.loaded([SignatureSummary(kind: .yara, name: "Evil", score: 85, file: "evil.yar")])
        diagnostics.report(SignatureProblem(file: "broken.yar", line: 7, message: "syntax <error>"))
        let state = SignatureState(
            set: SignatureSet(files: []), diagnostics: diagnostics, loaded: Timestamp(seconds: 1_700_000_000))
        var parts = ThunderstormServer.Parts(
            configuration: configuration, engine: engine, eventLog: log, byteStore: byteStore, signatures: { state })
        parts.arguments = ["serve", "--threads", "2"]
        parts.reloadSignatures = { [reloads, reloadError] () async throws(ConfigurationError) in
            reloads.withLock { $0 += 1 }
            let error = reloadError.withLock { $0 }
            if !error.isEmpty { throw ConfigurationError(error) }
            return state
        }
        adjust(&parts)
        self.folder = folder
        self.engine = engine
        server = try ThunderstormServer(parts)
    }

    /// What the server is made of.
    var core: ServiceCore { server.core }

    /// Runs requests against the router, without a socket.
    func route<T>(_ test: @Sendable (any TestClientProtocol) async throws -> T) async throws -> T {
        try await server.application().test(.router) { client async throws in
            do {
                let value = try await test(client)
                engine.release()
                return value
            } catch {
                engine.release()
                throw error
            }
        }
    }

    /// Listens on a free port for the time of the test, then ends as on SIGTERM.
    func listen<T: Sendable>(_ test: @escaping @Sendable (Int, ServiceGroup) async throws -> T) async throws -> T {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [server.service(onListening: { port.yield($0) })],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<T, any Error>
            do {
                var iterator = ports.makeAsyncIterator()
                result = .success(try await test(try #require(await iterator.next()), group))
            } catch {
                result = .failure(error)
            }
            // Held scans go on only when no worker can take another sample.
            await group.triggerGracefulShutdown()
            while !server.isDraining { await Task.yield() }
            engine.release()
            try await tasks.waitForAll()
            return try result.get()
        }
    }
}

/// A value that several tasks use.
final class SharedValue<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withLock<R: Sendable>(_ body: (inout Value) -> R) -> R { value.withLock { body(&$0) } }
}

extension TestClientProtocol {
    /// Uploads a form.
    func upload(_ form: MultipartForm, to uri: String = "/api/check") async throws -> TestResponse {
        try await execute(
            uri: uri, method: .post, headers: [.contentType: form.contentType],
            body: ByteBuffer(bytes: form.bytes))
    }

    /// Queues a sample and returns its id.
    func submit(_ form: MultipartForm, to uri: String = "/api/checkAsync") async throws -> Int64 {
        let answer = try await upload(form, to: uri)
        return try #require(answer.object["id"] as? Int64)
    }

    /// Status of a queued sample.
    func status(of id: Int64) async throws -> String? {
        try await get("/api/getAsyncResults?id=\(id)").object["status"] as? String
    }

    /// Sum of the numbers in an answer.
    func sum(_ uri: String) async throws -> Int {
        try await get(uri).object.values.reduce(0) { $0 + ($1 as? Int ?? 0) }
    }

    /// Fetches an address.
    func get(_ uri: String) async throws -> TestResponse { try await execute(uri: uri, method: .get) }

    /// Asks for a result until the sample is done.
    func result(of id: Int64, in api: String = "/api") async throws -> [String: Any] {
        while true {
            let answer = try await get("\(api)/getAsyncResults?id=\(id)").object
            let status = answer["status"] as? String
            guard status == "Waiting for execution" || status == "Currently being scanned" else { return answer }
            await Task.yield()
        }
    }
}

extension TestResponse {
    /// The body as text.
    var text: String { String(buffer: body) }

    /// The body as a JSON object; empty when it is none.
    var object: [String: Any] { jsonObject(text) }

    /// The body as a JSON array; nil when it is none.
    var array: [[String: Any]]? {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [[String: Any]]
    }

    /// The word for programs in an error.
    var reason: String? { object["reason"] as? String }
}

/// A JSON object; empty when the text is none.
func jsonObject(_ text: String) -> [String: Any] {
    ((try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]) ?? [:]
}
