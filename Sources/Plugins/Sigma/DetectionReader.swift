import PatternMatching
import Pipeline

// Search identifiers read into predicates: maps are joined by and, lists by or, keywords are looked for in all values.

/// Reads the search identifiers of one rule.
struct DetectionReader {
    /// Most predicates of one rule.
    static let predicateLimit = 50_000

    /// Values of `%name%` for the modifier `expand`.
    private let placeholders: [String: [String]]
    private var count = 0

    init(placeholders: [String: [String]]) { self.placeholders = placeholders }

    /// Reads one search identifier.
    mutating func identifier(_ value: YAMLValue) throws(RuleError) -> Detection {
        switch value.content {
        case .map(let entries):
            guard !entries.isEmpty else { throw RuleError("a search identifier is empty", line: value.line) }
            var parts: [Detection] = []
            for entry in entries { parts.append(try item(entry.key, entry.value)) }
            return parts.count == 1 ? parts[0] : .all(parts)
        case .list(let values):
            guard !values.isEmpty else { throw RuleError("a search identifier is empty", line: value.line) }
            var parts: [Detection] = []
            for element in values {
                if case .list = element.content {
                    throw RuleError("a list in a list has no meaning", line: element.line)
                }
                parts.append(try identifier(element))
            }
            return parts.count == 1 ? parts[0] : .any(parts)
        case .scalar:
            return try item("", value)
        }
    }

    private mutating func item(_ key: String, _ value: YAMLValue) throws(RuleError) -> Detection {
        do {
            return try read(key, value)
        } catch {
            throw RuleError(error.message, line: error.line ?? value.line)
        }
    }

    private mutating func read(_ key: String, _ value: YAMLValue) throws(RuleError) -> Detection {
        let words = key.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        let field = words[0].isEmpty ? nil : words[0].lowercased()
        let modifiers = try Modifiers(Array(words.dropFirst()))
        guard !value.values.isEmpty else { throw RuleError("'\(key)' has no values") }
        var parts: [Detection] = []
        for element in value.values {
            guard case .scalar(let text, _) = element.content else {
                throw RuleError("a value of '\(key)' is no text or number", line: element.line)
            }
            if modifiers.kind == .exists {
                guard let field else { throw RuleError("'exists' needs a field") }
                let exists = Detection.test(Predicate(field: field, test: .exists))
                parts.append(try truth(text) ? exists : .not(exists))
                continue
            }
            let tests = element.isNull ? [.empty] : try self.tests(text, modifiers, isKeyword: field == nil)
            if field == nil && (element.isNull || text.isEmpty) { throw RuleError("a keyword is empty") }
            count += tests.count
            guard count <= Self.predicateLimit else {
                throw RuleError("the rule has more than \(Self.predicateLimit) values")
            }
            let found = tests.map { Detection.test(Predicate(field: field, test: $0)) }
            parts.append(found.count == 1 ? found[0] : .any(found))
        }
        let joined: Detection = parts.count == 1 ? parts[0] : modifiers.all ? .all(parts) : .any(parts)
        return modifiers.isNegated ? .not(joined) : joined
    }

    private func truth(_ text: String) throws(RuleError) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "1": return true
        case "false", "no", "0": return false
        default: throw RuleError("'exists' takes true or false, not '\(text)'")
        }
    }

    // One value as tests of which one must hold.
    private func tests(_ text: String, _ modifiers: Modifiers, isKeyword: Bool) throws(RuleError) -> [Test] {
        var texts = [text]
        if modifiers.steps.contains(.expand) { texts = try expanded(text) }
        var tests: [Test] = []
        for text in texts {
            switch modifiers.kind {
            case .regex:
                if let problem = ExactRegex.problem(of: Pattern(id: 0, regex: text, flags: modifiers.flags)) {
                    throw RuleError("'\(text)' is no regular expression: \(problem)")
                }
                tests.append(.regex(text, modifiers.flags))
            case .network:
                guard let network = IPNetwork(text) else { throw RuleError("'\(text)' is no network") }
                tests.append(.network(network))
            case .number:
                guard let number = number(in: Array(text.utf8).rawSpan) else {
                    throw RuleError("'\(text)' is no number")
                }
                let comparison = modifiers.comparison ?? .equal
                tests.append(modifiers.part.map { .time($0, comparison, number) } ?? .number(comparison, number))
            case .field:
                tests.append(
                    .field(
                        text.lowercased(), before: modifiers.before, after: modifiers.after,
                        isCased: modifiers.isCased))
            case .text, .exists:
                for pattern in try patterns(text, modifiers.steps) {
                    tests.append(
                        .text(
                            pattern.extended(before: modifiers.before || isKeyword, after: modifiers.after || isKeyword)
                                .comparable(isCased: modifiers.isCased)))
                }
            }
        }
        return tests
    }

    private func patterns(_ text: String, _ steps: [Modifiers.Step]) throws(RuleError) -> [TextPattern] {
        var patterns = [TextPattern(text)]
        for step in steps {
            var changed: [TextPattern] = []
            for pattern in patterns {
                if step == .expand { continue }
                if step == .dashes {
                    changed.append(pattern.withDashes())
                    continue
                }
                guard let bytes = pattern.plain else {
                    throw RuleError("a text with wildcards cannot be encoded: '\(text)'")
                }
                switch step {
                case .base64: changed.append(TextPattern([.literal(base64(bytes))]))
                case .base64Offsets: changed += base64Offsets(bytes).map { TextPattern([.literal($0)]) }
                case .utf16(let bigEndian, let mark):
                    changed.append(TextPattern([.literal(utf16Bytes(bytes, bigEndian: bigEndian, mark: mark))]))
                case .expand, .dashes: break
                }
            }
            if step != .expand { patterns = changed }
        }
        return patterns
    }

    // Each `%name%` replaced by each of its values.
    private func expanded(_ text: String) throws(RuleError) -> [String] {
        var done: [String] = []
        var open = [text]
        while let next = open.popLast() {
            guard let first = next.firstIndex(of: "%"),
                let second = next[next.index(after: first)...].firstIndex(of: "%")
            else {
                done.append(next)
                continue
            }
            let name = String(next[next.index(after: first)..<second])
            guard let values = placeholders[name] else {
                throw RuleError("the placeholder '%\(name)%' has no values; name them in a placeholders file")
            }
            guard open.count + done.count + values.count <= 1_000 else {
                throw RuleError("placeholders expand to more than 1000 values")
            }
            let rest = next[next.index(after: second)...]
            // A value is not expanded again, or `%a%: [x%a%]` had no end.
            for tail in try expanded(String(rest)) {
                done += values.map { String(next[..<first]) + $0 + tail }
            }
        }
        return done
    }
}

/// The decimal or, after `0x`, hexadecimal number that a text is; nil if it is none.
func number(in text: RawSpan) -> Double? {
    guard text.byteCount > 0, text.byteCount <= 40 else { return nil }
    let string = text.utf8Text
    if string.hasPrefix("0x") || string.hasPrefix("0X") {
        return UInt64(string.dropFirst(2), radix: 16).map { Double($0) }
    }
    guard let number = Double(string), number.isFinite else { return nil }
    return number
}
