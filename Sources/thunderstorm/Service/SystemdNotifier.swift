import Glibc

// Tells systemd how the service is doing (unit of Type=notify): one datagram for each word to the socket that
// $NOTIFY_SOCKET names. Source: sd_notify(3). Without systemd nothing is sent.

/// The line to the service manager.
public struct SystemdNotifier: Sendable {
    private let socketPath: String?
    /// Nanoseconds between two signs of life, half of what the watchdog allows; nil when it does not watch.
    public let watchdogInterval: UInt64?

    /// Reads what the service manager said in the environment.
    public init() {
        socketPath = environmentVariable("NOTIFY_SOCKET")
        let microseconds = environmentVariable("WATCHDOG_USEC").flatMap { UInt64($0) }
        let owner = environmentVariable("WATCHDOG_PID").flatMap { Int32($0) }
        let isOurs = owner == nil || owner == getpid()
        watchdogInterval = isOurs ? microseconds.flatMap { $0 > 0 ? min($0, 1 << 50) * 500 : nil } : nil
    }

    /// The service takes samples.
    public func ready() { send("READY=1\nSTATUS=taking samples") }

    /// The service loads signatures anew; `ready` ends that.
    public func reloading() {
        send("RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds())\nSTATUS=loading signatures")
    }

    /// The service finishes what runs and ends.
    public func stopping() { send("STOPPING=1\nSTATUS=finishing running scans") }

    /// A sign of life.
    public func alive() { send("WATCHDOG=1") }

    private func monotonicMicroseconds() -> UInt64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(max(now.tv_sec, 0)) * 1_000_000 + UInt64(max(now.tv_nsec, 0)) / 1_000
    }

    private func send(_ words: String) {
        guard let socketPath else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A leading @ stands for the NUL of an abstract name.
        var path = Array(socketPath.utf8)
        if path.first == 0x40 { path[0] = 0 }
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let isAbstract = path.first == 0
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count + (isAbstract ? 0 : 1))
        let bytes = Array(words.utf8)
        _ = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }
}
