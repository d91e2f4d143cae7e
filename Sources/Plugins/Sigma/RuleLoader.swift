import Pipeline

// Signature files of kind `sigma` to rules: mappings and placeholders first, whatever file they are in, then the rules;
// what cannot be used is told with file and line.

struct RuleLoader {
    private(set) var rules: [SigmaRule] = []
    private(set) var map = LogSourceMap.standard
    private var placeholders: [String: [String]] = [:]
    private let diagnostics: SignatureDiagnostics

    init(files: [SignatureFile], diagnostics: SignatureDiagnostics) {
        self.diagnostics = diagnostics
        var documents: [(file: SignatureFile, values: [YAMLValue])] = []
        for file in files { documents.append((file, read(file))) }
        for (file, values) in documents {
            for value in values {
                takeSettings(value, file)
            }
        }
        var ids: [String: String] = [:]
        for (file, values) in documents {
            for value in Self.collected(values) where value["mapping"] == nil && value["placeholders"] == nil {
                take(value, file, &ids)
            }
        }
    }

    private func read(_ file: SignatureFile) -> [YAMLValue] {
        let documents = YAMLDocument.all(in: file.bytes) { note in
            diagnostics.report(SignatureProblem(file: file.path, line: nil, message: note, isRejected: false))
        }
        return documents.compactMap { document in
            switch document.value {
            case .success(let value): return value
            case .failure(let error):
                diagnostics.report(
                    SignatureProblem(file: file.path, line: error.line ?? document.line, message: error.message))
                return nil
            }
        }
    }

    private mutating func takeSettings(_ value: YAMLValue, _ file: SignatureFile) {
        do throws(RuleError) {
            if value["mapping"] != nil { try map.add(value) }
            for entry in value["placeholders"]?.map ?? [] { placeholders[entry.key] = entry.value.texts }
        } catch {
            diagnostics.report(
                SignatureProblem(file: file.path, line: error.line ?? value.line, message: error.message))
        }
    }

    private mutating func take(_ value: YAMLValue, _ file: SignatureFile, _ ids: inout [String: String]) {
        do throws(RuleError) {
            let rule = try SigmaRule(value, file: file.path, origin: file.origin, placeholders: placeholders)
            if !rule.id.isEmpty, let first = ids[rule.id] {
                throw RuleError("the id \(rule.id) is that of the rule in \(first)")
            }
            ids[rule.id] = "\(rule.file):\(rule.line)"
            rules.append(rule)
        } catch {
            let title = value["title"]?.text.map { "'\($0)': " } ?? ""
            diagnostics.report(
                SignatureProblem(
                    file: file.path, line: error.line ?? value.line, message: title + error.message))
        }
    }

    // Rule collections: a document with `action: global` is part of all that follow, `repeat` changes the one before.
    private static func collected(_ documents: [YAMLValue]) -> [YAMLValue] {
        var global: YAMLValue?
        var previous: YAMLValue?
        var rules: [YAMLValue] = []
        for document in documents {
            switch document["action"]?.text {
            case "global": global = global.map { document.merged(over: $0) } ?? document
            case "reset": global = nil
            case "repeat":
                let rule = previous.map { document.merged(over: $0) } ?? document
                previous = rule
                rules.append(rule)
            default:
                let rule = global.map { document.merged(over: $0) } ?? document
                previous = rule
                rules.append(rule)
            }
        }
        return rules
    }
}

extension YAMLValue {
    /// This value with the entries of a map that it does not have itself, at every depth.
    fileprivate func merged(over base: YAMLValue) -> YAMLValue {
        guard let own = map, let others = base.map else { return self }
        var entries = others
        for entry in own {
            if let index = entries.firstIndex(where: { $0.key == entry.key }) {
                entries[index].value = entry.value.merged(over: entries[index].value)
            } else {
                entries.append(entry)
            }
        }
        return YAMLValue(content: .map(entries), line: line)
    }
}
