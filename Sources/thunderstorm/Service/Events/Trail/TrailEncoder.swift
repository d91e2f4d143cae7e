import Pipeline

// Elements of the audit trail (REFERENCE B.8): `{id, type, log_version, object, timestamps, reasons, references}`, the
// object as in jsonlog v3. Files carry `meta` besides, with time, host and scan id of their submission, and `issues`
// where something was not looked at.

struct TrailEncoder: Sendable {
    // A value beyond the first is cut, fields of an element beyond the second are left out; the element says so.
    static let valueLimit = 256 << 10
    static let elementLimit = 4 << 20

    private let context: EventContext
    private let hidesPersonalData: Bool
    private let encoder = FindingEncoderV3()

    init(context: EventContext, hidesPersonalData: Bool) {
        self.context = context
        self.hidesPersonalData = hidesPersonalData
    }

    // The submitted sample has the scan id of its submission; places inside follow it.
    private var root: String { context.scanID }

    /// Writes a file or chunk as a line.
    func write(_ seen: SeenObject, to writer: inout JSONWriter) {
        let seen = hidesPersonalData ? hidden(seen) : seen
        let matches = seen.reasons.flatMap(\.matched)
        writer.object { writer in
            writer.field("id", root + seen.id)
            head(&writer)
            meta(context.at(seen.origin), &writer)
            writer.key("object")
            var times = FileTimes()
            switch seen.subject {
            case .file(let file):
                times = file.times
                encoder.write(file, matches: matches, &writer)
            case .chunk(let chunk): encoder.write(chunk, matches: matches, &writer)
            case .record(let record): encoder.write(record, &writer)
            }
            writer.key("timestamps")
            writer.object { writer in
                let known = [
                    ("modified", times.modified), ("accessed", times.accessed), ("changed", times.changed),
                    ("created", times.created),
                ]
                for case (let name, let time?) in known { writer.field("/file_times/\(name)", time.rfc3339()) }
            }
            var parts: SharedParts?
            write(seen.reasons, of: seen.subject, &parts, &writer)
            writer.key("references")
            references(to: seen.parent, &writer)
            encoder.issues(seen.issues, &writer)
        }
        writer.endLine()
    }

    /// What the records of a batch share, encoded once.
    struct Shared {
        fileprivate var parts: SharedParts? = SharedParts()
        fileprivate let references: [UInt8]
        // The id but for the record's number.
        fileprivate let id: String
    }

    /// What the records of a batch share.
    func shared(by records: SeenRecords) -> Shared {
        var writer = JSONWriter()
        references(to: records.parent, &writer)
        return Shared(references: writer.take(), id: root + records.parent + "#")
    }

    /// Writes one record of a batch as a line.
    func write(
        _ record: Int, of batch: borrowing RecordBatch, _ records: SeenRecords, _ shared: inout Shared,
        to writer: inout JSONWriter
    ) {
        let reasons = records.reasons[record].map { $0.count > 1 ? $0.ordered : $0 } ?? []
        if hidesPersonalData {
            let object = SeenObject(
                id: "\(records.parent)#\(records.first + record)", parent: records.parent,
                subject: .record(batch.subject(of: record)), reasons: reasons, issues: [])
            return write(object, to: &writer)
        }
        let type = batch.type(of: record)
        var times: [(String, String)] = []
        var isCut = false
        writer.object { writer in
            writer.field("id", shared.id + (records.first + record).description)
            head(&writer)
            writer.key("object")
            writer.object { writer in
                writer.field("type", type.name)
                if let container = type.container {
                    writer.key(container)
                    writer.object { writer in fields(of: record, batch, type, &writer, &times, &isCut) }
                } else {
                    fields(of: record, batch, type, &writer, &times, &isCut)
                }
            }
            writer.key("timestamps")
            writer.object { writer in
                for (pointer, time) in times { writer.field(pointer, time) }
            }
            write(reasons, of: .record(RecordSubject(type: type, offset: 0, fields: [])), &shared.parts, &writer)
            writer.key("references")
            writer.value(encoded: shared.references)
            if isCut {
                let limits = "\(Self.valueLimit) bytes of a value and \(Self.elementLimit) of a record"
                encoder.issues(
                    [Issue(.limit, stage: "audit-trail", message: "more than \(limits): the rest is not listed")],
                    &writer)
            }
        }
        writer.endLine()
    }

    /// Writes a file that was seen and not scanned as a line.
    func writeSkipped(_ path: String, _ reason: String, number: Int, to writer: inout JSONWriter) {
        let path = hidesPersonalData ? PersonalData.hidden(in: path) : path
        let reason = hidesPersonalData ? PersonalData.hidden(in: reason) : reason
        writer.object { writer in
            writer.field("id", "\(root)/skipped-\(number)")
            head(&writer)
            meta(context, &writer)
            writer.key("object")
            writer.object { writer in
                writer.field("type", "file")
                writer.field("path", path)
            }
            writer.key("timestamps")
            writer.object { _ in }
            writer.key("reasons")
            writer.array { _ in }
            writer.key("references")
            references(to: nil, &writer)
            encoder.issues([Issue(.limit, stage: "scan", message: "not scanned: \(reason)")], &writer)
        }
        writer.endLine()
    }

