// The text format of Prometheus, version 0.0.4: families of samples, each with its type and help. Source:
// https://prometheus.io/docs/instrumenting/exposition_formats/

/// Writes metrics as Prometheus reads them.
struct PrometheusText {
    /// What kind of number a family holds.
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""

    /// Writes one family; the closure writes its samples.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ body: (inout Family) -> Void) {
        var family = Family(name: "thunderstorm_" + name)
        body(&family)
        guard !family.lines.isEmpty else { return }
        text += "# HELP thunderstorm_\(name) \(help)\n# TYPE thunderstorm_\(name) \(kind.rawValue)\n" + family.lines
    }

    /// Writes a family of one sample without labels.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help) { $0.sample(value) }
    }

    struct Family {
        let name: String
        fileprivate(set) var lines = ""

        fileprivate init(name: String) { self.name = name }

        /// Writes a sample.
        ///
        /// - Parameters:
        ///   - labels: Names and values; values may be any text.
        ///   - suffix: Part of a histogram (`_sum`).
        mutating func sample(_ value: Double, _ labels: [(String, String)] = [], suffix: String = "") {
            lines += name + suffix
            if !labels.isEmpty {
                lines += "{" + labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",") + "}"
            }
            lines += " \(Self.number(value))\n"
        }

        private static func escaped(_ value: String) -> String {
            value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        }

        private static func number(_ value: Double) -> String {
            if value.isNaN { return "NaN" }
            if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
            return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
        }
    }
}

/// Counts of durations in fixed classes.
struct DurationHistogram: Equatable {
    /// Upper ends of the classes in seconds.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 600]

    private var counts = [Int](repeating: 0, count: bounds.count + 1)
    private var sum: UInt64 = 0

    /// Durations counted.
    var count: Int { counts.reduce(0, +) }

    mutating func add(nanoseconds: UInt64) {
        let seconds = Double(nanoseconds) / 1e9
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum &+= nanoseconds
    }

    func write(to family: inout PrometheusText.Family) {
        var below = 0
        for (bound, count) in zip(Self.bounds, counts) {
            below += count
            family.sample(Double(below), [("le", "\(bound)")], suffix: "_bucket")
        }
        family.sample(Double(self.count), [("le", "+Inf")], suffix: "_bucket")
        family.sample(Double(sum) / 1e9, suffix: "_sum")
        family.sample(Double(self.count), suffix: "_count")
    }
}
