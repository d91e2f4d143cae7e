import Pipeline

// STIX indicators on files and registry values. Alternatives that only ask for a digest or a name, which is what
// most feeds consist of, are looked up; the others are evaluated one after another. An indicator that asks for several
// observations is told of the object that completes it.

/// What a submission has shown of indicators that ask for several observations.
struct STIXState {
    fileprivate var seen: Set<Int> = []
    fileprivate var told: Set<Int> = []
}

struct STIXMatcher: Sendable {
    private static let score = 75

    // Observations, numbered over all indicators, are joined like the parts of a pattern.
    private indirect enum Goal {
        case all([Goal])
        case any([Goal])
        case seen(Int)

        func holds(_ seen: Set<Int>) -> Bool {
            switch self {
            case .all(let parts): parts.allSatisfy { $0.holds(seen) }
            case .any(let parts): parts.contains { $0.holds(seen) }
            case .seen(let observation): seen.contains(observation)
            }
        }

        var needsSeveral: Bool {
            switch self {
            case .all: true
            case .any(let parts): parts.contains(where: \.needsSeveral)
            case .seen: false
            }
        }
    }

    private var indicators: [STIXIndicator] = []
    // By indicator: nil when any one observation is enough.
    private var goals: [Goal?] = []
    // Indicator of each observation.
    private var owners: [Int] = []
    private var digests: [String: [Int]] = [:]
    private var names: [String: [Int]] = [:]
    private var needed: Set<STIXProperty> = []
    private var fileConditions: [(observation: Int, program: STIXProgram)] = []
    private var registryConditions: [(observation: Int, program: STIXProgram)] = []

    /// Reads all STIX bundles of the environment; tells what cannot be used and what is in use.
    init(_ environment: StageEnvironment, isDisabled: Bool) {
        if isDisabled { return }
        for file in environment.signatures.files(of: .stix) {
            let parsed = parseSTIXBundle(file)
            for problem in parsed.problems { environment.diagnostics.report(problem) }
            var loaded: [SignatureSummary] = []
            for indicator in parsed.indicators {
                do {
                    try add(indicator)
                    loaded.append(
                        SignatureSummary(
                            kind: .stix, name: indicator.name, id: indicator.id, score: Self.score,
                            tags: indicator.tags, origin: indicator.origin, file: file.path))
                } catch {
                    environment.diagnostics.report(
                        SignatureProblem(
                            file: file.path, line: indicator.line(in: file), message: "\(indicator.id): \(error)"))
                }
            }
            environment.diagnostics.loaded(loaded)
        }
    }

    /// Whether any indicator is about registry values.
    var looksAtRegistry: Bool { !registryConditions.isEmpty }

    private mutating func add(_ indicator: STIXIndicator) throws(STIXPatternError) {
        var programs: [STIXProgram] = []
        let goal = try goal(try parseSTIXPattern(indicator.pattern), &programs)
        let index = indicators.count
        indicators.append(indicator)
        goals.append(goal.needsSeveral ? goal : nil)
        for program in programs {
            owners.append(index)
            add(program, observation: owners.count - 1)
        }
    }

    // The goal of a pattern whose observations get the next numbers, and their conditions in that order.
    private func goal(_ pattern: STIXPattern, _ programs: inout [STIXProgram]) throws(STIXPatternError) -> Goal {
        switch pattern {
        case .observation(let condition):
            programs.append(try STIXProgram(condition))
            return .seen(owners.count + programs.count - 1)
        case .all(let parts):
            var goals: [Goal] = []
            for part in parts { goals.append(try goal(part, &programs)) }
            return .all(goals)
        case .any(let parts):
            var goals: [Goal] = []
            for part in parts { goals.append(try goal(part, &programs)) }
            return .any(goals)
        }
    }

    private mutating func add(_ program: STIXProgram, observation index: Int) {
        for alternative in program.alternatives {
            if case .test(let property, .oneOf(let values), isNegated: false) = alternative {
                if property.isHash {
                    needed.insert(property)
                    for value in values { digests[value, default: []].append(index) }
                    continue
                }
                if property == .fileName {
                    for value in values { names[value, default: []].append(index) }
                    continue
                }
            }
            if alternative.mentions(registry: false) { fileConditions.append((index, alternative)) }
            if alternative.mentions(registry: true) { registryConditions.append((index, alternative)) }
        }
    }

    /// Gives a reason for each indicator that a file fulfils or completes.
    func inspect(_ sample: Sample, _ state: inout STIXState, _ report: (Reason) -> Void) {
        if indicators.isEmpty { return }
        let file = STIXFile(sample: sample)
        var found: [Int: [MatchedText]] = [:]
        // Digests of an empty file are in feeds by accident.
        if !sample.bytes.isEmpty {
            for property in [STIXProperty.fileMD5, .fileSHA1, .fileSHA256] where needed.contains(property) {
                look(up: property, in: digests, of: file, &found)
            }
        }
        look(up: .fileName, in: names, of: file, &found)
        for (index, program) in fileConditions where found[index] == nil {
            var matched: [MatchedText] = []
            if program.holds(for: file, &matched) { found[index] = matched }
        }
        tell(found, &state, report)
    }

