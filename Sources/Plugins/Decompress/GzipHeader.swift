import Pipeline

/// Name and time from a gzip header (RFC 1952, section 2.3).
struct GzipHeader {
    /// Original file name without directories; nil if the header has none.
    let name: String?
    /// When the original was modified; nil if the header does not say.
    let modified: Timestamp?

    /// Reads the header; nil if it is damaged.
    init?(_ span: RawSpan) {
        guard span.matches([0x1F, 0x8B, 8], at: 0), let flags = span.uint8(at: 3), let time = span.uint32(at: 4)
        else { return nil }
        modified = time == 0 ? nil : Timestamp(seconds: Int64(time))
        var offset = 10
        if flags & 4 != 0 {
            guard let extra = span.uint16(at: offset) else { return nil }
            offset += 2 + Int(extra)
        }
        guard flags & 8 != 0, let end = span.firstOffset(of: 0, from: offset),
            let bytes = span.slice(at: offset, count: min(end - offset, 255))
        else {
            name = nil
            return
        }
        // The header's text is Latin-1; what looks like a directory or a control character has no place in a name.
        let text = String(lossy: bytes).split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
        let clean = String(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.map(Character.init))
        name = clean.isEmpty || clean == "." || clean == ".." ? nil : clean
    }
}
