import Pipeline

// Findings and messages as flat fields, in the order of the text log (REFERENCE B.7): upper-case keys, nesting joined
// by `_`, list items with `_1`, `_2`. Text, KEY='value', CEF and CSV lines are all made from these.

struct EventFields {
    struct Field: Equatable {
        var key: String
        var value: String
    }

    let level: Level
    let context: EventContext
    private(set) var fields: [Field] = []
    private static let matchLimit = 30

    /// A finding.
    ///
    /// - Parameter reasonLimit: Reasons shown; what is cut is counted in REASONS_COUNT.
    init(_ finding: Finding, _ context: EventContext, reasonLimit: Int) {
        level = EventWords.level(of: finding)
        self.context = context.at(finding.origin)
        fields.reserveCapacity(32)
        start(module: finding.module, EventWords.message(of: finding))
        switch finding.subject {
        case .file(let file): add(file)
        case .record(let record): add(record)
        case .chunk(let chunk):
            add(chunk.file)
            add("CHUNK_OFFSET", "0x" + String(chunk.range.lowerBound, radix: 16))
            add("CHUNK_END", "0x" + String(chunk.range.upperBound, radix: 16))
        }
        if !finding.reasons.isEmpty { add("SCORE", finding.score.description) }
        for (index, reason) in finding.reasons.prefix(reasonLimit).enumerated() { add(reason, index + 1) }
        if !finding.reasons.isEmpty { add("REASONS_COUNT", finding.reasons.count.description) }
        for element in finding.context {
            guard let relation = element.relations.first else { continue }
            add(relation.rawValue.uppercased() + "_FILE", element.file.path)
        }
        if let origin = finding.origin {
            add("COLLECTOR", origin.collector.rawValue)
            add("COLLECTION_SOURCE", context.hostname)
        }
        for (index, issue) in finding.issues.enumerated() {
            add("ISSUE_\(index + 1)", "\(issue.stage): \(issue.message)")
        }
    }

    /// A message about the program itself.
    init(_ message: EventMessage, _ context: EventContext) {
        level = message.level
        self.context = context
        start(module: message.module, message.text)
        for (key, value) in message.fields { add(key.uppercased(), value) }
    }

    /// The value of a key, nil if it is not there.
    func value(_ key: String) -> String? { fields.first { $0.key == key }?.value }

    private mutating func start(module: String, _ message: String) {
        add("MODULE", module)
        add("MESSAGE", message)
        add("SCANID", context.scanID)
    }

    private mutating func add(_ file: FileSubject) {
        add("FILE", file.path)
        add("EXTENSION", file.fileExtension)
        add("TYPE", file.kind.name)
        add("MD5", file.md5)
        add("SHA1", file.sha1)
        add("SHA256", file.sha256)
        add("FIRSTBYTES", String(hex: file.firstBytes.rawSpan) + " / " + printable(file.firstBytes))
        if let modified = file.times.modified { add("MODIFIED", modified.rfc3339()) }
        add("SIZE", "\(file.size)")
        if !file.unpackSource.isEmpty { add("UNPACK_SOURCE", file.unpackSource.joined(separator: ">")) }
    }

    private mutating func add(_ record: RecordSubject) {
        add("TYPE", record.type.name)
        let keys = record.fields.map { $0.key.uppercased() }
        let repeated = repeatedTexts(keys.count) { keys[$0] }
        var seen: [String: Int] = [:]
        for (key, field) in zip(keys, record.fields) {
            guard !repeated.isEmpty, repeated.contains(key) else {
                add(key, field.value)
                continue
            }
            let count = seen[key, default: 0] + 1
            seen[key] = count
            if count == 1 { add(key, field.value) } else { add(key, count, field.value) }
        }
    }

    private mutating func add(_ reason: Reason, _ number: Int) {
        let signature = reason.signature
        add("REASON", number, reason.summary)
        add("SUBSCORE", number, signature.score.description)
        add("REF", number, signature.references.joined(separator: ", "))
        add("SIGTYPE", number, signature.origin.rawValue)
        add("SIGCLASS", number, signature.kind.name)
        add("RULEDATE", number, signature.date)
        add("TAGS", number, signature.tags.joined(separator: ", "))
        add("RULENAME", number, signature.ruleName)
        add("DESCRIPTION", number, signature.description)
        add("AUTHOR", number, signature.author)
        add("ID", number, signature.id)
        add("MATCHED", number, Self.text(reason.matched))
    }

    private static func text(_ matches: [MatchedText]) -> String {
        if matches.count == 1 { return text(matches[0]) }
        var parts = matches.prefix(matchLimit).map(text)
        if matches.count > matchLimit { parts.append("... (strings truncated)") }
        return parts.enumerated().map { "Str\($0.offset + 1): \($0.element)" }.joined(separator: " ")
    }

    private static func text(_ match: MatchedText) -> String {
        var text = MatchText.quoted(match.data)
        if !match.context.isEmpty, match.context != match.data { text += " in " + MatchText.quoted(match.context) }
        if let offset = match.offset { text += " at 0x" + String(offset, radix: 16) }
        if let place = match.place {
            text += (place.isPhysical ? " (physical 0x" : " (0x") + String(place.address, radix: 16)
            text += (place.module.isEmpty ? "" : " in " + place.module) + ")"
        }
        if let field = match.field { text += " in " + name(of: field) }
        return text
    }

    // `/entry/CommandLine` as `ENTRY_COMMANDLINE`.
    private static func name(of pointer: String) -> String {
        String(decoding: pointer.utf8.dropFirst().map { $0 == 0x2F ? 0x5F : $0 }, as: UTF8.self).uppercased()
    }

    private mutating func add(_ key: String, _ number: Int, _ value: String) {
        if !value.isEmpty { add(key + "_" + number.description, value) }
    }

    private mutating func add(_ key: String, _ value: String) {
        if !value.isEmpty { fields.append(Field(key: key, value: value)) }
    }
}
