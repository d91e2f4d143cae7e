// The header lines of one part of a multipart body (RFC 7578), as real clients write them: LF or CRLF, folded lines,
// any case, parameters quoted or not.

/// What a part says about itself.
struct PartHeader: Equatable {
    /// Field name, empty if there is none.
    var name = ""
    /// Path of the file as bytes; nil when the part has no file name.
    var filename: [UInt8]?

    /// Reads a header block without its empty line.
    init(_ block: [UInt8]) {
        var lines: [ArraySlice<UInt8>] = []
        for line in block.split(separator: 0x0A) {
            let line = line.last == 0x0D ? line.dropLast() : line
            if let first = line.first, first == 0x20 || first == 0x09, let last = lines.popLast() {
                lines.append(ArraySlice(Array(last) + Array(line)))
            } else {
                lines.append(line)
            }
        }
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            if lowercased(line[..<colon]) == "content-disposition" {
                readDisposition(line[(colon + 1)...])
            }
        }
    }

    private mutating func readDisposition(_ value: ArraySlice<UInt8>) {
        var rest = value.drop { $0 != UInt8(ascii: ";") }
        var plain: [UInt8]?
        var extended: [UInt8]?
        while !rest.isEmpty {
            rest = rest.drop { $0 == UInt8(ascii: ";") || isBlank($0) }
            let attribute = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            rest = rest.dropFirst(attribute.count)
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest = rest.dropFirst().drop(while: isBlank)
            let isQuoted = rest.first == UInt8(ascii: "\"")
            let raw: ArraySlice<UInt8>
            if isQuoted {
                raw = rest.dropFirst().prefix(UploadFilename.quotedLength(rest.dropFirst()))
                rest = rest.dropFirst(raw.count + 2)
            } else {
                raw = rest.prefix { $0 != UInt8(ascii: ";") && !isBlank($0) }
                rest = rest.dropFirst(raw.count)
            }
            switch lowercased(attribute) {
            case "name": name = clientText(UploadFilename.unquoted(raw))
            case "filename": plain = isQuoted ? UploadFilename.unquoted(raw) : Array(raw.prefix { $0 != 0 })
            case "filename*": extended = UploadFilename.extended(raw)
            default: break
            }
        }
        filename = extended ?? plain
    }

    private func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.filter { !isBlank($0) }, as: UTF8.self).lowercased()
    }
}

/// Whether a byte is a space or a tab.
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
