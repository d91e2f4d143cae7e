import Pipeline

// The tables of a minidump. Every table begins with its number of entries; a table that is shorter than it says gives
// the entries that are there and a problem.

extension Minidump {
    mutating func read(_ stream: Stream) {
        let data = reader.available(at: UInt64(stream.offset), count: UInt64(stream.size))
        if data.count < Int(stream.size) {
            let code: ParseError.Code = Int(stream.size) > DumpReader.pieceLimit ? .limit : .truncated
            problems.append(
                ParseError(
                    code, "\(stream.name): \(stream.size) bytes, \(data.count) were read", at: Int(stream.offset)))
        }
        let base = Int(stream.offset)
        switch stream.type {
        case 3: readThreads(data, base)
        case 4: readModules(data, base)
        case 5: readMemory(data, base)
        case 6: readException(data, base)
        case 7: readSystem(data)
        case 9: readMemory64(data, base)
        case 11: fact("comment", String(utf16NullTerminated: data.prefix(4096).span))
        case 10: fact("comment", String(lossyNullTerminated: data.prefix(4096).span))
        case 12: readHandles(data, base)
        case 14: readUnloaded(data, base)
        case 15: readMisc(data)
        case 16: readRegions(data, base)
        case 24: readThreadNames(data)
        case 0x4767_0006: fact("command_line", commandLine(data))
        default: break
        }
    }

    private mutating func fact(_ name: String, _ value: String) {
        if !value.isEmpty { facts.append((name, value)) }
    }

    // Arguments end with a zero each.
    private func commandLine(_ data: Bytes) -> String {
        String(lossy: data.prefix(64 << 10).span).split(separator: "\0").joined(separator: " ")
    }

    // How many entries of `size` bytes a table really has, behind a header of `start` bytes.
    private mutating func entries(
        _ count: UInt64, of size: Int, from start: Int, in data: Bytes, _ what: String, _ base: Int,
        limit: Int = Minidump.entryLimit
    ) -> Int {
        let room = size > 0 && data.count > start ? (data.count - start) / size : 0
        let usable = min(count, UInt64(min(room, limit)))
        if usable < count {
            let isLimit = room > limit
            problems.append(
                ParseError(
                    isLimit ? .limit : .truncated, "\(what): \(count) entries, \(usable) were read", at: base))
        }
        return Int(usable)
    }

    // Some writers align the entries to eight bytes behind the count; the size of the stream tells.
    private func start(_ count: UInt32, of size: Int, in data: Bytes) -> Int {
        UInt64(data.count) == UInt64(count) * UInt64(size) + 8 ? 8 : 4
    }

    private mutating func readThreads(_ data: Bytes, _ base: Int) {
        let span = data.span
        guard let count = span.uint32(at: 0) else { return }
        let first = start(count, of: 48, in: data)
        for index in 0..<entries(UInt64(count), of: 48, from: first, in: data, "threads", base) {
            let entry = first + index * 48
            guard let id = span.uint32(at: entry), let priority = span.uint32(at: entry + 12),
                let environment = span.uint64(at: entry + 16), let stack = span.uint64(at: entry + 24),
                let size = span.uint32(at: entry + 32), let place = span.uint32(at: entry + 36)
            else { return }
            threads.append(
                Thread(
                    id: id, priority: priority, environment: environment,
                    stack: MemoryRange(address: stack, size: UInt64(size), offset: UInt64(place)),
                    entry: base + entry))
        }
    }

