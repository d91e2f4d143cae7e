/// A growing, contiguous byte buffer that texts of many kinds are appended to as UTF-8.
///
/// The record batches are built in it: one allocation serves thousands of values.
@safe public struct ByteArena: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    @usableFromInline var used = 0

    /// Bytes in use.
    @inlinable public var count: Int { used }

    /// An empty arena with room for `capacity` bytes.
    public init(capacity: Int = 4096) {
        self.capacity = Swift.max(capacity, 64)
        unsafe base = resizeMemory(nil, to: self.capacity)
    }

    deinit { unsafe freeMemory(base) }

    /// The bytes for reading.
    @inlinable
    public var span: RawSpan {
        @_lifetime(borrow self)
        get {
            let view = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: used)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Hands the bytes to a C library for the time of the call.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try unsafe body(UnsafeRawBufferPointer(start: UnsafeRawPointer(base), count: count))
    }

    /// Forgets everything after the first `count` bytes; keeps the memory.
    @inlinable
    public mutating func truncate(to count: Int) {
        used = Swift.min(Swift.max(count, 0), used)
    }

    @inlinable
    @inline(__always)
    mutating func reserve(_ more: Int) {
        if capacity &- used < more { grow(more) }
    }

    @usableFromInline
    mutating func grow(_ more: Int) {
        capacity = Swift.max(capacity * 2, used + more)
        unsafe base = resizeMemory(base, to: capacity)
    }

    /// Appends one byte.
    @inlinable
    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[used] = byte
        used &+= 1
    }

    /// Appends bytes that are UTF-8 already.
    @inlinable
    public mutating func append(_ span: RawSpan) {
        let more = span.byteCount
        guard more > 0 else { return }
        reserve(more)
        unsafe span.withUnsafeBytes { source in
            unsafe UnsafeMutableRawPointer(base + used).copyMemory(
                from: source.baseAddress.unsafelyUnwrapped, byteCount: more)
        }
        used &+= more
    }

    /// Appends bytes once more that stand in the arena already; nothing if they do not all stand there.
    public mutating func append(again range: Range<Int>) {
        guard range.lowerBound >= 0, range.upperBound <= used else { return }
        reserve(range.count)
        unsafe (base + used).update(from: base + range.lowerBound, count: range.count)
        used += range.count
    }

    /// Appends a text.
    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            reserve(bytes.count)
            if let source = bytes.baseAddress { unsafe (base + used).update(from: source, count: bytes.count) }
        }
        used += text.utf8.count
    }

    /// Appends a literal without making a `String`.
    @inlinable
    public mutating func append(literal: StaticString) {
        let more = literal.utf8CodeUnitCount
        reserve(more)
        unsafe (base + used).update(from: literal.utf8Start, count: more)
        used &+= more
    }

    /// Appends bytes of unknown encoding: valid UTF-8 as it is, otherwise each byte above 0x7F as Latin-1.
    @inlinable
    public mutating func append(lossy span: RawSpan) {
        let plain = appendASCII(span)
        if plain < span.byteCount { appendRest(span.suffix(from: plain)) }
    }

    @usableFromInline
    mutating func appendRest(_ span: RawSpan) {
        if isValidUTF8(span) { append(span) } else { appendLatin1(span) }
    }

    /// Appends text with one byte a character (Latin-1).
    public mutating func append(latin1 span: RawSpan) {
        let plain = appendASCII(span)
        if plain < span.byteCount { appendLatin1(span.suffix(from: plain)) }
    }

    private mutating func appendLatin1(_ span: RawSpan) {
        reserve(span.byteCount * 2)
        for index in 0..<span.byteCount {
            let byte = span.uint8(at: index) ?? 0
            if byte < 0x80 {
                unsafe base[used] = byte
                used += 1
            } else {
                unsafe base[used] = 0xC0 | (byte >> 6)
                unsafe base[used + 1] = 0x80 | (byte & 0x3F)
                used += 2
            }
        }
    }

    // Appends the bytes before the first above 0x7F, in blocks, and answers how many they are.
    @usableFromInline
    mutating func appendASCII(_ span: RawSpan) -> Int {
        let total = span.byteCount
        let highBits: UInt64 = 0x8080_8080_8080_8080
        reserve(total)
        let out = unsafe UnsafeMutableRawPointer(base + used)
        var index = 0
        while index &+ 32 <= total {
            let words = unsafe (
                span.word(at: index), span.word(at: index &+ 8), span.word(at: index &+ 16), span.word(at: index &+ 24)
            )
            if (words.0 | words.1 | words.2 | words.3) & highBits != 0 { break }
            unsafe out.storeBytes(of: words.0, toByteOffset: index, as: UInt64.self)
            unsafe out.storeBytes(of: words.1, toByteOffset: index &+ 8, as: UInt64.self)
            unsafe out.storeBytes(of: words.2, toByteOffset: index &+ 16, as: UInt64.self)
            unsafe out.storeBytes(of: words.3, toByteOffset: index &+ 24, as: UInt64.self)
            index &+= 32
        }
        while index &+ 8 <= total {
            let word = unsafe span.word(at: index)
            if word & highBits != 0 { break }
            unsafe out.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        // The last eight once more are quicker than the last seven one by one.
        if index &+ 8 > total, index < total, total >= 8 {
            let word = unsafe span.word(at: total &- 8)
            if word & highBits == 0 {
                unsafe out.storeBytes(of: word, toByteOffset: total &- 8, as: UInt64.self)
                index = total
            }
        }
        while let byte = span.uint8(at: index), byte < 0x80 {
            unsafe out.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            index &+= 1
        }
        used &+= index
        return index
    }

    /// Appends UTF-16LE text; unpaired surrogates become U+FFFD, a last odd byte is ignored.
    public mutating func append(utf16 span: RawSpan) {
        let units = span.byteCount / 2
        reserve(units * 3)
        unsafe span.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            var out = unsafe base + used
            var index = 0
            while index < units {
                // Nearly all text is ASCII: eight units at a time, then four.
                if index &+ 8 <= units {
                    let block = unsafe start.loadUnaligned(fromByteOffset: index * 2, as: SIMD8<UInt16>.self)
                    if (block & 0xFF80) == .zero {
                        unsafe UnsafeMutableRawPointer(out).storeBytes(
                            of: SIMD8<UInt8>(truncatingIfNeeded: block), as: SIMD8<UInt8>.self)
                        unsafe out += 8
                        index &+= 8
                        continue
                    }
                } else if index &+ 4 <= units {
                    let four = unsafe start.loadUnaligned(fromByteOffset: index * 2, as: UInt64.self).littleEndian
                    if four & 0xFF80_FF80_FF80_FF80 == 0 {
                        let pairs = (four | four >> 8) & 0x0000_FFFF_0000_FFFF
                        unsafe UnsafeMutableRawPointer(out).storeBytes(
                            of: UInt32(truncatingIfNeeded: pairs | pairs >> 16).littleEndian, as: UInt32.self)
                        unsafe out += 4
                        index &+= 4
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
            used = unsafe base.distance(to: out)
        }
    }

    /// Appends a number in decimal.
    public mutating func append(decimal value: UInt64) {
        // Nearly all numbers are small, and counting digits one by one waits for each.
        if value < 10 { return append(0x30 | UInt8(truncatingIfNeeded: value)) }
        var digits = value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : value < 100_000 ? 5 : 6
        var limit: UInt64 = 1_000_000
        while digits >= 6, digits < 20, value >= limit {
            digits &+= 1
            limit = limit &* 10
        }
        write(decimal: value, digits: digits)
    }

    // The last `digits` digits of a number, at most 20; two at a time.
    private mutating func write(decimal value: UInt64, digits: Int) {
        reserve(20)
        var rest = value
        var position = used &+ digits
        let start = used
        used = position
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
        var position = used &+ digits
        used = position
        for _ in 0..<digits {
            position &-= 1
            unsafe base[position] = hexDigit(UInt8(truncatingIfNeeded: rest) & 15, uppercase: uppercase)
            rest >>= 4
        }
    }

    /// Appends bytes as two hexadecimal digits each.
    public mutating func append(hexBytes span: RawSpan, uppercase: Bool = false) {
        reserve(span.byteCount * 2)
        // Eight bytes at once: each becomes two, its nibbles, then '0' is added, and what lies between '9' and 'A'.
        let gap: UInt16 = uppercase ? 0x07 : 0x27
        var index = 0
        unsafe span.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            let out = unsafe UnsafeMutableRawPointer(base + used)
            while index &+ 8 <= source.count {
                let block = unsafe start.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt8>.self)
                let bytes = SIMD8<UInt16>(truncatingIfNeeded: block)
                let nibbles = (bytes &>> 4) | ((bytes & 0x0F) &<< 8)
                let letters = ((nibbles &+ 0x0606) &>> 4) & 0x0101
                let text = nibbles &+ 0x3030 &+ letters &* gap
                unsafe out.storeBytes(of: text, toByteOffset: index &* 2, as: SIMD8<UInt16>.self)
                index &+= 8
            }
        }
        used += index * 2
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
