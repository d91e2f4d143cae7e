public import Pipeline

// A minimal reader of OLE compound files: names and contents of streams, enough for jump lists. Source: MS-CFB.
// Chains of sectors are never longer than the file has sectors, so that a circle ends; all streams together may take
// no more than a few times the file's size.

/// Streams of an OLE compound file.
public struct CompoundFile {
    /// One entry of the directory.
    public struct Entry: Sendable, Equatable {
        /// Name of the stream, without the storages around it.
        public let name: String
        /// Bytes it says it has.
        public let size: Int
        let start: UInt32
    }

    /// Streams in the order of the directory.
    public private(set) var streams: [Entry] = []
    /// What could not be read.
    public private(set) var problems: [ParseError] = []

    private static let signature: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
    // From here on a sector number means something else: end, free, table.
    private static let lastSector: UInt32 = 0xFFFF_FFFA

    private let bytes: Bytes
    private let sectorShift: Int
    private let miniShift: Int
    private let miniCutoff: Int
    private var table: [UInt32] = []
    private var miniTable: [UInt32] = []
    private var miniStream: [UInt8] = []
    // Bytes that may still be copied.
    private var allowance: Int

    /// Reads header, tables and directory.
    ///
    /// - Throws: `ParseError` with `bad-magic`, `truncated` or `invalid`.
    public init(_ bytes: Bytes) throws(ParseError) {
        self.bytes = bytes
        allowance = bytes.count * 4 + (1 << 20)
        let span = bytes.span
        guard span.matches(Self.signature, at: 0) else {
            throw ParseError(.badMagic, "this is no compound file", at: 0)
        }
        var reader = ByteReader(span, at: 30)
        sectorShift = Int(try reader.uint16("sector size"))
        miniShift = Int(try reader.uint16("small sector size"))
        guard (7...16).contains(sectorShift), (4...sectorShift).contains(miniShift) else {
            throw ParseError(.invalid, "sectors of 2^\(sectorShift) and 2^\(miniShift) bytes", at: 30)
        }
        reader.offset = 48
        let directory = try reader.uint32("start of the directory")
        reader.offset = 56
        miniCutoff = Int(try reader.uint32("size of the smallest normal stream"))
        let miniStart = try reader.uint32("start of the small table")
        readTable(span)
        miniTable = numbers(chain(from: miniStart, size: nil))
        readDirectory(chain(from: directory, size: nil).rawSpan)
    }

    /// The content of a stream, as far as it is there.
    public mutating func content(of entry: Entry) -> [UInt8] {
        let wanted = min(entry.size, allowance)
        if wanted < entry.size {
            problems.append(
                ParseError(.limit, "the streams are larger than the file; \(entry.name) was cut", at: 0))
        }
        let content =
            entry.size < miniCutoff
            ? miniChain(from: entry.start, size: wanted)
            : chain(from: entry.start, size: wanted)
        allowance -= content.count
        if content.count < wanted {
            problems.append(
                ParseError(.truncated, "stream \(entry.name): need \(wanted) bytes, have \(content.count)", at: 0))
        }
        return content
    }

    private var sectorCount: Int { bytes.count >> sectorShift }

    private func sectorOffset(_ sector: UInt32) -> Int { (Int(sector) + 1) << sectorShift }

    // The first 109 sectors of the table are named in the header, the others in a chain of their own.
    private mutating func readTable(_ span: RawSpan) {
        let perSector = 1 << (sectorShift - 2)
        func add(_ sector: UInt32) -> Bool {
            guard sector < Self.lastSector, table.count < (sectorCount + 1) * 2 + perSector else { return false }
            for index in 0..<perSector {
                guard let next = span.uint32(at: sectorOffset(sector) + index * 4) else { break }
                table.append(next)
            }
            return true
        }
        for index in 0..<109 {
            guard let sector = span.uint32(at: 76 + index * 4), add(sector) else { return }
        }
        var next = span.uint32(at: 68) ?? Self.lastSector
        var left = sectorCount
        while next < Self.lastSector, left > 0 {
            left -= 1
            let offset = sectorOffset(next)
            for index in 0..<(perSector - 1) {
                guard let sector = span.uint32(at: offset + index * 4), add(sector) else { return }
            }
            next = span.uint32(at: offset + (perSector - 1) * 4) ?? Self.lastSector
        }
    }

    private mutating func readDirectory(_ span: RawSpan) {
        var hasRoot = false
        for index in 0..<(span.byteCount / 128) {
            let offset = index * 128
            guard let entry = span.slice(at: offset, count: 128), let type = entry.uint8(at: 66),
                let start = entry.uint32(at: 116), let low = entry.uint32(at: 120), let high = entry.uint32(at: 124)
            else { return }
            // Old writers leave rubbish in the upper half of the size.
            let size = sectorShift > 9 ? Int(UInt64(high & 0x7FFF) << 32 | UInt64(low)) : Int(low)
            // A second root would be damage, and many of them endless work.
            if type == 5, !hasRoot {
                hasRoot = true
                miniStream = chain(from: start, size: min(size, bytes.count))
            }
            guard type == 2 else { continue }
            let name = String(utf16NullTerminated: entry.prefix(64))
            streams.append(Entry(name: name, size: size, start: start))
        }
    }

    // Bytes of a chain of sectors; all of it when no size is known.
    private func chain(from start: UInt32, size: Int?) -> [UInt8] {
        var content: [UInt8] = []
        var sector = start
        var left = sectorCount + 1
        let span = bytes.span
        let wanted = size ?? Int.max
        while sector < Self.lastSector, left > 0, content.count < wanted {
            left -= 1
            let part = span.suffix(from: sectorOffset(sector)).prefix(min(1 << sectorShift, wanted - content.count))
            if part.byteCount == 0 { break }
            content += part.array
            guard Int(sector) < table.count else { break }
            sector = table[Int(sector)]
        }
        return content
    }

    private func miniChain(from start: UInt32, size: Int) -> [UInt8] {
        var content: [UInt8] = []
        var sector = start
        var left = miniTable.count + 1
        let span = miniStream.rawSpan
        while sector < Self.lastSector, left > 0, content.count < size {
            left -= 1
            let part = span.suffix(from: Int(sector) << miniShift).prefix(min(1 << miniShift, size - content.count))
            if part.byteCount == 0 { break }
            content += part.array
            guard Int(sector) < miniTable.count else { break }
            sector = miniTable[Int(sector)]
        }
        return content
    }

    private func numbers(_ content: [UInt8]) -> [UInt32] {
        let span = content.rawSpan
        return (0..<(content.count / 4)).map { span.uint32(at: $0 * 4) ?? Self.lastSector }
    }
}
