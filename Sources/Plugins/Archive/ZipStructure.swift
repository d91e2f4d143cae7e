import Pipeline

// The skeleton of a ZIP file, read without inflating anything (PKWARE APPNOTE 6.3.10, section 4.3). Readers disagree
// about ZIP files that have several central directories, or members that the directory does not name: one takes the
// last directory, another follows the local headers. All of them are found here, so that nothing hides in the
// difference.

/// Central directories and local headers of a ZIP file.
public struct ZipStructure: Sendable {
    /// Most entries of one directory that are compared.
    public static let entryLimit = 1 << 18
    /// Most directories that are read.
    public static let directoryLimit = 16

    /// A central directory and the record that ends it.
    public struct Directory: Sendable, Equatable {
        /// Where the end record begins.
        public let end: Int
        /// Where its first entry begins.
        public let start: Int
        /// What stored offsets are relative to: 0, or the length of what stands before the archive.
        public let base: Int
        /// Entries as the end record counts them.
        public let declaredCount: Int
        /// Entries that are there.
        public let entries: [Entry]
        /// Where file and comment end.
        public let fileEnd: Int
        /// Whether entries beyond the limit were left out.
        public let isCut: Bool
    }

    /// What the central directory says of a member.
    public struct Entry: Sendable, Equatable {
        /// Where the directory's entry lies.
        public let offset: Int
        /// Where the local header should be.
        public let local: Int
        let flags: UInt16
        let method: UInt16
        let compressedSize: Int
        let name: Slice
    }

    /// A local header.
    public struct LocalHeader: Sendable, Equatable {
        /// Where it begins.
        public let offset: Int
        /// Where the content begins.
        public let dataStart: Int
        let flags: UInt16
        let method: UInt16
        /// nil when it stands behind the content.
        let compressedSize: Int?
        let name: Slice
    }

    struct Slice: Sendable, Equatable {
        let start: Int
        let count: Int
    }

    /// Central directories, the last of the file first: that is the one most programs read.
    public private(set) var directories: [Directory] = []
    /// Local headers that no directory names, in file order.
    public private(set) var hidden: [LocalHeader] = []
    /// Members whose local header contradicts the directory.
    public private(set) var contradictions: [(entry: Entry, local: LocalHeader)] = []
    /// Entries of the last directory that have no local header where they say.
    public private(set) var missing = 0
    /// Bytes before the first member.
    public private(set) var prefixCount = 0
    /// Bytes behind the end record and its comment.
    public private(set) var suffixCount = 0
    /// Whether a directory had too many entries to be compared, or there were too many directories.
    public private(set) var isCut = false

    /// Reads the structure.
    ///
    /// - Parameter memberLimit: Most hidden members that are listed.
    public init(_ span: RawSpan, memberLimit: Int = 10_000) {
        self.init(span, memberLimit: memberLimit, checkpoint: {})
    }

    /// Reads the structure, with a checkpoint in its loops.
    ///
    /// - Throws: what `checkpoint` throws.
    public init<E: Error>(
        _ span: RawSpan, memberLimit: Int, checkpoint: () throws(E) -> Void
    ) throws(E) {
        var covered = Coverage()
        var before = span.byteCount
        while let end = span.lastOffset(of: [0x50, 0x4B, 0x05, 0x06], before: before) {
            try checkpoint()
            before = end
            if let region = covered.region(at: end) {
                // An archive stored inside a member, or the comment of a directory: not ours.
                before = max(region, 0)
                continue
            }
            guard directories.count < Self.directoryLimit else {
                isCut = true
                break
            }
            guard let directory = try Self.directory(span, end: end, checkpoint) else { continue }
            try cover(directory, span, &covered, checkpoint)
            directories.append(directory)
        }
        suffixCount = directories.first.map { span.byteCount - $0.fileEnd } ?? 0
        prefixCount = directories.isEmpty ? 0 : covered.first ?? 0
        if !isCut { try findHidden(span, covered, memberLimit, checkpoint) }
    }

    /// Whether the file has no directory at all.
    public var hasNoDirectory: Bool { directories.isEmpty }

    // MARK: Directories

