import Pipeline

/// Bytes that are not what this version writes: damaged, cut off, or from a process that is not to be trusted.
struct CodecError: Error, Equatable, CustomStringConvertible {
    /// What was expected, and where it is missing.
    let description: String
}

/// Reads what `BinaryWriter` wrote.
///
/// Nothing is trusted: every read is checked, lists reserve no more than the bytes that are left could hold, and what is
/// made of the bytes stays below a limit of memory whatever they say.
struct BinaryReader {
    private let bytes: Bytes
    private(set) var offset = 0
    private(set) var texts: [String] = []
    /// What stood in the finding before, for the next one.
    var repeats = ReportRepeats()
    // Bytes of memory that list elements may still take: a few bytes may ask for a list of many large values.
    private var memory: Int

    init(_ bytes: Bytes, memory: Int = 512 << 20) {
        self.bytes = bytes
        self.memory = memory
    }

    /// Bytes not read yet.
    var remaining: Int { bytes.count - offset }

    /// What is left, for values of another kind.
    var rest: Bytes { bytes.suffix(from: offset) }

    mutating func byte(_ what: StaticString) throws(CodecError) -> UInt8 {
        guard let value = bytes.span.uint8(at: offset) else { throw missing(what) }
        offset += 1
        return value
    }

    mutating func flag(_ what: StaticString) throws(CodecError) -> Bool {
        switch try byte(what) {
        case 0: return false
        case 1: return true
        default: throw invalid(what)
        }
    }

    mutating func unsigned(_ what: StaticString) throws(CodecError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let part = try byte(what)
            let bits = UInt64(part & 0x7F)
            guard shift < 63 || bits <= 1 else { throw invalid(what) }
            value |= bits << shift
            if part & 0x80 == 0 { return value }
        }
        throw invalid(what)
    }

    mutating func signed(_ what: StaticString) throws(CodecError) -> Int64 {
        let value = try unsigned(what)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A number within bounds: sums and differences of what is let through never overflow.
    mutating func integer(_ what: StaticString, in range: ClosedRange<Int>) throws(CodecError) -> Int {
        guard let value = Int(exactly: try signed(what)), range.contains(value) else { throw invalid(what) }
        return value
    }

    /// A number that counts something: 0...2^40.
    mutating func count(_ what: StaticString) throws(CodecError) -> Int { try integer(what, in: 0...(1 << 40)) }

    mutating func data(_ what: StaticString) throws(CodecError) -> [UInt8] {
        let count = try unsigned(what)
        guard count <= UInt64(remaining), let part = bytes.slice(at: offset, count: Int(count)) else {
            throw missing(what)
        }
        offset += part.count
        return part.array
    }

    mutating func text(_ what: StaticString) throws(CodecError) -> String {
        let position = try unsigned(what)
        if position == 0 {
            let text = String(decoding: try data(what), as: UTF8.self)
            texts.append(text)
            return text
        }
        guard position <= UInt64(texts.count) else { throw invalid(what) }
        return texts[Int(position) - 1]
    }

    /// Steps over bytes that also stand in `range`, and tells whether they do.
    mutating func skip(sameAs range: Range<Int>) -> Bool {
        guard isNext(range) else { return false }
        offset += range.count
        return true
    }

    private func isNext(_ range: Range<Int>) -> Bool {
        guard let known = bytes.span.slice(at: range.lowerBound, count: range.count) else { return false }
        return bytes.span.suffix(from: offset).starts(with: known)
    }

    mutating func optional<T>(
        _ what: StaticString, _ read: (inout BinaryReader) throws(CodecError) -> T
    ) throws(CodecError) -> T? {
        try flag(what) ? try read(&self) : nil
    }

    mutating func list<T>(
        _ what: StaticString, _ read: (inout BinaryReader) throws(CodecError) -> T
    ) throws(CodecError) -> [T] {
        let count = try unsigned(what)
        // Each element takes at least one byte.
        guard count <= UInt64(remaining) else { throw missing(what) }
        let size = Int(count).multipliedReportingOverflow(by: max(MemoryLayout<T>.stride, 1))
        guard !size.overflow, size.partialValue <= memory else {
            throw CodecError(description: "\(what): more values than are accepted")
        }
        memory -= size.partialValue
        var values: [T] = []
        values.reserveCapacity(Int(count))
        for _ in 0..<Int(count) { values.append(try read(&self)) }
        return values
    }

    func missing(_ what: StaticString) -> CodecError { CodecError(description: "\(what): cut off at byte \(offset)") }

    func invalid(_ what: StaticString) -> CodecError {
        CodecError(description: "\(what): not a value of this version, before byte \(offset)")
    }
}
