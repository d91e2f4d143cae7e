import Dispatch
import Glibc
import Pipeline

/// What came back on a connection.
struct RawAnswer {
    var status = 0
    var headers: [String: String] = [:]
    var body = ""
}

/// A TCP connection that sends exactly what it is told.
///
/// Its calls block, so it lives on a thread of its own.
final class RawConnection {
    private let descriptor: Int32
    private var received: [UInt8] = []

    /// Connects, runs the body on a thread of its own, and closes the connection.
    static func open<T: Sendable>(
        _ port: Int, _ body: @escaping @Sendable (RawConnection) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "raw-connection").async {
                continuation.resume(with: Result { try body(RawConnection(port)) })
            }
        }
    }

    /// Sends a request and reads one answer.
    static func exchange(_ port: Int, _ request: [UInt8]) async throws -> RawAnswer {
        try await open(port) { connection in
            try connection.send(request)
            return try connection.answer()
        }
    }

    /// Connects; whoever calls this is on a thread that may block.
    init(_ port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        // No test waits for ever: a server that does not answer fails the test.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw SystemError("connect") }
    }

    deinit { close(descriptor) }

    /// Sends all bytes.
    func send(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let put = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor, $0.baseAddress.map { unsafe $0 + done }, $0.count - done, Int32(MSG_NOSIGNAL))
            }
            guard put > 0 else { throw SystemError("send") }
            done += put
        }
    }

    /// Sends a text.
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Says that nothing more is sent.
    func closeOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Reads one answer with its body.
    func answer() throws -> RawAnswer {
        let end = Array("\r\n\r\n".utf8)
        while received.rawSpan.firstOffset(of: end) == nil {
            guard try more() else { throw SystemError("closed before an answer", number: ECONNABORTED) }
        }
        let length = received.rawSpan.firstOffset(of: end) ?? 0
        let lines = String(decoding: received[..<length], as: UTF8.self).split(separator: "\r\n")
        received.removeFirst(length + end.count)
        var answer = RawAnswer()
        answer.status = Int(lines[0].split(separator: " ")[1]) ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            answer.headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let count = answer.headers["content-length"].flatMap { Int($0) } ?? 0
        while received.count < count {
            guard try more() else { throw SystemError("closed within an answer", number: ECONNABORTED) }
        }
        answer.body = String(decoding: received[..<count], as: UTF8.self)
        received.removeFirst(count)
        return answer
    }

    /// Whether the server ends the connection without sending more and without a reset.
    func endsCleanly() throws -> Bool { try received.isEmpty && !more() }

    private func more() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let got = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard got >= 0 else { throw SystemError("recv") }
        received += buffer[..<got]
        return got > 0
    }
}
