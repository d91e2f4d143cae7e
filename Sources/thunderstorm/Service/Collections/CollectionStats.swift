// What a collector counted, in the markers that end its run. Clients choose the names: they are kept for ten thousand
// runs and become keys of log lines, so there are few of them, and none can pass for a field of the event.

/// The counts of a marker that are kept.
struct CollectionStats: Sendable, Equatable {
    /// Counts that are kept.
    static let limit = 32
    /// Bytes of a name; it has letters, digits and `_` only.
    static let nameLimit = 64

    // REFERENCE A.8.
    private static let published = ["scanned", "submitted", "skipped", "failed", "elapsed_seconds", "scan_errors"]

    /// Counts by name, as they were sent.
    let kept: [String: Double]
    /// How many were left out: too many, a name that is none, no finite number.
    let leftOut: Int

    /// Of more counts than are kept the published ones stay, then the first by name.
    init(_ sent: [String: Double]) {
        let names = sent.filter { Self.isName($0.key) && $0.value.isFinite }.keys
        let others = names.filter { !Self.published.contains($0) }.sorted()
        let chosen = Set((Self.published + others).filter { names.contains($0) }.prefix(Self.limit))
        kept = sent.filter { chosen.contains($0.key) }
        leftOut = sent.count - kept.count
    }

    /// Fields of an event: published names as they are, others behind `STAT_`.
    var fields: [(String, String)] {
        var fields: [(String, String)] = kept.sorted { $0.key < $1.key }.map { name, value in
            (Self.published.contains(name) ? name : "STAT_" + name, "\(value)")
        }
        if leftOut > 0 { fields.append(("STATS_LEFT_OUT", "\(leftOut)")) }
        return fields
    }

    private static func isName(_ text: String) -> Bool {
        (1...nameLimit).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
                default: false
                }
            }
    }
}
