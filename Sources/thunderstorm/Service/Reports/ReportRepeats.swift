import Pipeline

// Findings of one log have the same context, and often the same type and signature as the one before. What consists of
// nothing but positions of texts is the same value wherever the same bytes stand: the writer copies the bytes, and the
// reader takes the value that it made of them. The format knows nothing of it.

/// What the finding before had, and where it stands.
struct ReportRepeats {
    var context: (at: Range<Int>, value: [ContextObject])?
    var type: (at: Range<Int>, value: RecordType)?
    var signature: (at: Range<Int>, value: Signature)?
}

/// The same for the writer, with the bytes.
struct WrittenRepeats {
    var context: (value: [ContextObject], bytes: [UInt8])?
    var type: (value: RecordType, bytes: [UInt8])?
    var signature: (value: Signature, bytes: [UInt8])?
}

extension BinaryWriter {
    /// What `write` appends, if it is nothing but positions of texts.
    mutating func positions(_ write: (inout BinaryWriter) -> Void) -> [UInt8]? {
        let (start, count) = (bytes.count, textCount)
        write(&self)
        return textCount == count ? bytes.rawSpan.suffix(from: start).array : nil
    }
}

extension [ContextObject] {
    /// Whether all is equal, and paths byte for byte: Swift takes two spellings of the same characters for equal.
    func isSame(as other: [ContextObject]) -> Bool {
        self == other && zip(self, other).allSatisfy { $0.file.path.utf8.elementsEqual($1.file.path.utf8) }
    }
}
