public import Pipeline

// Brings a dirty hive up to date with its transaction logs, in a copy: the old format (one `DIRT` bitmap of 512-byte
// pages) and the new one (`HvLE` entries with Marvin32 checksums). Format and order of application after "Windows
// registry file format specification" (M. Suhanov), chapters "Format of transaction log files", "Dirty state of a
// hive" and "Multiple transaction log files", and its note on missing log entries.

/// What transaction logs add to a dirty hive.
public struct HiveRecovery {
    private static let page = 512

    /// What was applied, and what could not be, one sentence each.
    public private(set) var notes: [HiveProblem] = []
    /// Number of pages that the logs replace.
    public var pageCount: Int { pages.count }
    private let hive: Bytes
    private let logs: [Companion]
    // Page of the hive bins, and where its newest content stands: which log, at which offset.
    private var pages: [Int: (log: Int, offset: Int)] = [:]
    private var binsSize = 0
    private var sequence: UInt32 = 0
    private var baseLog: Int?

    /// Reads the logs that belong to a hive.
    ///
    /// - Parameter logs: In any order; only names ending in `.LOG`, `.LOG1` and `.LOG2` are looked at.
    /// - Returns: nil when the hive is clean or no log has anything newer.
    public init?(of hive: Bytes, logs: [Companion]) {
        let header = try? HiveHeader(hive.span)
        guard header?.isDirty ?? true else { return nil }
        self.hive = hive
        self.logs = logs.filter { log in
            let name = log.name.lowercased()
            return name.hasSuffix(".log") || name.hasSuffix(".log1") || name.hasSuffix(".log2")
        }.sorted { $0.name < $1.name }
        let valid = header.flatMap { $0.isChecksumValid ? $0 : nil }
        readOldLogs(valid)
        if pages.isEmpty { readNewLogs(valid) }
        if pages.isEmpty { return nil }
        dropStrays()
    }

    // A hive grows by pages that are in its logs. One far behind all others would only make a long file of zeros.
    private mutating func dropStrays() {
        let room = max(0, hive.count - HiveHeader.size) / Self.page + pages.count
        let strays = pages.keys.filter { $0 >= room }
        guard let first = strays.min() else { return }
        for page in strays { pages[page] = nil }
        notes.append(
            HiveProblem(
                "\(strays.count) pages of the logs lie behind the end of the hive, with nothing before them, and were "
                    + "not applied", at: HiveHeader.size + first * Self.page))
    }

    // MARK: Old format

    // The first log that fits is the one.
    private mutating func readOldLogs(_ header: HiveHeader?) {
        for index in logs.indices {
            let bytes = logs[index].bytes
            let span = bytes.span
            guard let log = try? HiveHeader(span), log.role == .oldLog, log.isChecksumValid,
                log.primarySequence == log.secondarySequence, span.matches(Array("DIRT".utf8), at: Self.page)
            else { continue }
            // Without its own header the time of the hive is the one in the first bin.
            let time = header?.lastWritten ?? hive.span.uint64(at: HiveHeader.size + 20)
            guard log.lastWritten == time else {
                notes.append(HiveProblem("\(logs[index].name) is of another time; not applied", at: 0))
                continue
            }
            binsSize = Int(log.binsSize)
            sequence = log.primarySequence
            baseLog = index
            readBitmap(index)
            return
        }
    }

    private mutating func readBitmap(_ index: Int) {
        let bytes = logs[index].bytes
        let span = bytes.span
        let bitmap = Self.page &+ 4
        let bits = binsSize / Self.page
        // The pages follow at the next sector after the bitmap.
        var offset = (bitmap &+ (bits &+ 7) / 8 &+ Self.page &- 1) / Self.page &* Self.page
        for bit in 0..<bits {
            guard let byte = span.uint8(at: bitmap &+ bit / 8) else { break }
            if byte == 0 || byte & (1 << UInt8(bit & 7)) == 0 { continue }
            guard span.slice(at: offset, count: Self.page) != nil else {
                notes.append(HiveProblem("\(logs[index].name) ends before its last page", at: offset))
                break
            }
            pages[bit] = (index, offset)
            offset &+= Self.page
        }
        if !pages.isEmpty { notes.append(HiveProblem("\(pages.count) pages applied from \(logs[index].name)", at: 0)) }
    }

    // MARK: New format

    private struct Entry {
        var log: Int
        var offset: Int
        var sequence: UInt32
        var binsSize: Int
        var pageCount: Int
    }

