import CommandLines
public import Pipeline

// Places of the registry that start programs: Run keys, Winlogon, AppInit, Active Setup, BootExecute, and services.
// Names of the places after Microsoft's documentation of Run and RunOnce keys and of the service control manager.

/// A program that is started by itself.
public struct AutorunEntry: Sendable, Equatable {
    /// Kind of place (`Run key`, `Winlogon`).
    public var type: String
    /// Path of the key.
    public var location: String
    /// Name of the value.
    public var entry: String
    /// The command as it is stored.
    public var command: String
    /// Position of the value in the hive, in bytes.
    public var offset: Int
}

/// A service or driver.
public struct ServiceEntry: Sendable, Equatable {
    /// Path of its key.
    public var key: String
    /// Name of its key.
    public var name: String
    /// Name for display.
    public var displayName: String?
    /// Last write of its key.
    public var modified: Timestamp
    /// When it is started.
    public var startType: String?
    /// What it is.
    public var serviceType: String?
    /// Account it runs as.
    public var user: String?
    /// Description.
    public var description: String?
    /// Command that is run when it fails.
    public var failureCommand: String?
    /// Program of the service: its DLL for a shared process.
    public var image: String?
    /// Position of the key in the hive, in bytes.
    public var offset: Int
}

extension Hive {
    // Where commands stand below the root: every value of a key, named values of a key, or a value in each subkey.
    private struct Place {
        var type: String
        var key: String
        var names: [String] = []
        var inSubkeys = false
    }

    private static let runKeys = ["Run", "RunOnce", "RunOnceEx", "RunServices", "RunServicesOnce"]

    private static func places(below prefix: String) -> [Place] {
        let windows = prefix + "Microsoft\\Windows\\CurrentVersion\\"
        let nt = prefix + "Microsoft\\Windows NT\\CurrentVersion\\"
        return runKeys.map { Place(type: "Run key", key: windows + $0) } + [
            Place(type: "Run key", key: windows + "RunOnceEx", inSubkeys: true),
            Place(type: "Policy run key", key: windows + "Policies\\Explorer\\Run"),
            Place(type: "Policy shell", key: windows + "Policies\\System", names: ["Shell"]),
            Place(
                type: "Winlogon", key: nt + "Winlogon",
                names: ["Shell", "Userinit", "Taskman", "VmApplet", "System", "GinaDLL", "AppSetup"]),
            Place(type: "Windows load", key: nt + "Windows", names: ["Load", "Run", "AppInit_DLLs", "IconServiceLib"]),
            Place(
                type: "Active Setup", key: prefix + "Microsoft\\Active Setup\\Installed Components",
                names: ["StubPath"], inSubkeys: true),
            Place(
                type: "Command processor", key: prefix + "Microsoft\\Command Processor", names: ["AutoRun"]),
        ]
    }

    /// Calls `body` for each command that is started by itself, services apart.
    public func eachAutorun<E: Error>(
        _ identity: HiveIdentity, _ body: (AutorunEntry) throws(E) -> Void
    ) throws(E) {
        var places: [Place] = []
        switch identity {
        case .software: places = Self.places(below: "") + Self.places(below: "Wow6432Node\\")
        case .user:
            places =
                Self.places(below: "Software\\") + Self.places(below: "Software\\Wow6432Node\\") + [
                    Place(type: "Logon script", key: "Environment", names: ["UserInitMprLogonScript"]),
                    Place(type: "Screen saver", key: "Control Panel\\Desktop", names: ["SCRNSAVE.EXE"]),
                ]
        case .system:
            guard let set = currentControlSet else { return }
            places = [
                Place(type: "Boot execute", key: set + "\\Control\\Session Manager", names: ["BootExecute"]),
                Place(
                    type: "LSA package", key: set + "\\Control\\Lsa",
                    names: ["Authentication Packages", "Notification Packages", "Security Packages"]),
                Place(
                    type: "Port monitor", key: set + "\\Control\\Print\\Monitors", names: ["Driver"], inSubkeys: true),
            ]
        default: return
        }
        for place in places {
            guard let key = key(at: place.key) else { continue }
            if place.inSubkeys {
                try eachSubkey(of: key) { subkey throws(E) in
                    try commands(of: subkey, place, place.key + "\\" + name(of: subkey), body)
                    return true
                }
            } else {
                try commands(of: key, place, place.key, body)
            }
        }
    }

