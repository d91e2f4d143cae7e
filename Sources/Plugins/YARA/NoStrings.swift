// What rules say when none of their strings is there: whether a record that holds no string must be judged at all.

/// No string of the rule was found: every count is 0, every offset undefined.
struct NoStrings: Facts {
    func rulesOut(_ term: Term) -> Bool {
        switch term.kind(0) == .string ? term.word(0).first : nil {
        case "$", "@", "!": return true
        default: break
        }
        if let comparison = term.comparison {
            guard let left = term.value(comparison.left), let right = term.value(comparison.right) else { return false }
            switch comparison.relation {
            case "<": return left >= right
            case "<=": return left > right
            case ">": return left <= right
            case ">=": return left < right
            case "==": return left != right
            default: return left == right
            }
        }
        // `any of them`, `2 of ($a*)`; a set of rules has no string behind its bracket.
        guard term.isQuantifier(0) else { return false }
        let of = term.word(1) == "%" ? 2 : 1
        guard term.word(of) == "of" else { return false }
        return term.word(of + 1) == "them" || (term.word(of + 1) == "(" && term.kind(of + 2) == .string)
    }
}

extension Term {
    private static let relations: Set<String> = ["<", "<=", ">", ">=", "==", "!="]

    // The two sides of a comparison, as positions of words.
    fileprivate var comparison: (left: Range<Int>, relation: String, right: Range<Int>)? {
        var depth = 0
        for index in 0..<count where kind(index) == .symbol {
            let symbol = word(index)
            if symbol == "(" { depth += 1 }
            if symbol == ")" { depth -= 1 }
            if depth == 0, Self.relations.contains(symbol) { return (0..<index, symbol, (index + 1)..<count) }
        }
        return nil
    }

    // The value of sums of counts and numbers, with every count 0; nil for anything else.
    fileprivate func value(_ range: Range<Int>) -> UInt64? {
        var sum: UInt64 = 0
        for index in range {
            switch kind(index) {
            case .string where word(index).hasPrefix("#"): continue
            case .number:
                guard let number = number(index) else { return nil }
                let (total, overflow) = sum.addingReportingOverflow(number)
                if overflow { return nil }
                sum = total
            case .symbol where ["+", "(", ")"].contains(word(index)): continue
            default: return nil
            }
        }
        return sum
    }
}