    private mutating func readModules(_ data: Bytes, _ base: Int) {
        guard let count = data.span.uint32(at: 0) else { return }
        let first = start(count, of: 108, in: data)
        for index in 0..<entries(UInt64(count), of: 108, from: first, in: data, "modules", base) {
            let entry = first + index * 108
            guard let part = data.slice(at: entry, count: 108) else { return }
            let span = part.span
            var module = LoadedModule()
            module.base = span.uint64(at: 0) ?? 0
            module.size = UInt64(span.uint32(at: 8) ?? 0)
            module.timestamp = span.uint32(at: 16) ?? 0
            module.path = text(at: UInt64(span.uint32(at: 20) ?? 0))
            if span.uint32(at: 24) == 0xFEEF_04BD, let high = span.uint32(at: 32), let low = span.uint32(at: 36) {
                module.version = "\(high >> 16).\(high & 0xFFFF).\(low >> 16).\(low & 0xFFFF)"
            }
            module.debugFile = debugFile(size: span.uint32(at: 76) ?? 0, at: span.uint32(at: 80) ?? 0)
            module.entry = base + entry
            modules.append(module)
        }
    }

    // A CodeView record of the kind RSDS: GUID, age, name.
    private mutating func debugFile(size: UInt32, at offset: UInt32) -> String {
        guard size > 24, size <= 4096, names.take(Int(size)) else { return "" }
        let record = reader.available(at: UInt64(offset), count: UInt64(size))
        guard record.span.matches(Array("RSDS".utf8), at: 0) else { return "" }
        return String(lossyNullTerminated: record.span.suffix(from: 24))
    }

    private mutating func readUnloaded(_ data: Bytes, _ base: Int) {
        guard let header = data.span.uint32(at: 0), let size = data.span.uint32(at: 4), size >= 24,
            let count = data.span.uint32(at: 8), let start = Int(exactly: header), let step = Int(exactly: size)
        else { return }
        for index in 0..<entries(UInt64(count), of: step, from: start, in: data, "unloaded modules", base) {
            guard let part = data.slice(at: start + index * step, count: 24) else { return }
            var module = LoadedModule()
            module.base = part.span.uint64(at: 0) ?? 0
            module.size = UInt64(part.span.uint32(at: 8) ?? 0)
            module.timestamp = part.span.uint32(at: 16) ?? 0
            module.path = text(at: UInt64(part.span.uint32(at: 20) ?? 0))
            module.entry = base + start + index * step
            unloaded.append(module)
        }
    }

    private mutating func readMemory(_ data: Bytes, _ base: Int) {
        let span = data.span
        guard let count = span.uint32(at: 0) else { return }
        let first = start(count, of: 16, in: data)
        for index
            in 0..<entries(UInt64(count), of: 16, from: first, in: data, "memory ranges", base, limit: Self.rangeLimit)
        {
            guard let address = span.uint64(at: first + index * 16), let size = span.uint32(at: first + index * 16 + 8),
                let place = span.uint32(at: first + index * 16 + 12)
            else { return }
            ranges.append(MemoryRange(address: address, size: UInt64(size), offset: UInt64(place)))
        }
    }

    // The bytes of all ranges stand one behind the other from one place on.
    private mutating func readMemory64(_ data: Bytes, _ base: Int) {
        let span = data.span
        guard let count = span.uint64(at: 0), var place = span.uint64(at: 8) else { return }
        for index in 0..<entries(count, of: 16, from: 16, in: data, "memory ranges", base, limit: Self.rangeLimit) {
            guard let address = span.uint64(at: 16 + index * 16), let size = span.uint64(at: 24 + index * 16) else {
                return
            }
            ranges.append(MemoryRange(address: address, size: size, offset: place))
            guard let next = place.plus(size) else {
                problems.append(
                    ParseError(
                        .invalid, "memory range \(index) is larger than any file; the rest was not read", at: base))
                return
            }
            place = next
        }
    }

    private mutating func readRegions(_ data: Bytes, _ base: Int) {
        let span = data.span
        guard let header = span.uint32(at: 0), let size = span.uint32(at: 4), size >= 48,
            let count = span.uint64(at: 8), let start = Int(exactly: header), let step = Int(exactly: size)
        else { return }
        for index in 0..<entries(count, of: step, from: start, in: data, "memory regions", base) {
            let entry = start + index * step
            guard let address = span.uint64(at: entry), let size = span.uint64(at: entry + 24),
                let state = span.uint32(at: entry + 32), let protection = span.uint32(at: entry + 36),
                let type = span.uint32(at: entry + 40)
            else { return }
            regions.append(
                Region(
                    address: address, size: size, state: state, protection: protection, type: type,
                    entry: base + entry))
        }
    }

