import Pipeline

// Leaves rules out of the text of their file. What stays is compiled as if the rest had never been written: the
// removed parts become blanks, so that line numbers stay.

/// The rules and imports of a file, read once and thinned out for several classes of samples.
struct RuleSelection {
    private let source: YARASource
    private let rules: [RuleText]
    private let imports: [ImportText]

    /// Reads a file; nil when what was read is not what libyara compiled, so that nothing may be left out.
    init?(_ source: YARASource, compiled: [String]) {
        let outline = source.outline()
        guard outline.rules.map(\.name) == compiled else { return nil }
        self.source = source
        rules = outline.rules
        imports = outline.imports
    }

    /// The file without the rules that cannot match; nil when none is left.
    func source(for facts: some Facts) -> YARASource? {
        var isKept = rules.map { $0.isGlobal || $0.canHold(facts, in: source.text) }
        guard isKept.contains(true) else { return nil }
        keepReferences(&isKept)
        let used = Set(zip(rules, isKept).filter(\.1).flatMap { words(of: $0.0) })
        var text = source.text
        for (rule, isKept) in zip(rules, isKept) where !isKept { blank(rule.range, in: &text) }
        for module in imports where !used.contains(module.name) { blank(module.range, in: &text) }
        return source.with(text)
    }

    // A rule may use other rules of its file, by name or by a prefix with an asterisk.
    private func keepReferences(_ isKept: inout [Bool]) {
        var pending = isKept.indices.filter { isKept[$0] }
        while let index = pending.popLast() {
            let condition = rules[index].condition
            for (position, token) in condition.enumerated() where token.kind == .word {
                let name = word(token)
                let isPrefix = position + 1 < condition.count && word(condition[position + 1]) == "*"
                for other in rules.indices where !isKept[other] {
                    guard isPrefix ? rules[other].name.hasPrefix(name) : rules[other].name == name else { continue }
                    isKept[other] = true
                    pending.append(other)
                }
            }
        }
    }

    private func words(of rule: RuleText) -> [String] {
        rule.condition.filter { $0.kind == .word }.map(word)
    }

    private func word(_ token: Token) -> String {
        String(decoding: source.text[token.start..<token.end], as: UTF8.self)
    }

    private func blank(_ range: Range<Int>, in text: inout [UInt8]) {
        for index in range where text[index] != 0x0A { text[index] = 0x20 }
    }
}
