import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// The framework's HTTP/1 connection with a `ConnectionHandler` behind its decoder.
struct ServiceChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    // Clients keep idle connections for 90 s; the service must not be the first to close.
    private static let idleTimeout = TimeAmount.seconds(120)

    private let base: HTTP1Channel

    init(responder: @escaping HTTPChannelHandler.Responder) {
        base = HTTP1Channel(responder: responder, configuration: .init(idleTimeout: Self.idleTimeout))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionHandler(), position: .after(decoder))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
