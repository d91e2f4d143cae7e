import Glibc
import Pipeline
import Synchronization

/// When a log file is put aside and a new one begun.
public struct LogRotation: Sendable, Equatable {
    /// Largest size of a file in bytes; nil for no limit.
    public var size: Int?
    /// Longest age of a file in seconds; nil for no limit.
    public var seconds: Int?
    /// Old files kept beside the current one: `NAME.1` is the youngest.
    public var kept = 10

    /// No rotation: the system's own (logrotate) does it.
    public init() {}
}

/// A log file that is appended to, put aside when it is large or old, and opened anew when asked.
///
/// Lines are written whole or not at all. What cannot be written (a full disk) is counted, and said in the file as soon
/// as writing works again.
public final class LogFile: Sendable {
    private struct State {
        var descriptor: Int32
        var size: Int
        var started: Int64
        var lostLines = 0
    }

    /// Where it lies.
    public let path: String
    private let rotation: LogRotation
    private let header: [UInt8]
    private let state: Mutex<State>

    /// Opens or creates the file.
    ///
    /// - Parameter header: Written at the start of every new file.
    /// - Throws: `SystemError` naming the file.
    public init(path: String, rotation: LogRotation = LogRotation(), header: [UInt8] = []) throws(SystemError) {
        self.path = path
        self.rotation = rotation
        self.header = header
        state = Mutex(try Self.open(path, header))
    }

    deinit { state.withLock { state in _ = Glibc.close(state.descriptor) } }

    /// Lines that could not be written since the file was last writable.
    public var lostLines: Int { state.withLock { $0.lostLines } }

    /// Appends whole lines.
    ///
    /// - Parameter lines: How many there are in `bytes`.
    /// - Returns: Whether they were written.
    @discardableResult public func append(_ bytes: [UInt8], lines: Int) -> Bool {
        state.withLock { state in
            if isDue(state, for: bytes.count) { rotate(&state) }
            guard put(bytes, &state) else {
                state.lostLines += lines
                return false
            }
            return true
        }
    }

    /// The number of lines that were lost, if writing works again; told once.
    public func takeLostLines() -> Int {
        state.withLock { state in
            defer { state.lostLines = 0 }
            return state.lostLines
        }
    }

    /// Opens the path anew: another program has moved the file away.
    ///
    /// The old file stays in use when that fails.
    ///
    /// - Throws: `SystemError` naming the file.
    public func reopen() throws(SystemError) {
        let fresh = try Self.open(path, header)
        state.withLock { state in
            _ = Glibc.close(state.descriptor)
            state = State(
                descriptor: fresh.descriptor, size: fresh.size, started: fresh.started, lostLines: state.lostLines)
        }
    }

    // MARK: Writing

    private func put(_ bytes: [UInt8], _ state: inout State) -> Bool {
        let written = writeAll(bytes, to: state.descriptor)
        state.size += written
        if written == bytes.count { return true }
        // Half a line would make the next one unreadable; a pipe or terminal cannot be shortened.
        if written > 0, ftruncate(state.descriptor, off_t(state.size - written)) == 0 { state.size -= written }
        return false
    }

    // MARK: Rotation

    private func isDue(_ state: State, for count: Int) -> Bool {
        guard state.size > header.count else { return false }
        if let size = rotation.size, state.size + count > size { return true }
        if let seconds = rotation.seconds, currentTime().seconds - state.started >= Int64(seconds) { return true }
        return false
    }

    // A step that fails leaves the file in use as it is: a log that grows is better than one that ends.
    private func rotate(_ state: inout State) {
        if rotation.kept == 0 {
            guard ftruncate(state.descriptor, 0) == 0 else { return }
            _ = writeAll(header, to: state.descriptor)
            state.size = header.count
            state.started = currentTime().seconds
            return
        }
        for number in stride(from: rotation.kept - 1, through: 1, by: -1) {
            _ = unsafe rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        guard unsafe rename(path, "\(path).1") == 0 else {
            state.started = currentTime().seconds
            return
        }
        guard let fresh = try? Self.open(path, header) else {
            // The old file goes on under its old name.
            _ = unsafe rename("\(path).1", path)
            return
        }
        _ = Glibc.close(state.descriptor)
        state = State(
            descriptor: fresh.descriptor, size: fresh.size, started: fresh.started, lostLines: state.lostLines)
    }

    private static func open(_ path: String, _ header: [UInt8]) throws(SystemError) -> State {
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw SystemError("cannot open the log file \(path): choose a path that this user may write to")
        }
        var information = stat()
        let isKnown = unsafe fstat(descriptor, &information) == 0
        var size = isKnown ? Int(information.st_size) : 0
        // An age survives restarts only as the last change: a file that is written to all the time is as old as that.
        let now = currentTime().seconds
        let started = size > 0 && isKnown ? min(Int64(information.st_mtim.tv_sec), now) : now
        if size == 0, !header.isEmpty { size = writeAll(header, to: descriptor) }
        return State(descriptor: descriptor, size: size, started: started)
    }
}

/// Writes as much as the system takes; interrupted calls go on.
///
/// - Returns: Bytes written; fewer than given when the system refused the rest.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int {
    var done = 0
    while done < bytes.count {
        let put = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
        }
        if put < 0 && errno == EINTR { continue }
        guard put > 0 else { break }
        done += put
    }
    return done
}
