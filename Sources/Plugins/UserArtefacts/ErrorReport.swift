import CommandLines
public import Pipeline

// Windows Error Reporting: `Report.wer` files, lines of KEY=VALUE in UTF-16. Source: MSDN "Windows Error Reporting",
// and reports of several versions of Windows. Emits one record `wer info` with the fields of jsonlog v3 (its type as
// report_type, event_name, event_type, date, app_path, app_name, exe, error, fault_in_module), then original_filename and
// loaded_modules (list).

/// A report of Windows Error Reporting.
public struct ErrorReport: Sendable {
    /// Keys and values in the order of the file.
    public let values: [(key: String, value: String)]

    /// Most bytes that are read.
    public static let byteLimit = 4 << 20

    /// Reads a report in UTF-16LE with or without a byte order mark, or in UTF-8.
    public init(_ span: RawSpan) {
        let part = span.prefix(Self.byteLimit)
        let text: String
        if part.uint16(at: 0) == 0xFEFF {
            text = String(utf16: part.suffix(from: 2))
        } else if part.uint8(at: 1) == 0 {
            text = String(utf16: part)
        } else {
            text = String(lossy: part)
        }
        values = text.split(whereSeparator: \.isNewline).compactMap { line in
            guard let sign = line.utf8.firstIndex(of: 0x3D) else { return nil }
            return (String(line[..<sign]), String(line[line.utf8.index(after: sign)...]))
        }
    }

    /// The first value of a key, nil if there is none.
    public func value(_ key: String) -> String? { values.first { $0.key == key }?.value }

    /// The value of the signature part with this name; parts are numbered, and named in the system's language.
    public func signature(_ names: String...) -> String? {
        for (key, value) in values where key.hasPrefix("Sig[") && key.hasSuffix("].Name") && names.contains(value) {
            return self.value(key.dropLast(4) + "Value")
        }
        return nil
    }

    /// Kind of the report: `AppCrash`, `AppHang`, `NonCritical`, …; nil if it does not say.
    public var type: String? {
        switch value("ReportType") {
        case "0": "NonCritical"
        case "1": "Critical"
        case "2": "AppCrash"
        case "3": "AppHang"
        case "4": "Kernel"
        case "5": "Invalid"
        default: nil
        }
    }

    /// When it happened, nil if it does not say.
    public var time: Timestamp? {
        value("EventTime").flatMap { UInt64($0) }.flatMap { $0 == 0 ? nil : Timestamp(filetime: $0) }
    }
}

/// Reads reports of Windows Error Reporting.
public struct ErrorReportStage: Stage {
    static let attackTool = Heuristic(
        "ErrorReportAttackTool", score: 75, "A program with the name of an attack tool crashed", tags: ["T1588.002"],
        falsePositives: ["Penetration tests"])
    static let lsass = Heuristic(
        "ErrorReportLSASS", score: 50, "The process that keeps credentials crashed", tags: ["T1003.001"],
        falsePositives: ["Faults of drivers and security software"])
    static let writablePlace = Heuristic(
        "ErrorReportUserWritablePlace", score: 45, "A program crashed that lies in a place any user may write to",
        tags: ["T1204.002"], falsePositives: ["Installers that unpack themselves"])

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "wer",
        summary: "Reads Windows Error Reports: which program crashed, when, where, and what it had loaded.",
        interest: .kinds("WER"), module: "WER", heuristics: [attackTool, lsass, writablePlace],
        references: ["https://learn.microsoft.com/windows/win32/wer/windows-error-reporting"],
        limitations: [
            "Names of signature parts are known in English; in other languages exe, error and fault_in_module are "
                + "missing.",
            "Of a report larger than 4 MiB the rest is not read.",
        ])

    /// Type of the records.
    public static let recordType = RecordType("wer info", module: "WER", lists: ["loaded_modules"])

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one report.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        if sample.bytes.count > ErrorReport.byteLimit {
            out.note(.limit, "the report is larger than \(ErrorReport.byteLimit) bytes; the rest was not read")
        }
        let report = ErrorReport(sample.bytes.span)
        guard !report.values.isEmpty else { throw StageError(.damaged, "there is no KEY=VALUE line in this report") }
        try out.emit(Self.recordType, offset: 0) { builder throws(StageError) in
            builder.field("report_type", report.type)
            builder.field("event_name", report.value("FriendlyEventName"))
            builder.field("event_type", report.value("EventType"))
            builder.field("date", report.time)
            builder.field("app_path", report.value("AppPath"))
            builder.field("app_name", report.value("AppName"))
            builder.field("exe", report.signature("Application Name", "Problem Signature 01"))
            builder.field("error", report.signature("Exception Code", "HResult", "Hang Type"))
            builder.field("fault_in_module", report.signature("Fault Module Name"))
            builder.field("original_filename", report.value("OriginalFilename"))
            for (key, value) in report.values where key.hasPrefix("LoadedModule[") {
                try builder.checkpoint()
                builder.field("loaded_modules", value)
            }
            for reason in Self.reasons(report) { builder.report(reason) }
        }
    }

    private static func reasons(_ report: ErrorReport) -> [Reason] {
        let path = report.value("AppPath") ?? ""
        let name = report.value("NsAppName") ?? report.value("AppName") ?? ""
        let lower = name.lowercased()
        // What is shown of the program: its path where there is one, and the field that has it.
        let (text, field) = path.isEmpty ? (name, "app_name") : (path, "app_path")
        let pointer = recordType.pointer(to: field)
        var reasons: [Reason] = []
        if SuspiciousCommand.isAttackTool(lower) { reasons.append(attackTool.reason(text, at: pointer)) }
        if lower == "lsass.exe" { reasons.append(lsass.reason(text, at: pointer)) }
        if SuspiciousCommand.isInUserWritablePlace(path.lowercased()) {
            reasons.append(writablePlace.reason(path, at: pointer))
        }
        return reasons
    }
}
