import Pipeline

// Crash dumps of Windows as the kernel writes them (DUMP_HEADER, DUMP_HEADER64): a header of one or two pages, then
// pages of physical memory, either in the runs that the header lists or one for each set bit of a bitmap. Layout: the
// structures _DMP_HEADER and _DMP_HEADER64 of the public symbols; bitmap dumps as described by the kdmp-parser project.

/// A crash dump of a whole machine.
public struct CrashDump: Sendable {
    /// Most runs of a bitmap that are kept to tell addresses.
    public static let runLimit = 1_000_000
    // The number of runs is a field, but they all stand in the header.
    private static let headerRunLimit = 86
    private static let pageSize: UInt64 = 4096
    private static let bitmapPieceSize = 1 << 20

    /// Whether it is of a 64-bit system.
    public let is64: Bool
    /// `full`, `kernel`, `header`, `triage`, `bitmap full`, `bitmap kernel` or `automatic`.
    public private(set) var type = ""
    /// Parts of physical memory that the dump holds.
    public private(set) var ranges: [MemoryRange] = []
    /// Facts about the system as they are shown, in order.
    public private(set) var facts: [(name: String, value: String)] = []
    /// What could not be read.
    public private(set) var problems: [ParseError] = []

    private let reader: DumpReader

    /// Reads the header and where the pages stand.
    ///
    /// - Throws: `ParseError` when it is no crash dump.
    public init(_ content: Content) throws(ParseError) {
        reader = DumpReader(content: content)
        let magic = try reader.part(at: 0, count: 8, "crash dump header")
        is64 = magic.span.matches(Array("PAGEDU64".utf8), at: 0)
        guard is64 || magic.span.matches(Array("PAGEDUMP".utf8), at: 0) else {
            throw ParseError(.badMagic, "no crash dump header", at: 0)
        }
        let size = is64 ? 0x2000 : 0x1000
        let header = reader.available(at: 0, count: UInt64(size))
        if header.count < size {
            problems.append(
                ParseError(.truncated, "crash dump header: need \(size) bytes, have \(header.count)", at: 0))
        }
        let kind = header.span.uint32(at: is64 ? 0xF98 : 0xF88) ?? 0
        type = Self.types[kind] ?? "unknown (\(kind))"
        readFacts(header)
        // Without a bitmap the runs of the header follow each other behind it.
        if kind == 5 || kind == 6 || kind == 7 || reader.available(at: UInt64(size), count: 8).isBitmapHeader {
            readBitmap(at: UInt64(size))
        } else if kind == 1 {
            readRuns(header, from: UInt64(size))
        }
    }

    private static let types: [UInt32: String] = [
        1: "full", 2: "kernel", 3: "header", 4: "triage", 5: "bitmap full", 6: "bitmap kernel", 7: "automatic",
    ]

    private static let machines: [UInt32: String] = [
        0x014C: "x86", 0x0200: "IA64", 0x8664: "AMD64", 0x01C4: "ARM", 0xAA64: "ARM64",
    ]

    private func word(_ header: Bytes, _ at32: Int, _ at64: Int) -> UInt64? {
        is64 ? header.span.uint64(at: at64) : header.span.uint32(at: at32).map(UInt64.init)
    }

    private mutating func readFacts(_ header: Bytes) {
        let span = header.span
        if let machine = span.uint32(at: is64 ? 0x30 : 0x20) {
            facts.append(("architecture", Self.machines[machine] ?? UInt64(machine).hex))
        }
        // The major number is 0xF for a free build, 0xC for a checked one; the minor number is the build.
        if let build = span.uint32(at: 0x0C) { facts.append(("system", "Windows build \(build)")) }
        if let count = span.uint32(at: is64 ? 0x34 : 0x24) { facts.append(("processors", "\(count)")) }
        if let code = span.uint32(at: is64 ? 0x38 : 0x28) { facts.append(("bug_check", UInt64(code).hex)) }
        for index in 0..<4 {
            if let value = word(header, 0x2C + index * 4, 0x40 + index * 8) {
                facts.append(("bug_check_parameter", value.hex))
            }
        }
        if let table = word(header, 0x10, 0x10) { facts.append(("directory_table", table.hex)) }
        if let list = word(header, 0x18, 0x20) { facts.append(("loaded_module_list", list.hex)) }
        if let head = word(header, 0x1C, 0x28) { facts.append(("active_process_head", head.hex)) }
        if let time = span.uint64(at: is64 ? 0xFA8 : 0xFC0), time != 0, time != Self.fill {
            facts.append(("created", Timestamp(filetime: time).rfc3339()))
        }
        if let up = span.uint64(at: is64 ? 0x1030 : 0xFB8), up != 0, up != Self.fill {
            facts.append(("uptime_seconds", "\(up / 10_000_000)"))
        }
        if let comment = header.slice(at: is64 ? 0xFB0 : 0x820, count: 128), comment.span.uint32(at: 0) != 0x4547_4150 {
            let text = String(lossyNullTerminated: comment.span)
            if !text.isEmpty { facts.append(("comment", text)) }
        }
    }

