import Pipeline

// One bad rule must not cost the good ones in its file. libyara stops at the first error of a file and names its line:
// the rule on that line is blanked out (newlines stay, so later lines keep their numbers) and the file tried again.

/// A rule file without the rules that libyara refuses.
struct SourceRepair {
    // Each round compiles the file once more.
    private static let roundLimit = 1000

    /// The file without them; nil when no rule is left, or none can be left safely.
    private(set) var source: YARASource?
    /// What was refused, each with its line.
    private(set) var problems: [YARAProblem] = []

    private let name: String
    private var text: [UInt8]
    private var rules: [RuleText]

    /// Repairs a file that `failed` to compile.
    init(_ source: YARASource, _ failed: CompilerRun) {
        name = source.name
        text = source.text
        rules = source.outline().rules
        var run = failed
        for _ in 0..<Self.roundLimit {
            guard run.failed != nil else {
                self.source = source.with(text)
                return
            }
            guard let error = run.problems.first(where: \.isError) else {
                reject("libyara gives no reason; the file is left out")
                return
            }
            guard remove(error) else { return }
            if rules.isEmpty { return }
            run = CompilerRun([(number: 0, source: source.with(text))])
        }
        reject("more than \(Self.roundLimit) errors; the rest of the file is left out")
    }

    private mutating func reject(_ message: String) {
        problems.append(YARAProblem(source: name, line: nil, message: message, isError: true))
    }

    // Blanks what an error is about; false when the file cannot be used without it.
    private mutating func remove(_ error: YARAProblem) -> Bool {
        // At the end of the file libyara gives no line.
        let line = error.line.map { range(ofLine: $0) } ?? text.count..<text.count
        if let index = rule(of: error, on: line) {
            let rule = rules.remove(at: index)
            problems.append(
                YARAProblem(
                    source: name, rule: error.rule, line: error.line ?? lineNumber(at: rule.range.lowerBound),
                    message: error.message, isError: true))
            blank(rule.range)
            if !rule.isGlobal { return true }
            reject("the rules of the file depend on the global rule \(rule.name); the file is left out")
            return false
        }
        problems.append(error)
        // Between the rules: an import, an include, a stray word.
        if blank(line) { return true }
        reject("nothing on that line can be left out; the file is left out")
        return false
    }

    // The rule that libyara was at, or the one on the line.
    private func rule(of error: YARAProblem, on line: Range<Int>) -> Int? {
        let named = rules.lastIndex { $0.name == error.rule && $0.range.lowerBound < max(line.upperBound, 1) }
        return named ?? rules.firstIndex { $0.range.overlaps(line) }
    }

    private func lineNumber(at position: Int) -> Int { text[..<position].count { $0 == 0x0A } + 1 }

    private func range(ofLine number: Int) -> Range<Int> {
        var start = 0
        for _ in 1..<max(number, 1) {
            guard let end = text[start...].firstIndex(of: 0x0A) else { break }
            start = end + 1
        }
        return start..<(text[start...].firstIndex(of: 0x0A) ?? text.count)
    }

    // Whether there was anything to blank.
    @discardableResult
    private mutating func blank(_ range: Range<Int>) -> Bool {
        var hadText = false
        for index in range where text[index] != 0x0A && text[index] != 0x0D {
            if text[index] > 0x20 { hadText = true }
            text[index] = 0x20
        }
        return hadText
    }
}
