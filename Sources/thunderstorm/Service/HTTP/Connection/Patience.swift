import NIOCore

/// How long a connection waits for its client.
///
/// Only time in which the service wants bytes counts: a client that is held back by a busy disk is not slow.
struct Patience: Sendable {
    /// Longest time in which a body brings nothing at all.
    var stall = TimeAmount.seconds(30)
    /// Time that any body may take.
    var grace = TimeAmount.seconds(60)
    /// Beyond the grace, bytes a second that a body has to bring on average.
    var slowestRate = 1024
    /// Longest time without a complete request head, from the connection or the last answer on; clients keep idle
    /// connections for 90 s, and the service must not be the first to close.
    var head = TimeAmount.seconds(120)
    /// How often it is looked.
    var interval = TimeAmount.seconds(5)
}

/// A body came too slowly.
struct SlowClientError: Error {}

/// Watches how fast a client sends: the bookkeeping of one connection, without any IO.
struct ClientClock {
    private let patience: Patience
    private var headSince: NIODeadline
    // Since when the service waits for bytes of the current body; nil while it does not.
    private var waitsSince: NIODeadline?
    private var waited = TimeAmount.zero
    private var received = 0

    init(patience: Patience, now: NIODeadline) {
        self.patience = patience
        headSince = now
    }

    /// A request head came: its body is waited for.
    mutating func bodyBegins(now: NIODeadline) {
        waited = .zero
        received = 0
        if waitsSince != nil { waitsSince = now }
    }

    /// The service asks for bytes.
    mutating func asks(now: NIODeadline) {
        if waitsSince == nil { waitsSince = now }
    }

    /// Bytes came.
    mutating func receives(_ count: Int, now: NIODeadline) {
        if let since = waitsSince { waited = waited + (now - since) }
        waitsSince = nil
        received += count
    }

    /// Nothing is under way: the next request is waited for.
    mutating func idles(now: NIODeadline) { headSince = now }

    /// Whether the body is too slow.
    func isBodyLate(now: NIODeadline) -> Bool {
        guard let since = waitsSince else { return false }
        let silent = now - since
        let allowed = patience.grace + .seconds(Int64(received / patience.slowestRate))
        return silent > patience.stall || waited + silent > allowed
    }

    /// Whether no request came for too long.
    func isHeadLate(now: NIODeadline) -> Bool { now - headSince > patience.head }
}