    // What the kernel does not set stays `PAGE`.
    private static let fill: UInt64 = 0x4547_4150_4547_4150

    // PHYSICAL_MEMORY_DESCRIPTOR: count of runs, count of pages, runs of first page and count.
    private mutating func readRuns(_ header: Bytes, from start: UInt64) {
        let base = is64 ? 0x88 : 0x64
        let width = is64 ? 8 : 4
        guard let count = header.span.uint32(at: base) else { return }
        if count > Self.headerRunLimit {
            problems.append(
                ParseError(
                    .invalid, "\(count) runs of memory do not fit the header; places have no addresses", at: base))
            return
        }
        var offset = start
        for index in 0..<Int(count) {
            let entry = base + width * 2 + index * width * 2
            guard let page = word(header, entry, entry), let pages = word(header, entry + width, entry + width) else {
                return
            }
            let (address, tooHigh) = page.multipliedReportingOverflow(by: Self.pageSize)
            let (size, tooLarge) = pages.multipliedReportingOverflow(by: Self.pageSize)
            guard !tooHigh, !tooLarge, let next = offset.plus(size) else {
                problems.append(ParseError(.invalid, "run \(index) of memory is larger than any file", at: entry))
                return
            }
            ranges.append(MemoryRange(address: address, size: size, offset: offset))
            offset = next
        }
        if offset > UInt64(reader.count) {
            problems.append(
                ParseError(
                    .truncated, "the runs of memory end at \(offset), the file at \(reader.count)", at: base))
        }
    }

    // BMP header: signature, `DUMP`, at 0x20 the place of the first page, the number of pages, the number of bits, bits.
    private mutating func readBitmap(at start: UInt64) {
        let header = reader.available(at: start, count: 0x38)
        guard header.isBitmapHeader, let first = header.span.uint64(at: 0x20), let bits = header.span.uint64(at: 0x30)
        else {
            problems.append(
                ParseError(
                    .unsupported, "no bitmap behind the header; places have no addresses",
                    at: Int(truncatingIfNeeded: start)))
            return
        }
        var page: UInt64 = 0
        var offset = first
        var run: MemoryRange?
        var place = start + 0x38
        // Bits beyond the file's own size cannot be true.
        var left = min(bits / 8, UInt64(reader.count))
        while left > 0 {
            let piece = reader.available(at: place, count: min(left, UInt64(Self.bitmapPieceSize)))
            if piece.isEmpty { break }
            let span = piece.span
            for index in 0..<piece.count {
                let byte = span.uint8(at: index) ?? 0
                for bit in 0..<8 {
                    if byte >> UInt8(bit) & 1 == 1 {
                        if run == nil {
                            run = MemoryRange(address: page &* Self.pageSize, size: 0, offset: offset)
                        }
                        run?.size &+= Self.pageSize
                        offset = offset.plus(Self.pageSize) ?? offset
                    } else if let done = run {
                        guard keep(done) else { return }
                        run = nil
                    }
                    page &+= 1
                }
            }
            place += UInt64(piece.count)
            left -= UInt64(piece.count)
        }
        if let run { _ = keep(run) }
        if offset > UInt64(reader.count) {
            problems.append(
                ParseError(
                    .truncated, "the pages of the bitmap end at \(offset), the file at \(reader.count)",
                    at: Int(truncatingIfNeeded: start)))
        }
    }

    private mutating func keep(_ run: MemoryRange) -> Bool {
        if ranges.count < Self.runLimit {
            ranges.append(run)
            return true
        }
        problems.append(
            ParseError(
                .limit, "more than \(Self.runLimit) runs of pages; what lies behind has no addresses", at: 0))
        return false
    }
}

extension Bytes {
    // `SDMP` for a kernel's, `FDMP` for full memory, then `DUMP`.
    fileprivate var isBitmapHeader: Bool {
        span.matches(Array("SDMPDUMP".utf8), at: 0) || span.matches(Array("FDMPDUMP".utf8), at: 0)
    }
}
