import Pipeline

// Closer looks at archives, compressed streams and disk images whose magic is short, and those that have none.

func lookAtGzip(_ span: RawSpan) -> FileKind? {
    guard let flags = span.uint8(at: 3), flags < 0x20 else { return nil }
    return FileKind("GZIP")
}

func lookAtBzip2(_ span: RawSpan) -> FileKind? {
    guard let level = span.uint8(at: 3), (0x31...0x39).contains(level) else { return nil }
    // A block begins with the digits of pi; a stream without blocks ends with those of its root.
    return span.matches([0x31, 0x41, 0x59, 0x26, 0x53, 0x59], at: 4)
        || span.matches([0x17, 0x72, 0x45, 0x38, 0x50, 0x90], at: 4) ? FileKind("BZIP2") : nil
}

func lookAtLZMA(_ span: RawSpan) -> FileKind? {
    guard let dictionary = span.uint32(at: 1), let size = span.uint64(at: 5), span.uint8(at: 13) == 0 else {
        return nil
    }
    let isRound =
        dictionary.nonzeroBitCount == 1
        || dictionary.nonzeroBitCount == 2 && (dictionary & (dictionary << 1)) != 0
    guard dictionary == .max || isRound && dictionary >= 4096, size == .max || size < 1 << 40 else { return nil }
    return FileKind("LZMA")
}

// zlib has no magic, only a header whose check bits fit; the first block must make sense too (RFC 1950, RFC 1951).
func lookAtZlib(_ span: RawSpan) -> FileKind? {
    guard let method = span.uint8(at: 0), let flags = span.uint8(at: 1), let block = span.uint8(at: 2),
        method & 0x0F == 8, method >> 4 <= 7, (Int(method) << 8 | Int(flags)) % 31 == 0, flags & 0x20 == 0,
        span.byteCount >= 8
    else { return nil }
    switch block >> 1 & 3 {
    case 0:
        guard let length = span.uint16(at: 3), let inverse = span.uint16(at: 5), length == ~inverse else { return nil }
    case 2:
        guard let next = span.uint8(at: 3), block >> 3 <= 29, next & 0x1F <= 29 else { return nil }
    case 3: return nil
    default: break
    }
    return FileKind("ZLIB")
}

// zstd and LZ4 both may begin with frames to be skipped: the frame behind it decides.
func lookAtSkippableFrame(_ span: RawSpan) -> FileKind? {
    guard let first = span.uint8(at: 0), first & 0xF0 == 0x50, let size = span.uint32(at: 4) else { return nil }
    switch span.uint32(at: Int(size) &+ 8) {
    case 0xFD2F_B528: return FileKind("ZSTD")
    case 0x184D_2204: return FileKind("LZ4")
    default: return nil
    }
}

func lookAtUnixCompress(_ span: RawSpan) -> FileKind? {
    switch span.uint8(at: 1) {
    case 0x9D:
        guard let bits = span.uint8(at: 2), bits & 0x60 == 0, (9...16).contains(bits & 0x1F) else { return nil }
        return FileKind("TARZ")
    case 0xA0: return FileKind("TARZ")
    default:
        guard let depth = span.uint8(at: 6), (1...25).contains(depth) else { return nil }
        return FileKind("Unix Pack")
    }
}

func lookAtARJ(_ span: RawSpan) -> FileKind? {
    guard let size = span.uint16(at: 2), (30...2600).contains(size), let first = span.uint8(at: 4),
        (30...Int(size)).contains(Int(first))
    else { return nil }
    return FileKind("ARJ")
}

// The old binary header: mode and name length have to be plausible, in either byte order.
func lookAtBinaryCPIO(_ span: RawSpan) -> FileKind? {
    let isLittle = span.uint8(at: 0) == 0xC7
    guard let mode = isLittle ? span.uint16(at: 6) : span.bigEndianUInt16(at: 6),
        let length = isLittle ? span.uint16(at: 20) : span.bigEndianUInt16(at: 20),
        [0x1, 0x2, 0x4, 0x6, 0x8, 0xA, 0xC].contains(mode >> 12) || mode == 0, length >= 2
    else { return nil }
    return FileKind("CPIO")
}

func lookAtAr(_ span: RawSpan) -> FileKind? {
    FileKind(span.matches(Array("debian-binary".utf8), at: 8) ? "DEB" : "AR")
}

func lookAtLHA(_ span: RawSpan) -> FileKind? {
    guard let family = span.uint8(at: 4), family == 0x68 || family == 0x7A, let method = span.uint8(at: 5),
        (0x30...0x39).contains(method) || [0x64, 0x73, 0x78].contains(method), let level = span.uint8(at: 20),
        level <= 3
    else { return nil }
    return FileKind("LHA")
}

func lookAtExtendedFilesystem(_ span: RawSpan) -> FileKind? {
    guard let blockSize = span.uint32(at: 1048), blockSize <= 6, let revision = span.uint32(at: 1100), revision <= 1,
        let inodes = span.uint32(at: 1024), inodes > 0
    else { return nil }
    return FileKind("EXT Filesystem")
}

func lookAtMasterBootRecord(_ span: RawSpan) -> FileKind? {
    var used = 0
    for entry in stride(from: 446, to: 510, by: 16) {
        guard let status = span.uint8(at: entry), status & 0x7F == 0, let type = span.uint8(at: entry + 4),
            let start = span.uint32(at: entry + 8), let length = span.uint32(at: entry + 12)
        else { return nil }
        if type != 0 {
            guard start > 0, length > 0 else { return nil }
            used += 1
        }
    }
    return used > 0 ? FileKind("MBR Disk Image") : nil
}

// Tape archives older than POSIX have no magic, but a sum over their header (as octal text at 148).
func lookAtOldTar(_ span: RawSpan) -> FileKind? {
    guard span.byteCount >= 512, let first = span.uint8(at: 0), first > 0x20 else { return nil }
    var written = 0
    var hasDigits = false
    for index in 148..<156 {
        guard let byte = span.uint8(at: index) else { return nil }
        if (0x30...0x37).contains(byte) {
            written = written << 3 | Int(byte & 7)
            hasDigits = true
        } else if byte != 0x20 && byte != 0 {
            return nil
        }
    }
    var sum = 8 * 0x20
    for index in 0..<512 where !(148..<156).contains(index) { sum += Int(span.uint8(at: index) ?? 0) }
    return hasDigits && sum == written ? FileKind("TAR") : nil
}
