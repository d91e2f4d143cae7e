import Pipeline

// Many formats are ZIP archives: the names of the first members say which. They are read from the local headers at the
// head of the file, and from the central directory where those do not decide (APPNOTE 4.3.7, 4.3.12, 4.3.16).

func lookAtZip(_ span: RawSpan) -> FileKind? {
    var contents = ZipContents()
    contents.readLocalHeaders(span)
    if contents.kind == nil { contents.readCentralDirectory(span) }
    return contents.kind ?? FileKind("ZIP")
}

// An archive behind something else: the end record names the size of a directory that stands before it.
func lookAtPrefixedZip(_ span: RawSpan) -> FileKind? {
    let base = max(span.byteCount - 1024, 0)
    guard let end = span.firstOffset(of: [0x50, 0x4B, 0x05, 0x06], from: base), let size = span.uint32(at: end &+ 12),
        span.uint32(at: end &- Int(size)) == 0x0201_4B50
    else { return nil }
    return FileKind("ZIP")
}

private struct ZipContents {
    private static let window = 64 << 10
    private static let memberLimit = 256

    private var hasContentTypes = false
    private var hasOfficeParts = false
    private var hasManifest = false
    private var exact: FileKind?

    // What the names seen so far tell; nil while it may be a plain archive.
    var kind: FileKind? {
        if let exact { return exact }
        if hasContentTypes && hasOfficeParts { return FileKind("Office") }
        if hasManifest { return FileKind("JAR") }
        return nil
    }

    mutating func readLocalHeaders(_ span: RawSpan) {
        let head = span.prefix(Self.window)
        var offset = 0
        for member in 0..<Self.memberLimit {
            guard head.uint32(at: offset) == 0x0403_4B50, let flags = head.uint16(at: offset &+ 6),
                let size = head.uint32(at: offset &+ 18), let length = head.uint16(at: offset &+ 26),
                let extra = head.uint16(at: offset &+ 28),
                let name = head.slice(at: offset &+ 30, count: Int(length))
            else { return }
            let data = offset &+ 30 &+ Int(length) &+ Int(extra)
            if member == 0, isEqual(name, "mimetype") { readMediaType(head.suffix(from: data)) }
            note(name)
            if exact != nil { return }
            if flags & 8 != 0 && size == 0 {
                // The size stands behind the data: look for the next header.
                guard let next = head.firstOffset(of: [0x50, 0x4B, 0x03, 0x04], from: data) else { return }
                offset = next
            } else {
                offset = data &+ Int(size)
            }
        }
    }

    mutating func readCentralDirectory(_ span: RawSpan) {
        // The end record is the last 22 bytes, or stands before a short comment.
        let tail = span.suffix(from: span.byteCount &- 1024)
        var end: Int?
        var from = 0
        while let hit = tail.firstOffset(of: [0x50, 0x4B, 0x05, 0x06], from: from) {
            end = hit
            from = hit + 1
        }
        guard let end, let start = tail.uint32(at: end &+ 16) else { return }
        var offset = Int(start)
        for _ in 0..<Self.memberLimit {
            guard span.uint32(at: offset) == 0x0201_4B50, let length = span.uint16(at: offset &+ 28),
                let extra = span.uint16(at: offset &+ 30), let comment = span.uint16(at: offset &+ 32),
                let name = span.slice(at: offset &+ 46, count: Int(length))
            else { return }
            note(name)
            if exact != nil { return }
            offset = offset &+ 46 &+ Int(length) &+ Int(extra) &+ Int(comment)
        }
    }

    // EPUB and OpenDocument store their media type as the first member, uncompressed.
    private mutating func readMediaType(_ data: RawSpan) {
        if begins(data, "application/epub+zip") { exact = FileKind("EPUB") }
        if begins(data, "application/vnd.oasis.opendocument") || begins(data, "application/vnd.sun.xml") {
            exact = FileKind("OpenDocument")
        }
    }

    private mutating func note(_ name: RawSpan) {
        switch name.uint8(at: 0) {
        case 0x5B: hasContentTypes = hasContentTypes || isEqual(name, "[Content_Types].xml")
        case 0x41:
            if isEqual(name, "AndroidManifest.xml") { exact = FileKind("APK") }
            if isEqual(name, "AppxManifest.xml") || isEqual(name, "AppxBlockMap.xml") { exact = FileKind("APPX") }
        case 0x46: if begins(name, "FixedDocSeq.fdseq") { exact = FileKind("XPS") }
        case 0x4D: hasManifest = hasManifest || isEqual(name, "META-INF/MANIFEST.MF")
        case 0x50: if begins(name, "Payload/") && ends(name, ".app/") { exact = FileKind("IPA") }
        case 0x57: if begins(name, "WEB-INF/") { exact = FileKind("WAR") }
        case 0x63: if isEqual(name, "classes.dex") { exact = FileKind("APK") }
        case 0x65: if isEqual(name, "extension.vsixmanifest") { exact = FileKind("VSIX") }
        default: break
        }
        if ends(name, ".nuspec") { exact = FileKind("NuGet Package") }
        for part in ["word/", "xl/", "ppt/", "visio/"] where begins(name, part) { hasOfficeParts = true }
    }

    private func begins(_ span: RawSpan, _ text: String) -> Bool { span.matches(Array(text.utf8), at: 0) }

    private func ends(_ span: RawSpan, _ text: String) -> Bool {
        span.matches(Array(text.utf8), at: span.byteCount &- text.utf8.count)
    }

    private func isEqual(_ span: RawSpan, _ text: String) -> Bool {
        span.byteCount == text.utf8.count && begins(span, text)
    }
}