    private static func directory<E: Error>(
        _ span: RawSpan, end: Int, _ checkpoint: () throws(E) -> Void
    ) throws(E) -> Directory? {
        guard let count16 = span.uint16(at: end &+ 10), let size32 = span.uint32(at: end &+ 12),
            let offset32 = span.uint32(at: end &+ 16), let comment = span.uint16(at: end &+ 20)
        else { return nil }
        var count = Int(count16)
        var size = Int(size32)
        var offset = Int(offset32)
        var directoryEnd = end
        // ZIP64 (4.3.14, 4.3.15): a locator stands before the end record.
        if span.uint32(at: end &- 20) == 0x0706_4B50, let stored = span.uint64(at: end &- 12) {
            let record = zip64Record(span, stored: stored, locator: end &- 20)
            if let record, let count64 = span.uint64(at: record &+ 32), let size64 = span.uint64(at: record &+ 40),
                let offset64 = span.uint64(at: record &+ 48)
            {
                count = Int(clamping: count64)
                size = Int(clamping: size64)
                offset = Int(clamping: offset64)
                directoryEnd = record
            }
        }
        guard size <= directoryEnd, size >= 0 else { return nil }
        // What stands before the archive moves everything, and the stored offset does not know.
        var start = directoryEnd &- size
        if count > 0, span.uint32(at: start) != 0x0201_4B50 {
            guard span.uint32(at: offset) == 0x0201_4B50, offset < directoryEnd else { return nil }
            start = offset
        }
        let base = start >= offset ? start &- offset : 0
        var entries: [Entry] = []
        var position = start
        var isCut = false
        while position < directoryEnd, span.uint32(at: position) == 0x0201_4B50 {
            if entries.count & 0xFF == 0 { try checkpoint() }
            guard entries.count < entryLimit else {
                isCut = true
                break
            }
            guard let read = entry(span, at: position, base: base) else { break }
            entries.append(read.entry)
            position = read.next
        }
        return Directory(
            end: end, start: start, base: base, declaredCount: count, entries: entries,
            fileEnd: min(end &+ 22 &+ Int(comment), span.byteCount), isCut: isCut)
    }

    private static func zip64Record(_ span: RawSpan, stored: UInt64, locator: Int) -> Int? {
        let offset = Int(clamping: stored)
        if span.uint32(at: offset) == 0x0606_4B50 { return offset }
        // Moved by a prefix: the record without extension stands right before its locator.
        let beside = locator &- 56
        return span.uint32(at: beside) == 0x0606_4B50 ? beside : nil
    }

    private static func entry(_ span: RawSpan, at position: Int, base: Int) -> (entry: Entry, next: Int)? {
        guard let flags = span.uint16(at: position &+ 8), let method = span.uint16(at: position &+ 10),
            let compressed32 = span.uint32(at: position &+ 20), let size32 = span.uint32(at: position &+ 24),
            let nameCount = span.uint16(at: position &+ 28), let extraCount = span.uint16(at: position &+ 30),
            let commentCount = span.uint16(at: position &+ 32), let local32 = span.uint32(at: position &+ 42)
        else { return nil }
        let nameStart = position &+ 46
        let extraStart = nameStart &+ Int(nameCount)
        guard let extra = span.slice(at: extraStart, count: Int(extraCount)) else { return nil }
        var compressed = Int(compressed32)
        var local = Int(local32)
        if let wide = zip64Field(extra) {
            // 4.5.3: only the values that do not fit are there, in this order.
            var field = wide
            if size32 == .max { field += 8 }
            if compressed32 == .max, let value = extra.uint64(at: field) {
                compressed = Int(clamping: value)
                field += 8
            }
            if local32 == .max, let value = extra.uint64(at: field) { local = Int(clamping: value) }
        }
        let (offset, overflow) = local.addingReportingOverflow(base)
        return (
            Entry(
                offset: position, local: overflow ? -1 : offset, flags: flags, method: method,
                compressedSize: compressed, name: Slice(start: nameStart, count: Int(nameCount))),
            extraStart &+ Int(extraCount) &+ Int(commentCount)
        )
    }

    // Start of the values of the ZIP64 field (tag 1) in an extra area.
    private static func zip64Field(_ extra: RawSpan) -> Int? {
        var offset = 0
        while let tag = extra.uint16(at: offset), let size = extra.uint16(at: offset &+ 2) {
            if tag == 1 { return offset &+ 4 }
            offset = offset &+ 4 &+ Int(size)
        }
        return nil
    }

    // MARK: Local headers

    static func localHeader(_ span: RawSpan, at offset: Int) -> LocalHeader? {
        guard span.uint32(at: offset) == 0x0403_4B50, let version = span.uint8(at: offset &+ 4), version < 100,
            let flags = span.uint16(at: offset &+ 6), let method = span.uint16(at: offset &+ 8), method < 100,
            let compressed32 = span.uint32(at: offset &+ 18), let nameCount = span.uint16(at: offset &+ 26),
            let extraCount = span.uint16(at: offset &+ 28), nameCount > 0, nameCount <= 4096
        else { return nil }
        let nameStart = offset &+ 30
        let extraStart = nameStart &+ Int(nameCount)
        guard let extra = span.slice(at: extraStart, count: Int(extraCount)) else { return nil }
        var compressed: Int? = Int(compressed32)
        if compressed32 == .max, let wide = zip64Field(extra), let value = extra.uint64(at: wide &+ 8) {
            compressed = Int(clamping: value)
        }
        if flags & 8 != 0, compressed32 == 0 { compressed = nil }
        return LocalHeader(
            offset: offset, dataStart: extraStart &+ Int(extraCount), flags: flags, method: method,
            compressedSize: compressed, name: Slice(start: nameStart, count: Int(nameCount)))
    }

