import Pipeline

// Compound files hold Outlook messages, installers, jump lists and old Office documents alike: the class of the root
// and the names of its first entries say which (MS-CFB 2.2, 2.3, 2.6).

func lookAtCompoundFile(_ span: RawSpan) -> FileKind? {
    guard let shift = span.uint16(at: 30), shift == 9 || shift == 12, var sector = span.uint32(at: 48) else {
        return FileKind("OLE")
    }
    let size = 1 << Int(shift)
    for _ in 0..<16 {
        guard sector < 0xFFFF_FFFA else { break }
        let base = (Int(sector) &+ 1) << Int(shift)
        for entry in stride(from: base, to: base &+ size, by: 128) {
            guard let bytes = span.slice(at: entry, count: 128) else { return FileKind("OLE") }
            if let kind = kind(ofEntry: bytes) { return kind }
        }
        // The allocation table says where the directory goes on; its first 109 sectors are listed in the header.
        let perSector = UInt32(size / 4)
        guard sector / perSector < 109, let table = span.uint32(at: 76 &+ Int(sector / perSector) &* 4),
            table < 0xFFFF_FFFA,
            let next = span.uint32(at: (Int(table) &+ 1) << Int(shift) &+ Int(sector % perSector) &* 4)
        else { break }
        sector = next
    }
    return FileKind("OLE")
}

private func kind(ofEntry entry: RawSpan) -> FileKind? {
    if entry.uint8(at: 66) == 5 {
        guard entry.matches([0x00, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46], at: 84) else {
            return nil
        }
        switch entry.uint32(at: 80) {
        case 0x000C_1084: return FileKind("MSI")
        case 0x000C_1082: return FileKind("MST")
        case 0x000C_1086: return FileKind("MSP")
        default: return nil
        }
    }
    if isNamed(entry, "DestList") { return FileKind("Jump List") }
    if isNamed(entry, "__nameid_version1.0") || isNamed(entry, "__properties_version1.0") { return FileKind("MSG") }
    return nil
}

// Names are UTF-16 with their length in bytes, the NUL included, at 64.
private func isNamed(_ entry: RawSpan, _ name: String) -> Bool {
    guard entry.uint16(at: 64) == UInt16(truncatingIfNeeded: name.utf8.count * 2 + 2) else { return false }
    for (index, byte) in name.utf8.enumerated() where entry.uint16(at: index * 2) != UInt16(byte) { return false }
    return true
}
