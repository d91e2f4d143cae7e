import Pipeline

// Loaded rules to a plan: threshold and exclusions, correlations with the rules they name, and what the service is told
// about all of them.

struct SigmaRuleSet {
    let plan: Plan
    let correlations: [PlannedCorrelation]

    init(options: SigmaOptions, environment: StageEnvironment) {
        let diagnostics = environment.diagnostics
        let loader = RuleLoader(files: environment.signatures.files(of: .sigma), diagnostics: diagnostics)
        let threshold = options.threshold ?? .medium
        let excluded = Set((options.exclude ?? []).map { $0.lowercased() })
        var builder = PlanBuilder()
        var summaries: [SignatureSummary] = []
        var below = 0
        var numbers: [(rule: SigmaRule, numbers: [Int])] = []
        let correlated = Set(
            loader.rules.flatMap { rule -> [String] in
                if case .correlation(let correlation) = rule.body { return correlation.rules }
                return []
            })
        for rule in loader.rules {
            if rule.names.contains(where: { excluded.contains($0.lowercased()) }) { continue }
            // What a correlation counts may be of any level by itself.
            if rule.level < threshold && !rule.names.contains(where: { correlated.contains($0) }) {
                below += 1
                continue
            }
            do {
                numbers.append((rule, try builder.add(rule, map: loader.map)))
                summaries.append(
                    SignatureSummary(
                        kind: .sigma, name: rule.title, id: rule.signature.id, score: rule.signature.score,
                        tags: rule.signature.tags, origin: rule.signature.origin, file: rule.file))
            } catch {
                diagnostics.report(Self.problem(rule, error.message))
            }
        }
        var rejected: Set<Int> = []
        correlations = Self.correlations(numbers, &builder) { index, message in
            diagnostics.report(Self.problem(numbers[index].rule, message))
            rejected.insert(index)
        }
        summaries = summaries.enumerated().filter { !rejected.contains($0.offset) }.map(\.element)
        builder.finish()
        diagnostics.loaded(summaries)
        if below > 0 {
            diagnostics.report(
                SignatureProblem(
                    file: "sigma", line: nil,
                    message: "\(below) rules are below the threshold \(threshold.rawValue) and not used",
                    isRejected: false))
        }
        if !builder.unmapped.isEmpty {
            let sources = builder.unmapped.sorted { ($1.value, $0.key.description) < ($0.value, $1.key.description) }
                .map { "\($0.key) (\($0.value))" }
            diagnostics.report(
                SignatureProblem(
                    file: "sigma", line: nil,
                    message: "\(builder.unmapped.values.reduce(0, +)) rules are about records that no stage emits: "
                        + sources.joined(separator: ", "), isRejected: false))
        }
        plan = Plan(builder)
    }

    private static func problem(_ rule: SigmaRule, _ message: String) -> SignatureProblem {
        SignatureProblem(file: rule.file, line: rule.line, message: "'\(rule.title)': \(message)")
    }

    // Correlations in an order in which those inside others come first.
    private static func correlations(
        _ all: [(rule: SigmaRule, numbers: [Int])], _ builder: inout PlanBuilder, reject: (Int, String) -> Void
    ) -> [PlannedCorrelation] {
        var byName: [String: [Int]] = [:]
        for (index, entry) in all.enumerated() {
            for name in Set(entry.rule.names) { byName[name, default: []].append(index) }
        }
        var planned: [PlannedCorrelation] = []
        var positions: [Int: Int] = [:]
        var open = all.indices.filter { if case .correlation = all[$0].rule.body { true } else { false } }
        var hasProgress = true
        while hasProgress, !open.isEmpty {
            hasProgress = false
            for index in open {
                guard case .correlation(let correlation) = all[index].rule.body else { continue }
                let targets = correlation.rules.map { name in (byName[name] ?? []).filter { $0 != index } }
                if let missing = zip(correlation.rules, targets).first(where: { $0.1.isEmpty })?.0 {
                    reject(index, "there is no rule '\(missing)' for the correlation")
                    open.removeAll { $0 == index }
                    hasProgress = true
                    continue
                }
                let inner = targets.enumerated().flatMap { position, found in
                    found.compactMap { target -> (target: Int, position: Int)? in
                        if case .correlation = all[target].rule.body { return (target, position) }
                        return nil
                    }
                }
                guard inner.allSatisfy({ positions[$0.target] != nil }) else { continue }
                var one = PlannedCorrelation(
                    rule: all[index].rule, correlation: correlation,
                    targets: targets.map { found in found.flatMap { all[$0].numbers } },
                    targetNames: targets.map { found in found.flatMap { all[$0].rule.names } }, inner: [:])
                for (target, position) in inner {
                    guard let place = positions[target] else { continue }
                    one.inner[place] = position
                    if !correlation.generate { planned[place].isReported = false }
                }
                positions[index] = planned.count
                builder.connect(
                    planned.count, rules: one.targets.flatMap(\.self), generate: correlation.generate,
                    fields: correlation.fields)
                planned.append(one)
                open.removeAll { $0 == index }
                hasProgress = true
            }
        }
        for index in open { reject(index, "correlations name each other in a circle") }
        return planned
    }
}

extension SigmaRule {
    /// Texts by which other rules and options may call it.
    fileprivate var names: [String] { [id, name, title].filter { !$0.isEmpty } }
}

extension Correlation {
    /// Fields whose values it needs.
    fileprivate var fields: [String] {
        groupBy.filter { aliases[$0] == nil } + (field.map { [$0] } ?? []) + aliases.values.flatMap(\.values)
    }
}
