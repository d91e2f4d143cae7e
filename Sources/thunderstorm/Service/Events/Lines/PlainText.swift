import Pipeline

// Nearly all text of events needs no escape: such stretches are found eight bytes at a time and copied as they are.

/// Which bytes of a text are written as they are; control characters never are.
struct PlainText {
    // Bytes with a meaning of their own, each eight times in a word.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    // The highest bit of each byte if only ASCII is plain.
    private let highBits: UInt64

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    init(except bytes: (UInt8, UInt8, UInt8), onlyASCII: Bool) {
        first = Self.ones &* UInt64(bytes.0)
        second = Self.ones &* UInt64(bytes.1)
        third = Self.ones &* UInt64(bytes.2)
        highBits = onlyASCII ? Self.tops : 0
    }

    /// Strings of JSON: all but `"`, `\` and what may be U+0080 to U+009F.
    @inline(__always) static var json: PlainText { PlainText(except: (0x22, 0x5C, 0xC2), onlyASCII: false) }

    /// Printable ASCII and no more.
    @inline(__always) static var ascii: PlainText { PlainText(except: (0x7F, 0x7F, 0x7F), onlyASCII: true) }

    /// All but control characters of ASCII.
    @inline(__always) static var noControl: PlainText { PlainText(except: (0x7F, 0x7F, 0x7F), onlyASCII: false) }

    /// Where the plain stretch from `start` ends.
    @inline(__always)
    func end(in text: RawSpan, from start: Int) -> Int {
        var index = start
        while let word = text.uint64(at: index) {
            if marks(in: word) != 0 { break }
            index &+= 8
        }
        while let byte = text.uint8(at: index), marks(in: UInt64(byte) | 0x4141_4141_4141_4100) == 0 { index &+= 1 }
        return index
    }

    /// Whether all of the bytes are plain.
    func isAll(of bytes: [UInt8]) -> Bool { end(in: bytes.rawSpan, from: 0) == bytes.count }

    // Not zero if any byte is not plain. A borrow may also mark a byte above one that is not plain: it does not matter.
    @inline(__always)
    private func marks(in word: UInt64) -> UInt64 {
        let controls = (word &- Self.ones &* 0x20) & ~word
        return
            (controls | zeros(word ^ (Self.ones &* 0x7F)) | zeros(word ^ first) | zeros(word ^ second)
            | zeros(word ^ third) | (word & highBits)) & Self.tops
    }

    @inline(__always)
    private func zeros(_ word: UInt64) -> UInt64 { (word &- Self.ones) & ~word }
}

extension String {
    /// Hands the bytes of the text out for reading, without a copy.
    func withUTF8Bytes(_ body: (RawSpan) -> Void) {
        // The view of a whole text is as safe as the text; only its type is one that could hold more than bytes.
        unsafe body(utf8Span.span.bytes)
    }
}

extension [UInt8] {
    /// Appends a text as it is.
    mutating func append(text: String) { text.withUTF8Bytes { append($0) } }
}
