import Hummingbird
import NIOCore

/// What a route knows besides the request: the connection it came in on.
struct ServiceRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The token that the request came with; nil when none are asked for.
    var caller: AccessToken?
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// Address of the client; IPv4 addresses in their own notation even on an IPv6 socket.
    var peer: String {
        guard let address = channel.remoteAddress?.ipAddress else { return "unknown" }
        return address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
    }

    /// Tells a client that waits for leave to send its body (`Expect: 100-continue`) to go on.
    func acceptBody() { channel.triggerUserOutboundEvent(ConnectionEvent.bodyWanted, promise: nil) }
}
