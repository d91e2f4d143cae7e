import CommandLines
public import Pipeline

// PowerShell's module analysis cache: which modules were seen, and which commands they have. Source: AnalysisCache.cs
// of PowerShell. Emits one record `PowerShell module analysis cache module entry` for each module: path, modified,
// command (list), class (list).

/// A module of PowerShell's analysis cache.
public struct CachedModule: Sendable, Equatable {
    /// Path of the module's file.
    public let path: String
    /// Last write of the file.
    public let modified: Timestamp?
    /// Names of its commands.
    public let commands: [String]
    /// Names of its types.
    public let types: [String]
    /// Position in the cache.
    public let offset: Int
}

/// Reads the modules of a cache one after another.
public struct ModuleCacheReader: Sendable {
    private static let magic = Array("PSMODULECACHE".utf8)
    // Days from year 1 to 1601 in steps of 100 ns: .NET counts from there.
    private static let ticksTo1601: UInt64 = 504_911_232_000_000_000

    /// Modules that the cache says are still to come.
    public private(set) var remaining: Int
    private var position: Int

    /// Reads the header.
    ///
    /// - Throws: `ParseError` with `bad-magic` or `truncated`.
    public init(_ span: RawSpan) throws(ParseError) {
        guard span.matches(Self.magic, at: 0) else {
            throw ParseError(.badMagic, "this is no module analysis cache", at: 0)
        }
        var reader = ByteReader(span, at: Self.magic.count + 1)
        remaining = Int(try reader.uint32("number of modules"))
        position = reader.offset
    }

    /// The next module; nil after the last one.
    ///
    /// - Throws: `ParseError` when it is not all there; nothing can be read after that.
    public mutating func next(_ span: RawSpan) throws(ParseError) -> CachedModule? {
        guard remaining > 0 else { return nil }
        var reader = ByteReader(span, at: position)
        let start = position
        let ticks = try reader.uint64("last write of a module")
        let path = try text(&reader)
        let commands = try names(&reader)
        let types = try names(&reader)
        position = reader.offset
        remaining -= 1
        let time = ticks & 0x3FFF_FFFF_FFFF_FFFF
        return CachedModule(
            path: path, modified: time > Self.ticksTo1601 ? Timestamp(filetime: time - Self.ticksTo1601) : nil,
            commands: commands, types: types, offset: start)
    }

    private func text(_ reader: inout ByteReader) throws(ParseError) -> String {
        let count = Int(try reader.uint32("length of a text"))
        return String(lossy: try reader.bytes(count, "text"))
    }

    // A count, then a text and a number for each.
    private func names(_ reader: inout ByteReader) throws(ParseError) -> [String] {
        var left = Int(try reader.uint32("number of names"))
        var names: [String] = []
        while left > 0 {
            left -= 1
            names.append(try text(&reader))
            try reader.skip(4, "attributes of a name")
        }
        return names
    }
}

/// Reads PowerShell's module analysis cache.
public struct ModuleCacheStage: Stage {
    static let attackModule = Heuristic(
        "ModuleCacheAttackModule", score: 70, "PowerShell has seen a module of an attack framework",
        tags: ["T1059.001", "T1588.002"], falsePositives: ["Penetration tests"])
    static let writablePlace = Heuristic(
        "ModuleCacheUserWritablePlace", score: 45,
        "PowerShell has seen a module in a folder that every user can write to", tags: ["T1059.001"],
        falsePositives: ["Installers that unpack themselves"])

    // Parts of module paths and names of commands, in lower case.
    private static let attackNames = [
        "powersploit", "powerview", "powerup", "nishang", "empire", "invoke-mimikatz", "invoke-kerberoast",
        "invoke-bloodhound", "invoke-shellcode", "invoke-reflectivepeinjection", "invoke-dllinjection",
        "invoke-tokenmanipulation", "invoke-psinject", "invoke-wmiexec", "invoke-smbexec", "invoke-allchecks",
        "invoke-dcsync", "out-minidump", "get-gpppassword", "get-keystrokes", "add-scrnsavebackdoor", "powercat",
        "invoke-aadinternals", "aadinternals", "dsinternals", "sharphound",
    ]

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "ps-module-cache", summary: "Reads PowerShell's module analysis cache: modules and their commands.",
        interest: .kinds("PowerShell Module Cache"), module: "PSModuleCache",
        heuristics: [attackModule, writablePlace],
        references: [
            "https://github.com/PowerShell/PowerShell (System.Management.Automation, engine/Modules/AnalysisCache.cs)"
        ],
        limitations: ["Kinds of commands and attributes of types are not shown."])

    /// Type of the records.
    public static let recordType = RecordType(
        "PowerShell module analysis cache module entry", module: "PSModuleCache", lists: ["command", "class"])

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one cache.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        var modules: ModuleCacheReader
        do throws(ParseError) {
            modules = try ModuleCacheReader(sample.bytes.span)
        } catch {
            throw StageError(error)
        }
        while true {
            let module: CachedModule?
            do throws(ParseError) {
                module = try modules.next(sample.bytes.span)
            } catch {
                throw StageError(
                    .damaged, "\(error.message); \(modules.remaining) modules were not read", offset: error.offset)
            }
            guard let module else { return }
            try out.emit(Self.recordType, offset: module.offset) { builder throws(StageError) in
                builder.field("path", module.path)
                builder.field("modified", module.modified)
                for command in module.commands { builder.field("command", command) }
                for type in module.types { builder.field("class", type) }
                Self.judge(module, &builder)
            }
        }
    }

    private static func judge(_ module: CachedModule, _ builder: inout RecordBuilder) {
        let lower = module.path.lowercased()
        let pointer = recordType.pointer(to: "path")
        if attackNames.contains(where: { lower.contains($0) }) {
            builder.report(attackModule.reason(module.path, at: pointer))
        } else if let command = module.commands.first(where: { attackNames.contains($0.lowercased()) }) {
            builder.report(attackModule.reason(command, at: recordType.pointer(to: "command")))
        }
        if SuspiciousCommand.isInUserWritablePlace(lower) {
            builder.report(writablePlace.reason(module.path, at: pointer))
        }
    }
}
