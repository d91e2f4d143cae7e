// Where the rules and imports of a file begin and end, by its words alone.

/// An import statement in the text of a file.
struct ImportText {
    /// Name of the module.
    let name: String
    /// Bytes of the statement.
    let range: Range<Int>
}

/// What a file consists of.
struct RuleOutline {
    /// The rules in their order.
    var rules: [RuleText] = []
    /// The modules that it imports.
    var imports: [ImportText] = []
}

extension YARASource {
    /// The rules and imports of the file.
    func outline() -> RuleOutline {
        var reader = OutlineReader(text)
        reader.read()
        return reader.outline
    }
}

// Finds where rules begin and end.
private struct OutlineReader {
    private let text: [UInt8]
    private var tokens: Tokens
    private(set) var outline = RuleOutline()

    init(_ text: [UInt8]) {
        self.text = text
        tokens = Tokens(text)
    }

    mutating func read() {
        var start: Int?
        var isGlobal = false
        while let token = tokens.next() {
            switch word(token) {
            case "private", "global":
                start = start ?? token.start
                isGlobal = isGlobal || word(token) == "global"
            case "rule":
                // A rule without its closing brace ends where the next one begins.
                var next: RuleStart? = RuleStart(position: start ?? token.start, isGlobal: isGlobal)
                while let current = next { next = readRule(current) }
                start = nil
                isGlobal = false
            case "import":
                guard let module = tokens.next(), module.kind == .literal, module.end - module.start > 2 else {
                    continue
                }
                let name = String(decoding: text[(module.start + 1)..<(module.end - 1)], as: UTF8.self)
                outline.imports.append(ImportText(name: name, range: token.start..<module.end))
            default: start = nil
            }
        }
    }

    private struct RuleStart {
        var position: Int
        var isGlobal: Bool
    }

    // Reads from the name to the closing brace; tells where a rule begins that stands before that brace.
    private mutating func readRule(_ start: RuleStart) -> RuleStart? {
        guard let name = tokens.next() else { return nil }
        var condition: [Token] = []
        var inCondition = false
        var previous = name
        var modifiers: RuleStart?
        while let token = tokens.next() {
            if token.kind == .symbol, text[token.start] == UInt8(ascii: "}") {
                outline.rules.append(rule(name, start, end: token.end, condition))
                return nil
            }
            let word = token.kind == .word ? word(token) : ""
            if word == "rule" {
                let next = modifiers ?? RuleStart(position: token.start, isGlobal: false)
                outline.rules.append(rule(name, start, end: next.position, condition))
                return next
            }
            if word == "private" || word == "global" {
                let isGlobal = word == "global" || modifiers?.isGlobal == true
                modifiers = RuleStart(position: modifiers?.position ?? token.start, isGlobal: isGlobal)
            } else {
                modifiers = nil
            }
            if inCondition { condition.append(token) }
            if token.kind == .symbol, text[token.start] == UInt8(ascii: ":"), previous.kind == .word,
                text[previous.start..<previous.end].elementsEqual("condition".utf8)
            {
                inCondition = true
            }
            previous = token
        }
        outline.rules.append(rule(name, start, end: text.count, condition))
        return nil
    }

    private func rule(_ name: Token, _ start: RuleStart, end: Int, _ condition: [Token]) -> RuleText {
        RuleText(name: word(name), range: start.position..<end, isGlobal: start.isGlobal, condition: condition)
    }

    private func word(_ token: Token) -> String {
        String(decoding: text[token.start..<token.end], as: UTF8.self)
    }
}
