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
        return source.with(text(keeping: isKept))
    }

    /// The file without the named rules and those that use them; nil when none is left.
    func source(without names: Set<String>) -> YARASource? {
        var isKept = rules.map { !names.contains($0.name) }
        // The rules of a file need its global rules.
        guard !zip(rules, isKept).contains(where: { $0.isGlobal && !$1 }) else { return nil }
        var isDone = false
        while !isDone {
            isDone = true
            for index in rules.indices where isKept[index] && references(of: index).contains(where: { !isKept[$0] }) {
                isKept[index] = false
                isDone = false
            }
        }
        guard isKept.contains(true) else { return nil }
        return source.with(text(keeping: isKept))
    }

    private func text(keeping isKept: [Bool]) -> [UInt8] {
        text(with: zip(rules, isKept).filter { !$1 }.map { ($0.0.range, "") })
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

    private func keepReferences(_ isKept: inout [Bool]) {
        var pending = isKept.indices.filter { isKept[$0] }
        while let index = pending.popLast() {
            for other in references(of: index) where !isKept[other] {
                isKept[other] = true
                pending.append(other)
            }
        }
    }

    // The rules of the file that a rule uses, by name or by a prefix with an asterisk.
    private func references(of index: Int) -> [Int] {
        let condition = rules[index].condition
        return condition.enumerated().filter { $1.kind == .word }.flatMap { position, token in
            let name = word(token)
            let isPrefix = position + 1 < condition.count && word(condition[position + 1]) == "*"
            return rules.indices.filter { isPrefix ? rules[$0].name.hasPrefix(name) : rules[$0].name == name }
        }
    }

    private func word(_ token: Token) -> String {
        String(decoding: source.text[token.start..<token.end], as: UTF8.self)
    }
}
