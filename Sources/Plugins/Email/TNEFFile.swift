import Pipeline

// Transport Neutral Encapsulation Format, `winmail.dat` (MS-OXTNEF, section 2.1): attributes one after another; those
// of level 2 belong to the attachment that attAttachRenddata began last. The properties of attAttachment hold the long
// name, and messages inside (MS-OXCMAIL).

/// Attachments of a TNEF file.
public struct TNEFFile: Sendable {
    /// Most attachments that are listed.
    public static let attachmentLimit = 10_000

    /// One attachment.
    public struct Attachment: Sendable, Equatable {
        /// Name; nil if the file gives none.
        public internal(set) var name: String?
        /// Where the content begins.
        public internal(set) var start = 0
        /// Bytes of content.
        public internal(set) var count = 0
        /// When it was modified.
        public internal(set) var modified: Timestamp?
    }

    /// Attachments in order.
    public private(set) var attachments: [Attachment] = []
    /// Subject of the message.
    public private(set) var subject: String?
    /// Class of the message, as in `IPM.Note`.
    public private(set) var messageClass: String?
    /// Body text as it lies in the file: start and length.
    public private(set) var body: Range<Int>?
    /// What ended the reading early.
    public private(set) var problem: ParseError?

    /// Reads a file.
    ///
    /// - Throws: `ParseError` when it is none.
    public init(_ span: RawSpan) throws(ParseError) {
        var reader = ByteReader(span)
        guard try reader.uint32("TNEF signature") == 0x223E_9F78 else {
            throw ParseError(.badMagic, "no TNEF signature", at: 0)
        }
        try reader.skip(2, "TNEF key")
        while reader.remaining >= 11 {
            do {
                try readAttribute(&reader, span)
            } catch {
                problem = error
                return
            }
        }
    }

    private mutating func readAttribute(_ reader: inout ByteReader, _ span: RawSpan) throws(ParseError) {
        let level = try reader.uint8("attribute level")
        guard level == 1 || level == 2 else {
            throw ParseError(.invalid, "attribute of level \(level)", at: reader.position - 1)
        }
        let id = try reader.uint32("attribute id")
        let count = Int(try reader.uint32("attribute length"))
        let start = reader.offset
        let data = try reader.bytes(count, "attribute data")
        switch id & 0xFFFF {
        case 0x8004: subject = Self.text(data)
        case 0x8008: messageClass = Self.text(data)
        case 0x800C: body = start..<(start + count)
        case 0x9002:
            guard attachments.count < Self.attachmentLimit else {
                throw ParseError(.limit, "more than \(Self.attachmentLimit) attachments", at: start)
            }
            attachments.append(Attachment())
        case 0x8010: change { if $0.name == nil { $0.name = Self.text(data) } }
        case 0x800F:
            change {
                $0.start = start
                $0.count = count
            }
        case 0x8013: change { $0.modified = Self.date(data) }
        case 0x9005: readProperties(data, base: start)
        default: break
        }
        // The checksum is not worth losing an attachment for.
        try reader.skip(min(2, reader.remaining), "attribute checksum")
    }

    private mutating func change(_ body: (inout Attachment) -> Void) {
        if attachments.isEmpty { attachments.append(Attachment()) }
        body(&attachments[attachments.count - 1])
    }

    // Properties: type, id, for named ones a name, then the value, padded to four bytes.
    private mutating func readProperties(_ data: RawSpan, base: Int) {
        var reader = ByteReader(data)
        do throws(ParseError) {
            let count = try reader.uint32("property count")
            for _ in 0..<min(count, 1000) {
                let type = try reader.uint16("property type")
                let id = try reader.uint16("property id")
                if id >= 0x8000 {
                    try reader.skip(16, "property set")
                    if try reader.uint32("kind of name") == 0 {
                        try reader.skip(4, "named property id")
                    } else {
                        let length = Int(try reader.uint32("length of name"))
                        try reader.skip((length + 3) & ~3, "property name")
                    }
                }
                let isMany = type & 0x1000 != 0
                let isVariable = [0x1E, 0x1F, 0x0D, 0x102].contains(type & 0xFFF)
                let values = isMany || isVariable ? try reader.uint32("number of values") : 1
                for _ in 0..<min(values, 1000) {
                    guard isVariable else {
                        try reader.skip(Self.size(type & 0xFFF), "property value")
                        continue
                    }
                    let length = Int(try reader.uint32("length of value"))
                    let start = reader.offset
                    let value = try reader.bytes(length, "property value")
                    try reader.skip(min((4 - length & 3) & 3, reader.remaining), "padding")
                    take(id, type & 0xFFF, value, at: base + start)
                }
            }
        } catch {
            problem = problem ?? error
        }
    }

    private mutating func take(_ id: UInt16, _ type: UInt16, _ value: RawSpan, at start: Int) {
        switch id {
        case 0x3707:
            let name = type == 0x1F ? String(utf16NullTerminated: value) : Self.text(value)
            if !name.isEmpty { change { $0.name = name } }
        case 0x3701 where value.byteCount > 16:
            // An object begins with its interface's id; a message inside is TNEF again.
            let skipped = type == 0x0D ? 16 : 0
            change {
                if $0.count > 0 { return }
                $0.start = start + skipped
                $0.count = value.byteCount - skipped
            }
        default: break
        }
    }

    private static func size(_ type: UInt16) -> Int {
        switch type {
        case 5, 6, 7, 0x14, 0x40: 8
        case 0x48: 16
        default: 4
        }
    }

    private static func text(_ data: RawSpan) -> String {
        let end = data.firstOffset(of: 0) ?? data.byteCount
        return String(lossy: data.prefix(end))
    }

    private static func date(_ data: RawSpan) -> Timestamp? {
        guard let year = data.uint16(at: 0), let month = data.uint16(at: 2), let day = data.uint16(at: 4),
            let hour = data.uint16(at: 6), let minute = data.uint16(at: 8), let second = data.uint16(at: 10)
        else { return nil }
        return Timestamp(
            year: Int(year), month: Int(month), day: Int(day), hour: Int(hour), minute: Int(minute),
            second: Int(second))
    }
}
