import Pipeline

// Values of binary XML as text: numbers in decimal, hexadecimal types as 0x…, times in RFC 3339 with microseconds,
// GUIDs and binary data in upper case. Types after [MS-EVEN6] section 2.2.17.

enum EventValue {
    static let null: UInt8 = 0x00
    static let string: UInt8 = 0x01
    static let ansi: UInt8 = 0x02
    static let sid: UInt8 = 0x13
    static let binaryXML: UInt8 = 0x21
    static let arrayFlag: UInt8 = 0x80

    /// Bytes of one element of an array; nil where elements are not of one size.
    static func width(of type: UInt8) -> Int? {
        switch type {
        case 0x03, 0x04: 1
        case 0x05, 0x06: 2
        case 0x07, 0x08, 0x0B, 0x0D, 0x14: 4
        case 0x09, 0x0A, 0x0C, 0x11, 0x15: 8
        case 0x0F, 0x12: 16
        default: nil
        }
    }

    /// Bytes of the security identifier at the start of a span.
    static func sidWidth(_ value: RawSpan) -> Int { 8 &+ 4 &* Int(value.uint8(at: 1) ?? 0) }

    /// Appends one value; a value that is too short for its type is shown as bytes.
    static func append(_ value: RawSpan, type: UInt8, to arena: inout ByteArena) {
        switch type {
        case null: break
        case string: arena.append(utf16: value.prefix(utf16Size(value)))
        case ansi: appendANSI(value, to: &arena)
        case 0x03: appendSigned(value.uint8(at: 0).map { Int64(Int8(bitPattern: $0)) }, value, to: &arena)
        case 0x04: appendUnsigned(value.uint8(at: 0).map(UInt64.init), value, to: &arena)
        case 0x05: appendSigned(value.uint16(at: 0).map { Int64(Int16(bitPattern: $0)) }, value, to: &arena)
        case 0x06: appendUnsigned(value.uint16(at: 0).map(UInt64.init), value, to: &arena)
        case 0x07: appendSigned(value.uint32(at: 0).map { Int64(Int32(bitPattern: $0)) }, value, to: &arena)
        case 0x08: appendUnsigned(value.uint32(at: 0).map(UInt64.init), value, to: &arena)
        case 0x09: appendSigned(value.uint64(at: 0).map { Int64(bitPattern: $0) }, value, to: &arena)
        case 0x0A: appendUnsigned(value.uint64(at: 0), value, to: &arena)
        case 0x0B:
            guard let bits = value.uint32(at: 0) else { return appendBytes(value, to: &arena) }
            appendFloat(Float(bitPattern: bits), to: &arena)
        case 0x0C:
            guard let bits = value.uint64(at: 0) else { return appendBytes(value, to: &arena) }
            appendFloat(Double(bitPattern: bits), to: &arena)
        case 0x0D:
            // Providers also store other numbers, which are kept: Windows shows them as true.
            switch value.uint32(at: 0) ?? value.uint8(at: 0).map(UInt32.init) {
            case nil: break
            case 0: arena.append(literal: "false")
            case 1: arena.append(literal: "true")
            case let number?: arena.append(decimal: Int64(Int32(bitPattern: number)))
            }
        case 0x0F:
            guard let guid = GUID(value) else { return appendBytes(value, to: &arena) }
            guid.append(to: &arena)
        case 0x10:
            // A size is as wide as a pointer of the machine that wrote the log.
            let number = value.byteCount == 4 ? value.uint32(at: 0).map(UInt64.init) : value.uint64(at: 0)
            appendHexadecimal(number, value, to: &arena)
        case 0x11:
            guard let time = value.uint64(at: 0) else { return appendBytes(value, to: &arena) }
            Timestamp(filetime: time).append(to: &arena, fractionDigits: 6)
        case 0x12: appendSystemTime(value, to: &arena)
        case sid: appendSID(value, to: &arena)
        case 0x14: appendHexadecimal(value.uint32(at: 0).map(UInt64.init), value, to: &arena)
        case 0x15: appendHexadecimal(value.uint64(at: 0), value, to: &arena)
        default: appendBytes(value, to: &arena)
        }
    }

