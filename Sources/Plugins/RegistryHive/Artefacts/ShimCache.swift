public import Pipeline

// The application compatibility cache of a SYSTEM hive: paths of programs that were run or only seen, in the binary
// layouts of Windows XP, Server 2003, Vista, 7, 8, 8.1, 10 and 11. Formats after A. Davis, "Leveraging the Application
// Compatibility Cache in Forensic Investigations" (Mandiant), and the libyal winreg-kb article "Application
// Compatibility Cache".

/// One entry of the cache.
public struct ShimCacheEntry: Sendable, Equatable {
    /// Path as it is stored; prefixes of the object manager are left out.
    public var path: String
    /// Last change of the file.
    public var modified: Timestamp?
    /// Whether the program was run; nil where the layout does not tell.
    public var wasRun: Bool?
    /// Position in the data of the value, in bytes.
    public var offset: Int
}

/// The content of a value `AppCompatCache`.
public struct ShimCache: Sendable {
    /// Entries, the newest first, as far as they can be read.
    public private(set) var entries: [ShimCacheEntry] = []
    /// Number of entries that the header tells; nil where it does not.
    public private(set) var claimed: Int?
    /// What is wrong with it.
    public private(set) var problem: ParseError?

    /// Reads the cache.
    ///
    /// - Throws: `unsupported` for an unknown layout.
    public init(_ span: RawSpan) throws(ParseError) {
        guard let magic = span.uint32(at: 0) else {
            throw ParseError(.truncated, "application compatibility cache: no header", at: 0)
        }
        switch magic {
        case 0xDEAD_BEEF: readXP(span)
        case 0xBADC_0FFE: readVista(span)
        case 0xBADC_0FEE: readSeven(span)
        // From Windows 8 on the first number is the size of the header.
        case 0x80: readTagged(span, from: 0x80, hasFlags: true)
        case 0x30, 0x34: readTagged(span, from: Int(magic), hasFlags: false)
        default:
            throw ParseError(
                .unsupported, "application compatibility cache: unknown layout 0x\(String(magic, radix: 16))", at: 0)
        }
        if problem == nil, let claimed, claimed > entries.count {
            problem = ParseError(.truncated, "\(entries.count) of \(claimed) entries are there", at: span.byteCount)
        }
    }

    // Windows XP, 32 bits: 552 bytes an entry with the path inside, times and size behind it.
    private mutating func readXP(_ span: RawSpan) {
        let count = Int(span.uint32(at: 4) ?? 0)
        claimed = count
        for index in 0..<min(count, span.byteCount / 552) {
            let start = 400 + index * 552
            guard let entry = span.slice(at: start, count: 552) else { return }
            add(String(utf16NullTerminated: entry.prefix(528)), entry.uint64(at: 528), nil, start)
        }
    }

    // Server 2003, Vista, Server 2008: the paths stand behind the table.
    private mutating func readVista(_ span: RawSpan) {
        let count = Int(span.uint32(at: 4) ?? 0)
        claimed = count
        let is64 = hasWidePointers(span, at: 8)
        let size = is64 ? 32 : 24
        let most = min(count, span.byteCount / size)
        // Vista keeps flags where 2003 keeps the size of the file: a file is never smaller than four bytes.
        var hasFlags = true
        for index in 0..<most where (span.uint32(at: 8 + index * size + size - 8) ?? 0) > 3 { hasFlags = false }
        for index in 0..<most {
            let start = 8 + index * size
            guard let entry = span.slice(at: start, count: size) else { return }
            let flags = entry.uint32(at: size - 8) ?? 0
            add(
                path(span, entry, is64), entry.uint64(at: size - 16), hasFlags ? flags & 2 != 0 : nil, start)
        }
    }

    // Windows 7, Server 2008 R2.
    private mutating func readSeven(_ span: RawSpan) {
        let count = Int(span.uint32(at: 4) ?? 0)
        claimed = count
        let is64 = hasWidePointers(span, at: 128)
        let size = is64 ? 48 : 32
        for index in 0..<min(count, span.byteCount / size) {
            let start = 128 + index * size
            guard let entry = span.slice(at: start, count: size) else { return }
            let time = is64 ? 16 : 8
            let flags = entry.uint32(at: time + 8) ?? 0
            add(path(span, entry, is64), entry.uint64(at: time), flags & 2 != 0, start)
        }
    }

