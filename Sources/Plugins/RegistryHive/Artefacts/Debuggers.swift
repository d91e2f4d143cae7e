public import Pipeline

// Programs that Windows starts in place of others: `Debugger` below Image File Execution Options, and the monitor of
// silent process exits. Documented by Microsoft under "Image File Execution Options" and "Monitoring Silent Process
// Exit".

/// A program that is started when another one is.
public struct RegisteredDebugger: Sendable, Equatable {
    /// Program that triggers it.
    public var executable: String
    /// Command that is started.
    public var debugger: String
    /// Path of the key.
    public var key: String
    /// Last write of the key.
    public var modified: Timestamp
    /// Position of the key in the hive, in bytes.
    public var offset: Int
}

extension Hive {
    private static let debuggerPlaces: [(key: String, value: String)] = [
        ("Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options", "Debugger"),
        ("Wow6432Node\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options", "Debugger"),
        ("Microsoft\\Windows NT\\CurrentVersion\\SilentProcessExit", "MonitorProcess"),
    ]

    /// Calls `body` for each registered debugger of a SOFTWARE hive.
    public func eachDebugger<E: Error>(_ body: (RegisteredDebugger) throws(E) -> Void) throws(E) {
        for place in Self.debuggerPlaces {
            guard let options = key(at: place.key) else { continue }
            try eachSubkey(of: options) { key throws(E) in
                guard let command = text(place.value, of: key), !command.isEmpty else { return true }
                let name = name(of: key)
                try body(
                    RegisteredDebugger(
                        executable: name, debugger: command, key: "\\" + place.key + "\\" + name,
                        modified: key.lastWritten, offset: key.offset))
                return true
            }
        }
    }
}

/// Emits registered debuggers as records.
enum DebuggerRecords {
    static let type = RecordType("registered debugger", module: "RegistryChecks")

    static func emit(_ hive: Hive, _ identity: HiveIdentity, _ out: inout Output) throws(StageError) {
        try hive.eachDebugger { entry throws(StageError) in
            try out.emit(type, offset: entry.offset) { builder in
                builder.field("executable", entry.executable)
                builder.field("debugger", entry.debugger)
                builder.field("modified", entry.modified)
                builder.field("key", identity.livePath + entry.key)
                HiveHeuristics.debugger(entry, type, &builder)
            }
        }
    }
}
