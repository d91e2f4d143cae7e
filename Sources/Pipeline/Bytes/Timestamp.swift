// Points in time without Foundation: artefacts carry millions of them. Civil dates after Howard Hinnant's
// "chrono-Compatible Low-Level Date Algorithms" (days since 1970-01-01, proleptic Gregorian).

/// A point in time with 100 ns precision, UTC.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Whole seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int64
    /// Nanoseconds after `seconds`, 0..<1,000,000,000.
    public let nanoseconds: UInt32

    /// A time from Unix seconds and nanoseconds.
    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = min(nanoseconds, 999_999_999)
    }

    /// A time from a Windows FILETIME: 100 ns steps since 1601-01-01.
    public init(filetime: UInt64) {
        seconds = Int64(filetime / 10_000_000) - 11_644_473_600
        nanoseconds = UInt32(filetime % 10_000_000) * 100
    }

    /// A time from civil UTC parts; nil when a part is out of its range.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        self.init(seconds: Int64(days * 86_400 + hour * 3_600 + minute * 60 + second))
    }

    /// The earlier of two times is less.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// Civil UTC parts of this time; years outside 0...9999 are clamped to their ends.
    public var civil: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, weekday: Int) {
        let bounded = min(max(seconds, -62_167_219_200), 253_402_300_799)
        let days = Int(bounded >= 0 ? bounded / 86_400 : (bounded - 86_399) / 86_400)
        let rest = Int(bounded) - days * 86_400
        let shifted = days + 719_468
        let era = shifted >= 0 ? shifted / 146_097 : (shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let weekday = ((days % 7) + 11) % 7
        return (year, month, day, rest / 3_600, rest / 60 % 60, rest % 60, weekday)
    }

    /// Appends `2026-01-02T03:04:05.123456Z` with as many fraction digits as asked (0, 3, 6, 7 or 9).
    public func append(to arena: inout ByteArena, fractionDigits: Int = 0) {
        let parts = civil
        arena.append(decimal: UInt64(max(parts.year, 0)), width: 4)
        arena.append(0x2D)
        arena.append(decimal: UInt64(parts.month), width: 2)
        arena.append(0x2D)
        arena.append(decimal: UInt64(parts.day), width: 2)
        arena.append(0x54)
        arena.append(decimal: UInt64(parts.hour), width: 2)
        arena.append(0x3A)
        arena.append(decimal: UInt64(parts.minute), width: 2)
        arena.append(0x3A)
        arena.append(decimal: UInt64(parts.second), width: 2)
        if fractionDigits > 0 {
            var fraction = UInt64(nanoseconds)
            var digits = 9
            while digits > fractionDigits {
                fraction /= 10
                digits -= 1
            }
            arena.append(0x2E)
            arena.append(decimal: fraction, width: digits)
        }
        arena.append(0x5A)
    }

    /// RFC 3339 text in UTC, as in `2026-01-02T03:04:05Z`.
    public func rfc3339(fractionDigits: Int = 0) -> String {
        var arena = ByteArena(capacity: 64)
        append(to: &arena, fractionDigits: fractionDigits)
        return arena.span.utf8Text
    }
}