    private mutating func readNewLogs(_ header: HiveHeader?) {
        var runs: [[Entry]] = []
        for index in logs.indices {
            let bytes = logs[index].bytes
            guard let log = try? HiveHeader(bytes.span), log.role == .newLog else { continue }
            if header == nil, log.isChecksumValid, baseLog == nil { baseLog = index }
            let entries = self.entries(of: index)
            if !entries.isEmpty { runs.append(entries) }
        }
        runs.sort { ($0.first?.sequence ?? 0) < ($1.first?.sequence ?? 0) }
        let start = header?.secondarySequence ?? 0
        var last: UInt32?
        for run in runs {
            var applied = 0
            for entry in run where entry.sequence >= start {
                if let last, entry.sequence <= last { continue }
                // A partial write of the hive may leave a gap before the first entry, never between two.
                if last == nil, header != nil, entry.sequence > start &+ 1 {
                    notes.append(
                        HiveProblem(
                            "log entries before \(entry.sequence) are not there, the hive stands at \(start): "
                                + "some keys may be older", at: entry.offset))
                }
                if let last, entry.sequence != last &+ 1 {
                    notes.append(
                        HiveProblem(
                            "\(logs[entry.log].name): entries between \(last) and \(entry.sequence) are missing; "
                                + "the rest was not applied", at: entry.offset))
                    break
                }
                apply(entry)
                last = entry.sequence
                applied += 1
            }
            if applied > 0, let log = run.first?.log {
                notes.append(HiveProblem("\(applied) log entries applied from \(logs[log].name)", at: 0))
            }
        }
    }

    // All entries of a log up to the first one that is not valid, or is older than the one before it.
    private mutating func entries(of index: Int) -> [Entry] {
        let bytes = logs[index].bytes
        let span = bytes.span
        var entries: [Entry] = []
        var offset = Self.page
        while span.matches(Array("HvLE".utf8), at: offset) {
            guard let size = span.uint32(at: offset &+ 4).map(Int.init), size >= Self.page,
                let body = span.slice(at: offset, count: size), let sequence = body.uint32(at: 12),
                let binsSize = body.uint32(at: 16), let count = body.uint32(at: 20), let first = body.uint64(at: 24),
                let second = body.uint64(at: 32)
            else {
                notes.append(HiveProblem("\(logs[index].name): a log entry is cut at its end", at: offset))
                break
            }
            let pageCount = Int(count)
            guard Marvin32.hash(body.prefix(32)) == second, Marvin32.hash(body.suffix(from: 40)) == first,
                binsSize & 0xFFF == 0, pageCount <= (size - 40) / 8
            else {
                notes.append(
                    HiveProblem(
                        "\(logs[index].name): the log entry \(sequence) has a wrong checksum; it and the rest were "
                            + "not applied", at: offset))
                break
            }
            if let last = entries.last, sequence != last.sequence &+ 1 { break }
            entries.append(
                Entry(
                    log: index, offset: offset, sequence: sequence, binsSize: Int(binsSize), pageCount: pageCount))
            offset &+= size
        }
        return entries
    }

    private mutating func apply(_ entry: Entry) {
        let bytes = logs[entry.log].bytes
        let span = bytes.span
        var data = entry.offset &+ 40 &+ entry.pageCount &* 8
        for index in 0..<entry.pageCount {
            let place = entry.offset &+ 40 &+ index &* 8
            guard let target = span.uint32(at: place).map(Int.init),
                let size = span.uint32(at: place &+ 4).map(Int.init),
                target % Self.page == 0, size % Self.page == 0, target &+ size <= entry.binsSize,
                span.slice(at: data, count: size) != nil
            else {
                notes.append(
                    HiveProblem("\(logs[entry.log].name): a page of entry \(entry.sequence) is wrong", at: place))
                break
            }
            for part in 0..<(size / Self.page) {
                pages[target / Self.page &+ part] = (entry.log, data &+ part &* Self.page)
            }
            data &+= size
        }
        binsSize = entry.binsSize
        sequence = entry.sequence
    }

    // MARK: The copy

    /// Writes the recovered hive.
    ///
    /// - Throws: `SystemError` when there is no room for it.
    public func write(to store: ByteStore) throws(SystemError) -> Bytes {
        var writer = store.makeWriter()
        try writer.append(baseBlock().rawSpan)
        // Never longer than what is there to fill it: the size is the file's word only.
        let last = (pages.keys.max() ?? 0) + 1
        let end = min(binsSize, max(hive.count - HiveHeader.size, last * Self.page))
        let zeros = [UInt8](repeating: 0, count: Self.page)
        let old = hive.span
        for page in 0..<(end / Self.page) {
            if let newer = pages[page] {
                let log = logs[newer.log].bytes
                try writer.append(log.span.suffix(from: newer.offset).prefix(Self.page))
            } else {
                let part = old.suffix(from: HiveHeader.size + page * Self.page).prefix(Self.page)
                try writer.append(part)
                try writer.append(zeros.rawSpan.prefix(Self.page - part.byteCount))
            }
        }
        return try writer.finish()
    }

    private func baseBlock() -> [UInt8] {
        var block = hive.prefix(HiveHeader.size).array
        block += [UInt8](repeating: 0, count: HiveHeader.size - block.count)
        if let baseLog { replace(&block, at: 0, with: logs[baseLog].bytes.prefix(Self.page).array) }
        replace(&block, at: 4, with: bytes(sequence))
        replace(&block, at: 8, with: bytes(sequence))
        replace(&block, at: 28, with: bytes(0))
        replace(&block, at: 40, with: bytes(UInt32(truncatingIfNeeded: binsSize)))
        let sum = HiveHeader.checksum(block.rawSpan)
        replace(&block, at: 508, with: bytes(sum))
        return block
    }

    private func replace(_ block: inout [UInt8], at start: Int, with bytes: [UInt8]) {
        for (index, byte) in bytes.enumerated() where start + index < block.count { block[start + index] = byte }
    }

    private func bytes(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
    }
}
