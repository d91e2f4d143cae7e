import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Pipeline
import ServiceLifecycle
import UnixSignals

/// The HTTP service: both API generations, the async queue and the landing page over one engine.
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
        /// The command line, as `/api/v1/info` shows it.
        public var arguments: [String] = []
        /// Where sync uploads live.
        public var byteStore: ByteStore
        /// What remote targets of events did, asked anew for each `/metrics`.
        public var targets: @Sendable () -> [TargetStatus] = { [] }
        /// Version of the YARA library, as `/api/info` shows it.
        public var yaraVersion = "unknown"
        /// Log of the HTTP machinery itself; its requests are at level debug.
        public var logger = Logger(label: "thunderstorm.http") { _ in SwiftLogNoOpLogHandler() }

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
    private let core: ServiceCore

    /// Opens the upload directory; samples that an earlier run left there are queued.
    ///
    /// - Throws: `ConfigurationError` when the directory cannot be used, with the remedy.
    public init(_ parts: Parts) throws(ConfigurationError) {
        self.parts = parts
        core = try ServiceCore(
            configuration: parts.configuration, engine: parts.engine, encoder: parts.encoder,
            eventLog: parts.eventLog, byteStore: parts.byteStore)
    }

    /// Serves until SIGTERM or SIGINT, then finishes running scans and returns.
    ///
    /// - Parameter onListening: Called with the port once clients can connect.
    /// - Throws: `ConfigurationError` when the address cannot be listened on, with the remedy.
    public func run(onListening: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [service(onListening: onListening)], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: parts.logger))
        do {
            try await group.run()
        } catch let error as IOError {
            throw cannotListen(error)
        } catch let error as SocketAddressError {
            throw cannotListen(error)
        }
    }

    /// The server as a service, for groups with signals of their own.
    func service(onListening: @escaping @Sendable (Int) -> Void = { _ in }) -> some Service {
        RunningServer(core: core, application: application(onListening: onListening))
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
            responder: ServiceRoutes(core: core, status: status, targets: parts.targets).makeRouter().buildResponder(),
            server: HTTPServerBuilder { responder in ServiceChannel(responder: responder) },
            configuration: ApplicationConfiguration(
                address: .hostname(parts.configuration.host, port: parts.configuration.port),
                serverName: "thunderstorm/\(thunderstormVersion)"),
            services: [AsyncWorkers(core: core, count: core.asyncThreads)],
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

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await application.run()
        } onGracefulShutdown: {
            core.drain()
        }
        core.directory.lock.release()
    }
}
