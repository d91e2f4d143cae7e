import Pipeline

// When a record happened, for correlations: its time field, or what a line of a text log begins with.

private let timeFields: Set<String> = [
    "timecreated", "utctime", "time", "timestamp", "event_time", "modified", "date_access", "last_access", "start",
]

/// Microseconds since 1970 of a record; nil if it has no time that is understood.
func recordTime(of record: Int, _ batch: borrowing RecordBatch) -> Int64? {
    for field in batch.fields(of: record) {
        let name = batch.keys.name(of: batch.key(of: field)).lowercased()
        if timeFields.contains(name), let time = TimeText(batch.value(of: field)) { return time.microseconds }
        if name == "line" { return lineTime(batch.value(of: field)) }
    }
    return nil
}

private let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

// `2024-05-06T07:08:09`, `May  6 07:08:09` (syslog, without a year: the distance between lines is what counts), or
// `[06/May/2024:07:08:09 +0000]` (web servers; the zone is the same in a whole log and left out).
private func lineTime(_ line: RawSpan) -> Int64? {
    if let time = TimeText(line) { return time.microseconds }
    let start = line.prefix(256).utf8Text
    if let open = start.firstIndex(of: "["), let time = webTime(start[start.index(after: open)...]) { return time }
    let words = start.split(separator: " ").prefix(3)
    guard words.count == 3, let month = months.firstIndex(of: words[0].lowercased()), let day = Int(words[1]) else {
        return nil
    }
    return time(year: 2_000, month: month + 1, day: day, clock: words[2])
}

private func webTime(_ text: Substring) -> Int64? {
    let parts = text.prefix(20).split(separator: "/")
    guard parts.count == 3, let day = Int(parts[0]), let month = months.firstIndex(of: parts[1].lowercased()) else {
        return nil
    }
    let rest = parts[2].split(separator: ":", maxSplits: 1)
    guard rest.count == 2, let year = Int(rest[0]) else { return nil }
    return time(year: year, month: month + 1, day: day, clock: rest[1])
}

private func time(year: Int, month: Int, day: Int, clock: Substring) -> Int64? {
    func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(clock)"
    return TimeText(Array(text.utf8).rawSpan)?.microseconds
}
