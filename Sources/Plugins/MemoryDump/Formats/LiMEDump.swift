import Pipeline

// LiME (https://github.com/504ensicsLabs/LiME/blob/master/doc/README.md): each part of physical memory behind a header
// of 32 bytes with its first and last address. AVML writes the same header as version 2 with compressed parts.

/// A dump of physical memory in the LiME format.
public struct LiMEDump: Sendable {
    /// Most parts that are looked for.
    public static let rangeLimit = 1_000_000
    private static let headerSize: UInt64 = 32

    /// Parts of physical memory.
    public private(set) var ranges: [MemoryRange] = []
    /// Whether the parts are compressed (AVML).
    public private(set) var isCompressed = false
    /// What could not be read.
    public private(set) var problems: [ParseError] = []

    /// Reads the headers of all parts.
    ///
    /// - Throws: `ParseError` when the first header is none.
    public init(_ content: Content) throws(ParseError) {
        let reader = DumpReader(content: content)
        var offset: UInt64 = 0
        let magic = try reader.part(at: 0, count: 32, "LiME header")
        if magic.span.matches(Array("AVML".utf8), at: 0) {
            isCompressed = true
            return
        }
        while offset < UInt64(reader.count) {
            let place = Int(truncatingIfNeeded: offset)
            let header = reader.available(at: offset, count: Self.headerSize)
            guard header.count == 32, header.span.matches(Array("EMiL".utf8), at: 0),
                let first = header.span.uint64(at: 8), let last = header.span.uint64(at: 16)
            else {
                if ranges.isEmpty { throw ParseError(.badMagic, "no LiME header", at: place) }
                problems.append(ParseError(.damaged(header.count), "no LiME header behind a part", at: place))
                return
            }
            guard last >= first, let size = (last - first).plus(1), let start = offset.plus(Self.headerSize),
                let next = start.plus(size)
            else {
                problems.append(ParseError(.invalid, "a part from \(first.hex) to \(last.hex)", at: place))
                return
            }
            guard ranges.count < Self.rangeLimit else {
                problems.append(
                    ParseError(.limit, "more than \(Self.rangeLimit) parts; the rest has no addresses", at: place))
                return
            }
            ranges.append(MemoryRange(address: first, size: size, offset: start))
            if next > UInt64(reader.count) {
                problems.append(
                    ParseError(
                        .truncated, "a part ends at \(next), the file at \(reader.count)", at: place))
            }
            offset = next
        }
    }
}

extension ParseError.Code {
    // What follows a part is either cut off or something else.
    fileprivate static func damaged(_ count: Int) -> ParseError.Code { count < 32 ? .truncated : .badMagic }
}
