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
    /// Correlations that had more events than are kept.
    private(set) var isLimited = false
    /// Whether a record without a time could not be used.
    private(set) var hasTimeless = false

    init(_ correlations: [PlannedCorrelation]) {
        self.correlations = correlations
        events = Array(repeating: [:], count: correlations.count)
        counts = Array(repeating: 0, count: correlations.count)
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
        guard counts[number] < Self.eventLimit else {
            isLimited = true
            return
        }
        counts[number] += 1
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
        var end = 0
        for (start, first) in events.enumerated() {
            while end < events.count, events[end].time - first.time <= correlation.timespan { end += 1 }
            let window = events[start..<end]
            guard let last = window.last, let count = count(correlation, window) else { continue }
            return Outcome(correlation: 0, group: [], count: count, first: first.time, last: last.time)
        }
        return nil
    }

    private static func count(_ correlation: Correlation, _ window: ArraySlice<Event>) -> Int? {
        func fulfils(_ count: Int) -> Bool {
            correlation.conditions.allSatisfy { $0.comparison.holds(Double(count), $0.count) }
        }
        switch correlation.kind {
        case .eventCount:
            return fulfils(window.count) ? window.count : nil
        case .valueCount:
            let count = Set(window.map(\.value)).count
            return fulfils(count) ? count : nil
        case .temporal:
            let count = Set(window.map(\.rule)).count
            if correlation.conditions.isEmpty { return count == correlation.rules.count ? count : nil }
            return fulfils(count) ? count : nil
        case .temporalOrdered:
            var next = 0
            for event in window where event.rule == next { next += 1 }
            return next == correlation.rules.count ? next : nil
        }
    }
}
