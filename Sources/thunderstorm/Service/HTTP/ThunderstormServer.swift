import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Pipeline
import ServiceLifecycle
import UnixSignals

/// The HTTP service: both API generations, the async queue and the pages over one engine.
public struct ThunderstormServer: Sendable {
    /// What a server is made of.
    public struct Parts: Sendable {
        /// Where to listen, limits, and the upload directory.
        public var configuration: ServiceConfiguration
        /// What scans.
        public var engine: any Engine
        /// What turns reports into answers.
        public var encoder: ReportEncoder
        /// Where findings and messages go.
        public var eventLog: any EventLog
        /// What is loaded, asked anew for each `/api/info`.
        public var signatures: @Sendable () -> SignatureState
        /// Loads the signatures anew; nil where that is not possible.
        public var reloadSignatures: (@Sendable () async throws(ConfigurationError) -> SignatureState)?
        /// The command line, as `/api/v1/info` shows it.
        public var arguments: [String] = []
        /// Where sync uploads live.
        public var byteStore: ByteStore
        /// Told once, when no samples are taken any more.
        public var onDraining: @Sendable () -> Void = {}
        /// What remote targets of events did, asked anew for each `/metrics`.
        public var targets: @Sendable () -> [TargetStatus] = { [] }
        /// Version of the YARA library, as `/api/info` shows it.
        public var yaraVersion = "unknown"
        /// Log of the HTTP machinery itself; its requests are at level debug.
        public var logger = Logger(label: "thunderstorm.http") { _ in SwiftLogNoOpLogHandler() }
        // Tests put other clocks, limits and file systems here.
        var now: @Sendable () -> Timestamp = { currentTime() }
        var patience = Patience()
        var makeFiles: @Sendable (String) throws(SystemError) -> any SpoolFiles = {
            path throws(SystemError) in try DirectoryFiles(path: path)
        }

        /// The parts that have no default.
        public init(
            configuration: ServiceConfiguration, engine: any Engine, eventLog: any EventLog, byteStore: ByteStore,
            signatures: @escaping @Sendable () -> SignatureState
        ) {
            self.configuration = configuration
            self.engine = engine
            encoder = ReportEncoder(minimumLevel: configuration.minimumLevel)
            self.eventLog = eventLog
            self.byteStore = byteStore
            self.signatures = signatures
        }
    }

    private let parts: Parts
    let core: ServiceCore

    /// Opens the upload directory; samples that an earlier run left there are queued.
    ///
    /// - Throws: `ConfigurationError` when the directory cannot be used, with the remedy.
    public init(_ parts: Parts) throws(ConfigurationError) {
        self.parts = parts
        core = try ServiceCore(parts)
    }

    /// Serves until SIGTERM or SIGINT, then finishes running scans and returns.
    ///
    /// Scans that take longer than the configured time are left behind: their async samples lie in the upload directory
    /// and are scanned by the next run.
    ///
    /// - Parameter onListening: Called with the port once clients can connect.
    /// - Throws: `ConfigurationError` when the address cannot be listened on, with the remedy.
    public func run(onListening: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [service(onListening: onListening)], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: parts.logger))
        let deadline = Task { [core, configuration = parts.configuration] in
            while !core.isDraining { try await Task.sleep(for: .milliseconds(100)) }
            try await Task.sleep(for: .seconds(configuration.shutdownSeconds))
        }
        let (ends, end) = AsyncStream.makeStream(of: Result<Bool, any Error>.self)
        Task {
            do {
                try await group.run()
                end.yield(.success(true))
            } catch {
                end.yield(.failure(error))
            }
        }
        Task { if (try? await deadline.value) != nil { end.yield(.success(false)) } }
        defer { deadline.cancel() }
        var iterator = ends.makeAsyncIterator()
        do {
            // The group cannot be made to end while a scan runs: after the deadline it is left behind.
            guard let isDone = try await iterator.next()?.get(), !isDone else { return }
            core.eventLog.message(
                .warning, module: "HTTPServer", "running scans were not finished in time",
                fields: [("SECONDS", "\(parts.configuration.shutdownSeconds)")])
            core.close()
        } catch let error as IOError {
            throw cannotListen(error)
        } catch let error as SocketAddressError {
            throw cannotListen(error)
        }
    }

    /// The server as a service, for groups with signals of their own.
    func service(onListening: @escaping @Sendable (Int) -> Void = { _ in }) -> some Service {
        RunningServer(
            core: core, application: application(onListening: onListening), onDraining: parts.onDraining)
    }

    /// Whether no samples are taken any more.
    var isDraining: Bool { core.isDraining }

    /// Takes no samples from now on.
    func beginDraining() { core.drain() }

    /// The HTTP application alone.
    func application(
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> Application<RouterResponder<ServiceRequestContext>> {
        let status = StatusRoutes(
            core: core, signatures: parts.signatures, arguments: parts.arguments, yaraVersion: parts.yaraVersion)
        return Application(
            responder: ServiceRoutes(
                core: core, status: status, targets: parts.targets, reload: parts.reloadSignatures
            ).makeRouter().buildResponder(),
            server: HTTPServerBuilder { [core, patience = parts.patience] responder in
                ServiceChannel(
                    responder: responder, patience: patience, certificates: core.certificates, audit: core.audit)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(parts.configuration.host, port: parts.configuration.port),
                serverName: "thunderstorm/\(thunderstormVersion)",
                availableConnectionsDelegate: MaximumAvailableConnections(connectionLimit())),
            services: [AsyncWorkers(core: core, count: core.asyncThreads), Housekeeping(core: core)],
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            logger: parts.logger)
    }

    private func cannotListen(_ error: any Error) -> ConfigurationError {
        let (host, port) = (parts.configuration.host, parts.configuration.port)
        return ConfigurationError(
            "cannot listen on \(host) port \(port): \(error); choose another address with --server-host or another "
                + "port with --server-port, or end the program that uses it")
    }
}

/// Refuses new samples as soon as the service is asked to end, while requests and scans that run are finished.
private struct RunningServer: Service {
    let core: ServiceCore
    let application: Application<RouterResponder<ServiceRequestContext>>
    let onDraining: @Sendable () -> Void

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await application.run()
        } onGracefulShutdown: {
            core.drain()
            onDraining()
        }
        core.close()
    }
}
