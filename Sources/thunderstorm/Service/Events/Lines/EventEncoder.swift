import Pipeline

/// How an event is written.
public enum EventFormat: String, Sendable, CaseIterable {
    /// The text log: time, host, level, then `KEY: value`.
    case text
    /// JSON lines, v3.
    case json
    /// `KEY='value'`.
    case keyValue = "kv"
    /// `md5,path,score`, findings only.
    case csv
    /// Common Event Format of ArcSight.
    case cef
    /// JSON lines v3 behind the head of a syslog line.
    case syslogJSON = "syslogjson"
    /// `KEY='value'` behind the head of a syslog line.
    case syslogKeyValue = "syslogkv"
}

/// What all encoders of events are told by the user.
public struct EventOptions: Sendable, Equatable {
    /// Times of text lines in UTC instead of local time.
    public var utc = false
    /// Times of text lines as `2006-01-02T15:04:05Z`.
    public var rfc3339 = false
    /// Longest value of text lines in characters; longer ones are cut and marked.
    public var truncateAt = 2048
    /// Reasons shown in text lines; JSON always has all of them.
    public var reasonLimit = Int.max
    /// How JSON is formed.
    public var jsonForm = JSONForm.finding
    /// Whether user names and user folders are replaced.
    public var hidesPersonalData = false

    /// The defaults.
    public init() {}
}

/// A message about the program itself.
struct EventMessage {
    var level: Level
    var module: String
    var text: String
    var fields: [(String, String)]
}

/// Writes events as lines of one format.
struct EventEncoder: Sendable, Equatable {
    /// What the events of one report share: encoded for the first of them, copied for the others.
    struct Shared {
        fileprivate var parts: SharedParts? = SharedParts()
        fileprivate var time: (of: Timestamp, text: String)?
        fileprivate var head: (of: EventContext, program: Bool, bytes: [UInt8])?
    }

    let format: EventFormat
    var options = EventOptions()
    /// Priority in front of lines of syslog and CEF; nil for files.
    var priority: Int?

    // Local use 7, informational: what THOR's examples carry.
    static let syslogPriority = 190

    /// Whether it writes the same lines as another, with the same options.
    func writesSameLines(as other: EventEncoder) -> Bool {
        if format == .json, other.format == .json {
            return options.hidesPersonalData == other.options.hidesPersonalData
                && options.jsonForm == other.options.jsonForm
        }
        return self == other
    }

    /// Appends a finding as a line with its end; nothing for formats that have no place for it.
    func append(_ finding: Finding, _ context: EventContext, to line: inout [UInt8]) {
        var shared = Shared()
        append(finding, context, &shared, to: &line)
    }

    /// Appends one of many findings of a report; `shared` is kept for the others.
    func append(_ finding: Finding, _ context: EventContext, _ shared: inout Shared, to line: inout [UInt8]) {
        if options.hidesPersonalData {
            write(PersonalData.hidden(in: finding), context, &shared, to: &line)
        } else {
            write(finding, context, &shared, to: &line)
        }
    }

    private func write(_ finding: Finding, _ context: EventContext, _ shared: inout Shared, to line: inout [UInt8]) {
        switch format {
        case .json, .syslogJSON:
            if format == .syslogJSON { appendHead(context.at(finding.origin), program: true, &shared, to: &line) }
            // The writer takes the lines before over, and gives them back.
            var writer = JSONWriter(after: line)
            line = []
            FindingEncoderV3(form: options.jsonForm).write(finding, context, &shared.parts, to: &writer)
            line = writer.take()
        case .csv:
            guard !finding.reasons.isEmpty, let file = finding.file else { return }
            appendCSV([file.md5, file.path, "\(finding.score)"], to: &line)
        case .cef:
            appendHead(context.at(finding.origin), program: false, &shared, to: &line)
            CEFEncoder(truncateAt: options.truncateAt).append(finding, context, to: &line)
        case .text, .keyValue, .syslogKeyValue:
            append(EventFields(finding, context, reasonLimit: options.reasonLimit), &shared, to: &line)
        }
        line.append(0x0A)
    }

