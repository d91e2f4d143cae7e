import Pipeline

// Logs that are read back: JSON lines v3 of this program or of THOR, from any number of machines.

/// Reads the events of a log in JSON lines.
public struct EventLines: Sendable {
    /// Earliest time of an event, as in `2026-01-02T00:00:00Z`; empty for any.
    public var since = ""
    /// Latest time, not included; empty for any.
    public var until = ""

    /// All events.
    public init() {}

    /// Calls `body` for every line that is an event within the times.
    ///
    /// - Returns: Lines that are no events.
    public func forEach(in log: Bytes, _ body: (ArraySlice<UInt8>) -> Void) -> Int {
        var others = 0
        // RFC 3339 in UTC is ordered as text once the Z, which stands behind a fraction or not, is gone.
        let (since, until) = (Self.withoutZone(since), Self.withoutZone(until))
        let bytes = log.array
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            let line = bytes[start..<end]
            start = end + 1
            if line.isEmpty { continue }
            let text = line.last == 0x0D ? line.dropLast() : line
            guard text.first == 0x7B, text.last == 0x7D, let time = Self.time(of: text) else {
                others += 1
                continue
            }
            if !since.isEmpty, time < since { continue }
            if !until.isEmpty, time >= until { continue }
            body(text)
        }
        return others
    }

    // The value of the first "time" key, without its zone.
    private static func time(of line: ArraySlice<UInt8>) -> String? {
        let key = Array(#""time":""#.utf8)
        var index = line.startIndex
        while let start = line[index...].firstIndex(of: key[0]) {
            let end = start + key.count
            if end < line.endIndex, line[start..<end].elementsEqual(key) {
                return withoutZone(String(decoding: line[end...].prefix { $0 != 0x22 }.prefix(40), as: UTF8.self))
            }
            index = start + 1
        }
        return nil
    }

    private static func withoutZone(_ time: String) -> String { time.hasSuffix("Z") ? String(time.dropLast()) : time }
}