    private mutating func readHandles(_ data: Bytes, _ base: Int) {
        guard let header = data.span.uint32(at: 0), let size = data.span.uint32(at: 4), size >= 32,
            let count = data.span.uint32(at: 8), let start = Int(exactly: header), let step = Int(exactly: size)
        else { return }
        for index in 0..<entries(UInt64(count), of: step, from: start, in: data, "handles", base) {
            guard let part = data.slice(at: start + index * step, count: 32) else { return }
            let type = part.span.uint32(at: 8) ?? 0
            let name = part.span.uint32(at: 12) ?? 0
            handles.append(
                Handle(
                    value: part.span.uint64(at: 0) ?? 0, type: type == 0 ? "" : text(at: UInt64(type)),
                    name: name == 0 ? "" : text(at: UInt64(name)), access: part.span.uint32(at: 20) ?? 0,
                    entry: base + start + index * step))
        }
    }

    private mutating func readException(_ data: Bytes, _ base: Int) {
        let span = data.span
        guard let thread = span.uint32(at: 0), let code = span.uint32(at: 8), let address = span.uint64(at: 24) else {
            problems.append(ParseError(.truncated, "exception: \(data.count) bytes", at: base))
            return
        }
        let count = min(span.uint32(at: 32) ?? 0, 15)
        exception = Exception(
            thread: thread, code: code, address: address,
            parameters: (0..<Int(count)).compactMap { span.uint64(at: 40 + $0 * 8) }, entry: base)
    }

    private mutating func readThreadNames(_ data: Bytes) {
        let span = data.span
        guard let count = span.uint32(at: 0) else { return }
        var known: [UInt32: String] = [:]
        for index in 0..<min(Int(count), max(data.count - 4, 0) / 12) {
            guard let id = span.uint32(at: 4 + index * 12), let place = span.uint64(at: 8 + index * 12) else { break }
            known[id] = text(at: place)
        }
        threadNames.merge(known) { first, _ in first }
    }

    private mutating func readSystem(_ data: Bytes) {
        let span = data.span
        guard let architecture = span.uint16(at: 0), let major = span.uint32(at: 8), let minor = span.uint32(at: 12),
            let build = span.uint32(at: 16), let platform = span.uint32(at: 20)
        else { return }
        fact("architecture", Self.architectures[architecture] ?? "\(architecture)")
        fact("system", "\(Self.platforms[platform] ?? "platform \(platform)") \(major).\(minor).\(build)")
        if let pack = span.uint32(at: 24), pack != 0 { fact("service_pack", text(at: UInt64(pack))) }
        if let processors = span.uint8(at: 6) { fact("processors", "\(processors)") }
    }

    private mutating func readMisc(_ data: Bytes) {
        let span = data.span
        guard let valid = span.uint32(at: 4), let process = span.uint32(at: 8), let created = span.uint32(at: 12)
        else { return }
        if valid & 1 != 0 { fact("process_id", "\(process)") }
        if valid & 2 != 0, created != 0 { fact("process_created", Timestamp(seconds: Int64(created)).rfc3339()) }
    }

    private static let architectures: [UInt16: String] = [
        0: "x86", 1: "MIPS", 3: "PowerPC", 5: "ARM", 6: "IA64", 9: "AMD64", 12: "ARM64", 0x8001: "SPARC",
        0x8002: "PowerPC64", 0x8003: "ARM64", 0x8004: "MIPS64",
    ]

    private static let platforms: [UInt32: String] = [
        0: "Windows 3.1", 1: "Windows 9x", 2: "Windows NT", 3: "Windows CE", 0x8000: "Unix", 0x8101: "macOS",
        0x8102: "iOS", 0x8201: "Linux", 0x8202: "Solaris", 0x8203: "Android", 0x8204: "PlayStation 3",
        0x8205: "Native Client", 0x8206: "Fuchsia",
    ]
}
