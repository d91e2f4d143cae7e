// The path of a sample as a multipart `filename`, from clients that quote in six ways: raw Windows paths, doubled
// backslashes, `%22`, `\"`, quotes not escaped at all, RFC 5987. One rule reads all of them, on bytes (REFERENCE A.2).

enum UploadFilename {
    private static let backslash = UInt8(ascii: "\\")
    private static let quote = UInt8(ascii: "\"")

    /// Length of a quoted value that starts at `rest`, without its closing quote.
    ///
    /// The value ends at the first quote that is followed by `;` or the end of the line and is not escaped, so that
    /// quotes and semicolons inside an unescaped name survive. `C:\dir\"` ends in a quote that only looks escaped:
    /// when there is no other end, the last such quote is it. Without any, the value is the rest of the line.
    static func quotedLength(_ rest: ArraySlice<UInt8>) -> Int {
        var escapedEnd: Int?
        var backslashes = 0
        for (index, byte) in zip(rest.indices, rest) {
            if byte == backslash {
                backslashes += 1
                continue
            }
            if byte == quote {
                let next = rest[(index + 1)...].first { $0 != 0x20 && $0 != 0x09 }
                if next == nil || next == UInt8(ascii: ";") {
                    if backslashes.isMultiple(of: 2) { return index - rest.startIndex }
                    escapedEnd = index - rest.startIndex
                }
            }
            backslashes = 0
        }
        return escapedEnd ?? rest.count
    }

    /// Undoes the quoting of a quoted value; the result is what the client meant, cut at the first NUL.
    static func unquoted(_ value: some Collection<UInt8>) -> [UInt8] {
        let value = Array(value)
        let collapses = isEscaped(value)
        var name: [UInt8] = []
        name.reserveCapacity(value.count)
        var index = 0
        while index < value.count {
            let byte = value[index]
            if byte == backslash {
                let run = value[index...].prefix { $0 == backslash }.count
                let beforeQuote = index + run < value.count && value[index + run] == quote
                // An odd run before a quote: its last backslash belongs to the quote.
                let own = beforeQuote && !run.isMultiple(of: 2) ? run - 1 : run
                name.append(contentsOf: repeatElement(backslash, count: collapses ? (own + 1) / 2 : own))
                index += run
            } else if byte == UInt8(ascii: "%"), let decoded = hexadecimalByte(value[(index + 1)...].prefix(2)),
                [0x22, 0x0D, 0x0A].contains(decoded)
            {
                name.append(decoded)
                index += 3
            } else {
                name.append(byte)
                index += 1
            }
        }
        return Array(name.prefix { $0 != 0 })
    }

    /// Decodes an RFC 5987 value (`UTF-8''a%20b`), cut at the first NUL; nil if it has not that form.
    static func extended(_ value: some Collection<UInt8>) -> [UInt8]? {
        let parts = value.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        return Array(percentDecoded(parts[2]).prefix { $0 != 0 })
    }

    // Whether backslashes were doubled: every run that is not directly before a quote has an even length. A raw
    // Windows path has a single one somewhere, a raw UNC path after the server's name.
    private static func isEscaped(_ value: [UInt8]) -> Bool {
        var run = 0
        for byte in value {
            if byte == backslash {
                run += 1
                continue
            }
            if byte != quote, !run.isMultiple(of: 2) { return false }
            run = 0
        }
        return true
    }
}
