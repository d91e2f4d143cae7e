import Pipeline

// iCalendar files (RFC 5545): content lines are folded, properties have parameters; an attachment is a URI or base64.

/// What an iCalendar file says about its events, and the files in it.
public struct CalendarFile: Sendable {
    /// Most attachments, and most values, that are listed.
    public static let limit = 10_000

    /// A file inside.
    public struct Attachment: Sendable, Equatable {
        /// Name that the sender's program gave; nil if none.
        public let name: String?
        /// Decoded content.
        public let content: [UInt8]
    }

    /// One event or task: its properties in order, names in lower case.
    public struct Component: Sendable, Equatable {
        /// Position of its `BEGIN` line.
        public let offset: Int
        /// Properties that are shown.
        public internal(set) var fields: [(name: String, value: String)] = []

        /// Components are equal if their fields are.
        public static func == (left: Component, right: Component) -> Bool {
            left.offset == right.offset
                && left.fields.elementsEqual(right.fields) { $0.name == $1.name && $0.value == $1.value }
        }
    }

    private static let shown: [String: String] = [
        "summary": "summary", "organizer": "organizer", "attendee": "attendee", "location": "location",
        "description": "description", "url": "url", "uid": "uid", "dtstart": "start", "dtend": "end",
        "conference": "url", "method": "method",
    ]

    /// Events and tasks.
    public private(set) var components: [Component] = []
    /// Files inside.
    public private(set) var attachments: [Attachment] = []
    /// Whether something was left out.
    public private(set) var isCut = false

    /// Reads a file, with a checkpoint for each line.
    ///
    /// - Throws: what `checkpoint` throws.
    public init<E: Error>(_ span: RawSpan, checkpoint: () throws(E) -> Void) throws(E) {
        var offset = 0
        while offset < span.byteCount {
            try checkpoint()
            let start = offset
            var line: [UInt8] = []
            repeat {
                let end = span.firstOffset(of: 0x0A, from: offset).map { $0 + 1 } ?? span.byteCount
                let part = trimmedLine(span, line.isEmpty ? offset : offset + 1, max(end, offset + 1))
                line += span.slice(at: part.lowerBound, count: part.count)?.array ?? []
                offset = end
            } while offset < span.byteCount && [0x20, 0x09].contains(span.uint8(at: offset)) && !line.isEmpty
            take(line, at: start)
        }
    }

    private mutating func take(_ line: [UInt8], at offset: Int) {
        var isQuoted = false
        let colon = line.firstIndex { byte in
            if byte == 0x22 { isQuoted.toggle() }
            return byte == 0x3A && !isQuoted
        }
        guard let colon else { return }
        let property = ParameterizedValue(Array(line[..<colon]))
        let value = line[(colon + 1)...]
        switch property.value {
        case "begin":
            let kind = String(decoding: trimmed(value), as: UTF8.self).lowercased()
            guard ["vevent", "vtodo", "vjournal"].contains(kind) else { return }
            if components.count < Self.limit { components.append(Component(offset: offset)) } else { isCut = true }
        case "attach":
            if property.raw("encoding").map({ String(decoding: $0, as: UTF8.self).lowercased() }) == "base64" {
                guard attachments.count < Self.limit else {
                    isCut = true
                    return
                }
                let name = property.text("filename") ?? property.text("x-filename") ?? property.text("x-apple-filename")
                attachments.append(Attachment(name: name, content: decodedBase64(Array(value).rawSpan)))
            } else {
                add("attach", value)
            }
        default: if let name = Self.shown[property.value] { add(name, value) }
        }
    }

    private mutating func add(_ name: String, _ value: ArraySlice<UInt8>) {
        guard !components.isEmpty else { return }
        guard components[components.count - 1].fields.count < Self.limit else {
            isCut = true
            return
        }
        components[components.count - 1].fields.append((name, Self.unescaped(value)))
    }

    // `\n`, `\,`, `\;` (section 3.3.11).
    private static func unescaped(_ value: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        var isEscaped = false
        for byte in value {
            if isEscaped {
                text.append(byte == 0x6E || byte == 0x4E ? 0x20 : byte)
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else {
                text.append(byte)
            }
        }
        return String(lossy: text.rawSpan)
    }
}