    /// The number of an integer value, for types that have one.
    static func number(_ value: RawSpan, type: UInt8) -> UInt32? {
        switch type {
        case 0x03, 0x04: value.uint8(at: 0).map(UInt32.init)
        case 0x05, 0x06: value.uint16(at: 0).map(UInt32.init)
        case 0x07, 0x08, 0x14: value.uint32(at: 0)
        case string: UInt32(String(utf16: value))
        default: nil
        }
    }

    private static func appendBytes(_ value: RawSpan, to arena: inout ByteArena) {
        arena.append(hexBytes: value, uppercase: true)
    }

    @inline(__always)
    private static func appendSigned(_ number: Int64?, _ value: RawSpan, to arena: inout ByteArena) {
        guard let number else { return appendBytes(value, to: &arena) }
        arena.append(decimal: number)
    }

    @inline(__always)
    private static func appendUnsigned(_ number: UInt64?, _ value: RawSpan, to arena: inout ByteArena) {
        guard let number else { return appendBytes(value, to: &arena) }
        arena.append(decimal: number)
    }

    @inline(__always)
    private static func appendHexadecimal(_ number: UInt64?, _ value: RawSpan, to arena: inout ByteArena) {
        guard let number else { return appendBytes(value, to: &arena) }
        arena.append(literal: "0x")
        arena.append(hexadecimal: number)
    }

    // Some providers count the terminating NUL as part of the text.
    private static func utf16Size(_ value: RawSpan) -> Int {
        var size = value.byteCount & ~1
        while size >= 2, value.uint16(at: size &- 2) == 0 { size &-= 2 }
        return size
    }

    private static func appendFloat<T: BinaryFloatingPoint & LosslessStringConvertible>(
        _ number: T, to arena: inout ByteArena
    ) {
        if number.isNaN { arena.append(literal: "NaN") } else { arena.append(String(number)) }
    }

    private static func appendANSI(_ value: RawSpan, to arena: inout ByteArena) {
        var size = value.byteCount
        while size > 0, value.uint8(at: size &- 1) == 0 { size &-= 1 }
        for index in 0..<size {
            guard let byte = value.uint8(at: index) else { return }
            switch byte {
            case 0..<0x80: arena.append(byte)
            case 0x80..<0xA0: arena.append(String(windows1252[Int(byte & 0x1F)]))
            default:
                arena.append(0xC0 | byte >> 6)
                arena.append(0x80 | byte & 0x3F)
            }
        }
    }

    // Code page 1252, 0x80...0x9F; the five unused places stay control characters.
    private static let windows1252 = Array("€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ")

    private static func appendSystemTime(_ value: RawSpan, to arena: inout ByteArena) {
        guard let year = value.uint16(at: 0), let month = value.uint16(at: 2), let day = value.uint16(at: 6),
            let hour = value.uint16(at: 8), let minute = value.uint16(at: 10), let second = value.uint16(at: 12),
            let milliseconds = value.uint16(at: 14), milliseconds < 1_000,
            let time = Timestamp(
                year: Int(year), month: Int(month), day: Int(day), hour: Int(hour), minute: Int(minute),
                second: Int(second))
        else { return appendBytes(value, to: &arena) }
        Timestamp(seconds: time.seconds, nanoseconds: UInt32(milliseconds) * 1_000_000)
            .append(to: &arena, fractionDigits: 6)
    }

    private static func appendSID(_ value: RawSpan, to arena: inout ByteArena) {
        guard let revision = value.uint8(at: 0), let count = value.uint8(at: 1),
            let high = value.bigEndianUInt16(at: 2), let low = value.bigEndianUInt32(at: 4),
            value.byteCount >= 8 + 4 * Int(count)
        else { return appendBytes(value, to: &arena) }
        arena.append(literal: "S-")
        arena.append(decimal: UInt64(revision))
        arena.append(0x2D)
        arena.append(decimal: UInt64(high) << 32 | UInt64(low))
        for index in 0..<Int(count) {
            arena.append(0x2D)
            arena.append(decimal: UInt64(value.uint32(at: 8 &+ 4 &* index) ?? 0))
        }
    }
}
