public import Pipeline

// Inflates XPRESS with Huffman coding (LZ77 + Huffman), in which Windows 10 and 11 store prefetch files. Source: MS-XCA
// 2.2. Output is bounded by what the caller allows, input by its end: no stream makes it loop.

/// Inflates LZ77+Huffman data.
public struct XpressHuffman: ~Copyable {
    private static let blockSize = 65_536
    private static let tableBits = 15

    /// What was inflated, also when the data turned out to be broken.
    public private(set) var output: [UInt8] = []
    /// What was wrong with the data; nil if all of it was read.
    public private(set) var problem: ParseError?

    private let size: Int
    private var position = 0
    // The next 32 bits of the stream, and how many of the lower 16 are filled.
    private var bits: UInt32 = 0
    private var extra = 0
    // For each 15-bit prefix: symbol in the upper bits, length of its code in the lower four; 0 for none.
    private var table = [UInt16](repeating: 0, count: 1 << Self.tableBits)

    /// Inflates `span` to `size` bytes.
    public init(_ span: RawSpan, size: Int) {
        self.size = max(size, 0)
        output.reserveCapacity(min(self.size, span.byteCount &* 16))
        do throws(ParseError) {
            while output.count < self.size { try readBlock(span) }
        } catch {
            problem = error
        }
    }

    private mutating func readBlock(_ span: RawSpan) throws(ParseError) {
        try readTable(span)
        bits = UInt32(word(span)) << 16
        bits |= UInt32(word(span))
        extra = 16
        let end = min(output.count + Self.blockSize, size)
        while output.count < end {
            // The reader may look two words beyond the last one that is needed.
            guard position <= span.byteCount &+ 4 else {
                throw ParseError(.truncated, "the compressed data ends after \(output.count) bytes", at: span.byteCount)
            }
            let entry = table[Int(bits >> (32 - UInt32(Self.tableBits)))]
            guard entry != 0 else { throw ParseError(.invalid, "a code that stands for nothing", at: position) }
            let symbol = Int(entry >> 4)
            take(Int(entry & 15), span)
            if symbol < 256 {
                output.append(UInt8(truncatingIfNeeded: symbol))
            } else {
                try copy(symbol - 256, span, limit: size)
            }
        }
    }

    private mutating func copy(_ symbol: Int, _ span: RawSpan, limit: Int) throws(ParseError) {
        var length = symbol & 15
        let offsetBits = symbol >> 4
        if length == 15 {
            length = Int(span.uint8(at: position) ?? 0)
            position &+= 1
            if length == 255 {
                length = Int(span.uint16(at: position) ?? 0)
                position &+= 2
                if length == 0 {
                    length = Int(span.uint32(at: position) ?? 0)
                    position &+= 4
                }
                guard length >= 15 else { throw ParseError(.invalid, "a long match that is short", at: position) }
                length -= 15
            }
            length += 15
        }
        length += 3
        let distance = (1 << offsetBits) + (offsetBits == 0 ? 0 : Int(bits >> (32 - UInt32(offsetBits))))
        take(offsetBits, span)
        guard distance <= output.count else {
            throw ParseError(.invalid, "a match that begins before the data", at: position)
        }
        var source = output.count - distance
        for _ in 0..<min(length, limit - output.count) {
            output.append(output[source])
            source += 1
        }
    }

    private mutating func take(_ count: Int, _ span: RawSpan) {
        bits = count == 0 ? bits : bits << UInt32(count)
        extra -= count
        if extra < 0 {
            bits |= UInt32(word(span)) << UInt32(-extra)
            extra += 16
        }
    }

    // Zeros behind the end; readBlock stops there.
    private mutating func word(_ span: RawSpan) -> UInt16 {
        defer { position &+= 2 }
        return span.uint16(at: position) ?? UInt16(span.uint8(at: position) ?? 0)
    }

    // 512 code lengths of four bits; codes are handed out by length, then by symbol.
    private mutating func readTable(_ span: RawSpan) throws(ParseError) {
        guard let lengths = span.slice(at: position, count: 256) else {
            throw ParseError(.truncated, "the code table of a block: need 256 bytes", at: position)
        }
        var next = 0
        for wanted in 1...Self.tableBits {
            for symbol in 0..<512 {
                let pair = lengths.uint8(at: symbol >> 1) ?? 0
                guard Int(symbol & 1 == 0 ? pair & 15 : pair >> 4) == wanted else { continue }
                let count = 1 << (Self.tableBits - wanted)
                guard next + count <= table.count else {
                    throw ParseError(.invalid, "the code table of a block has too many codes", at: position)
                }
                let entry = UInt16(symbol << 4 | wanted)
                for index in next..<next + count { table[index] = entry }
                next += count
            }
        }
        guard next > 0 else { throw ParseError(.invalid, "the code table of a block is empty", at: position) }
        for index in next..<table.count { table[index] = 0 }
        position &+= 256
    }
}
