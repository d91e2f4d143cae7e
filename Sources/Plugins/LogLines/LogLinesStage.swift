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
        var lines = LineReader(encoding: encoding, start: start)
        var keys = Keys(KeyTable())
        var index = 0
        var cut = 0
        let isAudit = sample.kind == Self.auditKind && encoding == .bytes
        var events = AuditEvents()
        while let line = lines.next(in: span) {
            if line.count == 0 {
                index += 1
                try out.checkpoint()
                continue
            }
            guard index < lineLimit else {
                out.note(
                    .limit,
                    "limit of \(lineLimit) lines reached: \(span.byteCount - line.start) bytes were not read as lines",
                    offset: line.start)
                break
            }
            index += 1
            if line.count > lineBytes { cut += 1 }
            let place = (start: line.start, count: Self.cut(span, line, encoding, to: lineBytes))
            if isAudit, try events.take(span, place, &out) { continue }
            try Self.emit(span, place, encoding, number: index, &keys, &out)
        }
        try events.finish(span, &out)
        if cut > 0 {
            let lines = cut == 1 ? "1 line is" : "\(cut) lines are"
            out.note(.limit, "\(lines) longer than \(lineBytes) bytes; what is beyond was not read as a line")
        }
    }

    private static func emit(
        _ span: RawSpan, _ place: (start: Int, count: Int), _ encoding: TextEncoding, number: Int, _ keys: inout Keys,
        _ out: inout Output
    ) throws(StageError) {
        try out.emit(recordType, offset: place.start) { builder throws(StageError) in
            if builder.keys !== keys.table { keys = Keys(builder.keys) }
            builder.field(keys.number) { $0.append(decimal: Int64(number)) }
            let key = keys.line
            guard let text = span.slice(at: place.start, count: place.count) else { return }
            switch encoding {
            case .bytes:
                builder.field(key, text)
            case .utf16LittleEndian:
                builder.field(key) { arena in arena.append(utf16: text) }
            case .utf16BigEndian:
                let swapped = swapped(text)
                builder.field(key) { arena in arena.append(utf16: swapped.rawSpan) }
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

    // A long line is cut between two characters: half a character would make it no UTF-8.
    private static func cut(
        _ span: RawSpan, _ line: (start: Int, count: Int), _ encoding: TextEncoding, to limit: Int
    ) -> Int {
        guard encoding == .bytes else { return min(line.count, limit) & ~1 }
        guard line.count > limit else { return line.count }
        var count = limit
        while count > limit - 4, count > 0, let byte = span.uint8(at: line.start + count), byte & 0xC0 == 0x80 {
            count -= 1
        }
        return count
    }

    private static func swapped(_ span: RawSpan) -> [UInt8] {
        var bytes = span.array
        for index in stride(from: 0, to: bytes.count - 1, by: 2) { bytes.swapAt(index, index + 1) }
        return bytes
    }
}

// Numbers of the field names; they hold for one table, and a new batch may bring another.
private struct Keys {
    let table: KeyTable
    let number, line: KeyTable.ID

    init(_ table: KeyTable) {
        self.table = table
        number = table.id(of: "line_index")
        line = table.id(of: "line")
    }
}
