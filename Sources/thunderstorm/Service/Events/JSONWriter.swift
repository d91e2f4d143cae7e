import Pipeline

/// Writes JSON in the order in which it is told; event formats promise an order that encoders of dictionaries lose.
public struct JSONWriter {
    private let pretty: Bool
    private var depth = 0
    private var needsComma = false
    private var afterKey = false
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []

    /// A writer; `pretty` adds line breaks and two blanks for each level.
    public init(pretty: Bool = false) { self.pretty = pretty }

    /// A writer that goes on behind what is there.
    init(after bytes: consuming [UInt8]) {
        pretty = false
        self.bytes = bytes
    }

    /// What was written so far, as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Writes an object; the closure writes its keys and values.
    public mutating func object(_ body: (inout JSONWriter) -> Void) { nested(0x7B, 0x7D, body) }

    /// Writes an array; the closure writes its values.
    public mutating func array(_ body: (inout JSONWriter) -> Void) { nested(0x5B, 0x5D, body) }

    /// Writes a key of the current object; a value must follow.
    public mutating func key(_ name: String) {
        separate()
        string(name)
        bytes.append(0x3A)
        if pretty { bytes.append(0x20) }
        afterKey = true
    }

    /// Writes a text.
    public mutating func value(_ text: String) {
        separate()
        string(text)
    }

    /// Writes a text that is UTF-8 already.
    public mutating func value(utf8 text: RawSpan) {
        separate()
        string(text)
    }

    /// Writes a value that was encoded before, by a writer like this one.
    mutating func value(encoded value: [UInt8]) {
        separate()
        bytes.append(value.rawSpan)
    }

    /// Ends a line, so that another value may follow.
    public mutating func endLine() {
        bytes.append(0x0A)
        needsComma = false
    }

    /// What was written so far, which is forgotten.
    public mutating func take() -> [UInt8] {
        defer { bytes.removeAll() }
        return bytes
    }

    /// Writes a whole number.
    public mutating func value(_ number: some BinaryInteger) {
        separate()
        bytes.append(text: number.description)
    }

    /// Writes a number; infinite ones and NaN become null, which JSON has no words for.
    public mutating func value(_ number: Double) {
        guard number.isFinite else { return null() }
        separate()
        bytes.append(text: number.description)
    }

    /// Writes true or false.
    public mutating func value(_ flag: Bool) {
        separate()
        bytes.append(text: flag ? "true" : "false")
    }

    /// Writes null.
    public mutating func null() {
        separate()
        bytes.append(text: "null")
    }

    /// Writes a list of texts.
    public mutating func value(_ texts: [String]) {
        array { writer in
            for text in texts { writer.value(text) }
        }
    }

    /// Writes a key with a text.
    public mutating func field(_ name: String, _ text: String) {
        key(name)
        value(text)
    }

    /// Writes a key with a whole number.
    public mutating func field(_ name: String, _ number: some BinaryInteger) {
        key(name)
        value(number)
    }

    /// Writes a key with true or false.
    public mutating func field(_ name: String, _ flag: Bool) {
        key(name)
        value(flag)
    }

    /// Writes a key with a list of texts.
    public mutating func field(_ name: String, _ texts: [String]) {
        key(name)
        value(texts)
    }

    /// Writes a key with a text, unless the text is empty.
    public mutating func fieldIfAny(_ name: String, _ text: String) {
        if !text.isEmpty { field(name, text) }
    }

    private mutating func nested(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(open)
        depth += 1
        needsComma = false
        body(&self)
        depth -= 1
        if needsComma { newLine() }
        bytes.append(close)
        needsComma = true
    }

    private mutating func separate() {
        if afterKey {
            afterKey = false
            needsComma = true
            return
        }
        if needsComma { bytes.append(0x2C) }
        if depth > 0 { newLine() }
        needsComma = true
    }

    private mutating func newLine() {
        guard pretty else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: depth * 2))
    }

    private mutating func string(_ text: String) { text.withUTF8Bytes { string($0) } }

    private mutating func string(_ text: RawSpan) {
        bytes.append(0x22)
        var isAfterC2 = false
        var index = 0
        while index < text.byteCount {
            let end = isAfterC2 ? index : PlainText.json.end(in: text, from: index)
            if end > index, let plain = text.slice(at: index, count: end - index) {
                bytes.append(plain)
                index = end
            } else {
                append(text.uint8(at: index) ?? 0, &isAfterC2)
                index += 1
            }
        }
        bytes.append(0x22)
    }

    private mutating func append(_ byte: UInt8, _ isAfterC2: inout Bool) {
        if isAfterC2 {
            isAfterC2 = false
            // U+0080 to U+009F are control characters, too: some terminals obey them.
            if byte < 0xA0 { return escape(byte) }
            bytes.append(0xC2)
            bytes.append(byte)
            return
        }
        switch byte {
        case 0xC2: isAfterC2 = true
        case 0x22: escape(as: 0x22)
        case 0x5C: escape(as: 0x5C)
        case 0x0A: escape(as: 0x6E)
        case 0x0D: escape(as: 0x72)
        case 0x09: escape(as: 0x74)
        case 0..<0x20, 0x7F: escape(byte)
        default: bytes.append(byte)
        }
    }

    private mutating func escape(as letter: UInt8) {
        bytes.append(0x5C)
        bytes.append(letter)
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(text: "\\u00")
        bytes.append(hexadecimal(byte >> 4))
        bytes.append(hexadecimal(byte & 15))
    }

    private func hexadecimal(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }
}
