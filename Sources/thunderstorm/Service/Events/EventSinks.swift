import Glibc
import Pipeline
import Synchronization

/// One place that events are written to, in one format.
public final class EventSink: Sendable {
    private enum Destination {
        case descriptor(OpenDescriptor)
        case file(LogFile)
        case remote(RemoteTarget)
        case report(HTMLReport)
    }

    private let encoder: EventEncoder
    private let minimumLevel: Level
    private let destination: Destination

    /// A sink that appends to a file.
    ///
    /// - Throws: `SystemError` naming the file if it cannot be opened.
    public init(
        file path: String, format: EventFormat, minimumLevel: Level, options: EventOptions = EventOptions(),
        rotation: LogRotation = LogRotation()
    ) throws(SystemError) {
        encoder = EventEncoder(format: format, options: options)
        self.minimumLevel = minimumLevel
        destination = .file(try LogFile(path: path, rotation: rotation, header: encoder.header))
    }

    /// A sink on an open descriptor, which stays the caller's.
    public init(
        descriptor: Int32, format: EventFormat, minimumLevel: Level, options: EventOptions = EventOptions()
    ) {
        encoder = EventEncoder(format: format, options: options)
        self.minimumLevel = minimumLevel
        destination = .descriptor(OpenDescriptor(descriptor))
    }

    /// A sink that sends to another machine, or to the system's own log.
    ///
    /// - Parameters:
    ///   - hostname: This machine, for what the target says about itself.
    ///   - authorities: PEM file of certificate authorities that are trusted besides the system's.
    /// - Throws: `ConfigurationError` when TLS cannot be set up.
    public init(
        target address: TargetAddress, minimumLevel: Level, options: EventOptions, spoolBytes: Int, hostname: String,
        authorities: String? = nil
    ) throws(ConfigurationError) {
        let encoder = EventEncoder(format: address.format, options: options, priority: EventEncoder.syslogPriority)
        self.encoder = encoder
        self.minimumLevel = address.minimumLevel ?? minimumLevel
        let target = try RemoteTarget(address, spoolBytes: spoolBytes, authorities: authorities)
        destination = .remote(target)
        target.start { dropped in
            var line: [UInt8] = []
            let message = EventMessage(
                level: .warning, module: "RemoteLog", text: "Events were dropped: the target did not take them",
                fields: [("target", "\(address)"), ("dropped", "\(dropped)"), ("spool_bytes", "\(spoolBytes)")])
            encoder.append(message, EventContext(time: currentTime(), hostname: hostname, scanID: ""), to: &line)
            return line
        }
    }

    /// A sink that adds events to a report, which is the caller's to finish.
    public init(report: HTMLReport, minimumLevel: Level, options: EventOptions = EventOptions()) {
        // The report's page shows all that is known of a record.
        var options = options
        options.jsonForm = .finding
        encoder = EventEncoder(format: .json, options: options)
        self.minimumLevel = minimumLevel
        destination = .report(report)
    }

    /// What a remote target did so far; nil for files and descriptors.
    public var status: TargetStatus? {
        if case .remote(let target) = destination { return target.status }
        return nil
    }

    /// Whether it gets the same lines of every report as another.
    fileprivate func takesSameLines(as other: EventSink) -> Bool {
        minimumLevel == other.minimumLevel && encoder.writesSameLines(as: other.encoder)
    }

    /// Logs the findings of a report to sinks that get the same lines, which are encoded once.
    fileprivate static func log(_ report: Report, _ context: EventContext, to sinks: [EventSink]) {
        guard let first = sinks.first else { return }
        var batch = LineBatch()
        var shared = EventEncoder.Shared()
        EventWords.forEachShown(report, minimumLevel: first.minimumLevel) { finding in
            first.encoder.append(finding, context, &shared, to: &batch.bytes)
            batch.endLine()
            guard batch.bytes.count >= LineBatch.size else { return }
            for sink in sinks { sink.write(batch, context) }
            batch.removeAll()
        }
        for sink in sinks { sink.write(batch, context) }
    }

    func log(_ message: EventMessage, _ context: EventContext) {
        // Messages about the service belong in every log, whatever findings it shows.
        guard message.level >= .info else { return }
        var batch = LineBatch()
        encoder.append(message, context, to: &batch.bytes)
        batch.endLine()
        write(batch, context)
    }

