import Pipeline

// The rules of a file as texts, and what can be said of their conditions without libyara: whether one can hold at all
// when certain facts are known (no string was found; the file is no executable; the file is large). The answer errs
// on the side of "yes": any expression that is not understood can hold.

/// One rule in the text of its file.
struct RuleText {
    let name: String
    /// Bytes from the first modifier to the closing brace.
    let range: Range<Int>
    let isGlobal: Bool
    /// Words of the condition.
    let condition: [Token]
}

/// What is known of a sample before its rules are judged.
protocol Facts {
    /// Whether a comparison, string or other term cannot be true.
    func rulesOut(_ term: Term) -> Bool

    /// A cheaper term with the same value, whatever stands around it; nil when there is none.
    func replacement(for term: Term) -> String?
}

extension Facts {
    func replacement(for term: Term) -> String? { nil }
}

/// A part of a condition without `and`, `or` and outer brackets.
struct Term {
    let text: [UInt8]
    let tokens: ArraySlice<Token>

    var count: Int { tokens.count }

    func kind(_ index: Int) -> Token.Kind? { index < tokens.count ? tokens[tokens.startIndex + index].kind : nil }

    func word(_ index: Int) -> String {
        guard index < tokens.count else { return "" }
        let token = tokens[tokens.startIndex + index]
        return String(decoding: text[token.start..<token.end], as: UTF8.self)
    }

    /// The value of a number, with `KB` and `MB`.
    func number(_ index: Int) -> UInt64? {
        guard kind(index) == .number else { return nil }
        var digits = word(index)
        var factor: UInt64 = 1
        if digits.hasSuffix("KB") { factor = 1 << 10 } else if digits.hasSuffix("MB") { factor = 1 << 20 }
        if factor > 1 { digits.removeLast(2) }
        let value = digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
        guard let value else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

extension RuleText {
    /// Whether the condition can hold under the given facts.
    func canHold(_ facts: some Facts, in text: [UInt8]) -> Bool {
        canHold(condition[...], facts, text)
    }

    private func canHold(_ tokens: ArraySlice<Token>, _ facts: some Facts, _ text: [UInt8]) -> Bool {
        let choices = split(tokens, at: "or", text)
        if choices.count > 1 { return choices.contains { canHold($0, facts, text) } }
        let needs = split(tokens, at: "and", text)
        if needs.count > 1 { return needs.allSatisfy { canHold($0, facts, text) } }
        let term = Term(text: text, tokens: tokens)
        if isInBrackets(term) { return canHold(tokens.dropFirst().dropLast(), facts, text) }
        if let body = loopBody(term), !canHold(body, facts, text) { return false }
        return !facts.rulesOut(term)
    }

    /// Whether a string's place is tied to the beginning or end of the data: it is not found in a longer text then.
    func isTiedToEdges(in text: [UInt8]) -> Bool {
        if condition.contains(where: { text[$0.start..<$0.end].elementsEqual("at".utf8) }) { return true }
        var tokens = Tokens(Array(text[range]))
        let start = range.lowerBound
        while let token = tokens.next() {
            guard token.kind == .literal, text[start + token.start] == UInt8(ascii: "/") else { continue }
            if hasAnchor(text[(start + token.start)..<(start + token.end)]) { return true }
        }
        return false
    }

    // `^`, `$` or `\B` outside of a character class.
    private func hasAnchor(_ expression: ArraySlice<UInt8>) -> Bool {
        var inClass = false
        var index = expression.startIndex
        while index < expression.endIndex {
            let byte = expression[index]
            if byte == UInt8(ascii: "\\") {
                index += 1
                if !inClass, index < expression.endIndex, expression[index] == UInt8(ascii: "B") { return true }
            } else if inClass {
                inClass = byte != UInt8(ascii: "]")
            } else if byte == UInt8(ascii: "[") {
                inClass = true
            } else if byte == UInt8(ascii: "^") || byte == UInt8(ascii: "$") {
                return true
            }
            index += 1
        }
        return false
    }

    /// Terms that the facts make simpler, with what they are then.
    func replacements(_ facts: some Facts, in text: [UInt8]) -> [(range: Range<Int>, text: String)] {
        var found: [(range: Range<Int>, text: String)] = []
        forEachTerm(condition[...], text) { term in
            guard let first = term.tokens.first, let last = term.tokens.last,
                let simpler = facts.replacement(for: term)
            else { return }
            found.append((first.start..<last.end, simpler))
        }
        return found
    }

    private func forEachTerm(_ tokens: ArraySlice<Token>, _ text: [UInt8], _ body: (Term) -> Void) {
        for choice in split(tokens, at: "or", text) {
            for need in split(choice, at: "and", text) {
                let term = Term(text: text, tokens: need)
                if term.word(0) == "not" {
                    forEachTerm(need.dropFirst(), text, body)
                } else if isInBrackets(term) {
                    forEachTerm(need.dropFirst().dropLast(), text, body)
                } else {
                    body(term)
                }
            }
        }
    }

    private func isInBrackets(_ term: Term) -> Bool {
        term.word(0) == "("
            && closing(term.tokens, from: term.tokens.startIndex, term.text) == term.tokens.endIndex - 1
    }

    // The condition inside `for any of (…) : ( … )`; nil where the loop may hold without it.
    private func loopBody(_ term: Term) -> ArraySlice<Token>? {
        // `for all` over an empty range of numbers is no matter of its body.
        guard term.word(0) == "for", term.isQuantifier(1), term.word(1) != "all" || term.word(2) == "of",
            term.count > 4, term.word(term.count - 1) == ")"
        else { return nil }
        for index in 2..<term.count - 1 where term.word(index) == ":" && term.word(index + 1) == "(" {
            let open = term.tokens.startIndex + index + 1
            guard closing(term.tokens, from: open, term.text) == term.tokens.endIndex - 1 else { return nil }
            return term.tokens[(open + 1)..<(term.tokens.endIndex - 1)]
        }
        return nil
    }

    private func split(_ tokens: ArraySlice<Token>, at word: String, _ text: [UInt8]) -> [ArraySlice<Token>] {
        var parts: [ArraySlice<Token>] = []
        var depth = 0
        var start = tokens.startIndex
        for index in tokens.indices {
            let token = tokens[index]
            if token.kind == .symbol {
                if text[token.start] == UInt8(ascii: "(") { depth += 1 }
                if text[token.start] == UInt8(ascii: ")") { depth -= 1 }
            } else if depth == 0, token.kind == .word, text[token.start..<token.end].elementsEqual(word.utf8) {
                parts.append(tokens[start..<index])
                start = index + 1
            }
        }
        return parts + [tokens[start...]]
    }

    private func closing(_ tokens: ArraySlice<Token>, from open: Int, _ text: [UInt8]) -> Int? {
        var depth = 0
        for index in open..<tokens.endIndex where tokens[index].kind == .symbol {
            if text[tokens[index].start] == UInt8(ascii: "(") { depth += 1 }
            if text[tokens[index].start] == UInt8(ascii: ")") {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }
}

extension Term {
    /// Whether a word is `any`, `all` or a number above 0: at least one of something.
    func isQuantifier(_ index: Int) -> Bool {
        let word = word(index)
        return word == "any" || word == "all" || (number(index) ?? 0) > 0
    }
}