    private func commands<E: Error>(
        of key: HiveKey, _ place: Place, _ path: String, _ body: (AutorunEntry) throws(E) -> Void
    ) throws(E) {
        try eachValue(of: key) { value throws(E) in
            let name = name(of: value)
            guard place.names.isEmpty || place.names.contains(where: { $0.lowercased() == name.lowercased() }) else {
                return true
            }
            for command in texts(of: value) where !command.isEmpty {
                try body(
                    AutorunEntry(
                        type: place.type, location: "\\" + path, entry: name, command: command, offset: value.offset))
            }
            return true
        }
    }

    // All parts of a multi-string, the text of another string.
    func texts(of value: HiveValue) -> [String] {
        guard value.type == ValueType.multi else { return text(of: value).map { [$0] } ?? [] }
        guard let data = bytes(of: value) else { return [] }
        return String(utf16: data.rawSpan).split(separator: "\0").map(String.init)
    }

    /// Calls `body` for each service and driver of the control set in use.
    public func eachService<E: Error>(_ body: (ServiceEntry) throws(E) -> Void) throws(E) {
        guard let set = currentControlSet, let services = key(at: set + "\\Services") else { return }
        try eachSubkey(of: services) { key throws(E) in
            // Keys without a type hold settings of a service, not one.
            guard let type = number("Type", of: key) else { return true }
            let name = name(of: key)
            let parameters = self.key(at: "Parameters", below: key)
            let library = parameters.flatMap { text("ServiceDll", of: $0) } ?? text("ServiceDll", of: key)
            try body(
                ServiceEntry(
                    key: "\\" + set + "\\Services\\" + name, name: name, displayName: text("DisplayName", of: key),
                    modified: key.lastWritten, startType: number("Start", of: key).map(Self.startName),
                    serviceType: Self.typeName(type), user: text("ObjectName", of: key),
                    description: text("Description", of: key), failureCommand: text("FailureCommand", of: key),
                    image: library ?? text("ImagePath", of: key), offset: key.offset))
            return true
        }
    }

    private static func startName(_ number: UInt64) -> String {
        switch number {
        case 0: "boot"
        case 1: "system"
        case 2: "automatic"
        case 3: "manual"
        case 4: "disabled"
        default: String(number)
        }
    }

    private static func typeName(_ number: UInt64) -> String {
        switch number & 0x3F {
        case 0x01: "kernel driver"
        case 0x02: "file system driver"
        case 0x04: "adapter"
        case 0x08: "recognizer driver"
        case 0x10: "own process"
        case 0x20: "shared process"
        default: String(number)
        }
    }
}

/// Emits programs that start by themselves as records.
enum AutorunRecords {
    static let autorun = RecordType("autorun entry", module: "Autoruns")
    static let service = RecordType("Windows service", module: "ServiceCheck")

    static func emit(_ hive: Hive, _ identity: HiveIdentity, _ out: inout Output) throws(StageError) {
        try hive.eachAutorun(identity) { entry throws(StageError) in
            let parts = CommandLineParts(entry.command)
            try out.emit(autorun, offset: entry.offset) { builder in
                builder.field("autorun_type", entry.type)
                builder.field("location", identity.livePath + entry.location)
                builder.field("image", parts.image)
                builder.field("arguments", parts.arguments)
                builder.field("entry", entry.entry)
                builder.field("launch_string", entry.command)
                HiveHeuristics.autorun(entry, autorun, &builder)
            }
        }
        guard identity == .system else { return }
        try hive.eachService { entry throws(StageError) in
            try out.emit(service, offset: entry.offset) { builder in
                builder.field("key", entry.key)
                builder.field("key_name", entry.name)
                builder.field("service_name", entry.displayName)
                builder.field("modified", entry.modified)
                builder.field("start_type", entry.startType)
                builder.field("service_type", entry.serviceType)
                builder.field("user", entry.user)
                builder.field("description", entry.description)
                builder.field("failure_command", entry.failureCommand)
                builder.field("image", entry.image)
                HiveHeuristics.service(entry, service, &builder)
            }
        }
    }
}
