import Pipeline

// Minidumps: a directory of streams, each a table of its own (minidumpapiset.h of the Windows SDK). Crash reporters of
// other systems write them too, with streams of their own.

/// A minidump of a process.
public struct Minidump: Sendable {
    /// One entry of the directory.
    public struct Stream: Sendable, Equatable {
        /// Number of the type.
        public var type: UInt32
        /// Size in bytes.
        public var size: UInt32
        /// Where it stands in the file.
        public var offset: UInt32
        /// Where its directory entry stands.
        public var entry: Int
    }

    /// One thread.
    public struct Thread: Sendable, Equatable {
        /// Number of the thread.
        public var id: UInt32
        /// Name the program gave it; empty if none.
        public var name = ""
        /// Priority.
        public var priority: UInt32
        /// Address of its environment block.
        public var environment: UInt64
        /// Its stack; the offset is where the stack's bytes stand.
        public var stack: MemoryRange
        /// Where its entry stands in the dump.
        public var entry: Int
    }

    /// One open handle.
    public struct Handle: Sendable, Equatable {
        /// Value of the handle.
        public var value: UInt64
        /// Type of the object, as in `Mutant`.
        public var type: String
        /// Name of the object; empty if it has none.
        public var name: String
        /// Rights that were granted.
        public var access: UInt32
        /// Where its entry stands in the dump.
        public var entry: Int
    }

    /// Why the process ended.
    public struct Exception: Sendable, Equatable {
        /// Thread that raised it.
        public var thread: UInt32
        /// Number of the exception, or signal.
        public var code: UInt32
        /// Address at which it was raised.
        public var address: UInt64
        /// Its parameters.
        public var parameters: [UInt64]
        /// Where it stands in the dump.
        public var entry: Int
    }

    /// State of a part of the address space, whether the dump holds it or not.
    public struct Region: Sendable, Equatable {
        /// First address.
        public var address: UInt64
        /// Size in bytes.
        public var size: UInt64
        /// `MEM_COMMIT`, `MEM_RESERVE` or `MEM_FREE`.
        public var state: UInt32
        /// Protection now.
        public var protection: UInt32
        /// `MEM_IMAGE`, `MEM_MAPPED` or `MEM_PRIVATE`.
        public var type: UInt32
        /// Where its entry stands in the dump.
        public var entry: Int
    }

    /// Most entries of one table that are kept.
    public static let entryLimit = 262_144
    /// Most memory ranges that are kept.
    public static let rangeLimit = 1_000_000
    static let streamLimit = 4096

    /// When it was written, seconds since 1970.
    public var time: UInt32
    /// `MINIDUMP_TYPE` flags.
    public var flags: UInt64
    /// The directory, with its unused entries (type 0).
    public var streams: [Stream] = []
    /// Loaded modules, in the order of the dump.
    public var modules: [LoadedModule] = []
    /// Modules that were unloaded before.
    public var unloaded: [LoadedModule] = []
    /// Threads.
    public var threads: [Thread] = []
    /// Memory that the dump holds: of the list with 32-bit places, then of the list with 64-bit sizes.
    public var ranges: [MemoryRange] = []
    /// State of the address space.
    public var regions: [Region] = []
    /// Open handles.
    public var handles: [Handle] = []
    /// What the process died of, if it did.
    public var exception: Exception?
    /// Facts about the system and process as they are shown, in order.
    public var facts: [(name: String, value: String)] = []
    /// What could not be read.
    public var problems: [ParseError] = []

    let reader: DumpReader
    var names = NameBudget()
    // By number of the thread; the stream may stand before or behind the threads.
    var threadNames: [UInt32: String] = [:]