    /// Appends a message as a line with its end; nothing for formats that have no place for it.
    func append(_ message: EventMessage, _ context: EventContext, to line: inout [UInt8]) {
        var shared = Shared()
        switch format {
        case .json, .syslogJSON:
            if format == .syslogJSON { appendHead(context, program: true, &shared, to: &line) }
            var writer = JSONWriter()
            FindingEncoderV3(form: options.jsonForm).write(message, context, to: &writer)
            line += writer.bytes
        case .csv: return
        case .cef:
            appendHead(context, program: false, &shared, to: &line)
            CEFEncoder(truncateAt: options.truncateAt).append(message, context, to: &line)
        case .text, .keyValue, .syslogKeyValue:
            append(EventFields(message, context), &shared, to: &line)
        }
        line.append(0x0A)
    }

    /// The first line of a new file, with its end; empty for most formats.
    var header: [UInt8] { format == .csv ? Array("md5,path,score\n".utf8) : [] }

    // MARK: Lines

    private func append(_ event: EventFields, _ shared: inout Shared, to line: inout [UInt8]) {
        let limit = options.truncateAt
        if format == .text {
            appendHead(event.context, program: true, &shared, to: &line)
            line.append(text: event.level.name)
            line.append(0x3A)
            for field in event.fields {
                line.append(0x20)
                line.append(safe: field.key, limit: limit)
                line.append(0x3A)
                line.append(0x20)
                line.append(safe: field.value, limit: limit)
            }
            return
        }
        if format == .keyValue {
            appendPair("TIME", time(event.context.time, &shared), to: &line)
            line.append(0x20)
            appendPair("HOSTNAME", event.context.hostname, to: &line)
            line.append(0x20)
        } else {
            appendHead(event.context, program: true, &shared, to: &line)
        }
        appendPair("LEVEL", event.level.name, to: &line)
        for field in event.fields {
            line.append(0x20)
            appendPair(field.key, field.value, to: &line)
        }
    }

    private func appendPair(_ key: String, _ value: String, to line: inout [UInt8]) {
        // A key may come from a record: only what a reader takes for a name is kept.
        for byte in key.utf8 { line.append(Self.isName(byte) ? byte : 0x5F) }
        line.append(text: "='")
        line.append(safe: value, limit: options.truncateAt, quoting: .single)
        line.append(0x27)
    }

    // `<190>Jan _2 15:04:05 HOST THOR: `, the priority for remote lines only.
    private func appendHead(
        _ context: EventContext, program: Bool, _ shared: inout Shared, to line: inout [UInt8]
    ) {
        if let known = shared.head, known.of == context, known.program == program {
            return line.append(known.bytes.rawSpan)
        }
        var head: [UInt8] = []
        if let priority { head.append(text: "<\(priority)>") }
        head.append(text: time(context.time, &shared))
        head.append(0x20)
        // A blank would end the host's name.
        head.append(safe: context.hostname.replacing(" ", with: "_"), limit: 255)
        head.append(text: program ? " THOR: " : " ")
        line += head
        shared.head = (context, program, head)
    }

    private func time(_ time: Timestamp, _ shared: inout Shared) -> String {
        if let known = shared.time, known.of == time { return known.text }
        let text = options.rfc3339 ? time.rfc3339() : LocalTime(time, utc: options.utc).syslog
        shared.time = (time, text)
        return text
    }

    private func appendCSV(_ cells: [String], to line: inout [UInt8]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { line.append(0x2C) }
            var safe: [UInt8] = []
            safe.append(safe: cell, limit: .max)
            if safe.contains(0x22) || safe.contains(0x2C) {
                line.append(0x22)
                for byte in safe { line.append(contentsOf: byte == 0x22 ? [0x22, 0x22] : [byte]) }
                line.append(0x22)
            } else {
                line += safe
            }
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }
}

extension Finding {
    /// The file that it is about, or that its record lies in.
    var file: FileSubject? {
        switch subject {
        case .file(let file): file
        case .chunk(let chunk): chunk.file
        case .record: context.first?.file
        }
    }
}
