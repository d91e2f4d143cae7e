import Glibc
import Pipeline

/// The time now.
public func currentTime() -> Timestamp {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Timestamp(seconds: Int64(now.tv_sec), nanoseconds: UInt32(truncatingIfNeeded: now.tv_nsec))
}

/// Civil parts of a time in this machine's zone.
struct LocalTime {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int

    /// The parts in this machine's zone, or in UTC.
    init(_ time: Timestamp, utc: Bool = false) {
        var seconds = time_t(time.seconds)
        var parts = unsafe tm()
        if utc { unsafe gmtime_r(&seconds, &parts) } else { unsafe localtime_r(&seconds, &parts) }
        year = unsafe Int(parts.tm_year) + 1900
        month = unsafe Int(parts.tm_mon) + 1
        day = unsafe Int(parts.tm_mday)
        hour = unsafe Int(parts.tm_hour)
        minute = unsafe Int(parts.tm_min)
        second = unsafe Int(parts.tm_sec)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Jan _2 15:04:05`, as syslog has it.
    var syslog: String {
        let name = Self.months.indices.contains(month - 1) ? Self.months[month - 1] : "Jan"
        return "\(name) \(day < 10 ? " " : "")\(day) \(two(hour)):\(two(minute)):\(two(second))"
    }

    /// `2026-01-02 15:04`.
    var minuteKey: String { "\(year)-\(two(month))-\(two(day)) \(two(hour)):\(two(minute))" }

    /// `2026/01/02-150405`.
    var signatureVersion: String { "\(year)/\(two(month))/\(two(day))-\(two(hour))\(two(minute))\(two(second))" }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
