import Pipeline

// One dump of any format: what all of them have in common, and the records that show it.
//
//   memory dump      format, created, architecture, system, process…, what the format tells
//   dump stream      a minidump's directory entry: name, type, size
//   loaded module    path, base, size, version, created, debug_file; `unloaded module` likewise
//   thread           thread_id, name, signal, priority, environment, stack, stack_size
//   memory range     address, size, offset: memory that the dump holds
//   memory region    address, size, state, protection, type: the address space, held or not
//   handle           type, name (or mutex, event), handle, access
//   exception        code, address, thread_id, parameters (list)

struct Dump {
    static let module = "DumpScan"
    static let header = RecordType(
        "memory dump", module: module, numbers: ["processors", "process_id", "parent_process_id", "uptime_seconds"],
        lists: ["bug_check_parameter"])
    static let stream = RecordType("dump stream", module: module, numbers: ["size"])
    static let loaded = RecordType("loaded module", module: module, numbers: ["size"])
    static let unloaded = RecordType("unloaded module", module: module, numbers: ["size"])
    static let thread = RecordType(
        "dumped thread", module: module, numbers: ["thread_id", "signal", "priority", "stack_size"])
    static let range = RecordType("memory range", module: module, numbers: ["size", "offset"])
    static let region = RecordType("memory region", module: module, numbers: ["size"])
    static let handle = RecordType("handle", module: module)
    static let exception = RecordType("exception", module: module, numbers: ["thread_id"], lists: ["parameters"])

    private(set) var format: String
    private(set) var ranges: [MemoryRange] = []
    private(set) var modules: [LoadedModule] = []
    private(set) var isPhysical = false
    private(set) var problems: [ParseError] = []
    /// What is said when memory is compressed; nil when it is not.
    private(set) var compression: String?
    private var facts: [(name: String, value: String)] = []
    private var minidump: Minidump?
    private var coreThreads: [ELFCore.Thread] = []

    /// Reads the tables of a sample by its kind; a dump with a broken header is memory all the same.
    init(_ sample: Sample) {
        format = sample.kind.name
        do throws(ParseError) {
            switch sample.kind.name {
            case "MDMP", "LSASS Dump File": take(try Minidump(sample.content))
            case "Windows Crash Dump": take(try CrashDump(sample.content))
            case "ELF Core": take(try ELFCore(sample.content))
            case "LiME Dump", "AVML Dump": take(try LiMEDump(sample.content))
            case "Windows Hibernation":
                format = "hibernation file"
                compression = Self.said("a hibernation file keeps memory compressed")
            case "VMware Snapshot": format = "VMware snapshot"
            case "VirtualBox Saved State":
                format = "VirtualBox saved state"
                compression = Self.said("a saved state keeps memory compressed")
            default:
                format = "raw"
                isPhysical = true
                ranges = [MemoryRange(address: 0, size: UInt64(sample.size), offset: 0)]
            }
        } catch {
            problems.append(error)
        }
    }

    private static func said(_ why: String) -> String {
        "\(why) and it is not decompressed: only what is stored plainly was looked at"
    }

    private mutating func take(_ dump: Minidump) {
        format = "minidump"
        if dump.time != 0 { facts.append(("created", Timestamp(seconds: Int64(dump.time)).rfc3339())) }
        facts.append(("flags", dump.flags.hex))
        facts += dump.facts
        ranges = dump.ranges
        modules = dump.modules
        problems = dump.problems
        minidump = dump
    }

    private mutating func take(_ dump: CrashDump) {
        format = "Windows crash dump, \(dump.is64 ? 64 : 32) bits, \(dump.type)"
        facts = dump.facts
        ranges = dump.ranges
        problems = dump.problems
        isPhysical = true
    }

    private mutating func take(_ dump: ELFCore) {
        format = "ELF core"
        facts = dump.facts
        ranges = dump.ranges
        modules = dump.modules
        coreThreads = dump.threads
        problems = dump.problems
    }

    private mutating func take(_ dump: LiMEDump) {
        format = dump.isCompressed ? "AVML" : "LiME"
        if dump.isCompressed { compression = Self.said("AVML keeps memory compressed") }
        ranges = dump.ranges
        problems = dump.problems
        isPhysical = true
    }

    // MARK: Records

