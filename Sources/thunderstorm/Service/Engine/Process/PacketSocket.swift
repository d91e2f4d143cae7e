import CLinux
import Glibc
import Pipeline

// Packets with file descriptors between the processes of one service, over a Unix socket that keeps packets whole
// (SOCK_SEQPACKET). A packet that is too long for the socket travels in a memory file.

/// A descriptor that is closed when nobody needs it any more.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}

/// One packet as it arrived.
struct Packet: Sendable {
    var bytes: Bytes
    var descriptors: [Descriptor]
}

/// One end of a connection between two processes.
final class PacketSocket: Sendable {
    /// What became of a packet.
    enum Outcome: Equatable {
        case sent
        /// There is no room now; only when the sender does not wait.
        case full
        /// The other process is gone, or the packet cannot be sent.
        case failed
    }

    // Longer packets go to memory files: they would fill the socket's buffer, which holds about 200 KiB.
    private static let inlineLimit = 24 << 10
    private static let isInline: UInt8 = 0
    private static let isInFile: UInt8 = 1

    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Two connected ends.
    ///
    /// - Throws: `SystemError` when the system has no descriptors left.
    static func pair() throws(SystemError) -> (PacketSocket, PacketSocket) {
        var (first, second): (Int32, Int32) = (-1, -1)
        guard unsafe clinux_socket_pair(&first, &second) == 0 else { throw SystemError("cannot create a socket") }
        return (PacketSocket(first), PacketSocket(second))
    }

    /// Sends a packet; any thread may.
    ///
    /// - Parameter waits: Whether to wait for room.
    func send(_ bytes: [UInt8], descriptors: [Int32] = [], waits: Bool = true) -> Outcome {
        if bytes.count <= Self.inlineLimit {
            let outcome = put([Self.isInline] + bytes, descriptors, waits: waits)
            if outcome != .full { return outcome }
        }
        do throws(SystemError) {
            let file = try memoryFile(bytes.rawSpan)
            return put([Self.isInFile], descriptors + [file.number], waits: waits)
        } catch {
            return error.isShortage ? .full : .failed
        }
    }

    private func put(_ bytes: [UInt8], _ descriptors: [Int32], waits: Bool) -> Outcome {
        let sent = unsafe bytes.withUnsafeBytes { buffer -> Int in
            guard let base = buffer.baseAddress else { return -1 }
            return unsafe clinux_send(
                descriptor, base, buffer.count, descriptors, descriptors.count, waits ? 1 : 0)
        }
        if sent == bytes.count { return .sent }
        return sent < 0 && SystemError("cannot send").isShortage ? .full : .failed
    }

    /// Waits for a packet.
    ///
    /// - Parameter limit: A longer packet ends the connection: the other process may not be trusted.
    /// - Returns: nil at the end of the connection.
    func receive(limit: Int = ReportCodec.sizeLimit + (1 << 20)) -> Packet? {
        var numbers = [Int32](repeating: -1, count: Int(CLINUX_DESCRIPTOR_LIMIT))
        var count = 0
        let packet = unsafe [UInt8](unsafeUninitializedCapacity: Self.inlineLimit + 1) { buffer, received in
            guard let base = buffer.baseAddress else { return }
            received = unsafe max(0, clinux_receive(descriptor, base, buffer.count, &numbers, &count))
        }
        var descriptors = numbers.prefix(max(count, 0)).map { Descriptor($0) }
        switch packet.first {
        case Self.isInline:
            return Packet(bytes: Bytes(copying: packet.rawSpan.suffix(from: 1)), descriptors: descriptors)
        case Self.isInFile:
            guard let file = descriptors.popLast(), let bytes = Self.read(file, limit: limit) else { return nil }
            return Packet(bytes: bytes, descriptors: descriptors)
        default:
            return nil
        }
    }

    /// Makes the other end, and whoever waits here, see the end of the connection.
    func shutDown() { Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }

    // Copied, not mapped: the other process may still change the file.
    private static func read(_ file: Descriptor, limit: Int) -> Bytes? {
        var info = stat()
        guard unsafe fstat(file.number, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_size >= 0,
            info.st_size <= limit
        else { return nil }
        return try? Bytes.read(file.number, at: 0, count: Int(info.st_size), of: "a packet")
    }
}

/// Bytes as a sealed memory file.
///
/// - Throws: `SystemError` when there is no memory for it.
func memoryFile(_ span: RawSpan) throws(SystemError) -> Descriptor {
    let number = unsafe clinux_memory_file("thunderstorm-packet")
    guard number >= 0 else { throw SystemError("cannot create a memory file") }
    let file = Descriptor(number)
    var done = 0
    while done < span.byteCount {
        let put = unsafe span.withUnsafeBytes { buffer in
            unsafe write(number, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
        }
        if put < 0 && errno == EINTR { continue }
        guard put > 0 else { throw SystemError("cannot write a memory file") }
        done += put
    }
    guard clinux_seal(number) == 0 else { throw SystemError("cannot seal a memory file") }
    return file
}
