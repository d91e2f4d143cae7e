import Pipeline

// Where rules of a logsource look: which records, with which of their fields under the names that rules use. Read from
// YAML (a document with the key `mapping`); what stands in a signature folder replaces the built-in entry of the same
// logsource.

/// A field of a rule that a record has under another name.
struct FieldAlias: Hashable, Sendable {
    /// How the value is made.
    enum Form: String, Hashable, Sendable {
        /// It is the other field's value.
        case same
        /// The program of a Windows command line, as a path that ends with its name and `.exe`.
        case program
        /// The program of a Unix command line, as a path that ends with its name.
        case unixProgram = "unix-program"
    }

    /// Name that rules use, in lower case.
    var field: String
    /// Name that the record has, in lower case.
    var actual: String
    var form: Form
}

/// A kind of records that rules apply to.
struct RecordSource: Hashable, Sendable {
    /// Names of record types, in lower case.
    var types: Set<String> = []
    /// Event channels in lower case; any if empty.
    var channels: Set<String> = []
    /// Event providers in lower case; any if empty.
    var providers: Set<String> = []
    /// Event ids; any if empty.
    var events: Set<String> = []
    /// Patterns of the sample's path in lower case with `/`; any if empty.
    var paths: Set<String> = []
    /// How a line must look; any if nil.
    var form: LineForm?
    /// What fields must have, by field in lower case.
    var conditions: [String: Set<String>] = [:]
    var aliases: Set<FieldAlias> = []

    /// Whether a sample's path fits; a pattern without `/` is about the name alone.
    func takes(path: [UInt8]) -> Bool {
        if paths.isEmpty { return true }
        let name = path.lastIndex(of: 0x2F).map { Array(path[($0 + 1)...]) } ?? path
        return paths.contains { pattern in
            globMatches(Array(pattern.utf8), pattern.contains("/") ? path : name)
        }
    }

    /// What the conditions on fields ask; nil if there are none.
    var detection: Detection? {
        if conditions.isEmpty { return nil }
        let parts = conditions.sorted { $0.key < $1.key }.map { field, values in
            Detection.any(
                values.sorted().map { value in
                    let pattern = TextPattern(value, wildcards: false).comparable(isCased: false)
                    return .test(Predicate(field: field, test: .text(pattern)))
                })
        }
        return .all(parts)
    }
}

/// The records of every logsource.
struct LogSourceMap: Sendable {
    fileprivate struct Row: Sendable {
        var service: String?
        var source: RecordSource
    }

    private var rows: [LogSource: [Row]] = [:]

    /// The built-in map.
    static let standard: LogSourceMap = {
        var map = LogSourceMap()
        for document in YAMLDocument.all(in: Bytes(utf8: standardMapping), note: { _ in }) {
            if case .success(let value) = document.value { try? map.add(value) }
        }
        return map
    }()

    /// Number of logsources.
    var count: Int { rows.count }

    /// Takes the entries of a document over those with the same logsource.
    mutating func add(_ document: YAMLValue) throws(RuleError) {
        guard let entries = document["mapping"]?.list else {
            throw RuleError("'mapping' is a list of logsources with their records", line: document.line)
        }
        for entry in entries {
            guard let source = entry["logsource"], source.map != nil else {
                throw RuleError("an entry of the mapping has no logsource", line: entry.line)
            }
            var read: [Row] = []
            for record in entry["records"]?.list ?? [] { read.append(try Self.row(record)) }
            rows[LogSource(source)] = read
        }
    }

    private static func row(_ value: YAMLValue) throws(RuleError) -> Row {
        guard let entries = value.map else { throw RuleError("an entry of 'records' is a map", line: value.line) }
        var row = Row(source: RecordSource())
        func lower(_ value: YAMLValue) -> Set<String> { Set(value.texts.map { $0.lowercased() }) }
        for entry in entries {
            switch entry.key {
            case "service": row.service = entry.value.text?.lowercased()
            case "type": row.source.types = lower(entry.value)
            case "channel": row.source.channels = lower(entry.value)
            case "provider": row.source.providers = lower(entry.value)
            case "event": row.source.events = lower(entry.value)
            case "path": row.source.paths = lower(entry.value)
            case "form":
                guard let form = LineForm(rawValue: entry.value.text ?? "") else {
                    let names = LineForm.allCases.map(\.rawValue).joined(separator: ", ")
                    throw RuleError("unknown form of lines; forms are: \(names)", line: entry.value.line)
                }
                row.source.form = form
            case "where":
                for condition in entry.value.map ?? [] {
                    row.source.conditions[condition.key.lowercased()] = Set(condition.value.texts)
                }
            case "fields":
                for field in entry.value.map ?? [] {
                    for actual in field.value.values { row.source.aliases.insert(try alias(field.key, actual)) }
                }
            default: throw RuleError("unknown key '\(entry.key)' in a record of the mapping", line: entry.value.line)
            }
        }
        guard row.service != nil || !row.source.types.isEmpty else {
            throw RuleError("a record of the mapping needs a type or a service", line: value.line)
        }
        return row
    }

    /// Records that rules of a logsource apply to; empty if there are none here.
    func sources(of source: LogSource) -> [RecordSource] {
        if source.product == "thor", let type = source.service { return [RecordSource(types: [type])] }
        let found = resolved(source)
        if !found.isEmpty || source.category == nil || source.service == nil { return found }
        // Both are named: the category's records that are the service's, too.
        let channels = resolved(LogSource(product: source.product, service: source.service))
            .reduce(into: Set<String>()) { $0.formUnion($1.channels) }
        return resolved(LogSource(product: source.product, category: source.category))
            .filter { !$0.channels.isEmpty && $0.channels.isSubset(of: channels) }
    }

    private func resolved(_ source: LogSource) -> [RecordSource] {
        guard let row = row(of: source) else { return [] }
        return row.flatMap { row -> [RecordSource] in
            guard let service = row.service else { return [row.source] }
            let product = source.product ?? productOfServices(service)
            return (self.row(of: LogSource(product: product, service: service)) ?? []).map { base in
                var source = base.source
                if !row.source.providers.isEmpty { source.providers = row.source.providers }
                if !row.source.events.isEmpty { source.events = row.source.events }
                source.conditions.merge(row.source.conditions) { $1 }
                source.aliases.formUnion(row.source.aliases)
                return source
            }
        }
    }

    // An entry without a product is for all of them; a rule without one takes any product's.
    private func row(of source: LogSource) -> [Row]? {
        if let exact = rows[source] { return exact }
        var general = source
        general.product = nil
        if let found = rows[general] { return found }
        if source.product != nil || (source.category == nil && source.service == nil) { return nil }
        let products = rows.keys.filter { $0.category == source.category && $0.service == source.service }
        return products.isEmpty ? nil : products.sorted { $0.description < $1.description }.flatMap { rows[$0] ?? [] }
    }

    private func productOfServices(_ service: String) -> String? {
        rows.keys.filter { $0.category == nil && $0.service == service }.compactMap(\.product).min()
    }
}

extension LogSourceMap {
    private static func alias(_ field: String, _ value: YAMLValue) throws(RuleError) -> FieldAlias {
        if let actual = value.text {
            return FieldAlias(field: field.lowercased(), actual: actual.lowercased(), form: .same)
        }
        guard let entry = value.map?.first, let form = FieldAlias.Form(rawValue: entry.key),
            let actual = entry.value.text
        else { throw RuleError("a field is a name, or {program: NAME}", line: value.line) }
        return FieldAlias(field: field.lowercased(), actual: actual.lowercased(), form: form)
    }
}
