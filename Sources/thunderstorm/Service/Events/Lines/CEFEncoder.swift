import Pipeline

// Events in the Common Event Format: a header of seven parts divided by `|`, then key=value pairs. Source: ArcSight
// "Common Event Format", revision 25 (keys, escapes). The event class is the rule that weighs most, so that SIEMs group
// by rule; severities are THOR's.

struct CEFEncoder {
    let truncateAt: Int

    func append(_ finding: Finding, _ context: EventContext, to line: inout [UInt8]) {
        let rules = finding.reasons.map(\.signature.ruleName).filter { !$0.isEmpty }
        let message = EventWords.message(of: finding)
        appendHeader(rules.first ?? finding.module, message, EventWords.level(of: finding), to: &line)
        append("rt", milliseconds(context.time), to: &line)
        append("dvchost", context.at(finding.origin).hostname, to: &line)
        append("externalId", context.scanID, to: &line)
        append("sproc", finding.module, to: &line)
        append("msg", finding.reasons.first?.summary ?? message, to: &line)
        if let file = finding.file { append(file, to: &line) }
        if case .record(let record) = finding.subject {
            append(custom: 1, "Object", record.type.name, to: &line)
            append(custom: 2, "Fields", record.fields.map { "\($0.key)=\($0.value)" }.joined(separator: " "), to: &line)
        }
        append("cn1Label", "Score", to: &line)
        append("cn1", "\(finding.score)", to: &line)
        append(custom: 3, "Rules", rules.joined(separator: ","), to: &line)
        append(custom: 4, "Reasons", finding.reasons.map(\.summary).joined(separator: "; "), to: &line)
        let matched = finding.reasons.flatMap(\.matched).map { MatchText.plain($0.data) }
        append(custom: 5, "Matched", matched.joined(separator: " "), to: &line)
        append(
            custom: 6, "Issues", finding.issues.map { "\($0.stage): \($0.message)" }.joined(separator: "; "), to: &line)
    }

    func append(_ message: EventMessage, _ context: EventContext, to line: inout [UInt8]) {
        appendHeader(message.module, message.text, message.level, to: &line)
        append("rt", milliseconds(context.time), to: &line)
        append("dvchost", context.hostname, to: &line)
        append("externalId", context.scanID, to: &line)
        append("sproc", message.module, to: &line)
        let fields = message.fields.map { "\($0.0): \($0.1)" }.joined(separator: ", ")
        append("msg", fields.isEmpty ? message.text : fields, to: &line)
    }

    private func append(_ file: FileSubject, to line: inout [UInt8]) {
        append("filePath", file.path, to: &line)
        append("fname", String(file.path.split { $0 == "/" || $0 == "\\" }.last ?? ""), to: &line)
        append("fsize", "\(file.size)", to: &line)
        append("fileType", file.kind.name, to: &line)
        append("fileHash", file.sha256, to: &line)
        append("oldFileHash", file.md5, to: &line)
    }

    private func appendHeader(_ eventClass: String, _ name: String, _ level: Level, to line: inout [UInt8]) {
        line.append(contentsOf: "CEF:0|Thunderstorm|Thunderstorm|".utf8)
        line.append(contentsOf: thunderstormVersion.utf8)
        for part in [eventClass, name] {
            line.append(0x7C)
            line.append(safe: part, limit: 512, quoting: .cefHeader)
        }
        line.append(contentsOf: "|\(Self.severity(of: level))|".utf8)
    }

    private func append(custom number: Int, _ label: String, _ value: String, to line: inout [UInt8]) {
        guard !value.isEmpty else { return }
        append("cs\(number)Label", label, to: &line)
        append("cs\(number)", value, to: &line)
    }

    private func append(_ key: String, _ value: String, to line: inout [UInt8]) {
        guard !value.isEmpty else { return }
        if line.last != 0x7C { line.append(0x20) }
        line.append(contentsOf: key.utf8)
        line.append(0x3D)
        line.append(safe: value, limit: truncateAt, quoting: .cefValue)
    }

    private func milliseconds(_ time: Timestamp) -> String {
        "\(time.seconds * 1000 + Int64(time.nanoseconds / 1_000_000))"
    }

    private static func severity(of level: Level) -> Int {
        switch level {
        case .debug: 1
        case .info: 3
        case .notice: 4
        case .error: 5
        case .warning: 8
        case .alert: 10
        }
    }
}
