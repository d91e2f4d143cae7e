/// A growing, contiguous byte buffer that texts of many kinds are appended to as UTF-8.
///
/// The record batches are built in it: one allocation serves thousands of values.
@safe public struct ByteArena: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    /// Bytes in use.
    public internal(set) var count = 0

    /// An empty arena with room for `capacity` bytes.
    public init(capacity: Int = 4096) {
        self.capacity = Swift.max(capacity, 64)
        unsafe base = resizeMemory(nil, to: self.capacity)
    }

    deinit { unsafe freeMemory(base) }

    /// The bytes for reading.
    public var span: RawSpan {
        @_lifetime(borrow self)
        get {
            let view = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Hands the bytes to a C library for the time of the call.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try unsafe body(UnsafeRawBufferPointer(start: UnsafeRawPointer(base), count: count))
    }

    /// Forgets everything after the first `count` bytes; keeps the memory.
    public mutating func truncate(to count: Int) {
        self.count = Swift.min(Swift.max(count, 0), self.count)
    }

    @usableFromInline
    mutating func reserve(_ more: Int) {
        if capacity - count >= more { return }
        grow(more)
    }

    private mutating func grow(_ more: Int) {
        capacity = Swift.max(capacity * 2, count + more)
        unsafe base = resizeMemory(base, to: capacity)
    }

    /// Appends one byte.
    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[count] = byte
        count += 1
    }

    /// Appends bytes that are UTF-8 already.
    @inline(__always)
    public mutating func append(_ span: RawSpan) {
        let more = span.byteCount
        guard more > 0 else { return }
        reserve(more)
        unsafe span.withUnsafeBytes { source in
            unsafe UnsafeMutableRawPointer(base + count).copyMemory(
                from: source.baseAddress.unsafelyUnwrapped, byteCount: more)
        }
        count += more
    }

    /// Appends a text.
    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            reserve(bytes.count)
            if let source = bytes.baseAddress { unsafe (base + count).update(from: source, count: bytes.count) }
        }
        count += text.utf8.count
    }

    /// Appends a literal without making a `String`.
    public mutating func append(literal: StaticString) {
        let more = literal.utf8CodeUnitCount
        reserve(more)
        unsafe (base + count).update(from: literal.utf8Start, count: more)
        count += more
    }

    /// Appends bytes of unknown encoding: valid UTF-8 as it is, otherwise each byte above 0x7F as Latin-1.
    public mutating func append(lossy span: RawSpan) {
        if isValidUTF8(span) {
            append(span)
            return
        }
        reserve(span.byteCount * 2)
        for index in 0..<span.byteCount {
            let byte = span.uint8(at: index) ?? 0
            if byte < 0x80 {
                unsafe base[count] = byte
                count += 1
            } else {
                unsafe base[count] = 0xC0 | (byte >> 6)
                unsafe base[count + 1] = 0x80 | (byte & 0x3F)
                count += 2
            }
        }
    }

    /// Appends UTF-16LE text; unpaired surrogates become U+FFFD, a last odd byte is ignored.
    public mutating func append(utf16 span: RawSpan) {
        let units = span.byteCount / 2
        reserve(units * 3)
        unsafe span.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            var out = unsafe base + count
            var index = 0
            while index < units {
                // Nearly all text is ASCII: eight units at a time.
                if index &+ 8 <= units {
                    let block = unsafe start.loadUnaligned(fromByteOffset: index * 2, as: SIMD8<UInt16>.self)
                    if (block & 0xFF80) == .zero {
                        unsafe UnsafeMutableRawPointer(out).storeBytes(
                            of: SIMD8<UInt8>(truncatingIfNeeded: block), as: SIMD8<UInt8>.self)
                        unsafe out += 8
                        index &+= 8
                        continue
                    }
                }
                let unit = unsafe start.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self).littleEndian
                index += 1
                if unit < 0x80 {
                    unsafe out.pointee = UInt8(truncatingIfNeeded: unit)
                    unsafe out += 1
                } else if unit < 0x800 {
                    unsafe out[0] = 0xC0 | UInt8(truncatingIfNeeded: unit >> 6)
                    unsafe out[1] = 0x80 | UInt8(truncatingIfNeeded: unit & 0x3F)
                    unsafe out += 2
                } else if unit & 0xF800 != 0xD800 {
                    unsafe out[0] = 0xE0 | UInt8(truncatingIfNeeded: unit >> 12)
                    unsafe out[1] = 0x80 | UInt8(truncatingIfNeeded: (unit >> 6) & 0x3F)
                    unsafe out[2] = 0x80 | UInt8(truncatingIfNeeded: unit & 0x3F)
                    unsafe out += 3
                } else {
                    var scalar: UInt32 = 0xFFFD
                    if unit < 0xDC00, index < units {
                        let low = unsafe start.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self).littleEndian
                        if low & 0xFC00 == 0xDC00 {
                            scalar = 0x10000 + (UInt32(unit & 0x3FF) << 10) + UInt32(low & 0x3FF)
                            index += 1
                        }
                    }
                    if scalar == 0xFFFD {
                        unsafe out[0] = 0xEF
                        unsafe out[1] = 0xBF
                        unsafe out[2] = 0xBD
                        unsafe out += 3
                    } else {
                        unsafe out[0] = 0xF0 | UInt8(truncatingIfNeeded: scalar >> 18)
                        unsafe out[1] = 0x80 | UInt8(truncatingIfNeeded: (scalar >> 12) & 0x3F)
                        unsafe out[2] = 0x80 | UInt8(truncatingIfNeeded: (scalar >> 6) & 0x3F)
                        unsafe out[3] = 0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F)
                        unsafe out += 4
                    }
                }
            }
            count = unsafe base.distance(to: out)
        }
    }

    /// Appends a number in decimal.
    public mutating func append(decimal value: UInt64) {
        var digits = 1
        var limit: UInt64 = 10
        while digits < 20, value >= limit {
            digits &+= 1
            limit = limit &* 10
        }
        write(decimal: value, digits: digits)
    }

    // The last `digits` digits of a number, at most 20; two at a time.
    private mutating func write(decimal value: UInt64, digits: Int) {
        reserve(20)
        var rest = value
        var position = count &+ digits
        let start = count
        count = position
        let pairs = unsafe digitPairs.utf8Start
        while position &- start >= 2 {
            position &-= 2
            let quotient = rest / 100
            let pair = Int(truncatingIfNeeded: rest &- quotient &* 100) &* 2
            unsafe base[position] = pairs[pair]
            unsafe base[position &+ 1] = pairs[pair &+ 1]
            rest = quotient
        }
        if position > start { unsafe base[start] = 0x30 | UInt8(truncatingIfNeeded: rest % 10) }
    }

    /// Appends a signed number in decimal.
    public mutating func append(decimal value: Int64) {
        if value < 0 { append(0x2D) }
        append(decimal: value.magnitude)
    }

    /// Appends a number in decimal, filled with zeros on the left to `width` digits.
    public mutating func append(decimal value: UInt64, width: Int) {
        var digits = 1
        var limit: UInt64 = 10
        while digits < 20, value >= limit || digits < width {
            digits &+= 1
            limit = limit &* 10
        }
        write(decimal: value, digits: digits)
    }

    /// Appends a number in hexadecimal without prefix, filled with zeros to `width` digits.
    public mutating func append(hexadecimal value: UInt64, width: Int = 1, uppercase: Bool = false) {
        let significant = (64 &- value.leadingZeroBitCount &+ 3) / 4
        let digits = Swift.max(Swift.max(significant, 1), Swift.min(width, 16))
        reserve(16)
        var rest = value
        var position = count &+ digits
        count = position
        for _ in 0..<digits {
            position &-= 1
            unsafe base[position] = hexDigit(UInt8(truncatingIfNeeded: rest) & 15, uppercase: uppercase)
            rest >>= 4
        }
    }

    /// Appends bytes as two hexadecimal digits each.
    public mutating func append(hexBytes span: RawSpan, uppercase: Bool = false) {
        reserve(span.byteCount * 2)
        // Four bytes at once: each nibble in a byte of its own, then '0' added, and what lies between '9' and 'A'.
        let gap: UInt64 = uppercase ? 0x07 : 0x27
        var out = unsafe UnsafeMutableRawPointer(base + count)
        var index = 0
        while let word = span.bigEndianUInt32(at: index) {
            var wide = UInt64(word)
            wide = (wide | wide << 16) & 0x0000_FFFF_0000_FFFF
            wide = (wide | wide << 8) & 0x00FF_00FF_00FF_00FF
            wide = (wide | wide << 4) & 0x0F0F_0F0F_0F0F_0F0F
            let letters = ((wide &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
            let text = wide &+ 0x3030_3030_3030_3030 &+ letters &* gap
            unsafe out.storeBytes(of: text.bigEndian, as: UInt64.self)
            unsafe out += 8
            index &+= 4
        }
        count += index * 2
        while let byte = span.uint8(at: index) {
            append(hexDigit(byte >> 4, uppercase: uppercase))
            append(hexDigit(byte & 15, uppercase: uppercase))
            index &+= 1
        }
    }
}

private let digitPairs: StaticString = """
    00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354\
    555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

@inline(__always)
func hexDigit(_ value: UInt8, uppercase: Bool) -> UInt8 {
    value < 10 ? 0x30 &+ value : (uppercase ? 0x37 : 0x57) &+ value
}

/// Whether the bytes are well-formed UTF-8.
public func isValidUTF8(_ span: RawSpan) -> Bool {
    if isASCII(span) { return true }
    return unsafe span.withUnsafeBytes { buffer in
        unsafe String(validating: buffer, as: UTF8.self) != nil
    }
}

/// Whether every byte is below 0x80.
public func isASCII(_ span: RawSpan) -> Bool {
    let count = span.byteCount
    let highBits: UInt64 = 0x8080_8080_8080_8080
    var offset = 0
    while offset &+ 32 <= count {
        let block =
            unsafe span.word(at: offset) | span.word(at: offset &+ 8) | span.word(at: offset &+ 16)
            | span.word(at: offset &+ 24)
        if block & highBits != 0 { return false }
        offset &+= 32
    }
    while offset &+ 8 <= count {
        if unsafe span.word(at: offset) & highBits != 0 { return false }
        offset &+= 8
    }
    // The last eight once more are quicker than the last seven one by one.
    if offset < count, count >= 8 { return unsafe span.word(at: count &- 8) & highBits == 0 }
    while let byte = span.uint8(at: offset) {
        if byte >= 0x80 { return false }
        offset &+= 1
    }
    return true
}

extension RawSpan {
    // Eight bytes that the caller knows to be there.
    @inline(__always)
    @unsafe fileprivate func word(at offset: Int) -> UInt64 {
        unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
    }
}
