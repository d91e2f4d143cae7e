import Pipeline

// Jobs of the task scheduler before Vista, and of `at`: `.job` files after MS-TSCH 2.4. A fixed part of 68 bytes, then
// texts in UTF-16 with their lengths, two blocks of data, and triggers of 48 bytes.

/// A `.job` file.
struct AtJob: Equatable {
    var uuid: String?
    var priority: UInt32
    var exitCode: UInt32
    var status: UInt32
    /// SYSTEMTIME in local time, as `YYYY-MM-DD hh:mm:ss`; nil if it has never run.
    var lastRun: String?
    var application = ""
    var parameters = ""
    var workingDirectory = ""
    var author = ""
    var comment = ""
    /// What starts it, in words.
    var triggers: [String] = []
    /// Where the variable part breaks; nil when all was read.
    var problem: ParseError?

    /// Reads a job.
    ///
    /// - Throws: `ParseError` when the fixed part is not all there.
    init(_ span: RawSpan) throws(ParseError) {
        guard span.byteCount >= 0x46 else {
            throw ParseError(.truncated, "fixed part of a job: need 70 bytes, have \(span.byteCount)", at: 0)
        }
        uuid = GUID(span, at: 4)?.description
        priority = span.uint32(at: 32) ?? 0
        exitCode = span.uint32(at: 40) ?? 0
        status = span.uint32(at: 44) ?? 0
        lastRun = Self.time(span, at: 52)
        do throws(ParseError) {
            var reader = ByteReader(span, at: Int(span.uint16(at: 20) ?? 0x46))
            application = try Self.text(&reader)
            parameters = try Self.text(&reader)
            workingDirectory = try Self.text(&reader)
            author = try Self.text(&reader)
            comment = try Self.text(&reader)
            try readTriggers(span)
        } catch {
            problem = error
        }
    }

    /// Program and parameters.
    var command: String { parameters.isEmpty ? application : application + " " + parameters }

    /// Name of the status; its number when it has none.
    var statusName: String {
        switch status {
        case 0x41300: "ready"
        case 0x41301: "running"
        case 0x41302: "disabled"
        case 0x41303: "has not run"
        case 0x41304: "no more runs"
        case 0x41305: "not scheduled"
        case 0x41306: "terminated"
        case 0x41307: "no valid triggers"
        default: "0x" + String(status, radix: 16)
        }
    }

    private static func text(_ reader: inout ByteReader) throws(ParseError) -> String {
        let count = Int(try reader.uint16("length of a text"))
        return String(utf16NullTerminated: try reader.bytes(count * 2, "text of a job"))
    }

    private mutating func readTriggers(_ span: RawSpan) throws(ParseError) {
        var reader = ByteReader(span, at: Int(span.uint16(at: 22) ?? 0))
        let count = Int(try reader.uint16("number of triggers"))
        for _ in 0..<count {
            let trigger = try reader.bytes(48, "trigger")
            triggers.append(Self.trigger(trigger))
        }
    }

    private static let kinds = [
        "once", "daily", "weekly", "monthly by date", "monthly by weekday", "when idle", "at system start", "at logon",
    ]

    private static func trigger(_ span: RawSpan) -> String {
        func number(_ offset: Int) -> Int { Int(span.uint16(at: offset) ?? 0) }
        let kind = Int(span.uint32(at: 32) ?? 0)
        var text = kind < kinds.count ? kinds[kind] : "kind \(kind)"
        if number(4) != 0 {
            text += " from \(date(number(4), number(6), number(8))) \(padded(number(16))):\(padded(number(18)))"
        }
        if number(10) != 0 { text += " until \(date(number(10), number(12), number(14)))" }
        if let interval = span.uint32(at: 24), interval > 0 { text += " every \(interval) minutes" }
        return text
    }

    private static func time(_ span: RawSpan, at offset: Int) -> String? {
        func number(_ index: Int) -> Int { Int(span.uint16(at: offset &+ index &* 2) ?? 0) }
        guard number(0) != 0 else { return nil }
        return "\(date(number(0), number(1), number(3))) \(padded(number(4))):\(padded(number(5))):\(padded(number(6)))"
    }

    private static func date(_ year: Int, _ month: Int, _ day: Int) -> String {
        "\(year)-\(padded(month))-\(padded(day))"
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
