import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

/// What a receiver got so far.
private final class Received: Sendable {
    private let state = Mutex<[UInt8]>([])

    func append(_ bytes: [UInt8]) { state.withLock { $0 += bytes } }

    var lines: [String] {
        state.withLock { String(decoding: $0, as: UTF8.self) }.split(separator: "\n").map(String.init)
    }

    /// Waits until there are so many lines.
    func wait(for count: Int) async throws {
        while lines.count < count { try await Task.sleep(for: .milliseconds(5)) }
    }
}

/// A port of loopback that is taken, and where nobody listens before `listen`: connections are refused.
///
/// A port that was given back would not do: a process that is being forked may still hold its listening socket, and
/// another test may get it.
private final class HeldPort {
    private let descriptor: Int32
    private var address = sockaddr_in()
    private var isHeld = true

    var port: Int { Int(UInt16(bigEndian: address.sin_port)) }

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        self.descriptor = descriptor
        // Shared with another socket that does not listen either.
        var one: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                return unsafe bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
            }
        }
        try #require(isBound)
    }

    deinit { if isHeld { close(descriptor) } }

    /// Listens there.
    func listen() async throws -> LineReceiver {
        isHeld = false
        return try await LineReceiver { try await $0.withBoundSocket(self.descriptor).get() }
    }
}

/// A receiver of lines over TCP on loopback.
private struct LineReceiver {
    let received = Received()
    let channel: any Channel

    init(
        _ bind: (ServerBootstrap) async throws -> any Channel = { try await $0.bind(host: "127.0.0.1", port: 0).get() }
    ) async throws {
        let received = received
        channel = try await bind(
            ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(received))
                }
            })
    }

    var port: Int { channel.localAddress?.port ?? 0 }
}

private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let received: Received

    init(_ received: Received) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        received.append(Array(buffer.readableBytesView))
    }
}

/// Each datagram as a line; one that carries the end of a line itself would be seen as two.
private final class DatagramCollector: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let received: Received

    init(_ received: Received) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.append(Array(unwrapInboundIn(data).data.readableBytesView) + [0x0A])
    }
}

/// Resets the connection at the first bytes.
private final class ResettingReceiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Closed without lingering, a connection ends with RST.
        let channel = context.channel
        (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            .whenComplete { _ in channel.close(promise: nil) }
    }
}

