import Pipeline

// Closer looks at programs: magic numbers of two bytes alone would call many a text a program.

func lookAtDOSHeader(_ span: RawSpan) -> FileKind? {
    if isPrintable(span.prefix(64)) { return nil }
    guard let next = span.uint32(at: 0x3C).map(Int.init) else { return FileKind("DOS EXE") }
    switch span.uint16(at: next) {
    case 0x4550: return span.uint16(at: next &+ 2) == 0 ? FileKind("EXE") : FileKind("DOS EXE")
    case 0x454E, 0x454C, 0x584C: return FileKind("EXE")
    // The new header lies beyond the end: an upload that was cut still is a program.
    case nil: return next < 1 << 24 ? FileKind("EXE") : FileKind("DOS EXE")
    default: return FileKind("DOS EXE")
    }
}

func lookAtELF(_ span: RawSpan) -> FileKind? {
    let type = span.uint8(at: 5) == 2 ? span.bigEndianUInt16(at: 16) : span.uint16(at: 16)
    return FileKind(type == 4 ? "ELF Core" : "ELF")
}

// A universal binary counts its architectures where a class file has its version (45 and up in the low half).
func lookAtCafeBabe(_ span: RawSpan) -> FileKind? {
    guard let number = span.bigEndianUInt32(at: 4) else { return nil }
    return FileKind(number & 0xFFFF >= 45 ? "Java Class" : "MACH-O")
}

func lookAtPythonBytecode(_ span: RawSpan) -> FileKind? {
    guard let version = span.uint16(at: 0), let size = span.uint32(at: 4), span.byteCount >= 12 else { return nil }
    // 3.x counts from 3000; 2.x from 50428 (2.0) to 62211 (2.7), followed by a time.
    return (3000...3999).contains(version) && size < 4 || (50_428...62_211).contains(version) && size != 0
        ? FileKind("Python Bytecode") : nil
}

func lookAtCOFF(_ span: RawSpan) -> FileKind? {
    guard let sections = span.uint16(at: 2), (1...4096).contains(sections), let symbols = span.uint32(at: 8),
        Int(symbols) <= span.byteCount, span.uint16(at: 16) == 0, let name = span.uint8(at: 20),
        name == 0x2E || name == 0x2F
    else { return nil }
    return FileKind("COFF Object")
}

func lookAtImportObject(_ span: RawSpan) -> FileKind? {
    switch span.uint16(at: 6) {
    case 0x014C, 0x8664, 0xAA64, 0x01C4: FileKind("Import Library Object")
    default: nil
    }
}

func lookAtFlash(_ span: RawSpan) -> FileKind? {
    guard let version = span.uint8(at: 3), (1...64).contains(version), let length = span.uint32(at: 4),
        (9...(1 << 30)).contains(Int(length))
    else { return nil }
    return FileKind("SWF")
}

/// Whether all bytes are printable ASCII or white space.
func isPrintable(_ span: RawSpan) -> Bool {
    for index in 0..<span.byteCount {
        guard let byte = span.uint8(at: index), (0x20...0x7E).contains(byte) || (0x09...0x0D).contains(byte) else {
            return false
        }
    }
    return true
}
