import LNK
public import Pipeline

// Emits each destination of a jump list as one record `jump list entry`: path, pinned, last_access, access_count,
// netbios_name, object_id, volume_id, birth_object_id, birth_volume_id, entry_id, checksum as far as the list tells
// them, then the fields of the link as in a `link info` record (target, arguments, command_line, times, …).
// Automatic lists are compound files; custom ones are links one after another.

/// Reads Windows jump lists.
public struct JumpListStage: Stage {
    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "jump-list", summary: "Reads Windows jump lists, automatic and custom: what was opened, when, how often.",
        interest: .kinds("Jump List"), module: "JumpList",
        references: [
            "https://github.com/libyal/dtformats (Jump lists format)",
            "https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb (MS-CFB)",
            "https://learn.microsoft.com/openspecs/windows_protocols/ms-shllink (MS-SHLLINK)",
        ],
        limitations: [
            "Categories of custom lists are not named.",
            "The application is not looked up from the file's name.",
            "Destinations that were removed from the list are shown only if their link is still there.",
        ])

    /// Type of the records.
    public static let recordType = RecordType(
        "jump list entry", module: "JumpList",
        numbers: LNKStage.recordType.numbers.union(["access_count", "entry_id"]), booleans: ["pinned"],
        lists: LNKStage.recordType.lists)

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one jump list.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        if sample.bytes.span.uint32(at: 0) == 0xE011_CFD0 {
            try readAutomatic(sample.bytes, &out)
        } else {
            try readCustom(sample.bytes, &out)
        }
    }

    private func readAutomatic(_ bytes: Bytes, _ out: inout Output) throws(StageError) {
        var file: CompoundFile
        do throws(ParseError) {
            file = try CompoundFile(bytes)
        } catch {
            throw StageError(error)
        }
        var problems: [ParseError] = []
        var destinations: [UInt32: Destination] = [:]
        var order: [UInt32] = []
        if let entry = file.streams.first(where: { $0.name == "DestList" }) {
            let list = file.content(of: entry)
            for destination in Destination.list(list.rawSpan, &problems) {
                if destinations.updateValue(destination, forKey: destination.entryID) == nil {
                    order.append(destination.entryID)
                }
            }
        }
        var links: [UInt32: CompoundFile.Entry] = [:]
        for entry in file.streams where entry.name != "DestList" {
            guard let number = UInt32(entry.name, radix: 16), links[number] == nil else { continue }
            links[number] = entry
            if destinations[number] == nil { order.append(number) }
        }
        for number in order {
            try out.checkpoint()
            var link: ShellLink?
            if let entry = links[number] {
                let content = file.content(of: entry)
                link = read(content.rawSpan, "link \(entry.name)", &problems)
            }
            try emit(destinations[number], link, number, &out)
        }
        for problem in file.problems + problems { out.note(.damaged, problem.message, offset: problem.offset) }
    }

    // The links stand between headers and footers of categories; each begins with its size and class id.
    private func readCustom(_ bytes: Bytes, _ out: inout Output) throws(StageError) {
        let mark: [UInt8] = [0x4C, 0, 0, 0] + ShellLink.classID
        var problems: [ParseError] = []
        var offset = 0
        while let start = bytes.span.firstOffset(of: mark, from: offset) {
            try out.checkpoint()
            offset = start + ShellLink.headerSize
            if let link = read(bytes.span.suffix(from: start), "link at \(start)", &problems) {
                offset = start + link.size
                try emit(nil, link, nil, at: start, &out)
            }
        }
        for problem in problems { out.note(.damaged, problem.message, offset: problem.offset) }
    }

    private func read(_ span: RawSpan, _ name: String, _ problems: inout [ParseError]) -> ShellLink? {
        do throws(ParseError) {
            let link = try ShellLink(span)
            for problem in link.problems where problems.count < 64 {
                problems.append(ParseError(problem.code, "\(name): \(problem.message)", at: problem.offset))
            }
            return link
        } catch {
            if problems.count < 64 {
                problems.append(ParseError(error.code, "\(name): \(error.message)", at: error.offset))
            }
            return nil
        }
    }

    private func emit(
        _ destination: Destination?, _ link: ShellLink?, _ number: UInt32?, at offset: Int = 0, _ out: inout Output
    ) throws(StageError) {
        guard destination != nil || link != nil else { return }
        try out.emit(Self.recordType, offset: offset) { builder throws(StageError) in
            builder.field("path", destination?.path ?? link?.target)
            if let destination { write(destination, to: &builder) }
            if let number { builder.field("entry_id", Int(number)) }
            if let destination {
                let digits = String(destination.checksum, radix: 16)
                builder.field("checksum", String(repeating: "0", count: 16 - digits.count) + digits)
            }
            link?.write(to: &builder)
        }
    }

    private func write(_ destination: Destination, to builder: inout RecordBuilder) {
        builder.field("pinned", destination.isPinned ? "true" : "false")
        builder.field("last_access", destination.lastAccess?.rfc3339(fractionDigits: 6))
        builder.field("access_count", destination.accessCount)
        builder.field("netbios_name", destination.machine)
        builder.field("object_id", destination.objectID?.description)
        builder.field("volume_id", destination.volumeID?.description)
        builder.field("birth_object_id", destination.birthObjectID?.description)
        builder.field("birth_volume_id", destination.birthVolumeID?.description)
    }
}
