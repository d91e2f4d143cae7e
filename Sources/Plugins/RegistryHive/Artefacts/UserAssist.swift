public import Pipeline

// Programs that a user has started from Explorer: `UserAssist` in NTUSER.DAT, names in ROT13. Layouts of Windows XP
// (16 bytes) and Windows 7 and later (72 bytes) after D. Stevens, "UserAssist", and the libyal winreg-kb article.

/// A program that a user has started.
public struct UserAssistEntry: Sendable, Equatable {
    /// Path or application id, decoded; known folders stand as their GUID.
    public var path: String
    /// How often it was started.
    public var count: Int?
    /// How long it had the focus, in seconds (Windows 7 and later).
    public var focusSeconds: Int?
    /// When it was started last.
    public var lastRun: Timestamp?
    /// Position of the value in the hive, in bytes.
    public var offset: Int
}

extension Hive {
    /// Calls `body` for each entry of a user's hive.
    public func eachUserAssist<E: Error>(_ body: (UserAssistEntry) throws(E) -> Void) throws(E) {
        guard let root = key(at: "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\UserAssist") else { return }
        try eachSubkey(of: root) { folder throws(E) in
            guard let count = key(at: "Count", below: folder) else { return true }
            try eachValue(of: count) { value throws(E) in
                var path = rot13(name(of: value))
                // Counters of whole sessions stand among the programs; Windows XP says what kind of start it was.
                guard !path.hasPrefix("UEME_CTL"), let data = bytes(of: value, limit: 4096) else { return true }
                if path.hasPrefix("UEME_RUNPATH:") { path.removeFirst("UEME_RUNPATH:".count) }
                var entry = UserAssistEntry(path: path, offset: value.offset)
                entry.read(data.rawSpan)
                try body(entry)
                return true
            }
            return true
        }
    }
}

extension UserAssistEntry {
    fileprivate mutating func read(_ data: RawSpan) {
        if data.byteCount >= 72 {
            count = data.uint32(at: 4).map { Int($0) }
            focusSeconds = data.uint32(at: 12).map { Int($0) / 1000 }
            lastRun = filetime(data.uint64(at: 60))
        } else if data.byteCount >= 16 {
            // Counting starts at 5.
            count = data.uint32(at: 4).map { max(Int($0) - 5, 0) }
            lastRun = filetime(data.uint64(at: 8))
        }
    }
}

// Letters are turned by 13 places, everything else stays.
func rot13(_ text: String) -> String {
    let turned = text.utf8.map { byte in
        switch byte {
        case 0x41...0x4D, 0x61...0x6D: byte + 13
        case 0x4E...0x5A, 0x6E...0x7A: byte - 13
        default: byte
        }
    }
    return String(decoding: turned, as: UTF8.self)
}

/// Emits user assist entries as records.
enum UserAssistRecords {
    static let type = RecordType("user assist entry", module: "RegistryHive", numbers: ["count", "focus_seconds"])

    static func emit(_ hive: Hive, _ out: inout Output) throws(StageError) {
        try hive.eachUserAssist { entry throws(StageError) in
            try out.emit(type, offset: entry.offset) { builder in
                builder.field("path", entry.path)
                if let count = entry.count { builder.field("count", count) }
                if let seconds = entry.focusSeconds { builder.field("focus_seconds", seconds) }
                builder.field("last_run", entry.lastRun)
                HiveHeuristics.program(entry.path, names: [], field: "path", type, &builder)
            }
        }
    }
}
