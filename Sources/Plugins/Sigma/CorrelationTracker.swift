import Pipeline

// Correlation rules at work: matches of the rules they are about are kept with time and group for one submission and
// looked at when it ends.

/// A correlation with the numbers of its rules in the plan.
struct PlannedCorrelation: Sendable {
    var rule: SigmaRule
    var correlation: Correlation
    /// For each rule it names, the numbers in the plan.
    var targets: [[Int]]
    /// For each rule it names, the names that aliases may use for it.
    var targetNames: [[String]]
    /// Correlations among the rules it names, by position in the list of correlations.
    var inner: [Int: Int]
    /// Whether it is reported, besides what other correlations make of it.
    var isReported = true
}

struct CorrelationTracker {
    /// Most events that one correlation keeps.
    static let eventLimit = 100_000
    /// Most bytes of values and groups that one correlation keeps.
    static let byteLimit = 64 << 20
    /// Most groups that one correlation reports.
    static let reportLimit = 100

    struct Event {
        var time: Int64
        /// Position of the rule in the correlation's list.
        var rule: Int
        var value: String
    }

    /// A group that fulfilled a correlation.
    struct Outcome {
        var correlation: Int
        var group: [String]
        var count: Int
        var first: Int64
        var last: Int64
    }

    private let correlations: [PlannedCorrelation]
    private var events: [[[String]: [Event]]]
    private var counts: [Int]
    private var byteCounts: [Int]
    /// Correlations that had more events than are kept.
    private(set) var isLimited = false
    /// Whether a record without a time could not be used.
    private(set) var hasTimeless = false

    init(_ correlations: [PlannedCorrelation]) {
        self.correlations = correlations
        events = Array(repeating: [:], count: correlations.count)
        counts = Array(repeating: 0, count: correlations.count)
        byteCounts = counts
    }

    /// Notes a match of a rule.
    ///
    /// - Parameter value: The value of a field, by its name in lower case.
    mutating func add(rule: Int, correlation number: Int, time: Int64?, value: (String) -> String) {
        let planned = correlations[number]
        guard let time else {
            hasTimeless = true
            return
        }
        for (position, targets) in planned.targets.enumerated() where targets.contains(rule) {
            let names = planned.targetNames[position]
            let group = planned.correlation.groupBy.map { value(planned.correlation.field($0, ofRule: names)) }
            let counted = planned.correlation.field.map { value(planned.correlation.field($0, ofRule: names)) } ?? ""
            add(Event(time: time, rule: position, value: counted), group: group, to: number)
        }
    }

    private mutating func add(_ event: Event, group: [String], to number: Int) {
        let size = group.reduce(event.value.utf8.count) { $0 + $1.utf8.count }
        guard counts[number] < Self.eventLimit, byteCounts[number] + size <= Self.byteLimit else {
            isLimited = true
            return
        }
        counts[number] += 1
        byteCounts[number] += size
        events[number][group, default: []].append(event)
    }

    /// Groups that fulfil their correlation, in the order of correlations; those inside others come first.
    mutating func outcomes() -> [Outcome] {
        var all: [Outcome] = []
        for number in correlations.indices {
            let planned = correlations[number]
            var found: [Outcome] = []
            for (group, unsorted) in events[number].sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                let sorted = unsorted.enumerated().sorted {
                    ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
                }
                if var outcome = Self.outcome(of: planned.correlation, sorted.map(\.element)) {
                    outcome.correlation = number
                    outcome.group = group
                    found.append(outcome)
                }
            }
            // Outcomes are events of the correlations around this one.
            for outer in correlations.indices {
                guard let position = correlations[outer].inner[number] else { continue }
                for outcome in found {
                    let event = Event(time: outcome.last, rule: position, value: outcome.group.first ?? "")
                    let size = correlations[outer].correlation.groupBy.count
                    add(event, group: Array(outcome.group.prefix(size)), to: outer)
                }
            }
            if planned.isReported { all += found.prefix(Self.reportLimit) }
        }
        return all
    }

    // The first stretch of events, no longer than the time span, that fulfils a correlation.
    private static func outcome(of correlation: Correlation, _ events: [Event]) -> Outcome? {
        if correlation.kind == .temporalOrdered { return sequence(correlation, events) }
        var window = Window(correlation.kind)
        var end = 0
        for first in events {
            while end < events.count, events[end].time - first.time <= correlation.timespan {
                window.add(events[end])
                end += 1
            }
            if correlation.isFulfilled(by: window.count) {
                let last = events[end - 1].time
                return Outcome(correlation: 0, group: [], count: window.count, first: first.time, last: last)
            }
            window.remove(first)
        }
        return nil
    }

    // Events of all rules in their order: for each rule the latest time at which a sequence up to it may have begun.
    private static func sequence(_ correlation: Correlation, _ events: [Event]) -> Outcome? {
        let count = correlation.rules.count
        var begun = [Int64?](repeating: nil, count: count)
        for event in events {
            let first = event.rule == 0 ? event.time : begun[event.rule - 1]
            guard let first, event.time - first <= correlation.timespan else { continue }
            begun[event.rule] = first
            if event.rule == count - 1 {
                return Outcome(correlation: 0, group: [], count: count, first: first, last: event.time)
            }
        }
        return nil
    }
}

/// What is counted of the events in a stretch of time while it moves on.
private struct Window {
    private let kind: Correlation.Kind
    private var events = 0
    private var values: [String: Int] = [:]
    private var rules: [Int: Int] = [:]

    init(_ kind: Correlation.Kind) { self.kind = kind }

    var count: Int {
        switch kind {
        case .eventCount: events
        case .valueCount: values.count
        case .temporal, .temporalOrdered: rules.count
        }
    }

    mutating func add(_ event: CorrelationTracker.Event) {
        events += 1
        if kind == .valueCount { values[event.value, default: 0] += 1 }
        if kind == .temporal { rules[event.rule, default: 0] += 1 }
    }

    mutating func remove(_ event: CorrelationTracker.Event) {
        events -= 1
        if kind == .valueCount { values[event.value] = values[event.value].flatMap { $0 > 1 ? $0 - 1 : nil } }
        if kind == .temporal { rules[event.rule] = rules[event.rule].flatMap { $0 > 1 ? $0 - 1 : nil } }
    }
}

extension Correlation {
    /// Whether so many events, values or rules are what it asks for.
    fileprivate func isFulfilled(by count: Int) -> Bool {
        if conditions.isEmpty { return count == rules.count }
        return conditions.allSatisfy { $0.comparison.holds(Double(count), $0.count) }
    }
}
