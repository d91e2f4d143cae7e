import Pipeline

// Values that rules ask for and a record has only inside another one.

/// Appends a value made from another one.
func appendDerived(_ text: RawSpan, _ form: FieldAlias.Form, to arena: inout ByteArena) {
    switch form {
    case .same: arena.append(text)
    case .program: appendProgram(text, separator: 0x5C, ending: Array(".exe".utf8), to: &arena)
    case .unixProgram: appendProgram(text, separator: 0x2F, ending: [], to: &arena)
    }
}

// The first word of a command line, quoted or not. Rules ask for `\name.exe` or `/name` at the end of a path, so a
// bare name gets what the system would put around it.
private func appendProgram(_ text: RawSpan, separator: UInt8, ending: [UInt8], to arena: inout ByteArena) {
    var start = 0
    while let byte = text.uint8(at: start), byte <= 0x20 { start += 1 }
    var stop: UInt8 = 0x20
    if let quote = text.uint8(at: start), quote == 0x22 || quote == 0x27 {
        stop = quote
        start += 1
    }
    let end = text.firstOffset(of: stop, from: start) ?? text.byteCount
    guard let program = text.slice(at: start, count: max(0, end - start)), program.byteCount > 0 else { return }
    let isPath = program.firstOffset(of: 0x5C) != nil || program.firstOffset(of: 0x2F) != nil
    if !isPath { arena.append(separator) }
    arena.append(program)
    let tail = program.suffix(from: program.byteCount - 5)
    if !ending.isEmpty, tail.firstOffset(of: 0x2E) == nil { arena.append(ending.rawSpan) }
}

/// A point in time as it stands in a record: `YYYY-MM-DD`, then `T` or a space, then `hh:mm:ss`.
struct TimeText {
    private let year: Int
    private let month: Int
    private let day: Int
    private let hour: Int
    private let minute: Int
    private let second: Int
    private let micros: Int

    init?(_ text: RawSpan) {
        func digits(_ offset: Int, _ count: Int) -> Int? {
            var value = 0
            for index in offset..<(offset + count) {
                guard let byte = text.uint8(at: index), byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = digits(0, 4), text.uint8(at: 4) == 0x2D, let month = digits(5, 2), text.uint8(at: 7) == 0x2D,
            let day = digits(8, 2), year >= 1601, (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        var clock = (0, 0, 0, 0)
        if let hour = digits(11, 2), let minute = digits(14, 2), let second = digits(17, 2) {
            clock = (hour, minute, second, 0)
            if text.uint8(at: 19) == 0x2E {
                var scale = 100_000
                var position = 20
                while scale > 0, let digit = digits(position, 1) {
                    clock.3 += digit * scale
                    scale /= 10
                    position += 1
                }
            }
        }
        (hour, minute, second, micros) = clock
    }

    /// Days since 1970-01-01, by the civil calendar.
    private var days: Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Microseconds since 1970, taken as UTC.
    var microseconds: Int64 {
        Int64(((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + Int64(micros)
    }

    /// A part of it; the week is that of ISO 8601.
    func value(of part: TimePart) -> Int {
        switch part {
        case .minute: return minute
        case .hour: return hour
        case .day: return day
        case .month: return month
        case .year: return year
        case .week:
            // The week belongs to the year that its Thursday lies in.
            let weekday = ((days + 3) % 7 + 7) % 7
            let thursday = days - weekday + 3
            var start = TimeText(year: year + 1).days
            if thursday < start { start = TimeText(year: year).days }
            if thursday < start { start = TimeText(year: year - 1).days }
            return (thursday - start) / 7 + 1
        }
    }

    private init(year: Int) {
        self.year = year
        (month, day, hour, minute, second, micros) = (1, 1, 0, 0, 0, 0)
    }
}
