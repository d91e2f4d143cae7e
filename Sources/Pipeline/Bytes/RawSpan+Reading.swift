// Bounds-checked reads from a span at any offset. Offsets come from hostile files: a read that does not fit answers
// nil instead of trapping.

extension RawSpan {
    @inlinable
    func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
        let width = MemoryLayout<T>.size
        guard offset >= 0, offset <= byteCount &- width else { return nil }
        return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self)
    }

    /// The byte at `offset`.
    @inlinable
    public func uint8(at offset: Int) -> UInt8? { load(UInt8.self, at: offset) }

    /// The little-endian 16-bit number at `offset`.
    @inlinable
    public func uint16(at offset: Int) -> UInt16? { load(UInt16.self, at: offset)?.littleEndian }

    /// The little-endian 32-bit number at `offset`.
    @inlinable
    public func uint32(at offset: Int) -> UInt32? { load(UInt32.self, at: offset)?.littleEndian }

    /// The little-endian 64-bit number at `offset`.
    @inlinable
    public func uint64(at offset: Int) -> UInt64? { load(UInt64.self, at: offset)?.littleEndian }

    /// The big-endian 16-bit number at `offset`.
    @inlinable
    public func bigEndianUInt16(at offset: Int) -> UInt16? { load(UInt16.self, at: offset)?.bigEndian }

    /// The big-endian 32-bit number at `offset`.
    @inlinable
    public func bigEndianUInt32(at offset: Int) -> UInt32? { load(UInt32.self, at: offset)?.bigEndian }

    /// The big-endian 64-bit number at `offset`.
    @inlinable
    public func bigEndianUInt64(at offset: Int) -> UInt64? { load(UInt64.self, at: offset)?.bigEndian }

    /// A part of the span.
    ///
    /// - Returns: nil if any of it lies outside.
    @inlinable
    @_lifetime(copy self)
    public func slice(at offset: Int, count: Int) -> RawSpan? {
        guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount &- offset else { return nil }
        return unsafe extracting(unchecked: offset..<(offset &+ count))
    }

    /// The part from `offset` to the end, empty if `offset` lies outside.
    @inlinable
    @_lifetime(copy self)
    public func suffix(from offset: Int) -> RawSpan {
        let offset = Swift.min(Swift.max(offset, 0), byteCount)
        return unsafe extracting(unchecked: offset..<byteCount)
    }

    /// The first `count` bytes, or all if there are fewer.
    @inlinable
    @_lifetime(copy self)
    public func prefix(_ count: Int) -> RawSpan {
        unsafe extracting(unchecked: 0..<Swift.min(Swift.max(count, 0), byteCount))
    }

    /// Whether the span begins with these bytes.
    public func starts(with other: RawSpan) -> Bool {
        guard other.byteCount <= byteCount else { return false }
        return unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs in
                guard let left = mine.baseAddress, let right = theirs.baseAddress else { return unsafe theirs.isEmpty }
                return unsafe memoryEqual(left, right, theirs.count)
            }
        }
    }

    /// Whether `other` stands at `offset`.
    public func matches(_ other: [UInt8], at offset: Int) -> Bool {
        guard let part = slice(at: offset, count: other.count) else { return false }
        return part.starts(with: other.rawSpan)
    }

    /// Offset of the first occurrence of `needle` at or after `start`.
    public func firstOffset(of needle: [UInt8], from start: Int = 0) -> Int? {
        guard !needle.isEmpty, start >= 0, start < byteCount else { return nil }
        return unsafe withUnsafeBytes { all in
            unsafe needle.withUnsafeBytes { wanted in unsafe searchMemory(unsafe all, wanted, from: start) }
        }
    }

    /// Offset of the first byte equal to `value` at or after `start`.
    public func firstOffset(of value: UInt8, from start: Int = 0) -> Int? {
        guard start >= 0, start < byteCount else { return nil }
        return unsafe withUnsafeBytes { all in unsafe searchByte(all, value, from: start) }
    }

    /// The bytes as text; invalid UTF-8 is replaced by U+FFFD.
    public var utf8Text: String {
        unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// A copy as an array.
    public var array: [UInt8] {
        unsafe withUnsafeBytes { unsafe Array($0) }
    }
}

extension Array where Element == UInt8 {
    /// Adds bytes at the end.
    public mutating func append(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// The bytes for reading; cannot outlive the array.
    @inlinable
    public var rawSpan: RawSpan {
        @_lifetime(borrow self)
        get { unsafe span.bytes }
    }
}

extension String {
    /// Whether another text stands somewhere in this one, byte for byte.
    ///
    /// The standard library's `contains` goes by characters and builds tables at each call: for the short lists of words
    /// that heuristics look for, this is many times faster.
    public func contains(utf8 text: String) -> Bool {
        var whole = self
        var part = text
        return whole.withUTF8 { all in
            part.withUTF8 { wanted in
                if wanted.isEmpty { return true }
                if all.count < wanted.count { return false }
                return unsafe searchMemory(UnsafeRawBufferPointer(all), UnsafeRawBufferPointer(wanted), from: 0) != nil
            }
        }
    }
}
