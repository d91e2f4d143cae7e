import Pipeline

// Header fields of messages and parts (RFC 5322, section 2.2; RFC 2045, section 5): read as leniently as mail programs
// read them, because senders of bad mail count on that.

/// A header field: its name in lower case and its value, unfolded.
struct HeaderField: Sendable, Equatable {
    let name: String
    let value: [UInt8]

    /// The value as text, encoded words decoded.
    var text: String { decodedHeader(value) }
}

/// The fields at the head of a message or part.
struct HeaderBlock: Sendable {
    // Fields that are kept; a hostile head has a million.
    static let fieldLimit = 1000
    static let valueLimit = 64 << 10

    private(set) var fields: [HeaderField] = []
    /// Where the body begins.
    private(set) var end: Int

    /// Reads fields from `start` to the first empty line, or to the first line that is none.
    init(_ span: RawSpan, at start: Int) {
        end = start
        while end < span.byteCount {
            let lineEnd = span.firstOffset(of: 0x0A, from: end).map { $0 + 1 } ?? span.byteCount
            let line = trimmedLine(span, end, lineEnd)
            if line.isEmpty {
                end = lineEnd
                return
            }
            let first = span.uint8(at: line.lowerBound) ?? 0
            if first == 0x20 || first == 0x09 {
                append(span, line)
            } else if let colon = Self.colon(span, line) {
                open(span, line, colon)
            } else if !(end == start && span.matches(Array("From ".utf8), at: end)) {
                // No field: the body begins without an empty line.
                return
            }
            end = lineEnd
        }
    }

    /// The first field with a name, in lower case.
    subscript(name: String) -> HeaderField? { fields.first { $0.name == name } }

    // Printable characters up to a colon (RFC 5322, section 3.6.8); a space before the colon is in use.
    private static func colon(_ span: RawSpan, _ line: Range<Int>) -> Int? {
        var offset = line.lowerBound
        while offset < line.upperBound, offset - line.lowerBound < 256, let byte = span.uint8(at: offset) {
            if byte == 0x3A { return offset > line.lowerBound ? offset : nil }
            if byte < 0x20 || byte > 0x7E || byte == 0x20 && span.uint8(at: offset + 1) != 0x3A { return nil }
            offset += 1
        }
        return nil
    }

    private mutating func open(_ span: RawSpan, _ line: Range<Int>, _ colon: Int) {
        guard fields.count < Self.fieldLimit, let name = span.slice(at: line.lowerBound, count: colon - line.lowerBound)
        else { return }
        var start = colon + 1
        while start < line.upperBound, let byte = span.uint8(at: start), byte == 0x20 || byte == 0x09 { start += 1 }
        let value = span.slice(at: start, count: line.upperBound - start)?.prefix(Self.valueLimit).array ?? []
        let text = String(lossy: name).lowercased()
        fields.append(HeaderField(name: text.hasSuffix(" ") ? String(text.dropLast()) : text, value: value))
    }

    private mutating func append(_ span: RawSpan, _ line: Range<Int>) {
        guard let last = fields.popLast() else { return }
        let more = span.slice(at: line.lowerBound, count: line.count)?.array ?? []
        let room = max(Self.valueLimit - last.value.count, 0)
        fields.append(HeaderField(name: last.name, value: last.value + more.prefix(room)))
    }
}

/// A line without its end.
func trimmedLine(_ span: RawSpan, _ start: Int, _ lineEnd: Int) -> Range<Int> {
    var end = lineEnd
    if end > start, span.uint8(at: end - 1) == 0x0A { end -= 1 }
    if end > start, span.uint8(at: end - 1) == 0x0D { end -= 1 }
    return start..<end
}