    // 64-bit systems leave four bytes free before the offset of a path.
    private func hasWidePointers(_ span: RawSpan, at table: Int) -> Bool {
        span.uint32(at: table + 4) == 0 && (span.uint64(at: table + 8) ?? 0) != 0
    }

    private func path(_ span: RawSpan, _ entry: RawSpan, _ is64: Bool) -> String? {
        let length = Int(entry.uint16(at: 0) ?? 0)
        let place = is64 ? entry.uint64(at: 8).flatMap { Int(exactly: $0) } : entry.uint32(at: 4).map(Int.init)
        guard let place, let text = span.slice(at: place, count: length) else { return nil }
        return String(utf16: text)
    }

    // Windows 8 and later: entries with a tag and their own size, one after another.
    private mutating func readTagged(_ span: RawSpan, from start: Int, hasFlags: Bool) {
        var offset = start
        while let tag = span.uint32(at: offset), tag == 0x7374_3030 || tag == 0x7374_3031 {
            guard let size = span.uint32(at: offset &+ 8).map(Int.init),
                let entry = span.slice(at: offset &+ 12, count: size), let length = entry.uint16(at: 0).map(Int.init),
                let text = entry.slice(at: 2, count: length)
            else {
                problem = ParseError(.truncated, "the last entry is cut", at: offset)
                return
            }
            var next = 2 + length
            var wasRun: Bool?
            if hasFlags {
                // Data of an application package, then the flags.
                next &+= 2 &+ Int(entry.uint16(at: next) ?? 0)
                wasRun = entry.uint32(at: next).map { $0 & 2 != 0 }
                next &+= 8
            }
            add(String(utf16: text), entry.uint64(at: next), wasRun, offset)
            offset = offset &+ 12 &+ size
        }
        // What is left is padding, unless an entry was expected there.
        if offset == start, span.byteCount > start &+ 12 {
            problem = ParseError(.invalid, "there is no entry where the first one must be", at: start)
        }
    }

    private mutating func add(_ path: String?, _ time: UInt64?, _ wasRun: Bool?, _ offset: Int) {
        guard var path, !path.isEmpty else { return }
        if path.hasPrefix("\\??\\") { path.removeFirst(4) }
        entries.append(
            ShimCacheEntry(path: path, modified: filetime(time), wasRun: wasRun, offset: offset))
    }
}

/// Emits the cache of each control set as records.
enum ShimCacheRecords {
    static let summary = RecordType("shim cache", module: "SHIMCache", numbers: ["entries", "last_known_entries"])
    static let entry = RecordType("shim cache entry", module: "SHIMCache", booleans: ["exec_flag"])
    // The largest seen are 100 KiB.
    private static let sizeLimit = 16 << 20

    static func emit(_ hive: Hive, _ out: inout Output) throws(StageError) {
        guard let root = hive.root else { return }
        var sets: [HiveKey] = []
        hive.eachSubkey(of: root) { key in
            if hive.name(of: key).lowercased().hasPrefix("controlset") { sets.append(key) }
            return sets.count < 16
        }
        for set in sets {
            for name in ["AppCompatCache", "AppCompatibility"] {
                guard let key = hive.key(at: "Control\\Session Manager\\" + name, below: set),
                    let value = hive.value("AppCompatCache", of: key),
                    let data = hive.bytes(of: value, limit: sizeLimit), data.count >= 8
                else { continue }
                let cache: ShimCache
                do throws(ParseError) {
                    cache = try ShimCache(data.rawSpan)
                } catch {
                    out.note(.unsupported, "\(hive.name(of: set)): \(error.message)", offset: value.offset)
                    continue
                }
                try emit(cache, in: hive.name(of: set), value, &out)
            }
        }
    }

    private static func emit(
        _ cache: ShimCache, in set: String, _ value: HiveValue, _ out: inout Output
    ) throws(StageError) {
        if let problem = cache.problem { out.note(.damaged, "\(set): shim cache: \(problem.message)") }
        try out.emit(summary, offset: value.offset) { builder in
            builder.field("entries", cache.entries.count)
            if let claimed = cache.claimed { builder.field("last_known_entries", claimed) }
            builder.field("control_set", set)
        }
        for item in cache.entries {
            try out.emit(entry, offset: value.offset) { builder in
                builder.field("timestamp", item.modified)
                builder.field("exec_flag", item.wasRun.map { $0 ? "true" : "false" })
                builder.field("path", item.path)
                HiveHeuristics.program(item.path, names: [], field: "path", entry, &builder)
            }
        }
    }
}