    /// Reads the tables of a minidump, not the memory.
    ///
    /// - Throws: `ParseError` when the header is not one.
    public init(_ content: Content) throws(ParseError) {
        reader = DumpReader(content: content)
        let header = try reader.part(at: 0, count: 32, "minidump header")
        guard header.span.matches(Array("MDMP".utf8), at: 0), let version = header.span.uint32(at: 4),
            version & 0xFFFF == 0xA793, let count = header.span.uint32(at: 8),
            let directory = header.span.uint32(at: 12), let time = header.span.uint32(at: 20),
            let flags = header.span.uint64(at: 24)
        else { throw ParseError(.badMagic, "no minidump header", at: 0) }
        self.time = time
        self.flags = flags
        readDirectory(at: directory, count: count)
        // A second table of the same type would only make a hostile file expensive.
        var seen: Set<UInt32> = []
        for stream in streams where stream.type != 0 {
            if seen.insert(stream.type).inserted {
                read(stream)
            } else if seen.insert(stream.type | 1 << 31).inserted {
                problems.append(
                    ParseError(
                        .invalid, "more than one \(stream.name); only the first was read", at: Int(stream.offset)))
            }
        }
        for index in threads.indices { threads[index].name = threadNames[threads[index].id] ?? "" }
    }

    private mutating func readDirectory(at offset: UInt32, count: UInt32) {
        let wanted = min(Int(count), Self.streamLimit)
        if Int(count) > wanted {
            problems.append(
                ParseError(.limit, "\(count) streams; only the first \(wanted) were looked at", at: Int(offset)))
        }
        let table = reader.available(at: UInt64(offset), count: UInt64(wanted * 12))
        if table.count < wanted * 12 {
            problems.append(
                ParseError(
                    .truncated, "stream directory: need \(wanted * 12) bytes, have \(table.count)", at: Int(offset)))
        }
        let span = table.span
        for index in 0..<wanted {
            guard let type = span.uint32(at: index * 12), let size = span.uint32(at: index * 12 + 4),
                let place = span.uint32(at: index * 12 + 8)
            else { return }
            streams.append(Stream(type: type, size: size, offset: place, entry: Int(offset) + index * 12))
        }
    }

    /// Text at a place of the file: a length in bytes, then UTF-16.
    mutating func text(at offset: UInt64) -> String {
        let length = reader.available(at: offset, count: 4).span.uint32(at: 0) ?? 0
        // A path has at most 32,767 characters.
        guard length > 0, length <= 65_534, names.take(Int(length)), let start = offset.plus(4) else { return "" }
        return String(utf16NullTerminated: reader.available(at: start, count: UInt64(length)).span)
    }
}

extension Minidump.Stream {
    /// Name of the type in the header file, or its number.
    public var name: String {
        Self.names[type] ?? "0x" + String(type, radix: 16)
    }

    private static let names: [UInt32: String] = [
        0: "UnusedStream", 3: "ThreadListStream", 4: "ModuleListStream", 5: "MemoryListStream", 6: "ExceptionStream",
        7: "SystemInfoStream", 8: "ThreadExListStream", 9: "Memory64ListStream", 10: "CommentStreamA",
        11: "CommentStreamW", 12: "HandleDataStream", 13: "FunctionTableStream", 14: "UnloadedModuleListStream",
        15: "MiscInfoStream", 16: "MemoryInfoListStream", 17: "ThreadInfoListStream",
        18: "HandleOperationListStream", 19: "TokenStream", 20: "JavaScriptDataStream",
        21: "SystemMemoryInfoStream", 22: "ProcessVmCountersStream", 23: "IptTraceStream", 24: "ThreadNamesStream",
        0x4767_0001: "BreakpadInfoStream", 0x4767_0002: "AssertionInfoStream", 0x4767_0003: "LinuxCpuInfo",
        0x4767_0004: "LinuxProcStatus", 0x4767_0005: "LinuxLsbRelease", 0x4767_0006: "LinuxCmdLine",
        0x4767_0007: "LinuxEnviron", 0x4767_0008: "LinuxAuxv", 0x4767_0009: "LinuxMaps",
        0x4767_000A: "LinuxDsoDebug", 0x4350_0001: "CrashpadInfoStream",
    ]
}
