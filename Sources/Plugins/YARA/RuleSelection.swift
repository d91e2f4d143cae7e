import Pipeline

// Leaves rules out of the text of their file, and writes what stays simpler where the facts allow it. The result is
// compiled as if the rest had never been written.

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
        var edits: [(range: Range<Int>, text: String)] = []
        var used: Set<String> = []
        for (rule, isKept) in zip(rules, isKept) {
            guard isKept else {
                edits.append((rule.range, ""))
                continue
            }
            let simpler = rule.replacements(facts, in: source.text)
            edits += simpler
            for token in rule.condition where token.kind == .word {
                if !simpler.contains(where: { $0.range.contains(token.start) }) { used.insert(word(token)) }
            }
        }
        edits += imports.filter { !used.contains($0.name) }.map { ($0.range, "") }
        return source.with(text(with: edits))
    }

    /// The file with the named rules, those that they use, and global ones.
    func source(keeping names: Set<String>) -> YARASource {
        var isKept = rules.map { $0.isGlobal || names.contains($0.name) }
        keepReferences(&isKept)
        return source.with(text(with: zip(rules, isKept).filter { !$1 }.map { ($0.0.range, "") }))
    }

    private func text(with edits: [(range: Range<Int>, text: String)]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(source.text.count)
        var position = 0
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            text += source.text[position..<edit.range.lowerBound]
            text += edit.text.utf8
            position = edit.range.upperBound
        }
        return text + source.text[position...]
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

    private func word(_ token: Token) -> String {
        String(decoding: source.text[token.start..<token.end], as: UTF8.self)
    }
}
