import CZlib
import Glibc
import Pipeline

// Gzip members (RFC 1952) that say in their header how long they are, so that a file of many of them can be walked
// without inflating it, and an unfinished last one be found and taken away. Readers of gzip skip the field.

enum GzipMember {
    // Fixed header, and the extra field: its length, the subfield TS with its length, and the size of the member.
    private static let headerSize = 20
    private static let trailerSize = 8
    private static let head: [UInt8] = [
        0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, UInt8(ascii: "T"), UInt8(ascii: "S"), 4, 0,
    ]
    // Fast: an audit trail is written beside scans that want the processor.
    private static let level: Int32 = 1

    /// The bytes as one member; nil when there is no memory for it.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = unsafe z_stream()
        guard
            unsafe deflateInit2_(
                &stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { unsafe deflateEnd(&stream) }
        let bound = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
        var input = bytes
        var member = [UInt8](repeating: 0, count: headerSize + bound + trailerSize)
        let isWhole = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe member.withUnsafeMutableBufferPointer { output in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = output.baseAddress.map { unsafe $0 + headerSize }
                unsafe stream.avail_out = UInt32(bound)
                return unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END
            }
        }
        guard isWhole else { return nil }
        let size = unsafe headerSize + bound - Int(stream.avail_out) + trailerSize
        member.removeLast(member.count - size)
        member.replaceSubrange(0..<headerSize, with: head + littleEndian(UInt32(size)))
        let sum = unsafe bytes.withUnsafeBufferPointer { unsafe crc32(0, $0.baseAddress, UInt32($0.count)) }
        member.replaceSubrange(
            (size - trailerSize)..<size,
            with: littleEndian(UInt32(truncatingIfNeeded: sum)) + littleEndian(UInt32(truncatingIfNeeded: bytes.count)))
        return member
    }

    /// Where the last whole member of a file ends.
    ///
    /// - Returns: nil when something else than members of this kind stands in it.
    static func end(ofMembersIn descriptor: Int32, size: Int) -> Int? {
        var end = 0
        var header = [UInt8](repeating: 0, count: headerSize)
        while size - end >= headerSize {
            let got = unsafe header.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(end))
            }
            guard got == headerSize, header.starts(with: head), let length = header.rawSpan.uint32(at: head.count),
                length >= headerSize + trailerSize
            else { return nil }
            guard Int(length) <= size - end else { return end }
            end += Int(length)
        }
        // What is too short for a header may be the beginning of one.
        let rest = size - end
        let got = unsafe header.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, rest, off_t(end)) }
        return got == rest && header.prefix(min(rest, head.count)).elementsEqual(head.prefix(rest)) ? end : nil
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
}
