import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// The framework's HTTP/1 connection with a `ConnectionHandler` behind its decoder.
struct ServiceChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    // Bytes that are read at one time once a client sends so fast. Each piece costs turns of several tasks; ten of them at
    // most wait for their route.
    private static let largestRead = 128 << 10

    private let base: HTTP1Channel
    private let patience: Patience
    private let certificates: Certificates?
    private let audit: AuditLog

    init(
        responder: @escaping HTTPChannelHandler.Responder, patience: Patience, certificates: Certificates?,
        audit: AuditLog
    ) {
        // Time is the connection handler's business.
        base = HTTP1Channel(responder: responder)
        self.patience = patience
        self.certificates = certificates
        self.audit = audit
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        do {
            try channel.syncOptions?.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 2 << 10, maximum: Self.largestRead))
            if let certificates {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificates.context))
            }
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionHandler(patience: patience, audit: audit), position: .after(decoder))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
