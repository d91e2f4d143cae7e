import Pipeline

// The lines of an audit event stand together in the log, but events of several processors may be mixed. Emits each
// event as one record `audit log entry` with the map `entry`: time, id, node; then type and fields of each line in
// order, hexadecimal values decoded; at the end command_line with the arguments of EXECVE joined.

/// Gathers lines of an audit log into events.
struct AuditEvents {
    /// Events that are open at the same time; the oldest is closed when there are more.
    static let openLimit = 16
    /// Most lines of one event; what follows becomes a record of its own.
    static let lineLimit = 1024

    static let recordType = RecordType("audit log entry", module: "Auditlog", container: "entry", lists: ["type"])

    private struct Event {
        var key: [UInt8]
        var offset: Int
        var lines: [(start: Int, count: Int)]
    }

    private var open: [Event] = []

    /// Takes a line.
    ///
    /// - Returns: whether it is a line of an audit log.
    mutating func take(
        _ span: RawSpan, _ place: (start: Int, count: Int), _ out: inout Output
    ) throws(StageError) -> Bool {
        guard let line = span.slice(at: place.start, count: place.count), let parts = AuditLine(line),
            let stamp = line.slice(at: parts.stamp.lowerBound, count: parts.stamp.count)
        else { return false }
        var key = stamp.array
        if let node = parts.node { key += line.slice(at: node.lowerBound, count: node.count)?.array ?? [] }
        if let index = open.lastIndex(where: { $0.key == key }) {
            open[index].lines.append(place)
            if open[index].lines.count >= Self.lineLimit { try Self.emit(open.remove(at: index), span, &out) }
            return true
        }
        if open.count == Self.openLimit { try Self.emit(open.removeFirst(), span, &out) }
        open.append(Event(key: key, offset: place.start, lines: [place]))
        return true
    }

    /// Emits what is open, at the end of the log.
    mutating func finish(_ span: RawSpan, _ out: inout Output) throws(StageError) {
        for event in open { try Self.emit(event, span, &out) }
        open = []
    }

    private static func emit(_ event: Event, _ span: RawSpan, _ out: inout Output) throws(StageError) {
        try out.emit(recordType, offset: event.offset) { builder throws(StageError) in
            var arguments: [(number: Int, text: [UInt8])] = []
            for (index, place) in event.lines.enumerated() {
                try builder.checkpoint()
                guard let line = span.slice(at: place.start, count: place.count), let parts = AuditLine(line) else {
                    continue
                }
                if index == 0 { writeHead(line, parts, &builder) }
                write(line, parts, &arguments, &builder)
            }
            if !arguments.isEmpty { writeCommandLine(arguments, &builder) }
        }
    }

    private static func writeHead(_ line: RawSpan, _ parts: AuditLine, _ builder: inout RecordBuilder) {
        guard let stamp = line.slice(at: parts.stamp.lowerBound, count: parts.stamp.count) else { return }
        builder.field("time", AuditLine.time(stamp)?.rfc3339(fractionDigits: 3))
        if let colon = stamp.firstOffset(of: 0x3A) {
            builder.field(builder.keys.id(of: "id"), stamp.suffix(from: colon + 1))
        }
        if let node = parts.node, let name = line.slice(at: node.lowerBound, count: node.count) {
            builder.field(builder.keys.id(of: "node"), name)
        }
    }

    private static func write(
        _ line: RawSpan, _ parts: AuditLine, _ arguments: inout [(number: Int, text: [UInt8])],
        _ builder: inout RecordBuilder
    ) {
        guard let type = line.slice(at: parts.type.lowerBound, count: parts.type.count) else { return }
        // The end of an event says nothing.
        if type.matches(Array("EOE".utf8), at: 0), type.byteCount == 3 { return }
        builder.field(builder.keys.id(of: "type"), type)
        let isExecve = type.matches(Array("EXECVE".utf8), at: 0) && type.byteCount == 6
        AuditLine.eachField(of: line, from: parts.body) { name, value, isQuoted in
            // Names are kept for the whole submission: what no program writes as one is shown as a value.
            guard name.byteCount <= 64 else {
                builder.field(builder.keys.id(of: "field")) { arena in
                    arena.append(lossy: name)
                    arena.append(0x3D)
                    arena.append(lossy: value)
                }
                return
            }
            let text = name.utf8Text
            let key = builder.keys.id(of: text)
            let bytes =
                !isQuoted && AuditValue.mayBeEncoded(text, isExecve: isExecve) ? AuditValue.decoded(value) : nil
            if let bytes { builder.field(key, bytes.rawSpan) } else { builder.field(key, value) }
            if isExecve, AuditValue.isArgument(text), let number = Int(text.dropFirst().prefix { $0 != "[" }) {
                append(bytes ?? value.array, number, &arguments)
            }
        }
    }

    // A long argument comes in parts, `a1[0]=… a1[1]=…`, which belong together without a blank.
    private static func append(
        _ text: [UInt8], _ number: Int, _ arguments: inout [(number: Int, text: [UInt8])]
    ) {
        if let last = arguments.last, last.number == number {
            arguments[arguments.count - 1].text += text
        } else {
            arguments.append((number, text))
        }
    }

    private static func writeCommandLine(
        _ arguments: [(number: Int, text: [UInt8])], _ builder: inout RecordBuilder
    ) {
        let joined = Array(arguments.map(\.text).joined(separator: [0x20]))
        builder.field(builder.keys.id(of: "command_line"), joined.rawSpan)
    }
}
