import Pipeline

// The stage `sigma`: Sigma rules on the records of event logs, text logs, registry hives and other artefacts.

/// Options of the stage `sigma`.
public struct SigmaOptions: Decodable, Sendable {
    /// Lowest level of a rule that is used.
    public var threshold: SigmaLevel?
    /// Titles, names or ids of rules that are not used.
    public var exclude: [String]?

    /// Options; what is nil takes its default.
    public init(threshold: SigmaLevel? = nil, exclude: [String]? = nil) {
        self.threshold = threshold
        self.exclude = exclude
    }
}

/// What the stage remembers during one submission.
public final class SigmaState {
    var hasStarted = false
    var matcher: RecordMatcher?
    var tracker: CorrelationTracker?
    var hasNotedExplosion = false

    init() {}
}

/// Matches records with Sigma rules.
public struct SigmaStage: Stage {
    /// What the stage is.
    public static let descriptor = StageDescriptor(
        name: "sigma", summary: "Matches records of logs, registry hives and other artefacts with Sigma rules.",
        interest: .records, module: "Sigma",
        options: [
            .init(
                "threshold",
                "Lowest level of a rule that is used: informational, low, medium (default), high, critical."),
            .init("exclude", "Titles, names or ids of rules that are not used."),
        ],
        dependsOnNames: true, usesSignatures: true,
        references: [
            "https://sigmahq.io/sigma-specification/", "https://github.com/SigmaHQ/sigma-specification",
        ],
        limitations: [
            "Aggregations in conditions (`| count() by …`) are rejected; correlation rules replace them.",
            "Correlations of types value_sum, value_avg, value_median and value_percentile are rejected.",
            "Rules for cloud and application logs load, but no stage emits such records.",
            "Letters beyond ASCII are compared by their lower-case form where that is one letter beyond ASCII.",
        ])

    let plan: Plan
    let correlations: [PlannedCorrelation]

    /// Loads and compiles the rules; those that cannot be used are told to the environment.
    public init(options: SigmaOptions, environment: StageEnvironment) throws {
        let set = SigmaRuleSet(options: options, environment: environment)
        plan = set.plan
        correlations = set.correlations
    }

    /// Nothing is remembered yet.
    public func makeState() -> SigmaState { SigmaState() }

    /// Matches a batch of records.
    public func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout SigmaState, _ out: inout Output
    ) throws(StageError) {
        if plan.rules.isEmpty { return }
        if !state.hasStarted {
            state.hasStarted = true
            state.matcher = RecordMatcher(plan: plan)
            if !correlations.isEmpty { state.tracker = CorrelationTracker(correlations) }
        }
        let state = state
        try state.matcher?.match(records, path: sample.path, &out) { rule, record, batch, evaluator, out in
            let planned = plan.rules[rule]
            if planned.isReported {
                out.report(reason(for: planned.rule, number: rule, record, batch, &evaluator), record: record)
            }
            if planned.correlations.isEmpty { return }
            let time = recordTime(of: record, batch)
            for correlation in planned.correlations {
                state.tracker?.add(rule: rule, correlation: correlation, time: time) { name in
                    plan.fieldNumbers[name].map { evaluator.text(ofField: $0, batch) } ?? ""
                }
            }
        }
        if !state.hasNotedExplosion, let rule = state.matcher?.evaluator.explodedRules.min() {
            state.hasNotedExplosion = true
            out.note(
                .limit,
                "an expression of the Sigma rule '\(plan.rules[rule].rule.title)' took too long on a value and was "
                    + "taken for no match")
        }
    }

    /// Reports correlations.
    public func finish(_ state: consuming SigmaState, _ out: inout Output) throws(StageError) {
        guard var tracker = state.tracker else { return }
        for outcome in tracker.outcomes() { out.report(reason(for: outcome)) }
        if tracker.isLimited {
            out.note(
                .limit,
                "Sigma correlations keep \(CorrelationTracker.eventLimit) events and "
                    + "\(CorrelationTracker.byteLimit >> 20) MiB of values each; later ones were not counted")
        }
        if tracker.hasTimeless {
            out.note(.unsupported, "records without a time were left out of Sigma correlations")
        }
    }

    // MARK: Reasons

    /// Most values that one reason shows.
    static let matchLimit = 10
    /// Bytes of a value that are shown.
    static let valueLimit = 2_048
    /// Bytes around a keyword that are shown.
    static let contextSize = 50

    private func reason(
        for rule: SigmaRule, number: Int, _ record: Int, _ batch: borrowing RecordBatch, _ evaluator: inout Evaluator
    ) -> Reason {
        let type = batch.type(of: record)
        var matched: [MatchedText] = []
        var shown: Set<Int> = []
        for predicate in evaluator.satisfied(rule: number, batch) where matched.count < Self.matchLimit {
            guard let (value, range) = evaluator.firstValue(satisfying: predicate, batch), value >= 0 else { continue }
            let field = type.pointer(to: batch.keys.name(of: batch.key(of: evaluator.values[value].batchField)))
            let bytes = evaluator.bytes(of: value, batch)
            if plan.predicateFields[predicate] >= 0 {
                // One field may satisfy several predicates; it is shown once.
                if shown.insert(value).inserted {
                    matched.append(MatchedText(data: Array(bytes.prefix(Self.valueLimit)), field: field))
                }
            } else {
                let start = min(range.lowerBound, bytes.count)
                let end = min(max(range.upperBound, start), bytes.count)
                let before = max(0, start - Self.contextSize)
                let after = min(bytes.count, end + Self.contextSize)
                matched.append(
                    MatchedText(
                        data: Array(bytes[start..<end].prefix(Self.valueLimit)),
                        context: Array(bytes[before..<after].prefix(Self.valueLimit)), field: field))
            }
        }
        return Reason(summary: rule.summary, signature: rule.signature, matched: matched)
    }

    private func reason(for outcome: CorrelationTracker.Outcome) -> Reason {
        let planned = correlations[outcome.correlation]
        var matched = zip(planned.correlation.groupBy, outcome.group).prefix(Self.matchLimit).map { name, value in
            MatchedText("\(name): \(value.prefix(256))")
        }
        let seconds = (outcome.last - outcome.first) / 1_000_000
        let what: String
        switch planned.correlation.kind {
        case .eventCount: what = "\(outcome.count) events"
        case .valueCount: what = "\(outcome.count) values of \(planned.correlation.field ?? "")"
        case .temporal, .temporalOrdered: what = "\(outcome.count) rules"
        }
        matched.append(MatchedText("\(what) in \(seconds) s"))
        return Reason(summary: planned.rule.summary, signature: planned.rule.signature, matched: matched)
    }
}
