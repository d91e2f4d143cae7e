public import Pipeline

// Scheduled tasks as the task scheduler keeps them in a SOFTWARE hive: `Schedule\TaskCache`, with the times of
// `DynamicInfo` (Windows 7: 28 bytes, Windows 10: 36) and the commands of `Actions`. Format after the libyal winreg-kb
// article "Task scheduler".

/// A scheduled task in the cache.
public struct CachedTask: Sendable, Equatable {
    /// GUID of the task with braces.
    public var guid: String
    /// Path of the task in the scheduler's folders.
    public var path: String?
    /// Version that its author gave it.
    public var version: String?
    /// When it was registered.
    public var created: Timestamp?
    /// When it was started last.
    public var lastRun: Timestamp?
    /// When it ended last (Windows 10 and later).
    public var lastStopped: Timestamp?
    /// State number.
    public var status: UInt32?
    /// Result of the last run.
    public var lastResult: UInt32?
    /// Command lines of its programs.
    public var commands: [String] = []
    /// Class ids of its COM handlers.
    public var handlers: [String] = []
    /// Whether its entry in the tree has lost its security descriptor, which hides it from all tools.
    public var isHidden = false
    /// Position of the key in the hive, in bytes.
    public var offset: Int
}

extension Hive {
    private static let taskCache = "Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache"

    /// Calls `body` for each scheduled task of a SOFTWARE hive.
    public func eachCachedTask<E: Error>(_ body: (CachedTask) throws(E) -> Void) throws(E) {
        guard let tasks = key(at: Self.taskCache + "\\Tasks") else { return }
        let tree = key(at: Self.taskCache + "\\Tree")
        try eachSubkey(of: tasks) { key throws(E) in
            try body(task(key, tree))
            return true
        }
    }

    private func task(_ key: HiveKey, _ tree: HiveKey?) -> CachedTask {
        let path = text("Path", of: key)
        var task = CachedTask(
            guid: name(of: key), path: path, version: text("Version", of: key), offset: key.offset)
        if let tree, let path, let entry = self.key(at: path, below: tree) {
            task.isHidden = value("Id", of: entry) != nil && value("SD", of: entry) == nil
        }
        if let value = value("Actions", of: key), let data = bytes(of: value) {
            (task.commands, task.handlers) = TaskActions.read(data.rawSpan)
        }
        guard let value = value("DynamicInfo", of: key), let data = bytes(of: value, limit: 64) else { return task }
        let info = data.rawSpan
        task.created = filetime(info.uint64(at: 4))
        task.lastRun = filetime(info.uint64(at: 12))
        task.status = info.uint32(at: 20)
        task.lastResult = info.uint32(at: 24)
        task.lastStopped = filetime(info.uint64(at: 28))
        return task
    }
}

// The value `Actions`: a version, the context (versions 2 and 3), then actions of four kinds, each with an id. Texts are
// a number of bytes and UTF-16. What breaks off ends the list: the value belongs to one key of a hive that goes on.
private enum TaskActions {
    static func read(_ span: RawSpan) -> (commands: [String], handlers: [String]) {
        var commands: [String] = []
        var handlers: [String] = []
        do throws(ParseError) {
            var reader = ByteReader(span)
            let version = try reader.uint16("version of a task's actions")
            if version >= 2 { _ = try text(&reader) }
            while reader.remaining > 0 {
                let kind = try reader.uint16("kind of an action")
                _ = try text(&reader)
                switch kind {
                case 0x6666:
                    let program = try text(&reader)
                    let arguments = try text(&reader)
                    commands.append(arguments.isEmpty ? program : program + " " + arguments)
                    _ = try text(&reader)
                    if version >= 3 { try reader.skip(2, "flags of an action") }
                case 0x7777:
                    guard let id = GUID(try reader.bytes(16, "class id of an action")) else { break }
                    let data = try text(&reader)
                    handlers.append(data.isEmpty ? "{\(id)}" : "{\(id)} \(data)")
                // Mails and messages, which Windows sends no more.
                default: return (commands, handlers)
                }
            }
        } catch {
            return (commands, handlers)
        }
        return (commands, handlers)
    }

    private static func text(_ reader: inout ByteReader) throws(ParseError) -> String {
        let count = Int(try reader.uint32("length of a text"))
        return String(utf16: try reader.bytes(count, "text of an action"))
    }
}

/// Emits cached tasks as records.
enum TaskRecords {
    static let type = RecordType(
        "registry scheduled task", module: "ScheduledTasks", lists: ["commands", "com_handlers"])

    static func emit(_ hive: Hive, _ out: inout Output) throws(StageError) {
        try hive.eachCachedTask { task throws(StageError) in
            try out.emit(type, offset: task.offset) { builder in
                builder.field("guid", task.guid)
                builder.field("path", task.path)
                builder.field("version", task.version)
                builder.field("created", task.created)
                builder.field("last_run", task.lastRun)
                builder.field("last_stopped", task.lastStopped)
                builder.field("status", task.status.map { String($0) })
                builder.field("last_result", task.lastResult.map { "0x" + String($0, radix: 16, uppercase: true) })
                for command in task.commands { builder.field("commands", command) }
                for handler in task.handlers { builder.field("com_handlers", handler) }
                HiveHeuristics.task(task, type, &builder)
            }
        }
    }
}
