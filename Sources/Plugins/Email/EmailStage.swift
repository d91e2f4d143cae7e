import Pipeline

// Each message is a record `email`:
//   from, to, cc, bcc, reply_to, sender, return_path, subject, date, message_id, user_agent, originating_ip
//   received (list)        as it stands in the header, latest first
//   attachments (list)     names
// Calendar files give records `calendar entry`, with summary, organizer, attendee (list), location, description, url,
// uid, start, end, attach (list).

/// Takes messages, mailboxes, winmail.dat files and calendar files apart.
public struct EmailStage: Stage {
    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "email",
        summary: "Takes messages, mailboxes, TNEF and calendar files apart: headers, bodies, attachments.",
        interest: .kinds("EMAIL", "MBOX", "TNEF", "ICS", "Uuencode"), module: "Email",
        references: [
            "https://www.rfc-editor.org/rfc/rfc5322", "https://www.rfc-editor.org/rfc/rfc2045",
            "https://www.rfc-editor.org/rfc/rfc2046", "https://www.rfc-editor.org/rfc/rfc2047",
            "https://www.rfc-editor.org/rfc/rfc2231", "https://www.rfc-editor.org/rfc/rfc4155",
            "https://www.rfc-editor.org/rfc/rfc5545",
            "https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxtnef (MS-OXTNEF)",
        ],
        limitations: [
            "Outlook's .msg files are compound files and not read here.",
            "Character sets of headers other than UTF-8, UTF-16, Latin-1, Windows-1251 and 1252 are read as Latin-1.",
            "Encrypted messages (S/MIME, PGP) are parts like any other.",
            "What stands before the first and behind the last boundary is scanned with the whole file only.",
            "Bodies keep their character set.",
        ])

    /// Type of the records of messages.
    public static let recordType = RecordType("email", module: "Email", lists: ["received", "attachments"])
    /// Type of the records of calendar entries.
    public static let calendarType = RecordType("calendar entry", module: "Email", lists: ["attendee", "attach"])

    private static let shown: [(header: String, field: String)] = [
        ("from", "from"), ("to", "to"), ("cc", "cc"), ("bcc", "bcc"), ("reply-to", "reply_to"), ("sender", "sender"),
        ("return-path", "return_path"), ("subject", "subject"), ("date", "date"), ("message-id", "message_id"),
        ("user-agent", "user_agent"), ("x-mailer", "user_agent"), ("x-originating-ip", "originating_ip"),
        ("received", "received"),
    ]

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Takes one file apart.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        guard out.mayExtract else {
            out.note(.limit, "depth limit reached: the \(sample.kind) file was not taken apart")
            return
        }
        switch sample.kind.name {
        case "EMAIL": try inspectMessage(sample, &out)
        case "MBOX": try inspectMailbox(sample, &out)
        case "TNEF": try inspectTNEF(sample, &out)
        case "ICS": try inspectCalendar(sample, &out)
        default: try extractUuencoded(sample.bytes, prefix: "", method: "UUENCODE", &out)
        }
    }

    // MARK: Messages

    private func inspectMessage(_ sample: Sample, _ out: inout Output) throws(StageError) {
        let message = try MailMessage(
            sample.bytes.span, checkpoint: { () throws(StageError) in try out.checkpoint() })
        for index in message.headers.indices { try emit(message, index, &out) }
        if message.isCut {
            out.note(.limit, "limit of \(MailMessage.partLimit) parts reached: the rest was not taken apart")
        }
        if message.isDeep {
            out.note(
                .limit,
                "parts are nested more than \(MailMessage.depthLimit) levels deep: what is deeper was not divided")
        }
        if message.brokenMultiparts > 0 {
            out.note(.damaged, "\(message.brokenMultiparts) multiparts lack a boundary or do not end")
        }
        for (number, part) in message.parts.enumerated() {
            try out.checkpoint()
            guard try extract(part, number + 1, message.headers[part.message].prefix, sample, &out) else { return }
        }
    }

    private func emit(_ message: MailMessage, _ index: Int, _ out: inout Output) throws(StageError) {
        let header = message.headers[index]
        try out.emit(Self.recordType, offset: header.offset) { builder throws(StageError) in
            for (name, field) in Self.shown {
                for line in header.block.fields where line.name == name {
                    try builder.checkpoint()
                    builder.field(field, line.text)
                    if field != "received" { break }
                }
            }
            for part in message.parts where part.message == index {
                try builder.checkpoint()
                builder.field("attachments", part.name)
            }
        }
    }

    // False when a limit was reached.
    private func extract(
        _ part: MailMessage.Part, _ number: Int, _ prefix: String, _ sample: Sample, _ out: inout Output
    ) throws(StageError) -> Bool {
        guard let encoded = sample.bytes.slice(at: part.start, count: part.count) else { return true }
        let name = prefix + (part.name ?? "part-\(number)" + Self.fileExtension(part.type))
        guard out.childrenLeft > 0 else {
            out.note(.limit, "limit of members reached: \(name) and all behind it were not looked at")
            return false
        }
        // Decoding never makes a part longer.
        guard part.count <= out.allowance else {
            out.note(.limit, "expansion limit reached: \(name) and all behind it were not looked at")
            return false
        }
        let content = part.encoding == .none ? encoded : Bytes(part.encoding.decode(encoded.span))
        if content.isEmpty, part.name == nil { return true }
        try out.extract(Child(name: name, bytes: content, method: "EMAIL"))
        if part.type.hasPrefix("text/"), part.encoding != .uuencode {
            try extractUuencoded(content, prefix: prefix, method: "EMAIL", &out)
        }
        return true
    }

    private static func fileExtension(_ type: String) -> String {
        switch type {
        case "text/plain": ".txt"
        case "text/html": ".html"
        case "text/calendar": ".ics"
        case "text/rtf", "application/rtf": ".rtf"
        case "message/rfc822": ".eml"
        case "application/pdf": ".pdf"
        case "application/ms-tnef": ".tnef"
        case "image/jpeg": ".jpg"
        case "image/png": ".png"
        case "image/gif": ".gif"
        default: ""
        }
    }

    // Files that old programs put into the text.
    private func extractUuencoded(
        _ bytes: Bytes, prefix: String, method: String, _ out: inout Output
    ) throws(StageError) {
        var from = 0
        while from < bytes.count, let file = UuencodedFile.first(in: bytes.span, from: from) {
            try out.checkpoint()
            from = file.end
            guard out.childrenLeft > 0, file.content.count <= out.allowance else {
                out.note(.limit, "limit reached: \(file.name) and all behind it were not looked at")
                return
            }
            try out.extract(Child(name: prefix + file.name, bytes: Bytes(file.content), method: method))
        }
    }

    // MARK: Others

    private func inspectMailbox(_ sample: Sample, _ out: inout Output) throws(StageError) {
        let found = try mailboxMessages(
            sample.bytes.span, limit: MailMessage.partLimit,
            checkpoint: { () throws(StageError) in try out.checkpoint() })
        for (index, range) in found.ranges.enumerated() {
            guard let message = sample.bytes.slice(at: range.lowerBound, count: range.count) else { continue }
            guard out.childrenLeft > 0, range.count <= out.allowance else {
                out.note(.limit, "limit reached: message \(index + 1) and all behind it were not looked at")
                return
            }
            // Without the line `From sender time`, which makes it a mailbox.
            let first = message.span.matches(Array("From ".utf8), at: 0) ? message.span.firstOffset(of: 0x0A) : nil
            try out.extract(
                Child(
                    name: "message-\(index + 1).eml", bytes: message.suffix(from: first.map { $0 + 1 } ?? 0),
                    method: "EMAIL"))
        }
        if found.isCut {
            out.note(.limit, "limit of \(MailMessage.partLimit) messages reached: the rest was not looked at")
        }
    }

    private func inspectTNEF(_ sample: Sample, _ out: inout Output) throws(StageError) {
        let file: TNEFFile
        do throws(ParseError) {
            file = try TNEFFile(sample.bytes.span)
        } catch {
            throw StageError(error)
        }
        if let problem = file.problem { out.note(.damaged, problem.message, offset: problem.offset) }
        try out.emit(Self.recordType, offset: 0) { builder in
            builder.field("subject", file.subject)
            builder.field("message_class", file.messageClass)
            for attachment in file.attachments { builder.field("attachments", attachment.name) }
        }
        if let body = file.body, let text = sample.bytes.slice(at: body.lowerBound, count: body.count), !text.isEmpty,
            out.childrenLeft > 0, text.count <= out.allowance
        {
            try out.extract(Child(name: "body.txt", bytes: text, method: "EMAIL"))
        }
        for (index, attachment) in file.attachments.enumerated() {
            guard let content = sample.bytes.slice(at: attachment.start, count: attachment.count) else { continue }
            let name = attachment.name ?? "attachment-\(index + 1)"
            guard out.childrenLeft > 0, content.count <= out.allowance else {
                out.note(.limit, "limit reached: \(name) and all behind it were not looked at")
                return
            }
            try out.extract(
                Child(
                    name: name, bytes: content, method: "EMAIL", times: FileTimes(modified: attachment.modified)))
        }
    }

    private func inspectCalendar(_ sample: Sample, _ out: inout Output) throws(StageError) {
        let file = try CalendarFile(
            sample.bytes.span, checkpoint: { () throws(StageError) in try out.checkpoint() })
        if file.isCut { out.note(.limit, "limit of \(CalendarFile.limit) entries reached: the rest was not read") }
        for component in file.components {
            try out.emit(Self.calendarType, offset: component.offset) { builder in
                for field in component.fields { builder.field(field.name, field.value) }
            }
        }
        for (index, attachment) in file.attachments.enumerated() {
            let name = attachment.name ?? "attachment-\(index + 1)"
            guard out.childrenLeft > 0, attachment.content.count <= out.allowance else {
                out.note(.limit, "limit reached: \(name) and all behind it were not looked at")
                return
            }
            try out.extract(Child(name: name, bytes: Bytes(attachment.content), method: "ICS"))
        }
    }
}
