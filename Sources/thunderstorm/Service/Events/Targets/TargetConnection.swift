import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Pipeline

// Connections to remote targets. Each sends whole batches of lines and throws when it cannot say that they went out;
// none waits longer than `timeout` for anything.

protocol TargetConnection: Sendable {
    /// Sends lines, each with its end.
    func send(_ lines: [[UInt8]]) async throws
    func close() async
}

/// Why a batch did not go out.
struct TargetError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

private let timeout = TimeAmount.seconds(30)

extension Channel {
    // Closes the channel when the work takes too long or is cancelled, so that whoever waits for it gets an error.
    fileprivate func limited<T>(_ what: String, _ body: () async throws -> T) async throws -> T {
        let timer = eventLoop.scheduleTask(in: timeout) { self.close(promise: nil) }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            self.close(promise: nil)
        }
    }
}

extension ClientBootstrap {
    /// Connects to a target, but not to itself.
    ///
    /// While nobody listens at a port of this machine, the system may choose that very port for the near end, which
    /// TCP takes for both ends opening at once (RFC 9293, 3.5): what is sent would come back and count as delivered.
    ///
    /// - Throws: `TargetError` when both ends are the same; what the system says otherwise.
    func connect(to address: TargetAddress) async throws -> any Channel {
        let channel = try await connectTimeout(.seconds(10)).connect(host: address.host, port: address.port).get()
        guard channel.localAddress != channel.remoteAddress else {
            try? await channel.close()
            throw TargetError("nobody listens there")
        }
        return channel
    }
}

/// Datagrams, one a line: UDP, or the socket of the system's own log.
final class DatagramConnection: TargetConnection {
    // The largest payload of a UDP datagram over IPv4.
    private static let largest = 65_507
    private let channel: any Channel

    init(_ address: TargetAddress) async throws {
        let bootstrap = DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        channel =
            address.transport == .local
            ? try await bootstrap.connect(unixDomainSocketPath: address.host).get()
            : try await bootstrap.connect(host: address.host, port: address.port).get()
    }

    func send(_ lines: [[UInt8]]) async throws {
        guard let remote = channel.remoteAddress else { throw TargetError("the socket has no peer") }
        try await channel.limited("send") {
            var last = channel.eventLoop.makeSucceededVoidFuture()
            for line in lines {
                // The end of the line is the end of the datagram. A line that no datagram holds is cut: its end is
                // marked, so that nobody takes it for whole.
                var content = line.dropLast()
                if content.count > Self.largest { content = content.prefix(Self.largest - 15) + "... (truncated)".utf8 }
                let buffer = channel.allocator.buffer(bytes: content)
                last = channel.write(AddressedEnvelope(remoteAddress: remote, data: buffer))
            }
            channel.flush()
            try await last.get()
        }
    }

    func close() async { try? await channel.close() }
}

/// Lines over TCP, or through TLS.
final class StreamConnection: TargetConnection {
    private let channel: any Channel

    init(_ address: TargetAddress, tls: NIOSSLContext?) async throws {
        let host = address.host
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.addTLS(tls, host) }
            }
            .connect(to: address)
    }

    func send(_ lines: [[UInt8]]) async throws {
        var buffer = channel.allocator.buffer(capacity: lines.reduce(0) { $0 + $1.count })
        for line in lines { buffer.writeBytes(line) }
        try await channel.limited("send") { try await channel.writeAndFlush(buffer) }
    }

    func close() async { try? await channel.close() }
}

/// Lines in the body of a POST, one connection for many.
final class HTTPConnection: TargetConnection {
    private let channel: any Channel
    private let answers: AsyncStream<Int>
    private let head: HTTPRequestHead

    init(_ address: TargetAddress, tls: NIOSSLContext?) async throws {
        let (answers, answered) = AsyncStream.makeStream(of: Int.self)
        self.answers = answers
        let host = address.host
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.addTLS(tls, host)
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(AnswerReader(answered))
                }
            }
            .connect(to: address)
        let isJSON = address.format == .json
        let bracketed = host.contains(":") ? "[\(host)]" : host
        head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: address.path,
            headers: [
                "Host": "\(bracketed):\(address.port)", "User-Agent": "thunderstorm/\(thunderstormVersion)",
                "Content-Type": isJSON ? "application/x-ndjson" : "text/plain; charset=utf-8",
            ])
    }

    func send(_ lines: [[UInt8]]) async throws {
        var body = channel.allocator.buffer(capacity: lines.reduce(0) { $0 + $1.count })
        for line in lines { body.writeBytes(line) }
        var head = head
        head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        let status = try await channel.limited("send") {
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
            try await channel.writeAndFlush(HTTPClientRequestPart.end(nil))
            return await answers.first { _ in true }
        }
        guard let status else { throw TargetError("the connection ended before an answer") }
        guard (200...299).contains(status) else { throw TargetError("the target answered \(status)") }
    }

    func close() async { try? await channel.close() }
}

/// Tells the status of each answer once it is whole.
private final class AnswerReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answered: AsyncStream<Int>.Continuation
    private var status = 0

    init(_ answered: AsyncStream<Int>.Continuation) { self.answered = answered }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body: break
        case .end: answered.yield(status)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answered.finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answered.finish()
        context.close(promise: nil)
    }
}

extension Channel {
    /// Encrypts what the channel carries, unless there is no TLS.
    func addTLS(_ tls: NIOSSLContext?, _ host: String) throws {
        guard let tls else { return }
        // An address is no server name in TLS.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        try pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
    }
}
