import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Pipeline

/// Asks a running service: one request on a connection of its own, for the command line.
public struct ServiceClient: Sendable {
    /// An answer of the service.
    public struct Answer: Sendable {
        /// HTTP status.
        public var status: Int
        /// Body as text.
        public var body: String
    }

    // The largest answer that is read; lists of metrics are far smaller.
    private static let bodyLimit = 16 << 20

    private let address: TargetAddress
    private let token: String?

    /// A client of the service at a URL.
    ///
    /// - Parameter token: API token, sent as a bearer token.
    /// - Throws: `ConfigurationError` when the URL cannot be read.
    public init(url: String, token: String? = nil) throws(ConfigurationError) {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw ConfigurationError("--url is '\(url)'; write http://HOST:PORT or https://HOST:PORT")
        }
        address = try TargetAddress(url)
        self.token = token
    }

    /// Sends a request without a body.
    ///
    /// - Throws: `ConfigurationError` saying that nobody answers there, and what to check.
    public func send(_ method: String, _ path: String) async throws -> Answer {
        do {
            return try await exchange(method, path)
        } catch {
            throw ConfigurationError(
                "no answer from \(address): \(error); is the service running there, and is --url right?")
        }
    }

    private func exchange(_ method: String, _ path: String) async throws -> Answer {
        let tls =
            address.transport == .https ? try NIOSSLContext(configuration: .makeClientConfiguration()) : nil
        let (answers, answered) = AsyncThrowingStream.makeStream(of: Answer.self)
        let host = address.host
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.addTLS(tls, host)
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(WholeAnswer(answered, limit: Self.bodyLimit))
                }
            }
            .connect(host: host, port: address.port).get()
        let timer = channel.eventLoop.scheduleTask(in: .seconds(30)) { channel.close(promise: nil) }
        defer { timer.cancel() }
        var headers: HTTPHeaders = [
            "Host": "\(host):\(address.port)", "User-Agent": "thunderstorm/\(thunderstormVersion)",
            "Connection": "close", "Content-Length": "0",
        ]
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        let head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        try await channel.writeAndFlush(HTTPClientRequestPart.end(nil))
        var answer: Answer?
        for try await part in answers { answer = part }
        try? await channel.close()
        guard let answer else { throw TargetError("the connection ended before an answer") }
        return answer
    }
}

/// Gathers one answer.
private final class WholeAnswer: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answered: AsyncThrowingStream<ServiceClient.Answer, any Error>.Continuation
    private let limit: Int
    private var status = 0
    private var body = ByteBuffer()

    init(_ answered: AsyncThrowingStream<ServiceClient.Answer, any Error>.Continuation, limit: Int) {
        self.answered = answered
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(var part):
            guard body.readableBytes + part.readableBytes <= limit else {
                answered.finish(throwing: TargetError("the answer is larger than \(limit) bytes"))
                context.close(promise: nil)
                return
            }
            body.writeBuffer(&part)
        case .end:
            answered.yield(ServiceClient.Answer(status: status, body: String(buffer: body)))
            answered.finish()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answered.finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answered.finish(throwing: error)
        context.close(promise: nil)
    }
}
