import Pipeline

// Closer looks at artefacts: which of several formats with the same magic it is, or whether a short magic is chance.

// Base block, file type at 0x1C: 0 the hive itself, 1, 2 and 6 its logs (M. Suhanov, "Windows registry file format").
func lookAtHive(_ span: RawSpan) -> FileKind? {
    switch span.uint32(at: 0x1C) {
    case 1, 2, 6: FileKind("Registry Transaction Log")
    default: FileKind("Registry Hive")
    }
}

// Buffer header of 72 bytes, then the header event with the marker of a system trace.
func lookAtTraceLog(_ span: RawSpan) -> FileKind? {
    guard let size = span.uint32(at: 0), size >= 1024, size % 1024 == 0, size <= 16 << 20,
        let type = span.uint8(at: 74), (1...2).contains(type)
    else { return nil }
    return FileKind("ETL")
}

// FILE records: the update sequence stands behind the header of 0x2A or 0x30 bytes, one entry per 512 bytes.
func lookAtMFT(_ span: RawSpan) -> FileKind? {
    guard let offset = span.uint16(at: 4), (0x28...0x30).contains(offset), let count = span.uint16(at: 6),
        (2...9).contains(count)
    else { return nil }
    return FileKind("NTFS MFT")
}

func lookAtFixups(_ span: RawSpan) -> FileKind? {
    guard let offset = span.uint16(at: 4), (0x28...0x30).contains(offset), let count = span.uint16(at: 6),
        (2...129).contains(count)
    else { return nil }
    return FileKind("NTFS Index")
}

func lookAtRestartPage(_ span: RawSpan) -> FileKind? {
    guard let offset = span.uint16(at: 4), (0x1E...0x40).contains(offset), let count = span.uint16(at: 6),
        (2...129).contains(count)
    else { return nil }
    return FileKind("NTFS LogFile")
}

func lookAtUSN(_ span: RawSpan) -> FileKind? {
    let name = span.uint16(at: 4) == 2 ? 60 : 76
    guard let length = span.uint32(at: 0), (64...0x260).contains(length), length % 8 == 0,
        let nameLength = span.uint16(at: name - 4), span.uint16(at: name - 2) == UInt16(name),
        name + Int(nameLength) <= Int(length)
    else { return nil }
    return FileKind("NTFS USN Journal")
}

// MS-TSCH 2.4.1: the application's name stands right behind the fixed part of 0x46 bytes.
func lookAtJob(_ span: RawSpan) -> FileKind? {
    switch span.uint16(at: 0) {
    case 0x0400, 0x0500, 0x0501, 0x0502, 0x0600, 0x0601, 0x0602, 0x0603, 0x0A00:
        guard span.uint16(at: 20) == 0x46, let triggers = span.uint16(at: 22), triggers >= 0x46 else { return nil }
        return FileKind("Windows At Job")
    default: return nil
    }
}

// Custom destinations: a short header, links with their class id, and a footer at the end of each category.
func lookAtCustomDestinations(_ span: RawSpan) -> FileKind? {
    guard let categories = span.uint32(at: 4), categories <= 256, span.uint32(at: 8) == 0 else { return nil }
    let linkClass: [UInt8] = [0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]
    return categories == 0 && span.byteCount == 12 || span.uint32(at: span.byteCount &- 4) == 0xBABF_FBAB
        || span.prefix(4096).firstOffset(of: linkClass) != nil ? FileKind("Jump List") : nil
}

func lookAtSizedMemo(_ span: RawSpan) -> FileKind? {
    guard span.byteCount > 16, let size = span.uint32(at: 4), size > 0, !isPrintable(span.prefix(16)) else {
        return nil
    }
    return FileKind("Superfetch DB")
}

// `$I` files: version, size of the deleted file, time, path: 520 bytes in version 1, with its length in version 2.
func lookAtRecycleBinInfo(_ span: RawSpan) -> FileKind? {
    guard let size = span.uint64(at: 8), size < 1 << 50, let time = span.uint64(at: 16),
        (0x01A0_0000_0000_0000...0x02FF_FFFF_FFFF_FFFF).contains(time)
    else { return nil }
    if span.uint32(at: 0) == 1 { return span.byteCount == 544 ? FileKind("Recycle Bin Info") : nil }
    guard let length = span.uint32(at: 24), 28 + Int(length) * 2 == span.byteCount else { return nil }
    return FileKind("Recycle Bin Info")
}

// A dump of the process that keeps credentials is a find in itself: one of its first modules is lsass.exe
// (MINIDUMP_DIRECTORY has 12 bytes, the module list is stream 4, MINIDUMP_MODULE has 108 bytes, its name is at 20).
func lookAtMinidump(_ span: RawSpan) -> FileKind? {
    guard let version = span.uint32(at: 4), version & 0xFFFF == 0xA793 else { return nil }
    let streams = Int(min(span.uint32(at: 8) ?? 0, 64))
    let directory = Int(span.uint32(at: 12) ?? 0)
    for stream in 0..<streams where span.uint32(at: directory &+ stream &* 12) == 4 {
        guard let list = span.uint32(at: directory &+ stream &* 12 &+ 8).map(Int.init),
            let count = span.uint32(at: list)
        else { break }
        for module in 0..<Int(min(count, 4)) {
            guard let name = span.uint32(at: list &+ 4 &+ module &* 108 &+ 20).map(Int.init),
                let length = span.uint32(at: name), length <= 1024,
                let text = span.slice(at: name &+ 4, count: Int(length))
            else { break }
            if String(utf16: text).lowercased().hasSuffix("lsass.exe") { return FileKind("LSASS Dump File") }
        }
    }
    return FileKind("MDMP")
}

// PO_MEMORY_IMAGE: the page size stands at 20 or 24.
func lookAtHibernation(_ span: RawSpan) -> FileKind? {
    span.uint32(at: 20) == 4096 || span.uint32(at: 24) == 4096 ? FileKind("Windows Hibernation") : nil
}

// Certificate ::= SEQUENCE { tbs SEQUENCE { [0] version … : the length has to fit the file (RFC 5280 4.1).
func lookAtDER(_ span: RawSpan) -> FileKind? {
    guard let length = span.bigEndianUInt16(at: 2), (0...16).contains(span.byteCount - 4 - Int(length)) else {
        return nil
    }
    if span.uint8(at: 4) == 0x02 { return FileKind("PKCS12") }
    let inner = span.uint8(at: 5) == 0x82 ? 8 : 7
    return span.matches([0xA0, 0x03, 0x02, 0x01], at: inner) ? FileKind("Certificate DER") : nil
}
