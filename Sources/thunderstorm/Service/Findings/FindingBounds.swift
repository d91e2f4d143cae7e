import Pipeline

// A finding may hold megabytes of matched text, thousands of matches or fields. The log and the answer have all of it;
// the store keeps what people can look at, and says what it left out.

/// Cuts a finding down to what is stored of it.
struct FindingBounds {
    /// Most bytes of texts that are kept of a finding.
    static let limit = 64 << 10

    private static let pathLimit = 4 << 10
    private static let textLimit = 1 << 10
    private static let valueLimit = 2 << 10
    private static let listLimit = 64
    private static let matchLimit = 32
    private static let fieldLimit = 256
    // Reasons must leave room for what the finding is about.
    private static let reasonShare = limit * 5 / 8

    private var left = 0
    private var cut = 0
    private var leftOut = 0

    private init() {}

    /// The finding as it is stored; an issue of its own says when that is not all of it.
    static func bounded(_ finding: Finding) -> Finding {
        var bounds = FindingBounds()
        var kept = finding
        bounds.left = reasonShare
        kept.reasons = bounds.list(finding.reasons, listLimit) { $0.reason($1) }
        bounds.left += limit - reasonShare
        kept.module = bounds.text(finding.module)
        if let host = finding.origin?.host { kept.origin?.host = bounds.text(host) }
        switch finding.subject {
        case .file(let file): kept.subject = .file(bounds.file(file))
        case .chunk(let chunk): kept.subject = .chunk(ChunkSubject(file: bounds.file(chunk.file), range: chunk.range))
        case .record(let record): kept.subject = .record(bounds.record(record))
        }
        kept.context = bounds.list(finding.context, 4) { bounds, object in
            ContextObject(file: bounds.file(object.file), relations: object.relations)
        }
        kept.issues = bounds.list(finding.issues, listLimit) { bounds, issue in
            Issue(
                Issue.Code(bounds.text(issue.code.description)), stage: bounds.text(issue.stage),
                message: bounds.text(issue.message), offset: issue.offset)
        }
        guard bounds.cut > 0 || bounds.leftOut > 0 else { return kept }
        kept.issues.append(
            Issue(
                .limit, stage: "findings",
                message: "the store keeps \(limit >> 10) KiB of a finding: \(bounds.cut) texts are cut here and "
                    + "\(bounds.leftOut) reasons, matches, fields or issues left out; the log has them"))
        return kept
    }

    private mutating func reason(_ reason: Reason) -> Reason {
        let signature = reason.signature
        var kept = Signature(kind: Signature.Kind(text(signature.kind.name)), score: signature.score)
        kept.ruleName = text(signature.ruleName)
        kept.description = text(signature.description)
        kept.author = text(signature.author)
        kept.references = texts(signature.references)
        kept.date = text(signature.date)
        kept.tags = texts(signature.tags)
        kept.id = text(signature.id)
        kept.falsePositives = texts(signature.falsePositives)
        kept.origin = signature.origin
        let summary = text(reason.summary)
        return Reason(
            summary: summary, signature: kept, matched: list(reason.matched, Self.matchLimit) { $0.match($1) })
    }

    private mutating func match(_ match: MatchedText) -> MatchedText {
        var kept = match
        kept.data = data(match.data)
        kept.name = text(match.name)
        kept.context = data(match.context)
        kept.field = match.field.map { text($0) }
        kept.place = match.place.map { place in
            MemoryPlace(address: place.address, isPhysical: place.isPhysical, module: text(place.module))
        }
        return kept
    }

    private mutating func file(_ file: FileSubject) -> FileSubject {
        var kept = file
        kept.path = text(file.path, Self.pathLimit)
        kept.fileExtension = text(file.fileExtension)
        kept.unpackSource = texts(file.unpackSource)
        return kept
    }

    private mutating func record(_ record: RecordSubject) -> RecordSubject {
        let fields = list(record.fields, Self.fieldLimit) { bounds, field in
            RecordSubject.Field(key: bounds.text(field.key), value: bounds.text(field.value, Self.valueLimit))
        }
        let keys = Set(fields.map(\.key))
        let type = RecordType(
            record.type.name, module: record.type.module, container: record.type.container,
            numbers: record.type.numbers.intersection(keys), booleans: record.type.booleans.intersection(keys),
            lists: record.type.lists.intersection(keys))
        return RecordSubject(type: type, offset: record.offset, fields: fields)
    }

    private mutating func texts(_ texts: [String]) -> [String] { list(texts, Self.listLimit) { $0.text($1) } }

    private mutating func text(_ text: String, _ limit: Int = textLimit) -> String {
        let kept = text.prefix(utf8: min(limit, left))
        left -= kept.utf8.count
        if kept.utf8.count < text.utf8.count { cut += 1 }
        return kept
    }

    private mutating func data(_ data: [UInt8]) -> [UInt8] {
        let kept = data.prefix(min(Self.textLimit, left))
        left -= kept.count
        if kept.count < data.count { cut += 1 }
        return Array(kept)
    }

    // An element costs something even when it is empty.
    private mutating func list<T, U>(
        _ elements: [T], _ limit: Int, _ keep: (inout FindingBounds, T) -> U
    ) -> [U] {
        var kept: [U] = []
        for element in elements.prefix(limit) {
            guard left > 0 else { break }
            left -= min(left, 16)
            kept.append(keep(&self, element))
        }
        leftOut += elements.count - kept.count
        return kept
    }
}

extension String {
    /// The beginning of the text that takes at most so many bytes; no character is cut in two.
    func prefix(utf8 limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var bytes = Array(utf8.prefix(max(limit, 0) + 1))
        // The byte behind the limit tells whether a character ends there.
        while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        return String(decoding: bytes, as: UTF8.self)
    }
}