    /// Opens a file anew.
    ///
    /// - Throws: `SystemError` naming the file; the old one stays in use.
    func reopen() throws(SystemError) {
        if case .file(let file) = destination { try file.reopen() }
    }

    /// Delivers what waits for a remote target, for a few seconds at the most.
    ///
    /// - Returns: Lines that were not delivered.
    func close() async -> Int {
        if case .remote(let target) = destination { return await target.close(seconds: 5) }
        return 0
    }

    private func write(_ batch: LineBatch, _ context: EventContext) {
        guard batch.count > 0 else { return }
        switch destination {
        case .remote(let target): target.append(batch.lines)
        case .report(let report):
            for line in batch.lines { report.append(line) }
        case .descriptor(let descriptor): descriptor.write(batch.bytes)
        case .file(let file):
            let wasLosing = file.lostLines > 0
            if file.append(batch.bytes, lines: batch.count), wasLosing { sayLost(file, context) }
        }
    }

    private func sayLost(_ file: LogFile, _ context: EventContext) {
        let lost = file.takeLostLines()
        guard lost > 0 else { return }
        var line: [UInt8] = []
        let message = EventMessage(
            level: .error, module: "Log", text: "Events are missing here: the log could not be written",
            fields: [("file", file.path), ("lost", "\(lost)")])
        encoder.append(message, context, to: &line)
        file.append(line, lines: line.isEmpty ? 0 : 1)
    }
}

// A descriptor for one writer at a time, so that lines of many threads never mix.
private final class OpenDescriptor: Sendable {
    private let descriptor: Mutex<Int32>

    init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    func write(_ bytes: [UInt8]) { descriptor.withLock { descriptor in _ = writeAll(bytes, to: descriptor) } }
}

/// Several sinks as one log.
public struct EventSinks: EventLog {
    private let sinks: [EventSink]
    // Those together that get the same lines.
    private let groups: [[EventSink]]
    private let hostname: String
    private let scanID: String
    private let trail: AuditTrail?

    /// A log over the given sinks; messages about the service carry this host and scan id.
    ///
    /// - Parameter trail: Opened anew and closed with the sinks; told of scans that failed, of which nobody else tells.
    public init(_ sinks: [EventSink], hostname: String, scanID: String, trail: AuditTrail? = nil) {
        self.trail = trail
        self.sinks = sinks
        var groups: [[EventSink]] = []
        for sink in sinks {
            if let index = groups.firstIndex(where: { $0[0].takesSameLines(as: sink) }) {
                groups[index].append(sink)
            } else {
                groups.append([sink])
            }
        }
        self.groups = groups
        self.hostname = hostname
        self.scanID = scanID
    }

    /// What the remote targets did so far.
    public var targets: [TargetStatus] { sinks.compactMap(\.status) }

    /// Logs the findings of a report to every sink.
    public func log(_ report: Report, context: EventContext) {
        for group in groups { EventSink.log(report, context, to: group) }
        if report.failure != nil { trail?.note(failed: report, context: context) }
    }

    /// Logs a message about the service to every sink.
    public func message(_ level: Level, module: String, _ text: String, fields: [(String, String)]) {
        let context = EventContext(time: currentTime(), hostname: hostname, scanID: scanID)
        let message = EventMessage(level: level, module: module, text: text, fields: fields)
        for sink in sinks { sink.log(message, context) }
    }

    /// Opens all log files anew, after another program has moved them away.
    public func reopen() {
        func said(_ reopen: () throws -> Void) {
            do {
                try reopen()
            } catch {
                message(.error, module: "Log", "A log file could not be opened anew", fields: [("reason", "\(error)")])
            }
        }
        for sink in sinks { said { try sink.reopen() } }
        said { try trail?.reopen() }
    }

    /// Delivers what waits for remote targets, for a few seconds at the most.
    ///
    /// - Returns: Targets that did not take everything, with the lines that are lost.
    public func close() async -> [(target: String, lost: Int)] {
        trail?.close()
        return await withTaskGroup(of: (String, Int).self) { group in
            for sink in sinks where sink.status != nil {
                group.addTask { (sink.status?.name ?? "", await sink.close()) }
            }
            var lost: [(target: String, lost: Int)] = []
            for await (name, count) in group where count > 0 { lost.append((name, count)) }
            return lost.sorted { $0.target < $1.target }
        }
    }
}
