import Pipeline

// Text becomes part of a page in one way only: put into an `HTML` literal, which escapes it. What samples and clients say
// can neither be markup nor change how the text around it reads.

/// Markup; whatever text is put into a literal of it is escaped.
struct HTML: Sendable, ExpressibleByStringInterpolation {
    /// Takes the parts of a literal.
    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }

        mutating func appendLiteral(_ literal: String) { text += literal }

        /// Text, escaped.
        mutating func appendInterpolation(_ value: String) { text += htmlEscaped(value) }

        /// A number.
        mutating func appendInterpolation(_ value: some BinaryInteger) { text += value.description }

        /// Markup as it is.
        mutating func appendInterpolation(_ value: HTML) { text += value.text }

        /// Markup, one after another.
        mutating func appendInterpolation(_ values: [HTML]) {
            for value in values { text += value.text }
        }
    }

    /// The markup.
    let text: String

    init(stringLiteral value: String) { text = value }

    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// One after the other.
    static func + (left: HTML, right: HTML) -> HTML { "\(left)\(right)" }
}

/// A text that stands for itself in HTML, in content and in quoted attributes.
///
/// Control characters and marks that turn the direction of text are shown as `\xNN` and `\uNNNN`; line ends stay.
func htmlEscaped(_ text: String) -> String {
    var escaped: [UInt8] = []
    var isFirst = true
    for line in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
        if !isFirst { escaped.append(0x0A) }
        isFirst = false
        var safe: [UInt8] = []
        safe.append(safe: String(Substring(line)), limit: .max)
        for byte in safe {
            switch byte {
            case UInt8(ascii: "&"): escaped += "&amp;".utf8
            case UInt8(ascii: "<"): escaped += "&lt;".utf8
            case UInt8(ascii: ">"): escaped += "&gt;".utf8
            case UInt8(ascii: "\""): escaped += "&quot;".utf8
            case UInt8(ascii: "'"): escaped += "&#39;".utf8
            default: escaped.append(byte)
            }
        }
    }
    return String(decoding: escaped, as: UTF8.self)
}

/// A text as a value in the query of an address.
func queryEscaped(_ text: String) -> String {
    var escaped: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: escaped.append(byte)
        default: escaped += "%\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))".utf8
        }
    }
    return String(decoding: escaped, as: UTF8.self)
}