/// A value with parameters: `multipart/mixed; boundary="x"` (RFC 2045, section 5.1; RFC 2231).
struct ParameterizedValue: Sendable, Equatable {
    /// What stands before the first semicolon, in lower case.
    private(set) var value = ""
    // Raw values by name in lower case.
    private var parameters: [(name: String, value: [UInt8])] = []

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        value = String(decoding: Self.upToSemicolon(&rest), as: UTF8.self).lowercased()
        while !rest.isEmpty, parameters.count < 200 {
            let part = Self.upToSemicolon(&rest)
            guard let sign = part.firstIndex(of: 0x3D) else { continue }
            let name = String(decoding: trimmed(part[..<sign]), as: UTF8.self).lowercased()
            parameters.append((name, Self.unquoted(trimmed(part[(sign + 1)...]))))
        }
    }

    /// Another value with the parameters of one that has no usable value.
    init(_ bytes: [UInt8], parametersOf other: ParameterizedValue) {
        self.init(bytes)
        parameters = other.parameters
    }

    static func == (left: ParameterizedValue, right: ParameterizedValue) -> Bool {
        left.value == right.value
            && left.parameters.elementsEqual(right.parameters) { $0.name == $1.name && $0.value == $1.value }
    }

    /// The raw value of a parameter, quotes removed.
    func raw(_ name: String) -> [UInt8]? { parameters.first { $0.name == name }?.value }

    /// A parameter as text: continued, percent-encoded, with encoded words, or plain.
    func text(_ name: String) -> String? {
        if let plain = raw(name) { return decodedHeader(plain) }
        if let extended = raw(name + "*") { return Self.percentDecoded(extended, charset: nil).text }
        var joined: [UInt8] = []
        var charset: String?
        for index in 0..<100 {
            if let part = raw("\(name)*\(index)*") {
                let decoded = Self.percentDecoded(part, charset: index == 0 ? nil : charset ?? "")
                joined += decoded.bytes
                charset = decoded.charset
            } else if let part = raw("\(name)*\(index)") {
                joined += part
            } else if index > 0 {
                break
            }
        }
        if joined.isEmpty { return nil }
        return charset.map { decodedText(joined, charset: $0) } ?? decodedHeader(joined)
    }

    // `utf-8'en'name%20x`; behind the first part of a continued value only the encoding.
    private static func percentDecoded(
        _ bytes: [UInt8], charset given: String?
    ) -> (bytes: [UInt8], charset: String, text: String) {
        var text = bytes[...]
        var charset = given ?? ""
        if given == nil {
            let parts = bytes.split(separator: 0x27, maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3 {
                charset = String(decoding: parts[0], as: UTF8.self)
                text = parts[2]
            }
        }
        let decoded = decodedEscapes(Array(text), escape: 0x25)
        return (decoded, charset, decodedText(decoded, charset: charset))
    }

    private static func upToSemicolon(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var isQuoted = false
        var index = rest.startIndex
        while index < rest.endIndex {
            if rest[index] == 0x5C, isQuoted { index += 1 } else if rest[index] == 0x22 { isQuoted.toggle() }
            if index < rest.endIndex, rest[index] == 0x3B, !isQuoted { break }
            index += 1
        }
        let end = min(index, rest.endIndex)
        let part = rest[rest.startIndex..<end]
        rest = rest[min(end + 1, rest.endIndex)...]
        return trimmed(part)
    }

    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard bytes.first == 0x22 else { return Array(bytes) }
        var text: [UInt8] = []
        var isEscaped = false
        for byte in bytes.dropFirst() {
            if isEscaped {
                // A backslash before anything but a quote is a separator of a Windows path.
                if byte != 0x22 && byte != 0x5C { text.append(0x5C) }
                text.append(byte)
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else if byte == 0x22 {
                break
            } else {
                text.append(byte)
            }
        }
        return text
    }
}

/// Bytes without white space around them.
func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var part = bytes
    while let first = part.first, first <= 0x20 { part.removeFirst() }
    while let last = part.last, last <= 0x20 { part.removeLast() }
    return part
}
