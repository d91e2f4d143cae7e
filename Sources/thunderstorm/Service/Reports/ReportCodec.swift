import Pipeline

// A report as bytes, and back: from the engine process to the service, and into the store of results. Decoding is
// total: whatever the bytes say, the outcome is a report or an error, in bounded memory, and every number in it is
// within the range that scans keep to.

/// Encodes and decodes reports.
public enum ReportCodec {
    /// First byte of every encoded report; raised with each change of the format.
    public static let version: UInt8 = 3
    /// Longest encoded report, in bytes.
    public static let sizeLimit = 64 << 20

    /// The report as bytes, at most `limit`.
    ///
    /// Findings beyond the limit are left out from the end, and an issue of the first finding says so; when not even
    /// that one fits, the report is a failed one.
    public static func encode(_ report: Report, limit: Int = sizeLimit) -> [UInt8] {
        var kept = report
        while true {
            var writer = BinaryWriter()
            writer.byte(version)
            let whole = writer.write(kept, limit: limit)
            if whole == kept.findings.count { return writer.bytes }
            // Room for the issue itself, whose text the first finding gets.
            kept.findings = Array(report.findings.prefix(min(whole, kept.findings.count - 1)))
            guard !kept.findings.isEmpty else {
                kept.failure = kept.failure ?? "a finding is longer than \(limit) bytes, no finding is listed"
                continue
            }
            kept.findings[0].issues.append(
                Issue(
                    .limit, stage: "engine",
                    message: "the report is longer than \(limit) bytes: the last "
                        + "\(report.findings.count - kept.findings.count) findings are not listed"))
        }
    }

    /// The report that was encoded.
    ///
    /// - Returns: nil when the bytes are not an encoded report of this version.
    public static func decode(_ bytes: Bytes) -> Report? {
        guard bytes.count <= sizeLimit else { return nil }
        var reader = BinaryReader(bytes)
        guard let found = try? reader.byte("version"), found == version, let report = try? reader.report(),
            reader.remaining == 0
        else { return nil }
        return report
    }
}

extension BinaryWriter {
    // Writes findings as long as they fit, and says how many; what follows the findings is small and always written.
    fileprivate mutating func write(_ report: Report, limit: Int) -> Int {
        optional(report.failure) { $0.text($1) }
        integer(report.samples)
        integer(report.records)
        integer(report.bytes)
        list(report.stages) { $0.write($1) }
        unsigned(UInt64(report.findings.count))
        var repeats = WrittenRepeats()
        for (index, finding) in report.findings.enumerated() {
            write(finding, &repeats)
            if bytes.count > limit { return index }
        }
        return report.findings.count
    }

    private mutating func write(_ stage: StageStatistics) {
        text(stage.name)
        integer(stage.runs)
        unsigned(stage.nanoseconds)
        integer(stage.errors)
        integer(stage.children)
        integer(stage.records)
        integer(stage.reasons)
    }

    private mutating func write(_ finding: Finding, _ repeats: inout WrittenRepeats) {
        switch finding.subject {
        case .file(let file):
            byte(0)
            write(file)
        case .record(let record):
            byte(1)
            write(record, &repeats)
        case .chunk(let chunk):
            byte(2)
            write(chunk.file)
            integer(chunk.range.lowerBound)
            integer(chunk.range.count)
        }
        text(finding.module)
        list(finding.reasons) { $0.write($1, &repeats) }
        integer(finding.score)
        integer(finding.level.rawValue)
        if let known = repeats.context, known.value.isSame(as: finding.context) {
            again(known.bytes)
        } else {
            repeats.context = positions { $0.write(finding.context) }.map { (finding.context, $0) }
        }
        list(finding.issues) { writer, issue in
            writer.text(issue.code.description)
            writer.text(issue.stage)
            writer.text(issue.message)
            writer.optional(issue.offset) { $0.integer($1) }
        }
        optional(finding.origin) { writer, origin in
            writer.text(origin.collector.rawValue)
            writer.optional(origin.host) { $0.text($1) }
        }
    }

    private mutating func write(_ context: [ContextObject]) {
        list(context) { writer, object in
            writer.write(object.file)
            writer.list(object.relations) { $0.text($1.rawValue) }
        }
    }

    private mutating func write(_ file: FileSubject) {
        text(file.path)
        text(file.fileExtension)
        text(file.kind.name)
        integer(file.size)
        text(file.md5)
        text(file.sha1)
        text(file.sha256)
        data(file.firstBytes)
        list(file.unpackSource) { $0.text($1) }
        for time in [file.times.modified, file.times.accessed, file.times.changed, file.times.created] {
            optional(time) { $0.write($1) }
        }
    }

    mutating func write(_ time: Timestamp) {
        signed(time.seconds)
        unsigned(UInt64(time.nanoseconds))
    }

