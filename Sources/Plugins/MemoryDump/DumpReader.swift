import Pipeline

// Reads named parts of a dump. A dump may be larger than memory, so nothing here takes the file as one span: what is
// needed is asked for piece by piece, and no piece is larger than a cap, whatever the file says.

struct DumpReader: Sendable {
    /// Largest part that is read at once, in bytes; tables of a dump are far smaller.
    static let pieceLimit = 64 << 20

    let content: Content

    var count: Int { content.count }

    /// The part as it is there: cut at the end of the file and at the cap.
    func available(at offset: UInt64, count: UInt64) -> Bytes {
        guard let start = Int(exactly: offset) else { return .empty }
        return content.available(at: start, count: Int(min(count, UInt64(Self.pieceLimit))))
    }

    /// A part that has to be there as a whole.
    ///
    /// - Throws: `ParseError.truncated` if it is not, `limit` if it is larger than the cap.
    func part(at offset: UInt64, count: Int, _ what: String) throws(ParseError) -> Bytes {
        let place = Int(exactly: offset) ?? .max
        guard count <= Self.pieceLimit else {
            throw ParseError(.limit, "\(what): \(count) bytes are more than is read at once", at: place)
        }
        let found = available(at: offset, count: UInt64(max(count, 0)))
        guard found.count == count else {
            throw ParseError(.truncated, "\(what): need \(count) bytes, have \(found.count)", at: place)
        }
        return found
    }
}

extension UInt64 {
    /// The sum, or nil when it does not fit.
    func plus(_ other: UInt64) -> UInt64? {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? nil : sum
    }

    var hex: String { "0x" + String(self, radix: 16) }
}

extension String {
    /// Text up to the first zero: UTF-8, or Latin-1.
    init(lossyNullTerminated span: RawSpan) {
        self.init(lossy: span.prefix(span.firstOffset(of: 0) ?? span.byteCount))
    }
}

/// Names cost memory each time they are pointed at, so all names of a dump together are bounded.
struct NameBudget {
    private var left = 32 << 20

    /// Whether a name of so many bytes may still be kept.
    mutating func take(_ count: Int) -> Bool {
        guard count <= left else { return false }
        left -= count
        return true
    }
}
