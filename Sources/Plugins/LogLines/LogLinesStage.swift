import Pipeline

/// Turns text logs into records: a line each, of Linux audit logs an event each.
///
/// A sample counts as a log by its name (`*.log`, `*.log.1`, a few well-known names), by a folder called `log` or
/// `logs` in its path, or by its type; and it must be text. Scripts and documents stay with the matchers of whole files.
public struct LogLinesStage: Stage {
    /// Options in a chains file.
    public struct Options: Decodable, Sendable {
        /// Most lines of one file.
        public var lines: Int?
        /// Most bytes of one line.
        public var lineBytes: Int?

        /// The defaults.
        public init(lines: Int? = nil, lineBytes: Int? = nil) {
            self.lines = lines
            self.lineBytes = lineBytes
        }

        private enum CodingKeys: String, CodingKey {
            case lines
            case lineBytes = "line-bytes"
        }
    }

    /// What the stage is, as data.
    public static let descriptor = StageDescriptor(
        name: "log-lines",
        summary:
            "Turns text logs into records for IOCs, log YARA rules and Sigma: a line each, of Linux audit logs an event.",
        interest: .samples,
        module: "LogScan",
        options: [
            .init("lines", "most lines of one file; the rest is said (default 1000000)"),
            .init("line-bytes", "most bytes of one line; longer ones are cut, and said (default 65536)"),
        ],
        dependsOnNames: true,
        references: [
            "https://www.rfc-editor.org/rfc/rfc2781",
            "https://github.com/linux-audit/audit-userspace (lib/auparse: which fields are encoded)",
        ],
        limitations: [
            "Of audit logs numbers of system calls, users and modes are not put into words.",
            "A single-byte code page is read as Latin-1.",
            "A log without a telling name, folder or type is scanned as a whole file only.",
        ])

    /// The records it emits: `line_index` (from 1) and `line`.
    public static let recordType = RecordType("log line", module: "LogScan", numbers: ["line_index"])

    private static let auditKind = FileKind("Auditd Log")
    private static let kinds: Set<String> = ["Log", auditKind.name]
    private static let textKinds: Set<String> = [
        "Text", "CSV", "Log", "UNKNOWN", "XML", "JSON", "YAML", "INI", "SQL", "MimiLSA Log",
    ]
    private static let names: Set<String> = [
        "syslog", "messages", "secure", "maillog", "auth.log", "access_log", "error_log", "dmesg",
    ]
    private let lineLimit: Int
    private let lineBytes: Int

    /// A stage with the given limits.
    ///
    /// - Throws: `ConfigurationError` for limits below 1.
    public init(options: Options = Options(), environment: StageEnvironment = StageEnvironment()) throws {
        lineLimit = options.lines ?? 1_000_000
        lineBytes = options.lineBytes ?? 64 << 10
        guard lineLimit > 0, lineBytes > 0 else {
            throw ConfigurationError("the options lines and line-bytes must be at least 1")
        }
    }

    /// Emits the lines of a log.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        guard Self.isLog(sample) else { return }
        let span = sample.bytes.span
        guard let (encoding, start) = TextEncoding.detect(span) else { return }
        var lines = LogLineWalk(encoding, start, lineLimit: lineLimit, lineBytes: lineBytes)
        if sample.kind == Self.auditKind && encoding == .bytes {
            var events = AuditEvents()
            while let line = lines.next(in: span) {
                try out.checkpoint()
                if line.isEmpty { continue }
                if try events.take(span, (line.start, line.count), &out) { continue }
                try out.emitMany { builder throws(StageError) in
                    try Self.add(line, Self.recordType, span, encoding, Keys(builder.keys), to: &builder)
                }
            }
            try events.finish(span, &out)
        } else {
            var isOver = false
            while !isOver {
                try out.emitMany { builder throws(StageError) in
                    isOver = try Self.fill(&builder, span, encoding, &lines)
                }
            }
        }
        if let position = lines.stop {
            out.note(
                .limit,
                "limit of \(lineLimit) lines reached: \(span.byteCount - position) bytes were not read as lines",
                offset: position)
        }
        if lines.cut > 0 {
            let words = lines.cut == 1 ? "1 line is" : "\(lines.cut) lines are"
            out.note(.limit, "\(words) longer than \(lineBytes) bytes; what is beyond was not read as a line")
        }
    }

    // Fills a batch with lines; answers whether that was all.
    private static func fill(
        _ builder: inout RecordBuilder, _ span: RawSpan, _ encoding: TextEncoding, _ lines: inout LogLineWalk
    ) throws(StageError) -> Bool {
        let keys = Keys(builder.keys)
        // A copy: a global is asked at each use whether it is there already.
        let type = recordType
        while !builder.isFull {
            guard let line = lines.next(in: span) else { return true }
            if line.isEmpty {
                try builder.checkpoint()
            } else {
                try add(line, type, span, encoding, keys, to: &builder)
            }
        }
        return false
    }

    private static func add(
        _ line: LogLineWalk.Line, _ type: RecordType, _ span: RawSpan, _ encoding: TextEncoding, _ keys: Keys,
        to builder: inout RecordBuilder
    ) throws(StageError) {
        try builder.add(type, offset: line.start) { builder throws(StageError) in
            builder.field(keys.number) { $0.append(decimal: UInt64(line.number)) }
            guard let text = span.slice(at: line.start, count: line.count) else { return }
            switch encoding {
            case .bytes:
                builder.field(keys.line, text)
            case .utf16LittleEndian:
                builder.field(keys.line) { arena in arena.append(utf16: text) }
            case .utf16BigEndian:
                let swapped = swapped(text)
                builder.field(keys.line) { arena in arena.append(utf16: swapped.rawSpan) }
            }
        }
    }

    private static func isLog(_ sample: Sample) -> Bool {
        if kinds.contains(sample.kind.name) { return true }
        guard textKinds.contains(sample.kind.name) else { return false }
        let path = sample.path.lowercased().replacing("\\", with: "/")
        let parts = path.split(separator: "/")
        guard let name = parts.last.map(String.init) else { return false }
        if names.contains(name) || name.hasSuffix(".log") || name.contains(".log.") { return true }
        if names.contains(where: { name.hasPrefix($0 + ".") || name.hasPrefix($0 + "-") }) { return true }
        return parts.dropLast().contains { $0 == "log" || $0 == "logs" || $0 == "logfiles" }
    }

    private static func swapped(_ span: RawSpan) -> [UInt8] {
        var bytes = span.array
        for index in stride(from: 0, to: bytes.count - 1, by: 2) { bytes.swapAt(index, index + 1) }
        return bytes
    }
}

// Numbers of the field names; they hold for one table, and a new batch may bring another.
private struct Keys {
    let number, line: KeyTable.ID

    init(_ table: KeyTable) {
        number = table.id(of: "line_index")
        line = table.id(of: "line")
    }
}