/// Answers each POST with the next of its statuses, and keeps the bodies of those it took.
private final class PostReceiver: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let received: Received
    private let statuses: Mutex<[HTTPResponseStatus]>
    private let body = Mutex<[UInt8]>([])

    init(_ received: Received, _ statuses: [HTTPResponseStatus]) {
        self.received = received
        self.statuses = Mutex(statuses)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: body.withLock { $0 = [] }
        case .body(let buffer): body.withLock { $0 += Array(buffer.readableBytesView) }
        case .end:
            let status = statuses.withLock { $0.isEmpty ? .ok : $0.removeFirst() }
            if status == .ok { received.append(body.withLock { $0 }) }
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: ["Content-Length": "0"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

// Receivers are waited for; one that never gets its lines ends the test instead of holding up all others.
@Suite(.timeLimit(.minutes(5))) struct RemoteTargetTests {
    private func sinks(_ target: String, spool: Int = 1 << 20) throws -> EventSinks {
        let sink = try EventSink(
            target: TargetAddress(target), minimumLevel: .notice, options: EventOptions(), spoolBytes: spool,
            hostname: "this-host")
        return EventSinks([sink], hostname: "this-host", scanID: "S-1")
    }

    private func say(_ count: Int, _ sinks: EventSinks) {
        for number in 0..<count { sinks.message(.info, module: "Test", "number \(number)", fields: []) }
    }

    @Test func linesArriveInOrderOverTCP() async throws {
        let receiver = try await LineReceiver()
        let sinks = try sinks("127.0.0.1:\(receiver.port):DEFAULT:TCP")
        say(1_000, sinks)
        #expect(await sinks.close().isEmpty)
        try await receiver.received.wait(for: 1_000)
        let lines = receiver.received.lines
        #expect(lines.count == 1_000)
        #expect(lines.first?.hasPrefix("<190>") == true)
        #expect(lines.last?.contains("MESSAGE: number 999 ") == true)
        #expect(sinks.targets.map(\.delivered) == [1_000])
        try await receiver.channel.close()
    }

    @Test func aTargetThatComesLaterGetsEverything() async throws {
        let held = try HeldPort()
        let sinks = try sinks("127.0.0.1:\(held.port):JSON:TCP")
        say(50, sinks)
        while sinks.targets.first?.problem.isEmpty ?? true { try await Task.sleep(for: .milliseconds(5)) }
        let receiver = try await held.listen()
        try await receiver.received.wait(for: 50)
        #expect(receiver.received.lines.last?.contains(#""message":"number 49""#) == true)
        #expect(await sinks.close().isEmpty)
        try await receiver.channel.close()
    }

    @Test func whatDoesNotFitTheSpoolIsCountedAndSaid() async throws {
        let held = try HeldPort()
        let sinks = try sinks("127.0.0.1:\(held.port):DEFAULT:TCP", spool: 1_000)
        say(100, sinks)
        let status = try #require(sinks.targets.first)
        #expect(status.dropped > 80)
        #expect(status.dropped + status.waiting == 100)
        let receiver = try await held.listen()
        try await receiver.received.wait(for: status.waiting + 1)
        let notice = receiver.received.lines.last
        #expect(notice?.contains("MESSAGE: Events were dropped") == true)
        #expect(notice?.contains("DROPPED: \(status.dropped) ") == true)
        #expect(await sinks.close().isEmpty)
        try await receiver.channel.close()
    }

    @Test func aDeadTargetDoesNotHoldTheEnd() async throws {
        let held = try HeldPort()
        let sinks = try sinks("127.0.0.1:\(held.port):DEFAULT:TCP")
        say(3, sinks)
        let lost = await sinks.close()
        #expect(lost.map(\.lost) == [3])
        #expect(lost.first?.target.contains("127.0.0.1:\(held.port)") == true)
    }

    @Test func oneDatagramALine() async throws {
        let received = Received()
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramCollector(received))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let sinks = try sinks("127.0.0.1:\(port):CEF")
        say(3, sinks)
        #expect(await sinks.close().isEmpty)
        try await received.wait(for: 3)
        let lines = received.lines
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.hasPrefix("<190>") && $0.contains(" CEF:0|Thunderstorm|") })
        #expect(lines.map { $0.contains("|number ") } == [true, true, true])
        try await channel.close()
    }

    @Test func aPostThatIsRefusedIsSentAgain() async throws {
        let received = Received()
        // The first connection begins with a refusal.
        let refusals = Mutex<[[HTTPResponseStatus]]>([[.serviceUnavailable]])
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let statuses = refusals.withLock { $0.popLast() ?? [] }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(PostReceiver(received, statuses))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let sinks = try sinks("http://127.0.0.1:\(port)/in")
        say(2, sinks)
        while sinks.targets.first?.problem.contains("503") != true { try await Task.sleep(for: .milliseconds(5)) }
        try await received.wait(for: 2)
        #expect(await sinks.close().isEmpty)
        #expect(received.lines.count == 2)
        #expect(received.lines.allSatisfy { $0.hasPrefix(#"{"type":"THOR message""#) })
        try await channel.close()
    }

    // Bound to the port it connects to, a socket becomes both ends.
    @Test func aConnectionToItselfIsNone() async throws {
        let held = try HeldPort()
        let near = try SocketAddress(ipAddress: "127.0.0.1", port: held.port)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_reuseaddr), value: 1).bind(to: near)
        let channel = try await bootstrap.connect(to: near).get()
        #expect(channel.localAddress == channel.remoteAddress)
        try await channel.close()
        await #expect(throws: TargetError.self) {
            try await bootstrap.connect(to: TargetAddress("127.0.0.1:\(held.port):JSON:TCP"))
        }

        let receiver = try await LineReceiver()
        let other = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: TargetAddress("127.0.0.1:\(receiver.port):JSON:TCP"))
        try await other.close()
        try await receiver.channel.close()
    }

    @Test(.enabled(if: TestAuthority.isAvailable, "needs openssl"))
    func linesTravelThroughTLSToWhomTheAuthorityVouchesFor() async throws {
        let authority = try TestAuthority()
        try authority.issue("server")
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(authority.path("server.pem")).map {
                    .certificate($0)
                },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: authority.path("server.key"), format: .pem))))
        let received = Received()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.addHandler(Collector(received))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        func sinks(_ authorities: String?) throws -> EventSinks {
            let sink = try EventSink(
                target: TargetAddress("127.0.0.1:\(port):JSON:TCPTLS"), minimumLevel: .notice,
                options: EventOptions(), spoolBytes: 1 << 20, hostname: "this-host", authorities: authorities)
            return EventSinks([sink], hostname: "this-host", scanID: "S-1")
        }
        let trusted = try sinks(authority.path("ca.pem"))
        say(100, trusted)
        #expect(await trusted.close().isEmpty)
        #expect(received.lines.count == 100)

        let stranger = try sinks(nil)
        say(3, stranger)
        while stranger.targets[0].problem.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(stranger.targets[0].delivered == 0 && received.lines.count == 100)
        #expect(await stranger.close().map(\.lost) == [3])
        #expect(throws: ConfigurationError.self) { try sinks("/nonexistent/ca.pem") }
        try await server.close()
    }

    // It accepts the connection and never reads: lines wait, then are dropped; the end is not held for long.
    @Test func aTargetThatHangsHoldsNobody() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.so_rcvbuf), value: 4_096)
            .bind(host: "127.0.0.1", port: 0).get()
        let sinks = try sinks("127.0.0.1:\(try #require(server.localAddress?.port)):JSON:TCP", spool: 1 << 16)
        // More than spool and buffers of both ends hold; the loop ends, though nobody reads.
        let filler = String(repeating: "x", count: 10_000)
        var (sent, before, still) = (0, -1, 0)
        while still < 20 {
            for _ in 0..<20 { sinks.message(.info, module: "Test", filler, fields: []) }
            sent += 20
            try await Task.sleep(for: .milliseconds(10))
            let delivered = sinks.targets[0].delivered
            still = delivered == before ? still + 1 : 0
            before = delivered
        }
        let status = sinks.targets[0]
        #expect(status.dropped > 0 && status.waiting > 0)
        #expect(status.waiting + status.delivered + status.dropped >= sent)
        let lost = await sinks.close()
        #expect(lost.map(\.lost) == [status.waiting])
        try await server.close()
    }

    @Test func aTargetThatResetsGetsTheRestOnANewConnection() async throws {
        let received = Received()
        let resets = Mutex(2)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let isReset = resets.withLock { left in
                        defer { left = max(left - 1, 0) }
                        return left > 0
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        isReset ? ResettingReceiver() : Collector(received))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let sinks = try sinks("127.0.0.1:\(try #require(server.localAddress?.port)):JSON:TCP")
        // Lines are sent until two connections were reset and a third one takes them.
        var sent = 0
        while received.lines.isEmpty {
            say(1, sinks)
            sent += 1
            try await Task.sleep(for: .milliseconds(20))
        }
        let last = "the last one"
        sinks.message(.info, module: "Test", last, fields: [])
        #expect(await sinks.close().isEmpty)
        while !received.lines.contains(where: { $0.contains(last) }) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(resets.withLock { $0 } == 0 && sinks.targets[0].dropped == 0)
        try await server.close()
    }

    @Test func aFullSpoolStillTakesTheWordAboutWhatItDropped() {
        let spool = EventSpool(limit: 10)
        spool.append([Array("12345678\n".utf8)])
        spool.append([Array("dropped\n".utf8)])
        #expect(spool.takeUntoldDrops() == 1)
        spool.append([Array("1 was dropped\n".utf8)], always: true)
        #expect(spool.takeUntoldDrops() == 0)
        #expect(
            spool.peek(bytes: 100).map { String(decoding: $0, as: UTF8.self) } == ["12345678\n", "1 was dropped\n"])
    }
}
