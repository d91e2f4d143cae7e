import Pipeline

// Findings as jsonlog v3 (REFERENCE B.1-B.3).

struct FindingEncoderV3 {
    var form = JSONForm.finding

    func write(_ finding: Finding, _ context: EventContext, to writer: inout JSONWriter) {
        var shared: SharedParts?
        write(finding, context, &shared, to: &writer)
    }

    /// Writes one of many findings of a report as a line: what it shares with others is kept in `shared`.
    func write(
        _ finding: Finding, _ context: EventContext, _ shared: inout SharedParts?, to writer: inout JSONWriter
    ) {
        writer.object { writer in
            writer.field("type", form == .finding ? "THOR finding" : "THOR assessment")
            let time = shared?.text(of: context.time) ?? context.time.rfc3339(fractionDigits: 9)
            meta(EventWords.level(of: finding), module: finding.module, time, context.at(finding.origin), &writer)
            writer.field("message", EventWords.message(of: finding))
            writer.key("subject")
            subject(finding, &writer)
            writer.field("score", finding.score)
            writer.key("reasons")
            if finding.reasons.isEmpty {
                writer.null()
            } else {
                writer.array { writer in
                    for reason in finding.reasons { write(reason, of: finding.subject, &shared, &writer) }
                }
                writer.field("reason_count", finding.reasons.count)
            }
            writer.key("context")
            let ancestors = ancestors(of: finding)
            if shared != nil {
                shared?.write(ancestors, to: &writer) { contextObjects(ancestors, &$0) }
            } else {
                contextObjects(ancestors, &writer)
            }
            if form == .assessment, case .record(let record) = finding.subject { details(record, &writer) }
            if let origin = finding.origin {
                writer.key("collection")
                writer.object { writer in
                    writer.field("collector", origin.collector.rawValue)
                    writer.fieldIfAny("host", origin.host ?? "")
                    writer.field("source", context.hostname)
                }
            }
            issues(finding.issues, &writer)
            writer.field("log_version", EventWords.logVersion)
        }
    }

