import NIOCore
import NIOHTTP1
import NIOSSL

// What HTTP/1 asks of a connection and the framework leaves open: `Expect: 100-continue`, closing after HTTP/1.0 and
// `Connection: close`, and answers sent before the request was read. If the socket were closed with upload bytes
// still unread, the kernel would reset it and the client would lose the answer (a 413 or 503) it has to see; so the
// outgoing side is closed first, what still arrives is read and dropped for a while, and then all is closed.

/// Things a route tells its connection.
enum ConnectionEvent: Sendable {
    /// The request is welcome: the client may send its body.
    case bodyWanted
}

/// Sits behind the HTTP decoder of one connection and decides how long it lives.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    // One request that is not answered yet.
    private struct Exchange {
        var isHTTP10: Bool
        var keepsAlive: Bool
        var wantsContinue: Bool
        var unread: Int?
        var isRead = false
    }

    private enum Phase {
        case open
        // The answer being written is the last one.
        case finishing
        // The answer is out; what still arrives is dropped.
        case draining
    }

    // An unread body up to this size is read to the end, so that the connection can be used again.
    private static let readableRest = 256 << 10
    private static let drainLimit = 1 << 30
    private static let drainTime = TimeAmount.seconds(30)
    private static let quickDrainTime = TimeAmount.seconds(2)

    private var exchanges = CircularBuffer<Exchange>()
    private var phase = Phase.open
    // The body of an answered request is still coming in.
    private var restIsComing = false
    private var isQuiescing = false
    private var isMalformed = false
    // A request was not passed on, so neither is what follows.
    private var isDeaf = false
    private var drained = 0
    private var drainTimer: Scheduled<Void>?
    private let patience: Patience
    private var clock: ClientClock
    private var watch: RepeatedTask?

    private let audit: AuditLog

    init(patience: Patience, audit: AuditLog) {
        self.patience = patience
        self.audit = audit
        clock = ClientClock(patience: patience, now: .now())
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard phase != .draining, !isDeaf else {
            if case .body(let bytes) = part { drained += bytes.readableBytes }
            if drained > Self.drainLimit { context.close(promise: nil) }
            return
        }
        switch part {
        case .head(let head):
            // Nothing is read behind a request after which the connection closes.
            guard phase == .open, !isMalformed else {
                isDeaf = true
                return
            }
            guard Self.isFramed(head) else {
                isDeaf = true
                isMalformed = true
                if exchanges.isEmpty { refuse(context) }
                return
            }
            let isExpectant = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
            let isHTTP11 = head.version.major == 1 && head.version.minor >= 1
            clock.bodyBegins(now: .now())
            exchanges.append(
                Exchange(
                    isHTTP10: !isHTTP11, keepsAlive: head.isKeepAlive, wantsContinue: isHTTP11 && isExpectant,
                    unread: head.headers.first(name: "content-length").flatMap { Int($0) }))
        case .body(let bytes):
            clock.receives(bytes.readableBytes, now: .now())
            if !restIsComing { readBody(bytes.readableBytes) }
        case .end:
            if restIsComing {
                restIsComing = false
            } else if let last = exchanges.indices.last {
                exchanges[last].isRead = true
            }
        }
        context.fireChannelRead(data)
    }

    // The decoder takes an unknown transfer coding for a body up to the end of the connection; a proxy in front may
    // take it for none. It also lets two lengths stand, or a length beside chunks. Only what everyone reads alike is
    // read.
    private static func isFramed(_ head: HTTPRequestHead) -> Bool {
        let codings = head.headers[canonicalForm: "transfer-encoding"]
        let lengths = head.headers["content-length"]
        guard codings.count <= 1, codings.allSatisfy({ $0.lowercased() == "chunked" }) else { return false }
        guard lengths.count + codings.count <= 1 else { return false }
        return lengths.allSatisfy { length in
            !length.isEmpty && length.utf8.count < 19 && length.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
    }

    // MARK: Time

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: patience.interval, delay: patience.interval) { _ in
            let (handler, context) = bound.value
            handler.look(context)
        }
    }

    // A client that sends too slowly, or nothing, gives its place to others.
    private func look(_ context: ChannelHandlerContext) {
        guard phase == .open, context.channel.isActive else { return }
        let now = NIODeadline.now()
        if let last = exchanges.last {
            guard !last.isRead, !last.wantsContinue, !isMalformed, clock.isBodyLate(now: now) else { return }
            isMalformed = true
            context.fireErrorCaught(SlowClientError())
        } else if clock.isHeadLate(now: now) {
            context.close(promise: nil)
        }
    }

    private func readBody(_ count: Int) {
        guard let last = exchanges.indices.last else { return }
        exchanges[last].wantsContinue = false
        if let unread = exchanges[last].unread { exchanges[last].unread = unread - count }
    }

    func read(context: ChannelHandlerContext) {
        clock.asks(now: .now())
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if phase == .draining { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOSSLError || error is BoringSSLError {
            audit.refusedConnection("tls: \(error)", peer: context.channel.remoteAddress?.ipAddress ?? "unknown")
        }
        guard error is HTTPParserError, phase == .open else {
            context.fireErrorCaught(error)
            return
        }
        if let last = exchanges.last {
            // Inside a body the route has to know; behind a complete request it is answered first.
            isMalformed = true
            if !last.isRead { context.fireErrorCaught(error) }
        } else {
            refuse(context)
        }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        let body = ByteBuffer(
            string: #"{"message":"this is not a complete HTTP/1 request","reason":"malformed_request"}"# + "\n")
        var head = HTTPResponseHead(version: .http1_1, status: .badRequest)
        head.headers = [
            "content-type": "application/json", "content-length": "\(body.readableBytes)", "connection": "close",
        ]
        phase = .finishing
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        writeEnd(.end(nil), context: context, isRead: false, promise: nil)
        context.flush()
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        guard phase != .draining else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch part {
        case .head(var head):
            guard let exchange = exchanges.first, head.status.code >= 200 else {
                context.write(data, promise: promise)
                return
            }
            if isLast(exchange, head) {
                phase = .finishing
                head.headers.replaceOrAdd(name: "connection", value: "close")
            } else if exchange.isHTTP10 {
                head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            let isRead = exchanges.popFirst()?.isRead ?? true
            restIsComing = !isRead
            if exchanges.isEmpty { clock.idles(now: .now()) }
            writeEnd(part, context: context, isRead: isRead && !isMalformed, promise: promise)
        }
    }

    private func isLast(_ exchange: Exchange, _ head: HTTPResponseHead) -> Bool {
        if !exchange.keepsAlive || isQuiescing || !head.isKeepAlive { return true }
        if isMalformed, exchanges.count == 1 { return true }
        if exchange.isRead { return false }
        // A client that was not told to go on may send its body or not: nobody can know what comes next.
        if exchange.wantsContinue { return true }
        guard let unread = exchange.unread else { return true }
        return unread > Self.readableRest
    }

    private func writeEnd(
        _ part: HTTPServerResponsePart, context: ChannelHandlerContext, isRead: Bool, promise: EventLoopPromise<Void>?
    ) {
        guard phase == .finishing else {
            context.write(wrapOutboundOut(part), promise: promise)
            return
        }
        let written = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in
            let (handler, context) = bound.value
            handler.finish(context, isRead: isRead)
        }
        context.write(wrapOutboundOut(part), promise: written)
    }

    private func finish(_ context: ChannelHandlerContext, isRead: Bool) {
        guard phase == .finishing, context.channel.isActive else { return }
        phase = .draining
        guard !isRead else {
            context.close(promise: nil)
            return
        }
        context.close(mode: .output, promise: nil)
        closeLater(context)
        context.read()
    }

    // MARK: Events

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard case ConnectionEvent.bodyWanted? = event as? ConnectionEvent else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        if let first = exchanges.indices.first, exchanges[first].wantsContinue, phase == .open {
            exchanges[first].wantsContinue = false
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        promise?.succeed()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { isQuiescing = true }
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, phase == .draining {
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    // Others close once the last part was written, though not yet sent: that is this handler's business.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard phase != .open, context.channel.isActive else {
            context.close(mode: mode, promise: promise)
            return
        }
        promise?.succeed()
        // A client that does not read its answer does not get for ever.
        closeLater(context)
    }

    private func closeLater(_ context: ChannelHandlerContext) {
        guard drainTimer == nil else { return }
        drainTimer = context.eventLoop.assumeIsolated().scheduleTask(
            in: isQuiescing ? Self.quickDrainTime : Self.drainTime
        ) {
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stopTimers() }

    private func stopTimers() {
        drainTimer?.cancel()
        watch?.cancel()
        watch = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopTimers()
        context.fireChannelInactive()
    }
}
