import NIOCore
import NIOPosix
import NIOSSL
import Pipeline
import Synchronization

/// What a remote target did so far.
public struct TargetStatus: Sendable, Equatable {
    /// The target as messages name it.
    public var name: String
    /// Lines that wait.
    public var waiting = 0
    /// Lines delivered.
    public var delivered = 0
    /// Lines dropped because the spool was full.
    public var dropped = 0
    /// Why nothing is delivered now; empty when all is well.
    public var problem = ""
}

/// Sends lines to another machine, on a task of its own, so that a slow or dead target never slows a scan.
///
/// Lines wait in a spool in memory with a limit; what does not fit is dropped, counted, and said as soon as the target
/// takes lines again. A batch that fails is sent again: a target may see a line twice, but misses none that the network
/// did not lose without a word (UDP; the last lines of a TCP connection that is cut).
public final class RemoteTarget: Sendable {
    let address: TargetAddress
    private let spool: EventSpool
    private let problem = Mutex("")
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let tls: NIOSSLContext?

    /// Bytes sent in one go.
    private static let batchBytes = 256 << 10
    private static let longestPause = 30.0

    /// A target that starts to deliver with `start`.
    ///
    /// - Parameters:
    ///   - spoolBytes: Most bytes of lines that wait.
    ///   - authorities: PEM file of certificate authorities that are trusted besides the system's.
    /// - Throws: `ConfigurationError` when TLS cannot be set up.
    public init(_ address: TargetAddress, spoolBytes: Int, authorities: String? = nil) throws(ConfigurationError) {
        self.address = address
        spool = EventSpool(limit: spoolBytes)
        switch address.transport {
        case .tls, .https:
            var configuration = TLSConfiguration.makeClientConfiguration()
            do {
                if let authorities {
                    configuration.additionalTrustRoots = [
                        .certificates(try NIOSSLCertificate.fromPEMFile(authorities))
                    ]
                }
                tls = try NIOSSLContext(configuration: configuration)
            } catch  where authorities != nil {
                throw ConfigurationError(
                    "remote-ca is '\(authorities ?? "")', which holds no certificates in PEM: \(error)")
            } catch {
                throw ConfigurationError("TLS for \(address) cannot be set up: \(error)")
            }
        default: tls = nil
        }
    }

    /// What it did so far.
    public var status: TargetStatus {
        let counts = spool.counts
        return TargetStatus(
            name: address.description, waiting: counts.waiting, delivered: counts.delivered, dropped: counts.dropped,
            problem: problem.withLock { $0 })
    }

    /// Adds lines, each with its end; never waits.
    func append(_ lines: [[UInt8]]) { spool.append(lines) }

    /// Starts to deliver.
    ///
    /// - Parameter notice: Makes the line that says how many were dropped.
    func start(_ notice: @escaping @Sendable (Int) -> [UInt8]) {
        task.withLock { task in
            guard task == nil else { return }
            task = Task.detached { [self] in await deliver(notice) }
        }
    }

    /// Delivers what waits, for so many seconds at the most, and ends.
    ///
    /// - Returns: Lines that were not delivered.
    public func close(seconds: Double) async -> Int {
        spool.close()
        guard let running = task.withLock({ $0 }) else { return spool.counts.waiting }
        let deadline = Task {
            try? await Task.sleep(for: .seconds(seconds))
            running.cancel()
        }
        await running.value
        deadline.cancel()
        return spool.counts.waiting
    }

    // MARK: Delivery

    private func deliver(_ notice: @Sendable (Int) -> [UInt8]) async {
        var connection: (any TargetConnection)?
        var pause = 1.0
        for await _ in spool.wake {
            while !Task.isCancelled {
                let dropped = connection == nil ? 0 : spool.takeUntoldDrops()
                if dropped > 0 { spool.append([notice(dropped)], always: true) }
                let lines = spool.peek(bytes: Self.batchBytes)
                if lines.isEmpty { break }
                do {
                    let open = if let connection { connection } else { try await connect() }
                    connection = open
                    try await open.send(lines)
                    spool.remove(lines.count)
                    problem.withLock { $0 = "" }
                    pause = 1
                } catch {
                    await connection?.close()
                    connection = nil
                    problem.withLock { $0 = "\(error)" }
                    try? await Task.sleep(for: .seconds(pause))
                    pause = min(pause * 2, Self.longestPause)
                }
            }
            if Task.isCancelled || spool.isClosed { break }
        }
        await connection?.close()
    }

    private func connect() async throws -> any TargetConnection {
        switch address.transport {
        case .udp, .local: try await DatagramConnection(address)
        case .tcp, .tls: try await StreamConnection(address, tls: tls)
        case .http, .https: try await HTTPConnection(address, tls: tls)
        }
    }
}