    /// Emits everything the dump says of itself.
    func emit(to out: inout Output) throws(StageError) {
        try out.emit(Self.header, offset: 0) { builder throws(StageError) in
            builder.field("format", format)
            for fact in facts { builder.field(fact.name, fact.value) }
        }
        if let minidump { try emit(minidump, to: &out) }
        try emit(modules, as: Self.loaded, to: &out)
        for thread in coreThreads {
            try out.emit(Self.thread, offset: thread.entry) { builder throws(StageError) in
                builder.field("thread_id", Int(thread.id))
                if thread.signal != 0 { builder.field("signal", Int(thread.signal)) }
            }
        }
        for range in ranges {
            try out.emit(Self.range, offset: Int(truncatingIfNeeded: range.offset)) { builder throws(StageError) in
                builder.field("address", range.address.hex)
                builder.field("size", Int(truncatingIfNeeded: range.size))
                builder.field("offset", Int(truncatingIfNeeded: range.offset))
            }
        }
    }

    private func emit(_ list: [LoadedModule], as type: RecordType, to out: inout Output) throws(StageError) {
        for module in list {
            try out.emit(type, offset: module.entry) { builder throws(StageError) in
                builder.field("path", module.path)
                builder.field("base", module.base.hex)
                builder.field("size", Int(truncatingIfNeeded: module.size))
                if !module.version.isEmpty { builder.field("version", module.version) }
                if module.timestamp != 0 {
                    builder.field("created", Timestamp(seconds: Int64(module.timestamp)).rfc3339())
                }
                if !module.debugFile.isEmpty { builder.field("debug_file", module.debugFile) }
            }
        }
    }

    private func emit(_ dump: Minidump, to out: inout Output) throws(StageError) {
        for stream in dump.streams {
            try out.emit(Self.stream, offset: stream.entry) { builder throws(StageError) in
                builder.field("name", stream.name)
                builder.field("type", UInt64(stream.type).hex)
                builder.field("size", Int(stream.size))
            }
        }
        if let exception = dump.exception {
            try out.emit(Self.exception, offset: exception.entry) { builder throws(StageError) in
                builder.field("code", UInt64(exception.code).hex)
                builder.field("address", exception.address.hex)
                builder.field("thread_id", Int(exception.thread))
                for parameter in exception.parameters { builder.field("parameters", parameter.hex) }
            }
        }
        for thread in dump.threads {
            try out.emit(Self.thread, offset: thread.entry) { builder throws(StageError) in
                builder.field("thread_id", Int(thread.id))
                if !thread.name.isEmpty { builder.field("name", thread.name) }
                builder.field("priority", Int(thread.priority))
                builder.field("environment", thread.environment.hex)
                builder.field("stack", thread.stack.address.hex)
                builder.field("stack_size", Int(thread.stack.size))
            }
        }
        try emit(dump.unloaded, as: Self.unloaded, to: &out)
        for handle in dump.handles {
            try out.emit(Self.handle, offset: handle.entry) { builder throws(StageError) in
                builder.field("type", handle.type)
                if !handle.name.isEmpty { builder.field(handle.nameKey, handle.name) }
                builder.field("value", handle.value.hex)
                builder.field("access", UInt64(handle.access).hex)
            }
        }
        for region in dump.regions {
            try out.emit(Self.region, offset: region.entry) { builder throws(StageError) in
                builder.field("address", region.address.hex)
                builder.field("size", Int(truncatingIfNeeded: region.size))
                builder.field("state", region.stateName)
                builder.field("protection", region.protectionName)
                builder.field("type", region.typeName)
            }
        }
    }
}

extension Minidump.Handle {
    // Names of mutexes and events are what handle IOCs are about.
    fileprivate var nameKey: String {
        switch type {
        case "Mutant": "mutex"
        case "Event": "event"
        default: "name"
        }
    }
}

extension Minidump.Region {
    fileprivate var stateName: String {
        switch state {
        case 0x1000: "commit"
        case 0x2000: "reserve"
        case 0x10000: "free"
        default: UInt64(state).hex
        }
    }

    fileprivate var typeName: String {
        switch type {
        case 0: ""
        case 0x20000: "private"
        case 0x40000: "mapped"
        case 0x1000000: "image"
        default: UInt64(type).hex
        }
    }

    // PAGE_NOACCESS to PAGE_EXECUTE_WRITECOPY; PAGE_GUARD and others come on top.
    fileprivate var protectionName: String {
        let names: [UInt32: String] = [
            0: "", 0x01: "none", 0x02: "r", 0x04: "rw", 0x08: "rw copy", 0x10: "x", 0x20: "rx", 0x40: "rwx",
            0x80: "rwx copy",
        ]
        let base = names[protection & 0xFF] ?? UInt64(protection & 0xFF).hex
        return protection & 0x100 != 0 ? base + " guard" : base
    }
}
