import Dispatch
import Glibc
import Pipeline
import Synchronization

/// A file of every object that was looked at: JSON lines in gzip members, readable with `zcat`.
///
/// A thread of its own compresses and writes. Lines wait in memory up to a limit; then whoever brings more waits, because
/// a trail with holes is none. Only a disk that takes nothing costs lines: they are counted, and the trail says how many
/// as soon as it can be written again. A member is written at least every second, so that a process that is killed
/// loses no more; what it left unfinished is taken away when the file is opened again.
public final class AuditTrail: Sendable {
    private struct State {
        var chunks: [[UInt8]] = []
        var bytes = 0
        // Monotonic time since when the oldest chunk waits.
        var since: UInt64 = 0
        var isClosed = false
    }

    /// Most bytes that wait to be written, before whoever brings more waits.
    static let waitingLimit = 16 << 20
    private static let memberSize = 1 << 20
    private static let longestWait: UInt64 = 1_000_000_000

    /// Scan id of the run: what the id of every object begins with.
    public let scanID: String
    let hidesPersonalData: Bool
    private let hostname: String
    private let file: LogFile
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// Opens or creates the file and starts to write.
    ///
    /// - Parameters:
    ///   - hostname: This machine, for what the trail says about itself.
    ///   - hidesPersonalData: Whether user names and user folders are replaced.
    /// - Throws: `SystemError` naming the file, or `ConfigurationError` when it holds something else.
    public init(
        path: String, scanID: String, hostname: String, hidesPersonalData: Bool = false,
        rotation: LogRotation = LogRotation()
    ) throws {
        self.scanID = scanID
        self.hostname = hostname
        self.hidesPersonalData = hidesPersonalData
        let removed = try Self.mend(path)
        file = try LogFile(path: path, rotation: rotation)
        try startThread { [self] in
            while writeNext() {}
            ended.signal()
        }
        if removed > 0 {
            say("The end of the trail was unfinished and was removed", [("file", path), ("bytes", "\(removed)")])
        }
    }

    /// Whoever sees one submission's objects for this trail.
    func witness(for submission: Submission) -> TrailWitness {
        TrailWitness(
            context: EventContext(
                time: submission.received, hostname: submission.source, scanID: "\(scanID)-\(submission.number)"),
            hidesPersonalData: hidesPersonalData
        ) { [self] lines in append(lines) }
    }

    /// Notes the scan of a submission that failed as a whole.
    func note(failed report: Report, context: EventContext) {
        guard let finding = report.findings.first else { return }
        let witness = TrailWitness(context: context, hidesPersonalData: hidesPersonalData) { [self] in append($0) }
        witness.saw(SeenObject(id: "", subject: finding.subject, reasons: [], issues: finding.issues))
        witness.finish()
    }

    /// Notes files that were seen and not scanned.
    public func note(skipped files: [(path: String, reason: String)], source: String) {
        let encoder = TrailEncoder(
            context: EventContext(time: currentTime(), hostname: source, scanID: scanID),
            hidesPersonalData: hidesPersonalData)
        var writer = JSONWriter()
        for (index, file) in files.enumerated() {
            encoder.writeSkipped(file.path, file.reason, number: index + 1, to: &writer)
            if writer.bytes.count >= TrailWitness.chunkSize { append(writer.take()) }
        }
        append(writer.take())
    }

    /// Adds lines; waits while too many wait already.
    func append(_ lines: [UInt8]) {
        guard !lines.isEmpty else { return }
        while !state.withLock({ Self.add(lines, to: &$0) }) { usleep(1_000) }
        work.signal()
    }

    /// Whether these are lines that this trail takes: whole objects, of this run, without control characters.
    func accepts(_ lines: Bytes) -> Bool {
        let start = Array(#"{"id":"\#(scanID)-"#.utf8)
        let span = lines.span
        var position = 0
        while position < span.byteCount {
            guard let end = span.firstOffset(of: 0x0A, from: position), span.matches(start, at: position),
                span.uint8(at: end - 1) == 0x7D
            else { return false }
            if PlainText.noControl.end(in: span, from: position) != end { return false }
            position = end + 1
        }
        return true
    }

    /// Opens the file anew, after another program has moved it away.
    ///
    /// - Throws: `SystemError` or `ConfigurationError` naming the file; the old one stays in use.
    func reopen() throws {
        _ = try Self.mend(file.path)
        try file.reopen()
    }

    /// Writes what waits, and ends.
    public func close() {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        if wasClosed { return }
        work.signal()
        ended.wait()
    }

    // MARK: Writing

    private static func add(_ lines: [UInt8], to state: inout State) -> Bool {
        // After the end nobody writes any more.
        if state.isClosed { return true }
        guard state.bytes == 0 || state.bytes + lines.count <= waitingLimit else { return false }
        if state.chunks.isEmpty { state.since = monotonicNanoseconds() }
        state.chunks.append(lines)
        state.bytes += lines.count
        return true
    }

    // One turn of the writing thread; false at the end.
    private func writeNext() -> Bool {
        _ = work.wait(timeout: .now() + .milliseconds(200))
        let (chunks, isClosed) = state.withLock { state in
            let isDue =
                state.isClosed || state.bytes >= Self.memberSize
                || monotonicNanoseconds() &- state.since >= Self.longestWait
            guard isDue else { return ([[UInt8]](), state.isClosed) }
            defer { state.chunks = [] }
            return (state.chunks, state.isClosed)
        }
        var member: [UInt8] = []
        for chunk in chunks {
            member += chunk
            if member.count >= Self.memberSize { write(&member) }
        }
        write(&member)
        return !isClosed
    }

    private func write(_ lines: inout [UInt8]) {
        guard !lines.isEmpty else { return }
        let wasLosing = file.lostLines > 0
        // What does not fit into memory counts as not written, too.
        let isWritten = file.append(GzipMember.compress(lines) ?? [], lines: lines.count { $0 == 0x0A })
        state.withLock { $0.bytes -= lines.count }
        lines.removeAll(keepingCapacity: true)
        if isWritten, wasLosing {
            say("Objects are missing here: the trail could not be written", [("lost", "\(file.takeLostLines())")])
        }
    }

    // A message among the objects; written at once, by the thread that writes or before it has anything to do.
    private func say(_ text: String, _ fields: [(String, String)]) {
        let message = EventMessage(level: .error, module: "AuditTrail", text: text, fields: fields)
        var writer = JSONWriter()
        FindingEncoderV3().write(
            message, EventContext(time: currentTime(), hostname: hostname, scanID: scanID), to: &writer)
        writer.endLine()
        if let member = GzipMember.compress(writer.take()) { file.append(member, lines: 1) }
    }

    // Takes an unfinished member from the end of the file; returns its bytes.
    private static func mend(_ path: String) throws -> Int {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return 0 }
            throw SystemError("cannot open the audit trail \(path): choose a path that this user may write to")
        }
        defer { Glibc.close(descriptor) }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return 0 }
        let size = Int(information.st_size)
        guard let end = GzipMember.end(ofMembersIn: descriptor, size: size) else {
            throw ConfigurationError("--audit-trail \(path) holds something that is no audit trail: name another file")
        }
        guard end < size else { return 0 }
        guard ftruncate(descriptor, off_t(end)) == 0 else {
            throw SystemError("cannot shorten the audit trail \(path) by its unfinished end")
        }
        return size - end
    }
}
