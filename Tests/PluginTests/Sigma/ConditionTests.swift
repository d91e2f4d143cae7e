import Testing

@testable import Sigma

@Suite("Conditions")
struct ConditionTests {
    static let names = ["selection", "filter", "selection_a", "selection_b", "_hidden", "filter_main_x"]

    static let good: [(String, String)] = [
        ("selection", "selection"),
        ("not selection", "!(selection)"),
        ("not not selection", "selection"),
        ("selection or filter and selection_a", "(selection | (filter & selection_a))"),
        ("(selection or filter) and selection_a", "((selection | filter) & selection_a)"),
        ("selection and not filter or selection_a", "((selection & !(filter)) | selection_a)"),
        ("selection AND NOT filter", "(selection & !(filter))"),
        ("1 of selection_*", "(selection_a | selection_b)"),
        ("any of selection_*", "(selection_a | selection_b)"),
        ("all of selection*", "(selection & selection_a & selection_b)"),
        ("2 of selection*", "2(selection, selection_a, selection_b)"),
        ("1 of them", "(selection | filter | selection_a | selection_b | filter_main_x)"),
        ("1 of _*", "(_hidden)"),
        ("1 of (selection, filter)", "(selection | filter)"),
        ("selection and not 1 of filter_main_*", "(selection & !((filter_main_x)))"),
        ("selection\n  and\tfilter", "(selection & filter)"),
        ("1 of *_a", "(selection_a)"),
    ]

    @Test(arguments: good)
    func reads(_ text: String, _ tree: String) throws {
        #expect(try Condition(text, identifiers: Self.names).description == tree)
    }

    static let bad: [(String, String)] = [
        ("", "the condition is empty"),
        ("selection and", "ends where a name should follow"),
        ("selection filter", "unexpected 'filter'"),
        ("(selection", "ends where ')' should follow"),
        ("selection)", "unexpected ')'"),
        ("unknown", "names 'unknown'"),
        ("1 of nothing_*", "no search identifier fits"),
        ("3 of selection_*", "wants 3 of 2"),
        ("0 of selection_*", "no quantifier"),
        ("some of selection_*", "no quantifier"),
        ("selection | count() by User > 5", "correlation rule"),
        (String(repeating: "(", count: 100) + "selection" + String(repeating: ")", count: 100), "nested more than"),
        (String(repeating: "not selection or ", count: 2_000) + "selection", "words"),
    ]

    @Test(arguments: bad)
    func explainsWhatItCannotRead(_ text: String, _ reason: String) {
        let error = #expect(throws: RuleError.self) { try Condition(text, identifiers: Self.names) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }
}

extension Condition: CustomStringConvertible {
    /// The condition with all its parentheses.
    public var description: String {
        switch self {
        case .identifier(let name): name
        case .not(let inner): "!(\(inner))"
        case .all(let parts): "(" + parts.map(\.description).joined(separator: " & ") + ")"
        case .any(let parts): "(" + parts.map(\.description).joined(separator: " | ") + ")"
        case .atLeast(let count, let parts): "\(count)(" + parts.map(\.description).joined(separator: ", ") + ")"
        }
    }
}
