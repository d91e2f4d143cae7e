import HTTPTypes
import Hummingbird
import Pipeline
import Synchronization

/// Logs requests that were refused, without letting a flood of them become a flood of the log.
final class AuditLog: Sendable {
    private struct Contents {
        var second: UInt64 = 0
        var count = 0
        var suppressed = 0
    }

    private static let limitPerSecond = 20
    // What is logged of a path that a client chose.
    private static let pathLimit = 200

    private let log: any EventLog
    private let contents = Mutex(Contents())

    /// Logs to this log.
    init(_ log: any EventLog) { self.log = log }

    /// A request was refused.
    func refused(_ reason: String, request: Request, peer: String, token: String) {
        write(
            "a request was refused",
            [
                ("REASON", reason), ("PEER", peer), ("METHOD", request.method.rawValue),
                ("ENDPOINT", clientText(Array(request.uri.path.utf8.prefix(Self.pathLimit)))),
                ("TOKEN", clientText(Array(token.utf8.prefix(16)))),
            ])
    }

    /// A connection was refused before any request.
    func refusedConnection(_ reason: String, peer: String) {
        write("a connection was refused", [("REASON", reason), ("PEER", peer)])
    }

    private func write(_ text: String, _ fields: [(String, String)]) {
        let second = monotonicNanoseconds() / 1_000_000_000
        let (isShown, suppressed) = contents.withLock { contents in
            if contents.second != second {
                contents.second = second
                contents.count = 0
            }
            contents.count += 1
            guard contents.count <= Self.limitPerSecond else {
                contents.suppressed += 1
                return (false, 0)
            }
            defer { contents.suppressed = 0 }
            return (true, contents.suppressed)
        }
        guard isShown else { return }
        let more = suppressed > 0 ? [("NOTSHOWN", "\(suppressed)")] : []
        log.message(.warning, module: "Audit", text, fields: fields + more)
    }
}
