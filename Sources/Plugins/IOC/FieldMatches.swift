import Pipeline

// How a match in a value is shown: what matched, some of what stands around it, and a pointer to the field.

private let dataLimit = 1024
private let contextBytes = 50

/// A match in a value.
func matchedText(_ range: Range<Int>, in value: RawSpan, field: String) -> MatchedText {
    let data = value.slice(at: range.lowerBound, count: min(range.count, dataLimit))?.array ?? []
    if range.lowerBound == 0, range.count == value.byteCount { return MatchedText(data: data, field: field) }
    var start = max(0, range.lowerBound - contextBytes)
    var end = min(value.byteCount, range.lowerBound + data.count + contextBytes)
    // Characters are not cut in two.
    while start < range.lowerBound, isContinuation(value.uint8(at: start)) { start += 1 }
    while end > range.lowerBound + data.count, isContinuation(value.uint8(at: end)) { end -= 1 }
    let context = value.slice(at: start, count: end - start)?.array ?? []
    return MatchedText(data: data, context: context, offset: range.lowerBound, field: field)
}

/// A match in content that begins at `base` of the sample.
func matchedBytes(_ range: Range<Int>, in content: RawSpan, at base: Int) -> MatchedText {
    let count = min(range.count, dataLimit)
    let start = max(0, range.lowerBound - contextBytes)
    return MatchedText(
        data: content.slice(at: range.lowerBound, count: count)?.array ?? [],
        context: content.suffix(from: start).prefix(range.lowerBound - start + count + contextBytes).array,
        offset: base + range.lowerBound)
}

private func isContinuation(_ byte: UInt8?) -> Bool { byte.map { $0 & 0xC0 == 0x80 } ?? false }

extension RecordBatch {
    /// A match in the joined text as a match in its field; nil when it lies in none.
    func match(_ range: Range<Int>, in field: Int) -> MatchedText? {
        let start = textRange(of: field).lowerBound
        guard range.lowerBound >= start, range.upperBound <= textRange(of: field).upperBound else { return nil }
        return matchedText(
            (range.lowerBound - start)..<(range.upperBound - start), in: value(of: field), field: pointer(to: field))
    }

    /// JSON pointer of a field in its record.
    func pointer(to field: Int) -> String {
        type(of: record(of: field)).pointer(to: keys.name(of: key(of: field)))
    }
}