    private mutating func cover<E: Error>(
        _ directory: Directory, _ span: RawSpan, _ covered: inout Coverage, _ checkpoint: () throws(E) -> Void
    ) throws(E) {
        if directory.isCut { isCut = true }
        var regions = [directory.start..<max(directory.fileEnd, directory.start)]
        for (index, entry) in directory.entries.enumerated() {
            if index & 0xFF == 0 { try checkpoint() }
            guard let local = Self.localHeader(span, at: entry.local) else {
                if directories.isEmpty { missing += 1 }
                continue
            }
            if Self.contradicts(entry, local, span) { contradictions.append((entry, local)) }
            let end = local.dataStart.addingReportingOverflow(entry.compressedSize)
            let limit = end.overflow || end.partialValue > span.byteCount ? span.byteCount : end.partialValue
            regions.append(local.offset..<max(limit, local.dataStart))
        }
        covered.add(regions)
    }

    private static func contradicts(_ entry: Entry, _ local: LocalHeader, _ span: RawSpan) -> Bool {
        // Encrypted directories mask local headers on purpose (bit 13).
        if entry.flags & 0x2000 != 0 || local.flags & 0x2000 != 0 { return false }
        if entry.method != local.method { return true }
        if let size = local.compressedSize, size != entry.compressedSize, local.flags & 8 == 0 { return true }
        return !isSameName(entry.name, local.name, span)
    }

    // `\` and `/` are both in use as separators.
    private static func isSameName(_ left: Slice, _ right: Slice, _ span: RawSpan) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count {
            let one = span.uint8(at: left.start &+ index)
            let other = span.uint8(at: right.start &+ index)
            if one != other, !([0x2F, 0x5C].contains(one) && [0x2F, 0x5C].contains(other)) { return false }
        }
        return true
    }

    private mutating func findHidden<E: Error>(
        _ span: RawSpan, _ covered: Coverage, _ memberLimit: Int, _ checkpoint: () throws(E) -> Void
    ) throws(E) {
        var position = 0
        for region in covered.regions + [span.byteCount..<span.byteCount] {
            let gap = span.prefix(region.lowerBound)
            while let offset = gap.firstOffset(of: [0x50, 0x4B, 0x03, 0x04], from: position) {
                try checkpoint()
                position = offset + 4
                guard let local = Self.localHeader(span, at: offset) else { continue }
                guard hidden.count < memberLimit else {
                    isCut = true
                    return
                }
                hidden.append(local)
                // A size that reaches beyond the gap is not believed: the next header may stand inside it.
                if let size = local.compressedSize {
                    let end = local.dataStart.addingReportingOverflow(size)
                    if !end.overflow, end.partialValue <= region.lowerBound { position = end.partialValue }
                }
            }
            position = max(position, region.upperBound)
        }
    }

    /// Name of a member as text.
    func name(_ slice: Slice, _ span: RawSpan) -> String {
        guard let part = span.slice(at: slice.start, count: slice.count) else { return "" }
        return memberName(part, isDOS: true)
    }
}

/// Parts of a file that belong to members or directories, merged and in order.
private struct Coverage {
    private(set) var regions: [Range<Int>] = []

    var first: Int? { regions.first?.lowerBound }

    /// Start of the region that holds a position.
    func region(at position: Int) -> Int? {
        var low = 0
        var high = regions.count
        while low < high {
            let middle = (low + high) / 2
            if regions[middle].lowerBound <= position { low = middle + 1 } else { high = middle }
        }
        guard low > 0, regions[low - 1].contains(position) else { return nil }
        return regions[low - 1].lowerBound
    }

    mutating func add(_ more: [Range<Int>]) {
        var merged: [Range<Int>] = []
        for region in (regions + more).sorted(by: { $0.lowerBound < $1.lowerBound }) where !region.isEmpty {
            if let last = merged.last, region.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, region.upperBound)
            } else {
                merged.append(region)
            }
        }
        regions = merged
    }
}

extension RawSpan {
    // Last place of a pattern that ends before `limit`; searched in blocks from the end.
    fileprivate func lastOffset(of pattern: [UInt8], before limit: Int) -> Int? {
        var blockEnd = Swift.min(limit, byteCount)
        while blockEnd >= pattern.count {
            let blockStart = Swift.max(blockEnd - 65_536, 0)
            let block = slice(at: blockStart, count: blockEnd - blockStart)
            var last: Int?
            var from = 0
            while let hit = block?.firstOffset(of: pattern, from: from) {
                last = blockStart + hit
                from = hit + 1
            }
            if let last { return last }
            if blockStart == 0 { return nil }
            // Blocks overlap by what a pattern may stick out.
            blockEnd = blockStart + pattern.count - 1
        }
        return nil
    }
}