    // MARK: Parts

    private func head(_ writer: inout JSONWriter) {
        writer.field("type", "THOR audit record")
        writer.field("log_version", EventWords.logVersion)
    }

    private func meta(_ context: EventContext, _ writer: inout JSONWriter) {
        writer.key("meta")
        writer.object { writer in
            writer.field("time", context.time.rfc3339(fractionDigits: 9))
            writer.field("scan_id", context.scanID)
            writer.field("hostname", context.hostname)
        }
    }

    private func write(
        _ reasons: [Reason], of subject: Subject, _ parts: inout SharedParts?, _ writer: inout JSONWriter
    ) {
        writer.key("reasons")
        writer.array { writer in
            for reason in reasons { encoder.write(reason, of: subject, &parts, &writer) }
        }
    }

    private func references(to parent: String?, _ writer: inout JSONWriter) {
        writer.array { writer in
            guard let parent else { return }
            for (target, name) in [(parent, "parent"), ("", "topmost ancestor")] {
                writer.object { writer in
                    writer.field("target_id", root + target)
                    writer.field("relation_name", name)
                    writer.field("relation_type", "derives from")
                }
            }
        }
    }

    private func hidden(_ seen: SeenObject) -> SeenObject {
        let finding = PersonalData.hidden(
            in: Finding(
                subject: seen.subject, module: "", reasons: seen.reasons, score: 0, level: .debug, context: [],
                issues: seen.issues))
        return SeenObject(
            id: seen.id, parent: seen.parent, subject: finding.subject, reasons: finding.reasons,
            issues: finding.issues, origin: seen.origin)
    }

    // MARK: Fields of records

    // Straight from the batch: an event log has millions of values, and no text is made for any of them.
    private func fields(
        of record: Int, _ batch: borrowing RecordBatch, _ type: RecordType, _ writer: inout JSONWriter,
        _ times: inout [(String, String)], _ isCut: inout Bool
    ) {
        let published = PublishedTypes.fields(of: type)
        let fields = batch.fields(of: record)
        let start = writer.bytes.count
        var repeated = Set<KeyTable.ID>()
        var seen = Set<KeyTable.ID>(minimumCapacity: min(fields.count, 1024))
        for field in fields where !seen.insert(batch.key(of: field)).inserted { repeated.insert(batch.key(of: field)) }
        for field in fields {
            let key = batch.key(of: field)
            let isRepeated = !repeated.isEmpty && repeated.contains(key)
            // Taken out when it is written: the others of the same name stand in its list.
            if isRepeated, seen.remove(key) == nil { continue }
            guard writer.bytes.count - start < Self.elementLimit else {
                isCut = true
                return
            }
            let name = batch.keys.name(of: key)
            writer.key(PublishedTypes.key(name, of: type))
            let kind = type.container == nil ? published?[name] : .text
            if !isRepeated, kind == .text || kind == nil && !type.lists.contains(name) {
                if Self.isTime(batch.value(of: field)) {
                    times.append((type.pointer(to: name), batch.value(of: field).utf8Text))
                }
                value(field, name, batch, type, &writer, &isCut)
                continue
            }
            if let kind, kind != .texts {
                var values: [String] = []
                var size = 0
                for other in field..<fields.upperBound where batch.key(of: other) == key {
                    let value = batch.value(of: other)
                    size += value.byteCount
                    guard size <= Self.valueLimit else {
                        isCut = true
                        break
                    }
                    values.append(value.utf8Text)
                }
                encoder.write(values, of: name, type, as: kind, &writer)
                continue
            }
            writer.array { writer in
                for other in field..<fields.upperBound where batch.key(of: other) == key {
                    guard writer.bytes.count - start < Self.elementLimit else {
                        isCut = true
                        return
                    }
                    value(other, name, batch, type, &writer, &isCut)
                }
            }
        }
    }

    private func value(
        _ field: Int, _ name: String, _ batch: borrowing RecordBatch, _ type: RecordType,
        _ writer: inout JSONWriter, _ isCut: inout Bool
    ) {
        let value = batch.value(of: field)
        if type.numbers.contains(name), let number = Int(value.utf8Text) { return writer.value(number) }
        if type.booleans.contains(name), let flag = Bool(value.utf8Text) { return writer.value(flag) }
        guard value.byteCount > Self.valueLimit else { return writer.value(utf8: value) }
        isCut = true
        // Not in the middle of a character.
        var end = Self.valueLimit
        while let byte = value.uint8(at: end), byte & 0xC0 == 0x80 { end -= 1 }
        writer.value(utf8: value.prefix(end))
    }

    // `2006-01-02T15:04:05` with a fraction and a Z behind it: how all parsers write times.
    private static func isTime(_ value: RawSpan) -> Bool {
        guard (20...40).contains(value.byteCount), value.uint8(at: 4) == 0x2D, value.uint8(at: 7) == 0x2D,
            value.uint8(at: 10) == 0x54, value.uint8(at: 13) == 0x3A, value.uint8(at: value.byteCount - 1) == 0x5A
        else { return false }
        return [0, 1, 2, 3, 5, 6, 8, 9, 11, 12].allSatisfy { (0x30...0x39).contains(value.uint8(at: $0) ?? 0) }
    }
}
