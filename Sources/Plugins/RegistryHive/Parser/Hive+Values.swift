public import Pipeline

// The values of a key and their data: inline, in a cell, or cut into the segments of a big-data record. Format after
// "Windows registry file format specification" (M. Suhanov), sections "Key values list", "Data size" and "Big data".

/// The list of a key's values.
public struct HiveValueList: Sendable, Equatable {
    /// Number of values that can be read at most.
    public let count: Int
    let offset: Int
}

/// Where the data of a value lies.
public struct HiveData: Sendable, Equatable {
    /// Bytes of it that are there.
    public let count: Int
    let offset: Int
    /// No data.
    static let none = HiveData(count: 0, offset: 0, segments: 0)

    // Segments of big data; 0 when the bytes stand at `offset` as they are.
    let segments: Int
}

extension Hive {
    /// The values of a key.
    ///
    /// - Throws: `ParseError` when the list is not there; its message tells how many values are lost.
    public func values(of key: HiveKey) throws(ParseError) -> HiveValueList {
        guard key.valueCount > 0 else { return HiveValueList(count: 0, offset: 0) }
        guard let cell = Self.cell(key.valueList, in: bytes.span) else {
            throw ParseError(
                .invalid, "the list of its \(key.valueCount) values at \(hex(key.valueList)) is outside the file",
                at: key.offset)
        }
        return HiveValueList(count: min(Int(key.valueCount), cell.count / 4), offset: cell.offset)
    }

    /// One value of a list.
    ///
    /// - Throws: `ParseError` when there is no value where the list points.
    @inline(__always)
    public func value(_ index: Int, of list: HiveValueList) throws(ParseError) -> HiveValue {
        let span = bytes.span
        let place = list.offset &+ index &* 4
        guard let reference = span.uint32(at: place), let cell = Self.cell(reference, in: span),
            let value = HiveValue(span, cell)
        else { throw notAValue(at: place) }
        return value
    }

    private func notAValue(at place: Int) -> ParseError {
        let said = bytes.span.uint32(at: place).map { "points to \(hex($0)), where no value is" } ?? "is missing"
        return ParseError(.invalid, "an entry of its value list \(said)", at: place)
    }

    /// Finds the data of a value.
    ///
    /// - Returns: fewer bytes than `value.size` when the cell holds fewer.
    /// - Throws: `ParseError` when the data is not there at all.
    @inline(__always)
    public func data(of value: HiveValue) throws(ParseError) -> HiveData {
        if value.isInline {
            return HiveData(count: min(value.size, 4), offset: value.offset &+ 8, segments: 0)
        }
        if value.size == 0 { return HiveData(count: 0, offset: value.offset, segments: 0) }
        let span = bytes.span
        guard let cell = Self.cell(value.dataCell, in: span) else { throw noData(of: value) }
        if value.size > Self.segmentSize, usesBigData, span.uint16(at: cell.offset) == 0x6264 {
            return try segmented(value, cell)
        }
        return HiveData(count: min(value.size, cell.count), offset: cell.offset, segments: 0)
    }

    private func noData(of value: HiveValue) -> ParseError {
        ParseError(
            .invalid, "its \(value.size) bytes of data at \(hex(value.dataCell)) are outside the file",
            at: value.offset)
    }

    private func segmented(_ value: HiveValue, _ cell: HiveCell) throws(ParseError) -> HiveData {
        let span = bytes.span
        guard let claimed = span.uint16(at: cell.offset &+ 2), let reference = span.uint32(at: cell.offset &+ 4),
            let list = Self.cell(reference, in: span)
        else { throw ParseError(.invalid, "its big-data record has no list of segments", at: cell.offset) }
        let segments = min(Int(claimed), list.count / 4)
        // What every segment really holds is seen when they are put together; here is the most it can be.
        return HiveData(
            count: min(value.size, segments &* Self.segmentSize), offset: list.offset, segments: max(segments, 1))
    }

    /// Hands the data to `body` as one run of bytes, cut at `limit`.
    ///
    /// - Parameter scratch: Where segments are put together; overwritten.
    @inline(__always)
    public func withData<R, E: Error>(
        _ data: HiveData, limit: Int, scratch: inout ByteArena, _ body: (RawSpan) throws(E) -> R
    ) throws(E) -> R {
        let span = bytes.span
        let count = min(data.count, limit)
        if data.segments == 0 { return try body(span.suffix(from: data.offset).prefix(count)) }
        assemble(data, count, &scratch)
        return try body(scratch.span)
    }

    // Stops at the first segment that is not there: what follows would stand at the wrong place.
    private func assemble(_ data: HiveData, _ count: Int, _ scratch: inout ByteArena) {
        let span = bytes.span
        scratch.truncate(to: 0)
        for index in 0..<data.segments {
            let left = count &- scratch.count
            guard left > 0, let reference = span.uint32(at: data.offset &+ index &* 4),
                let cell = Self.cell(reference, in: span)
            else { return }
            let wanted = min(left, Self.segmentSize)
            scratch.append(span.suffix(from: cell.offset).prefix(min(wanted, cell.count)))
            if cell.count < wanted { return }
        }
    }

    /// A copy of the data of a value, cut at `limit`; nil when it is not there.
    public func bytes(of value: HiveValue, limit: Int = 1 << 20) -> [UInt8]? {
        guard let place = try? data(of: value) else { return nil }
        var scratch = ByteArena()
        return withData(place, limit: limit, scratch: &scratch) { $0.array }
    }
}

// Offsets as the format's documents write them.
func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