    private func look(
        up property: STIXProperty, in table: [String: [Int]], of file: STIXFile, _ found: inout [Int: [MatchedText]]
    ) {
        guard !table.isEmpty, let text = file.text(of: property) else { return }
        for index in table[normalised(text, property)] ?? [] {
            found[index, default: []].append(MatchedText(text, field: file.pointer(to: property)))
        }
    }

    /// Gives a reason for each indicator that a registry value fulfils or completes.
    func inspect(_ value: RegistryValue, _ state: inout STIXState, _ report: (Reason) -> Void) {
        var found: [Int: [MatchedText]] = [:]
        for (index, program) in registryConditions where found[index] == nil {
            var matched: [MatchedText] = []
            if program.holds(for: value, &matched) { found[index] = matched }
        }
        tell(found, &state, report)
    }

    private func tell(_ found: [Int: [MatchedText]], _ state: inout STIXState, _ report: (Reason) -> Void) {
        if found.isEmpty { return }
        var byIndicator: [Int: [MatchedText]] = [:]
        for (observation, matched) in found.sorted(by: { $0.key < $1.key }) {
            let owner = owners[observation]
            if goals[owner] != nil { state.seen.insert(observation) }
            byIndicator[owner, default: []] += matched.filter { byIndicator[owner]?.contains($0) != true }
        }
        for (index, matched) in byIndicator.sorted(by: { $0.key < $1.key }) {
            if let goal = goals[index] {
                guard goal.holds(state.seen), state.told.insert(index).inserted else { continue }
            }
            let indicator = indicators[index]
            let words = indicator.description.isEmpty ? "" : " / \(indicator.description)"
            report(
                Reason(
                    summary: "STIX IOC match: \(indicator.name)\(words)",
                    signature: Signature(
                        kind: .stix, score: Self.score, ruleName: indicator.name,
                        description: indicator.description, references: indicator.references,
                        date: indicator.date, tags: indicator.tags, id: indicator.id, origin: indicator.origin),
                    matched: matched))
        }
    }
}

/// A sample as STIX sees it.
private struct STIXFile: STIXObject {
    let sample: Sample

    func text(of property: STIXProperty) -> String? {
        switch property {
        case .fileName: sample.name
        case .fileParent: sample.directory
        case .fileMD5: sample.digests.md5
        case .fileSHA1: sample.digests.sha1
        case .fileSHA256: sample.digests.sha256
        case .fileSize: String(sample.size)
        case .fileCreated: sample.times.created?.rfc3339()
        case .fileModified: sample.times.modified?.rfc3339()
        case .fileAccessed: sample.times.accessed?.rfc3339()
        default: nil
        }
    }

    func pointer(to property: STIXProperty) -> String {
        switch property {
        case .fileMD5: "/hashes/md5"
        case .fileSHA1: "/hashes/sha1"
        case .fileSHA256: "/hashes/sha256"
        case .fileSize: "/size"
        case .fileCreated: "/file_times/created"
        case .fileModified: "/file_times/modified"
        case .fileAccessed: "/file_times/accessed"
        default: "/path"
        }
    }
}

/// A record of type `registry value`: its key ends with the name of the value (REFERENCE B.5).
///
/// Where the whole path is known, root included, it stands in `TargetObject`.
struct RegistryValue: STIXObject {
    private let key: String
    private let name: String
    private let data: String?
    private let modified: String?

    /// nil for records of other types.
    init?(_ records: borrowing RecordBatch, _ record: Int) {
        guard records.type(of: record).name == "registry value" else { return nil }
        var values: [String: String] = [:]
        for field in records.fields(of: record) {
            let name = records.keys.name(of: records.key(of: field))
            if ["key", "value_name", "value", "modified", "TargetObject"].contains(name) {
                values[name] = records.value(of: field).utf8Text
            }
        }
        guard let path = values["TargetObject"] ?? values["key"] else { return nil }
        // A name may hold a backslash: only who wrote the record knows where it begins.
        if let own = values["value_name"], path.hasSuffix("\\" + own) {
            name = own
            key = String(path.dropLast(own.count + 1))
        } else {
            let cut = path.utf8.lastIndex(of: 0x5C)
            key = cut.map { String(path[..<$0]) } ?? ""
            name = cut.map { String(path[path.utf8.index(after: $0)...]) } ?? path
        }
        data = values["value"]
        modified = values["modified"]
    }

    func text(of property: STIXProperty) -> String? {
        switch property {
        case .registryKey: key
        case .registryName: name
        case .registryData: data
        case .registryModified: modified
        default: nil
        }
    }

    func pointer(to property: STIXProperty) -> String {
        switch property {
        case .registryData: "/value"
        case .registryModified: "/modified"
        default: "/key"
        }
    }
}
