import Glibc
import Pipeline
import Synchronization

/// How an event is written.
public enum EventFormat: Sendable {
    /// The text log.
    case text
    /// JSON lines, v3.
    case json
}

/// Writes events to one file descriptor, a line each.
public final class EventSink: Sendable {
    private let format: EventFormat
    private let minimumLevel: Level
    private let reasonLimit: Int
    private let descriptor: Mutex<Int32>

    /// A sink that appends to a file.
    ///
    /// - Throws: `SystemError` naming the file if it cannot be opened.
    public convenience init(
        file path: String, format: EventFormat, minimumLevel: Level, reasonLimit: Int = .max
    ) throws(SystemError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw SystemError("cannot open the log file \(path)") }
        self.init(descriptor: descriptor, format: format, minimumLevel: minimumLevel, reasonLimit: reasonLimit)
    }

    /// A sink on an open descriptor, which stays the caller's.
    public init(descriptor: Int32, format: EventFormat, minimumLevel: Level, reasonLimit: Int = .max) {
        self.descriptor = Mutex(descriptor)
        self.format = format
        self.minimumLevel = minimumLevel
        self.reasonLimit = reasonLimit
    }

    func log(_ report: Report, context: EventContext) {
        var text = ""
        for finding in EventWords.shown(report, minimumLevel: minimumLevel) {
            text += line(finding, context) + "\n"
        }
        write(text)
    }

    func message(_ level: Level, module: String, _ text: String, fields: [(String, String)], _ context: EventContext) {
        // Messages about the service belong in every log, whatever findings it shows.
        guard level >= .info else { return }
        switch format {
        case .text:
            write(TextEncoder().line(message: text, level: level, module: module, fields: fields, context) + "\n")
        case .json:
            var writer = JSONWriter()
            FindingEncoderV3().write(
                message: text, level: level, module: module, fields: fields, context, to: &writer)
            write(writer.text + "\n")
        }
    }

    private func line(_ finding: Finding, _ context: EventContext) -> String {
        switch format {
        case .text:
            return TextEncoder(reasonLimit: reasonLimit).line(finding, context)
        case .json:
            var writer = JSONWriter()
            FindingEncoderV3().write(finding, context, to: &writer)
            return writer.text
        }
    }

    // Whole lines under the lock, so that events of many threads never mix.
    private func write(_ text: String) {
        guard !text.isEmpty else { return }
        let bytes = Array(text.utf8)
        descriptor.withLock { descriptor in
            var done = 0
            while done < bytes.count {
                let put = unsafe bytes.withUnsafeBytes { buffer in
                    unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
                }
                if put < 0 && errno == EINTR { continue }
                guard put > 0 else { return }
                done += put
            }
        }
    }
}

/// Several sinks as one log.
public struct EventSinks: EventLog {
    private let sinks: [EventSink]
    private let hostname: String
    private let scanID: String

    /// A log over the given sinks; messages about the service carry this host and scan id.
    public init(_ sinks: [EventSink], hostname: String, scanID: String) {
        self.sinks = sinks
        self.hostname = hostname
        self.scanID = scanID
    }

    /// Logs the findings of a report to every sink.
    public func log(_ report: Report, context: EventContext) {
        for sink in sinks { sink.log(report, context: context) }
    }

    /// Logs a message about the service to every sink.
    public func message(_ level: Level, module: String, _ text: String, fields: [(String, String)]) {
        let context = EventContext(time: currentTime(), hostname: hostname, scanID: scanID)
        for sink in sinks { sink.message(level, module: module, text, fields: fields, context) }
    }
}
