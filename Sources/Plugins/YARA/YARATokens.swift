import Pipeline

// The words of a rule file, as far as they are needed to know what a rule uses before libyara compiles it: YARA's
// lexical grammar, manual chapter "Writing YARA rules" (https://yara.readthedocs.io).

/// One word of a rule file.
struct Token {
    enum Kind {
        /// Keyword, rule name, function or variable.
        case word
        /// `$a`, `#a`, `@a`, `!a`, with `*` if there is one.
        case string
        /// Text in quotes, regular expression or hex string.
        case literal
        case number
        /// Operator or bracket.
        case symbol
    }

    let kind: Kind
    let start: Int
    let end: Int
}

/// Cuts a rule file into words, without comments.
///
/// Text that is not YARA gives some words or others.
struct Tokens: Sequence, IteratorProtocol {
    private let text: [UInt8]
    private var position = 0
    private var afterAssignment = false

    init(_ text: [UInt8]) { self.text = text }

    mutating func next() -> Token? {
        skipBlanks()
        guard position < text.count else { return nil }
        let start = position
        let kind = read(text[position])
        afterAssignment = kind == .symbol && position == start + 1 && text[start] == 0x3D
        return Token(kind: kind, start: start, end: position)
    }

    private func byte(_ offset: Int) -> UInt8 { offset < text.count ? text[offset] : 0 }

    private mutating func skipBlanks() {
        while position < text.count {
            let byte = text[position]
            if byte <= 0x20 {
                position += 1
            } else if byte == 0x2F, self.byte(position + 1) == 0x2F {
                skip { $0 != 0x0A }
            } else if byte == 0x2F, self.byte(position + 1) == 0x2A {
                position += 2
                while position < text.count, !(text[position] == 0x2A && self.byte(position + 1) == 0x2F) {
                    position += 1
                }
                position = Swift.min(position + 2, text.count)
            } else {
                return
            }
        }
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while position < text.count, condition(text[position]) { position += 1 }
    }

    private mutating func read(_ first: UInt8) -> Token.Kind {
        position += 1
        switch first {
        case UInt8(ascii: "\""):
            skipQuoted(until: first)
            return .literal
        case UInt8(ascii: "/"):
            skipQuoted(until: first)
            skip { $0 == UInt8(ascii: "i") || $0 == UInt8(ascii: "s") }
            return .literal
        case UInt8(ascii: "{") where afterAssignment:
            skipHex()
            return .literal
        case UInt8(ascii: "$"), UInt8(ascii: "#"), UInt8(ascii: "@"):
            skip { isWordByte($0) || $0 == UInt8(ascii: "*") }
            return .string
        case UInt8(ascii: "!") where isWordByte(byte(position)):
            skip(while: isWordByte)
            return .string
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            skip { isWordByte($0) }
            return .number
        case _ where isWordByte(first):
            skip(while: isWordByte)
            return .word
        default:
            let second = byte(position)
            let isPair =
                second == UInt8(ascii: "=") || (second == first && (first == 0x3C || first == 0x3E || first == 0x2E))
            if isPair, [UInt8](arrayLiteral: 0x3D, 0x21, 0x3C, 0x3E, 0x2E).contains(first) { position += 1 }
            return .symbol
        }
    }

    private mutating func skipQuoted(until end: UInt8) {
        while position < text.count, text[position] != end, text[position] != 0x0A {
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        position = Swift.min(position + 1, text.count)
    }

    // Comments may stand inside a hex string.
    private mutating func skipHex() {
        while true {
            skipBlanks()
            guard position < text.count else { return }
            position += 1
            if text[position - 1] == UInt8(ascii: "}") { return }
        }
    }
}

private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: false
    }
}

extension YARASource {
    /// Whether a condition uses a variable of this name; `hash.md5` and the key of a meta entry are none.
    func uses(identifier name: String) -> Bool {
        let wanted = Array(name.utf8)
        guard text.rawSpan.firstOffset(of: wanted) != nil else { return false }
        var tokens = Tokens(text)
        var previous: UInt8 = 0
        var isPending = false
        while let token = tokens.next() {
            let first = text[token.start]
            if isPending && !(token.kind == .symbol && first == 0x3D && token.end == token.start + 1) { return true }
            isPending =
                token.kind == .word && previous != UInt8(ascii: ".")
                && text[token.start..<token.end].elementsEqual(wanted)
            previous = token.kind == .symbol ? first : 0
        }
        return isPending
    }
}
