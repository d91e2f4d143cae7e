import Pipeline

// Closer looks at pictures, sound and fonts whose magic is short.

func lookAtBitmap(_ span: RawSpan) -> FileKind? {
    guard let header = span.uint32(at: 14), [12, 16, 40, 52, 56, 64, 108, 124].contains(header),
        let pixels = span.uint32(at: 10), pixels < 1 << 20
    else { return nil }
    return FileKind("BMP")
}

func lookAtIcon(_ span: RawSpan) -> FileKind? {
    guard let count = span.uint16(at: 4), (1...1024).contains(count), span.uint8(at: 9) == 0,
        let size = span.uint32(at: 14), size > 0, let offset = span.uint32(at: 18), offset >= 6 + UInt32(count) * 16,
        Int(offset) < max(span.byteCount, 1 << 16)
    else { return nil }
    return FileKind(span.uint8(at: 2) == 1 ? "ICO" : "CUR")
}

// The first record of a metafile is its header, of type 1.
func lookAtMetafile(_ span: RawSpan) -> FileKind? {
    span.uint32(at: 0) == 1 ? FileKind("EMF") : nil
}

func lookAtID3(_ span: RawSpan) -> FileKind? {
    guard let version = span.uint8(at: 3), (2...4).contains(version) else { return nil }
    for index in 6..<10 {
        guard let byte = span.uint8(at: index), byte < 0x80 else { return nil }
    }
    return FileKind("MP3")
}

// MPEG audio layer III: the frame's length follows from its header, and the next frame has to begin there.
func lookAtMPEGAudio(_ span: RawSpan) -> FileKind? {
    let rates1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0]
    let rates2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0]
    let frequencies = [44_100, 48_000, 32_000, 0]
    guard let second = span.uint8(at: 1), let third = span.uint8(at: 2) else { return nil }
    let isVersion1 = second & 0x08 != 0
    let rate = (isVersion1 ? rates1 : rates2)[Int(third >> 4)]
    let frequency = frequencies[Int(third >> 2 & 3)] / (isVersion1 ? 1 : 2)
    guard rate > 0, frequency > 0 else { return nil }
    let length = (isVersion1 ? 144 : 72) * rate * 1000 / frequency + Int(third >> 1 & 1)
    guard span.uint8(at: length) == 0xFF, span.uint8(at: length + 1) == second else { return nil }
    return FileKind("MP3")
}

func lookAtADTS(_ span: RawSpan) -> FileKind? {
    guard let a = span.uint8(at: 3), let b = span.uint8(at: 4), let c = span.uint8(at: 5) else { return nil }
    let length = Int(a & 3) << 11 | Int(b) << 3 | Int(c >> 5)
    guard length > 7, span.uint8(at: length) == 0xFF, span.uint8(at: length + 1) == span.uint8(at: 1) else {
        return nil
    }
    return FileKind("AAC")
}

// ISO base media files name their brand behind `ftyp`.
func lookAtBrand(_ span: RawSpan) -> FileKind? {
    switch span.bigEndianUInt32(at: 8) {
    case 0x6865_6963, 0x6865_6978, 0x6D69_6631, 0x6865_7663: FileKind("HEIC")
    case 0x6176_6966, 0x6176_6973: FileKind("AVIF")
    case 0x7174_2020: FileKind("QuickTime")
    default: FileKind("MP4")
    }
}

// The table directory's search range follows from the number of tables.
func lookAtFont(_ span: RawSpan) -> FileKind? {
    guard let tables = span.bigEndianUInt16(at: 4), (1...255).contains(tables), let range = span.bigEndianUInt16(at: 6),
        Int(range) == 16 << (15 - tables.leadingZeroBitCount)
    else { return nil }
    return FileKind("TTF")
}
