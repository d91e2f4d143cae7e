import Pipeline

// All IOCs of the signature folders, each once.

struct IOCSet {
    private(set) var iocs: [IOC.Group: [IOC]] = [:]
    private var places: [Key: Place] = [:]

    private struct Key: Hashable {
        var group: IOC.Group
        var expression: IOC.Expression
        var falsePositives: [IOC.Expression]
        var isTrusted: Bool
    }

    private struct Place {
        var index: Int
        var file: String
        var line: Int?
    }

    /// Parses all IOC files, those of the given groups only; tells what cannot be used and what is in use.
    init(_ environment: StageEnvironment, groups: Set<IOC.Group>) {
        for file in environment.signatures.files {
            let parsed: ParsedIOCs
            switch file.kind {
            case .hashes, .trustedHashes, .filenames, .keywords, .c2, .handles, .pipes: parsed = parseIOCList(file)
            case .yamlIOCs: parsed = parseIOCYAML(file)
            default: continue
            }
            for problem in parsed.problems { environment.diagnostics.report(problem) }
            for ioc in parsed.iocs where groups.contains(ioc.group) { add(ioc, environment.diagnostics) }
        }
        for group in IOC.Group.allCases {
            environment.diagnostics.loaded(
                self[group].map {
                    SignatureSummary(
                        kind: $0.group.kind, name: $0.value, score: $0.score, origin: $0.source.origin,
                        file: $0.source.file)
                })
        }
    }

    subscript(group: IOC.Group) -> [IOC] { iocs[group] ?? [] }

    // The same IOC twice would count twice in the score: the higher score stays.
    private mutating func add(_ ioc: IOC, _ diagnostics: SignatureDiagnostics) {
        let key = Key(
            group: ioc.group, expression: ioc.expression, falsePositives: ioc.falsePositives,
            isTrusted: ioc.group == .hash && ioc.score < 0)
        guard let known = places[key] else {
            places[key] = Place(index: self[ioc.group].count, file: ioc.source.file, line: ioc.line)
            iocs[ioc.group, default: []].append(ioc)
            return
        }
        if let score = iocs[ioc.group]?[known.index].score, abs(ioc.score) > abs(score) {
            iocs[ioc.group]?[known.index] = ioc
        }
        let place = known.file + (known.line.map { ":\($0)" } ?? "")
        diagnostics.report(
            SignatureProblem(
                file: ioc.source.file, line: ioc.line,
                message: "also in \(place); the higher score counts", isRejected: false))
    }
}