    private mutating func write(_ record: RecordSubject, _ repeats: inout WrittenRepeats) {
        if let known = repeats.type, Self.isSame(known.value, record.type) {
            again(known.bytes)
        } else {
            repeats.type = positions { $0.write(record.type) }.map { (record.type, $0) }
        }
        integer(record.offset)
        list(record.fields) { writer, field in
            writer.text(field.key)
            let isUnsearched = Self.unsearched.contains(field.value.utf8.count)
            if isUnsearched { writer.newText(field.value) } else { writer.text(field.value) }
        }
    }

    // Types are equal if their names are; here all that is written must be.
    private static func isSame(_ left: RecordType, _ right: RecordType) -> Bool {
        left == right && left.module == right.module && left.container == right.container
            && left.numbers == right.numbers && left.booleans == right.booleans && left.lists == right.lists
    }

    private mutating func write(_ type: RecordType) {
        text(type.name)
        text(type.module)
        optional(type.container) { $0.text($1) }
        for keys in [type.numbers, type.booleans, type.lists] { list(keys.sorted()) { $0.text($1) } }
    }

    private mutating func write(_ signature: Signature) {
        text(signature.kind.name)
        integer(signature.score)
        text(signature.ruleName)
        text(signature.description)
        text(signature.author)
        list(signature.references) { $0.text($1) }
        text(signature.date)
        list(signature.tags) { $0.text($1) }
        text(signature.id)
        list(signature.falsePositives) { $0.text($1) }
        text(signature.origin.rawValue)
    }

    private mutating func write(_ reason: Reason, _ repeats: inout WrittenRepeats) {
        text(reason.summary)
        if let known = repeats.signature, known.value == reason.signature {
            again(known.bytes)
        } else {
            repeats.signature = positions { $0.write(reason.signature) }.map { (reason.signature, $0) }
        }
        list(reason.matched) { writer, match in
            writer.data(match.data)
            writer.text(match.name)
            writer.data(match.context)
            writer.optional(match.offset) { $0.integer($1) }
            writer.optional(match.place) { writer, place in
                writer.unsigned(place.address)
                writer.flag(place.isPhysical)
                writer.text(place.module)
            }
            writer.optional(match.field) { $0.text($1) }
        }
    }
}

extension BinaryReader {
    // Positions in a sample, or what a parser says of a record; encoders add lengths to them.
    private static let positions = -(1 << 56)...(1 << 56)

    fileprivate mutating func report() throws(CodecError) -> Report {
        var report = Report()
        report.failure = try optional("failure") { reader throws(CodecError) in try reader.text("failure") }
        report.samples = try count("samples")
        report.records = try count("records")
        report.bytes = try count("bytes")
        report.stages = try list("stages") { reader throws(CodecError) in try reader.stage() }
        report.findings = try list("findings") { reader throws(CodecError) in try reader.finding() }
        return report
    }

    private mutating func stage() throws(CodecError) -> StageStatistics {
        var stage = StageStatistics(name: try text("stage"))
        stage.runs = try count("runs")
        stage.nanoseconds = try unsigned("nanoseconds")
        stage.errors = try count("errors")
        stage.children = try count("children")
        stage.records = try count("records")
        stage.reasons = try count("reasons")
        return stage
    }

    private mutating func finding() throws(CodecError) -> Finding {
        let subject: Subject
        switch try byte("subject") {
        case 0: subject = .file(try file())
        case 1: subject = .record(try record())
        case 2: subject = .chunk(try chunk())
        default: throw invalid("subject")
        }
        let module = try text("module")
        let reasons = try list("reasons") { reader throws(CodecError) in try reader.reason() }
        let score = try integer("score", in: 0...100)
        guard let level = Level(rawValue: try integer("level", in: 0...255)) else { throw invalid("level") }
        let context = try context()
        let issues = try list("issues") { reader throws(CodecError) in try reader.issue() }
        let origin = try optional("origin") { reader throws(CodecError) in try reader.origin() }
        return Finding(
            subject: subject, module: module, reasons: reasons, score: score, level: level, context: context,
            issues: issues, origin: origin)
    }

    private mutating func origin() throws(CodecError) -> TriageOrigin {
        guard let collector = TriageCollector(rawValue: try text("collector")) else { throw invalid("collector") }
        return TriageOrigin(
            collector: collector,
            host: try optional("host") { reader throws(CodecError) in try reader.text("host") })
    }

    private mutating func chunk() throws(CodecError) -> ChunkSubject {
        let file = try file()
        let start = try count("chunk offset")
        return ChunkSubject(file: file, range: start..<(start + (try count("chunk size"))))
    }

    private mutating func context() throws(CodecError) -> [ContextObject] {
        if let known = repeats.context, skip(sameAs: known.at) { return known.value }
        let (start, count) = (offset, texts.count)
        let context = try list("context") { reader throws(CodecError) in try reader.contextObject() }
        if texts.count == count { repeats.context = (start..<offset, context) }
        return context
    }

