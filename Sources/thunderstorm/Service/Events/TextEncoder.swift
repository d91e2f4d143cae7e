import Pipeline

// The text log: one line an event (REFERENCE B.7).

struct TextEncoder {
    /// Longest value in characters; longer ones are cut and marked.
    var truncateAt = 2048
    /// Reasons shown; JSON always has all of them.
    var reasonLimit = Int.max
    private static let matchLimit = 30

    func line(_ finding: Finding, _ context: EventContext) -> String {
        var line = start(
            EventWords.level(of: finding), module: finding.module, EventWords.message(of: finding), context)
        switch finding.subject {
        case .file(let file): write(file, prefix: "", &line)
        case .record(let record): write(record, &line)
        case .chunk(let chunk):
            write(chunk.file, prefix: "", &line)
            add("CHUNK_OFFSET", "0x" + String(chunk.range.lowerBound, radix: 16), &line)
            add("CHUNK_END", "0x" + String(chunk.range.upperBound, radix: 16), &line)
        }
        if !finding.reasons.isEmpty { add("SCORE", "\(finding.score)", &line) }
        for (index, reason) in finding.reasons.prefix(reasonLimit).enumerated() { write(reason, index + 1, &line) }
        if !finding.reasons.isEmpty { add("REASONS_COUNT", "\(finding.reasons.count)", &line) }
        for element in finding.context {
            guard let relation = element.relations.first else { continue }
            add("\(relation.rawValue.uppercased())_FILE", element.file.path, &line)
        }
        for (index, issue) in finding.issues.enumerated() {
            add("ISSUE_\(index + 1)", "\(issue.stage): \(issue.message)", &line)
        }
        return line
    }

    func line(
        message: String, level: Level, module: String, fields: [(String, String)], _ context: EventContext
    ) -> String {
        var line = start(level, module: module, message, context)
        for (key, value) in fields { add(key.uppercased(), value, &line) }
        return line
    }

    private func start(_ level: Level, module: String, _ message: String, _ context: EventContext) -> String {
        var line = "\(LocalTime(context.time).syslog) \(safe(context.hostname)) THOR: \(level.name):"
        add("MODULE", module, &line)
        add("MESSAGE", message, &line)
        add("SCANID", context.scanID, &line)
        return line
    }

    private func write(_ file: FileSubject, prefix: String, _ line: inout String) {
        add("FILE", file.path, &line)
        add("EXTENSION", file.fileExtension, &line)
        add("TYPE", file.kind.name, &line)
        add("MD5", file.md5, &line)
        add("SHA1", file.sha1, &line)
        add("SHA256", file.sha256, &line)
        add("FIRSTBYTES", String(hex: file.firstBytes.rawSpan) + " / " + printable(file.firstBytes), &line)
        if let modified = file.times.modified { add("MODIFIED", modified.rfc3339(), &line) }
        add("SIZE", "\(file.size)", &line)
        if !file.unpackSource.isEmpty { add("UNPACK_SOURCE", file.unpackSource.joined(separator: ">"), &line) }
    }

    private func write(_ record: RecordSubject, _ line: inout String) {
        add("TYPE", record.type.name, &line)
        var seen: [String: Int] = [:]
        for field in record.fields {
            let key = field.key.uppercased()
            let count = seen[key, default: 0] + 1
            seen[key] = count
            add(count == 1 ? key : "\(key)_\(count)", field.value, &line)
        }
    }

    private func write(_ reason: Reason, _ number: Int, _ line: inout String) {
        let signature = reason.signature
        add("REASON_\(number)", reason.summary, &line)
        add("SUBSCORE_\(number)", "\(signature.score)", &line)
        add("REF_\(number)", signature.references.joined(separator: ", "), &line)
        add("SIGTYPE_\(number)", signature.origin.rawValue, &line)
        add("SIGCLASS_\(number)", signature.kind.name, &line)
        add("RULEDATE_\(number)", signature.date, &line)
        add("TAGS_\(number)", signature.tags.joined(separator: ", "), &line)
        add("RULENAME_\(number)", signature.ruleName, &line)
        add("DESCRIPTION_\(number)", signature.description, &line)
        add("AUTHOR_\(number)", signature.author, &line)
        add("ID_\(number)", signature.id, &line)
        add("MATCHED_\(number)", matched(reason.matched), &line)
    }

    private func matched(_ matches: [MatchedText]) -> String {
        var parts = matches.prefix(Self.matchLimit).map(matched)
        if matches.count > Self.matchLimit { parts.append("... (strings truncated)") }
        if matches.count == 1 { return parts.joined() }
        return parts.enumerated().map { "Str\($0.offset + 1): \($0.element)" }.joined(separator: " ")
    }

    private func matched(_ match: MatchedText) -> String {
        var text = MatchText.quoted(match.data)
        if !match.context.isEmpty, match.context != match.data { text += " in " + MatchText.quoted(match.context) }
        if let offset = match.offset { text += " at 0x" + String(offset, radix: 16) }
        if let place = match.place {
            text += (place.isPhysical ? " (physical 0x" : " (0x") + String(place.address, radix: 16)
            text += (place.module.isEmpty ? "" : " in " + place.module) + ")"
        }
        if let field = match.field { text += " in " + field.dropFirst().replacing("/", with: "_").uppercased() }
        return text
    }

    private func add(_ key: String, _ value: String, _ line: inout String) {
        guard !value.isEmpty else { return }
        line += " \(key): \(safe(value))"
    }

    // No value can start a new line or speak to a terminal.
    private func safe(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars.prefix(truncateAt) {
            switch scalar.value {
            case 0x0A: text += "\\n"
            case 0x0D: text += "\\r"
            case 0..<0x20, 0x7F...0x9F:
                text += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: text.unicodeScalars.append(scalar)
            }
        }
        if value.unicodeScalars.count > truncateAt { text += "... (truncated)" }
        return text
    }
}
