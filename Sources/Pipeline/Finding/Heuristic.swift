/// A check of ours that needs no rules: what it is called, what it weighs and what it says.
///
/// Stages list theirs in their descriptor, from which the documentation is made.
public struct Heuristic: Sendable {
    /// Name that findings carry as their rule's.
    public let id: String
    /// Weight of a hit, 1...100.
    public let score: Int
    /// What it detects, in words.
    public let description: String
    /// ATT&CK techniques.
    public let tags: [String]
    /// Known false positives, in words.
    public let falsePositives: [String]

    /// A check with its documentation.
    public init(
        _ id: String, score: Int, _ description: String, tags: [String] = [], falsePositives: [String] = []
    ) {
        self.id = id
        self.score = score
        self.description = description
        self.tags = tags
        self.falsePositives = falsePositives
    }

    /// The reason of a hit on `text`, which stands at `pointer` of its record (`RecordType.pointer(to:)`).
    public func reason(_ text: String, at pointer: String) -> Reason { reason(MatchedText(text, field: pointer)) }

    /// The reason of a hit.
    public func reason(_ match: MatchedText) -> Reason {
        Reason(
            summary: description,
            signature: Signature(
                kind: .heuristic, score: score, ruleName: id, description: description, tags: tags,
                falsePositives: falsePositives),
            matched: [match])
    }
}