    private mutating func contextObject() throws(CodecError) -> ContextObject {
        let file = try file()
        let relations = try list("relations") { reader throws(CodecError) in
            guard let relation = ContextObject.Relation(rawValue: try reader.text("relation")) else {
                throw reader.invalid("relation")
            }
            return relation
        }
        return ContextObject(file: file, relations: relations)
    }

    private mutating func issue() throws(CodecError) -> Issue {
        let code = Issue.Code(try text("issue code"))
        let stage = try text("issue stage")
        let message = try text("issue message")
        let offset = try optional("issue offset") { reader throws(CodecError) in
            try reader.integer("issue offset", in: Self.positions)
        }
        return Issue(code, stage: stage, message: message, offset: offset)
    }

    private mutating func file() throws(CodecError) -> FileSubject {
        let path = try text("path")
        let fileExtension = try text("extension")
        let kind = FileKind(try text("kind"))
        let size = try count("size")
        let (md5, sha1, sha256) = (try text("md5"), try text("sha1"), try text("sha256"))
        let firstBytes = try data("first bytes")
        guard firstBytes.count <= 20 else { throw invalid("first bytes") }
        let unpackSource = try texts("unpack source")
        var times = FileTimes()
        times.modified = try optional("modified") { reader throws(CodecError) in try reader.time() }
        times.accessed = try optional("accessed") { reader throws(CodecError) in try reader.time() }
        times.changed = try optional("changed") { reader throws(CodecError) in try reader.time() }
        times.created = try optional("created") { reader throws(CodecError) in try reader.time() }
        return FileSubject(
            path: path, fileExtension: fileExtension, kind: kind, size: size, md5: md5, sha1: sha1, sha256: sha256,
            firstBytes: firstBytes, unpackSource: unpackSource, times: times)
    }

    mutating func time() throws(CodecError) -> Timestamp {
        let seconds = try signed("seconds")
        let nanoseconds = try unsigned("nanoseconds")
        guard nanoseconds < 1_000_000_000 else { throw invalid("nanoseconds") }
        return Timestamp(seconds: seconds, nanoseconds: UInt32(nanoseconds))
    }

    private mutating func type() throws(CodecError) -> RecordType {
        if let known = repeats.type, skip(sameAs: known.at) { return known.value }
        let (start, count) = (offset, texts.count)
        let name = try text("record type")
        let module = try text("record module")
        let container = try optional("container") { reader throws(CodecError) in try reader.text("container") }
        let (numbers, booleans, lists) = (try texts("numbers"), try texts("booleans"), try texts("lists"))
        let type = RecordType(
            name, module: module, container: container, numbers: Set(numbers), booleans: Set(booleans),
            lists: Set(lists))
        if texts.count == count { repeats.type = (start..<offset, type) }
        return type
    }

    private mutating func record() throws(CodecError) -> RecordSubject {
        let type = try type()
        let offset = try integer("record offset", in: Self.positions)
        let fields = try list("fields") { reader throws(CodecError) in
            RecordSubject.Field(key: try reader.text("key"), value: try reader.text("value"))
        }
        return RecordSubject(type: type, offset: offset, fields: fields)
    }

    mutating func texts(_ what: StaticString) throws(CodecError) -> [String] {
        try list(what) { reader throws(CodecError) in try reader.text(what) }
    }

    private mutating func signature() throws(CodecError) -> Signature {
        if let known = repeats.signature, skip(sameAs: known.at) { return known.value }
        let (start, count) = (offset, texts.count)
        var signature = Signature(
            kind: Signature.Kind(try text("signature kind")), score: try integer("subscore", in: -100...100))
        signature.ruleName = try text("rule name")
        signature.description = try text("description")
        signature.author = try text("author")
        signature.references = try texts("references")
        signature.date = try text("date")
        signature.tags = try texts("tags")
        signature.id = try text("id")
        signature.falsePositives = try texts("false positives")
        guard let origin = Signature.Origin(rawValue: try text("origin")) else { throw invalid("origin") }
        signature.origin = origin
        if texts.count == count { repeats.signature = (start..<offset, signature) }
        return signature
    }

    private mutating func reason() throws(CodecError) -> Reason {
        let summary = try text("summary")
        let signature = try signature()
        let matched = try list("matches") { reader throws(CodecError) in try reader.match() }
        return Reason(summary: summary, signature: signature, matched: matched)
    }

    private mutating func match() throws(CodecError) -> MatchedText {
        let data = try data("match")
        let name = try text("match name")
        let context = try self.data("match context")
        let offset = try optional("match offset") { reader throws(CodecError) in
            try reader.integer("match offset", in: Self.positions)
        }
        let place = try optional("match place") { reader throws(CodecError) in
            MemoryPlace(
                address: try reader.unsigned("address"), isPhysical: try reader.flag("physical"),
                module: try reader.text("module"))
        }
        let field = try optional("match field") { reader throws(CodecError) in try reader.text("match field") }
        var match = MatchedText(data: data, name: name, context: context, offset: offset, field: field)
        match.place = place
        return match
    }
}
