import CLinux
import Pipeline

/// The service's side of a loader: starts it, asks it for engines, and listens to it.
final class LoaderProcess: Sendable {
    /// Number by which it is known.
    let number: UInt64
    private let socket: PacketSocket

    /// Starts a loader.
    ///
    /// - Parameters:
    ///   - program: Path of the program that has the stages.
    ///   - onMessage: Told each message with the descriptor that came along, and nil when the loader has ended;
    ///     on a thread of its own, one after the other.
    /// - Throws: `SystemError` when the process cannot be started.
    init(
        number: UInt64, program: String, launch: EngineLaunch,
        onMessage: @escaping @Sendable (LoaderMessage?, Descriptor?) -> Void
    ) throws(SystemError) {
        self.number = number
        let (ours, theirs) = try PacketSocket.pair()
        socket = ours
        let pid = unsafe clinux_spawn(program, "engine", theirs.descriptor)
        guard pid > 0 else { throw SystemError("cannot start the engine process") }
        _ = ours.send(launch.encoded)
        try startThread {
            while let packet = ours.receive() {
                guard let message = try? LoaderMessage(packet.bytes) else { break }
                onMessage(message, packet.descriptors.first)
            }
            ours.shutDown()
            var (code, number): (Int32, Int32) = (0, 0)
            _ = unsafe clinux_wait(pid, &code, &number)
            onMessage(nil, nil)
        }
    }

    /// Asks for an engine that listens to `socket`.
    ///
    /// - Returns: Whether the loader was there to hear it.
    func fork(_ request: ForkRequest, socket theirs: PacketSocket) -> Bool {
        socket.send(request.encoded, descriptors: [theirs.descriptor]) == .sent
    }

    /// Ends the loader; its engines go on.
    func close() { socket.shutDown() }
}
