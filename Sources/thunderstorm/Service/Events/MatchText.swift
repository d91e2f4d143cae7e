import Pipeline

// How matched bytes are shown (REFERENCE B.7): UTF-16 that decodes cleanly is decoded, bytes that are no plain text
// are written as \xNN.

enum MatchText {
    /// Whether the bytes are printable ASCII: as text they are what they are.
    static func isPlain(_ data: [UInt8]) -> Bool { PlainText.ascii.isAll(of: data) }

    /// The bytes as text: UTF-8, decoded UTF-16, or with \xNN for what is neither.
    static func plain(_ data: [UInt8]) -> String {
        if isPlain(data) { return data.rawSpan.utf8Text }
        if let wide = wideText(data) { return wide }
        let text = data.rawSpan.utf8Text
        if !text.unicodeScalars.contains(where: { $0.value == 0xFFFD || isControl($0) }) { return text }
        return escaped(data)
    }

    /// The bytes for the text log: bare when every character is plain, else in quotes with escapes.
    static func quoted(_ data: [UInt8]) -> String {
        let shown = wideText(data).map { Array($0.utf8) } ?? data
        // All printable ASCII but the blank and `"`; between quotes all but `"` and `\`.
        if !shown.isEmpty, PlainText(except: (0x20, 0x22, 0x7F), onlyASCII: true).isAll(of: shown) {
            return shown.rawSpan.utf8Text
        }
        if PlainText(except: (0x22, 0x5C, 0x7F), onlyASCII: true).isAll(of: shown) {
            return "\"" + shown.rawSpan.utf8Text + "\""
        }
        return "\"" + escaped(shown) + "\""
    }

    private static func escaped(_ data: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(data.count + 16)
        for byte in data {
            switch byte {
            case 0x22, 0x5C:
                text.append(0x5C)
                text.append(byte)
            case 0x20...0x7E: text.append(byte)
            default: text.append(text: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            }
        }
        return text.rawSpan.utf8Text
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        (scalar.value < 0x20 && scalar != "\n" && scalar != "\t" && scalar != "\r") || scalar.value == 0x7F
    }

    // ASCII written as UTF-16LE: every second byte is zero.
    private static func wideText(_ data: [UInt8]) -> String? {
        guard data.count >= 4, data.count % 2 == 0 else { return nil }
        for index in stride(from: 0, to: data.count, by: 2)
        where data[index + 1] != 0 || !(0x20...0x7E).contains(data[index]) { return nil }
        return String(utf16: data.rawSpan)
    }
}