    func write(_ message: EventMessage, _ context: EventContext, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", "THOR message")
            let time = context.time.rfc3339(fractionDigits: 9)
            meta(message.level, module: message.module, time, context, &writer)
            writer.field("message", message.text)
            writer.key("fields")
            writer.object { writer in
                for (key, value) in message.fields { writer.field(key, value) }
            }
            writer.field("log_version", EventWords.logVersion)
        }
    }

    private func meta(
        _ level: Level, module: String, _ time: String, _ context: EventContext, _ writer: inout JSONWriter
    ) {
        writer.key("meta")
        writer.object { writer in
            writer.field("time", time)
            writer.field("level", level.name)
            writer.field("module", module)
            writer.field("scan_id", context.scanID)
            writer.field("hostname", context.hostname)
        }
    }

    private func subject(_ finding: Finding, _ writer: inout JSONWriter) {
        switch finding.subject {
        case .file(let file): write(file, matches: finding.reasons.flatMap(\.matched), &writer)
        case .record(let record): write(record, form == .finding ? .all : .published, &writer)
        case .chunk(let chunk): write(chunk, matches: finding.reasons.flatMap(\.matched), &writer)
        }
    }

    func write(_ chunk: ChunkSubject, matches: [MatchedText], _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", "file chunk")
            if form == .finding {
                writer.key("file")
                write(chunk.file, matches: [], &writer)
            }
            writer.field("chunk_offset", chunk.range.lowerBound)
            writer.field("chunk_end", chunk.range.upperBound)
            content(matches, of: chunk.range, &writer)
        }
    }

    func write(_ file: FileSubject, matches: [MatchedText], _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", "file")
            writer.field("path", file.path)
            writer.field("exists", "yes")
            writer.field("extension", file.fileExtension)
            writer.field("magic_header", file.kind.name)
            writer.key("hashes")
            writer.object { writer in
                writer.field("md5", file.md5)
                writer.field("sha1", file.sha1)
                writer.field("sha256", file.sha256)
            }
            writer.key("first_bytes")
            writer.object { writer in
                writer.field("hex", String(hex: file.firstBytes.rawSpan))
                writer.field("ascii", printable(file.firstBytes))
            }
            times(file.times, &writer)
            if file.size > 0 { writer.field("size", file.size) }
            writer.key("permissions")
            writer.null()
            // The import hash is computed by the matcher that looks for it, so it is known where it matched.
            if let hash = matches.first(where: { $0.field == "/pe_info/imphash" }) {
                writer.key("pe_info")
                writer.object { writer in writer.field("imphash", MatchText.plain(hash.data)) }
            }
            if !file.unpackSource.isEmpty { writer.field("unpack_source", file.unpackSource) }
            content(matches, of: 0..<file.size, &writer)
        }
    }

    private func times(_ times: FileTimes, _ writer: inout JSONWriter) {
        let known = [
            ("modified", times.modified), ("accessed", times.accessed), ("changed", times.changed),
            ("created", times.created),
        ]
        if known.allSatisfy({ $0.1 == nil }) { return }
        writer.key("file_times")
        writer.object { writer in
            for case (let name, let time?) in known { writer.field(name, time.rfc3339()) }
        }
    }

    // The matched regions of the content, in order and without overlaps. Their offsets count from the start of the
    // subject, those of matches from the start of the file.
    private func content(_ matches: [MatchedText], of range: Range<Int>, _ writer: inout JSONWriter) {
        var end = 0
        let regions = matches.compactMap { match -> (Int, [UInt8])? in
            guard match.field == nil, let offset = match.offset, range.contains(offset) else { return nil }
            return (offset - range.lowerBound, match.data)
        }
        .sorted { $0.0 < $1.0 }
        .filter { offset, data in
            guard offset >= end, !data.isEmpty else { return false }
            end = offset + data.count
            return true
        }
        guard !regions.isEmpty else { return }
        writer.key("content")
        writer.object { writer in
            writer.field("type", "sparse data")
            writer.key("elements")
            writer.array { writer in
                for (offset, data) in regions {
                    writer.object { writer in
                        writer.field("offset", offset)
                        writer.field("data", MatchText.plain(data))
                    }
                }
            }
            writer.field("length", range.count)
        }
    }

    func write(_ reason: Reason, of subject: Subject, _ writer: inout JSONWriter) {
        var shared: SharedParts?
        write(reason, of: subject, &shared, &writer)
    }

    func write(_ reason: Reason, of subject: Subject, _ shared: inout SharedParts?, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", "reason")
            writer.field("summary", reason.summary)
            writer.key("signature")
            if shared != nil {
                shared?.write(reason.signature, to: &writer) { write(reason.signature, &$0) }
            } else {
                write(reason.signature, &writer)
            }
            writer.key("matched")
            if reason.matched.isEmpty { return writer.null() }
            writer.array { writer in
                for match in reason.matched { write(match, of: subject, &writer) }
            }
        }
    }

    private func write(_ signature: Signature, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("score", signature.score)
            writer.key("reference")
            if signature.references.isEmpty { writer.null() } else { writer.value(signature.references) }
            writer.field("origin", signature.origin.rawValue)
            writer.field("kind", signature.kind.name)
            writer.fieldIfAny("date", signature.date)
            if !signature.tags.isEmpty { writer.field("tags", signature.tags) }
            writer.fieldIfAny("rule_name", signature.ruleName)
            writer.fieldIfAny("description", signature.description)
            writer.fieldIfAny("author", signature.author)
            writer.fieldIfAny("id", signature.id)
            if !signature.falsePositives.isEmpty { writer.field("false_positives", signature.falsePositives) }
        }
    }

    private func write(_ match: MatchedText, of subject: Subject, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("data")
            data(match.data, &writer)
            if !match.context.isEmpty {
                writer.key("context")
                data(match.context, &writer)
            }
            if let offset = match.offset, !isJoined(match.field, of: subject) {
                writer.field("offset", max(0, offset - start(of: subject)))
            }
            if let place = match.place {
                writer.field(
                    place.isPhysical ? "physical_address" : "virtual_address",
                    "0x" + String(place.address, radix: 16))
                writer.fieldIfAny("module", place.module)
            }
            // A match over several fields of a record stands in none of them, one without a place nowhere.
            let field =
                if case .record(let record) = subject {
                    match.field.flatMap { PublishedTypes.pointer($0, of: record.type, form) }
                } else {
                    match.field ?? (match.offset == nil || match.data.isEmpty ? nil : "/content")
                }
            writer.fieldIfAny("field", field ?? "")
        }
    }

    // Offsets of matches count from the start of the file; readers of the published form count from that of the chunk.
    private func start(of subject: Subject) -> Int {
        if form == .assessment, case .chunk(let chunk) = subject { return chunk.range.lowerBound }
        return 0
    }

    // Values that are joined: an offset into one of them is none into the whole.
    private func isJoined(_ field: String?, of subject: Subject) -> Bool {
        guard case .record(let record) = subject, let field else { return false }
        let values = record.fields.filter { record.type.pointer(to: $0.key) == field }
        guard values.count > 1, let key = values.first?.key else { return false }
        return record.type.container != nil || PublishedTypes.fields(of: record.type)?[key] == .text
    }

    private func data(_ bytes: [UInt8], _ writer: inout JSONWriter) {
        guard form == .assessment else {
            if MatchText.isPlain(bytes) { return writer.value(utf8: bytes.rawSpan) }
            return writer.value(MatchText.plain(bytes))
        }
        let isText = String(validating: bytes, as: UTF8.self) != nil
        writer.object { writer in
            writer.field("data", isText ? bytes.rawSpan.utf8Text : String(hex: bytes.rawSpan))
            writer.field("encoding", isText ? "plain" : "hex")
        }
    }

    // A chunk as it is published does not hold its file: that is its parent.
    private func ancestors(of finding: Finding) -> [ContextObject] {
        guard form == .assessment, case .chunk(let chunk) = finding.subject else { return finding.context }
        let isTopmost = finding.context.isEmpty
        let others = finding.context.map { element in
            let relations = element.relations.filter { $0 != .parent }
            return relations.isEmpty ? element : ContextObject(file: element.file, relations: relations)
        }
        return [ContextObject(file: chunk.file, relations: isTopmost ? [.parent, .topmostAncestor] : [.parent])]
            + others
    }

    private func contextObjects(_ context: [ContextObject], _ writer: inout JSONWriter) {
        if context.isEmpty { return writer.null() }
        writer.array { writer in
            for element in context {
                writer.object { writer in
                    writer.key("object")
                    write(element.file, matches: [], &writer)
                    writer.key("relations")
                    writer.array { writer in
                        for relation in element.relations {
                            writer.object { writer in
                                writer.field("relation_type", "derives from")
                                writer.field("relation_name", relation.rawValue)
                                writer.field("unique", true)
                            }
                        }
                    }
                }
            }
        }
    }

    func issues(_ issues: [Issue], _ writer: inout JSONWriter) {
        guard !issues.isEmpty else { return }
        writer.key("issues")
        writer.array { writer in
            for issue in issues {
                writer.object { writer in
                    writer.key("affected")
                    writer.null()
                    writer.field("category", issue.code == .damaged ? "out_of_range" : "truncated")
                    writer.field("description", "\(issue.stage): \(issue.message)")
                }
            }
        }
    }
}

/// Bytes as ASCII: printable characters only.
func printable(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.filter { (0x20...0x7E).contains($0) }, as: UTF8.self)
}
