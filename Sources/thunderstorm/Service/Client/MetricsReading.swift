/// Metrics of a running service, read from their text form.
public struct MetricsReading: Sendable, Equatable {
    /// One number with its labels.
    public struct Sample: Sendable, Equatable {
        /// Name without the program's prefix.
        public var name: String
        /// Labels by name.
        public var labels: [String: String]
        /// The number.
        public var value: Double
    }

    /// All samples, in order.
    public let samples: [Sample]

    /// Reads the text format of Prometheus; lines that are none of its samples are left out.
    public init(text: String) {
        samples = text.split(separator: "\n").compactMap(Self.sample)
    }

    /// The sum of all samples with a name, or of those with a label's value.
    public func sum(_ name: String, _ label: String? = nil, _ value: String = "") -> Double {
        samples.reduce(0) { sum, sample in
            guard sample.name == name, label.map({ sample.labels[$0] == value }) ?? true else { return sum }
            return sum + sample.value
        }
    }

    /// Values of a label that samples with a name have, in order.
    public func values(of label: String, in name: String) -> [String] {
        samples.filter { $0.name == name }.compactMap { $0.labels[label] }
    }

    private static func sample(_ line: Substring) -> Sample? {
        let prefix = "thunderstorm_"
        guard line.hasPrefix(prefix), let blank = line.lastIndex(of: " "),
            let value = Double(line[line.index(after: blank)...])
        else { return nil }
        let head = line[..<blank].dropFirst(prefix.count)
        guard let brace = head.firstIndex(of: "{") else { return Sample(name: String(head), labels: [:], value: value) }
        guard head.last == "}" else { return nil }
        return Sample(
            name: String(head[..<brace]), labels: labels(head[head.index(after: brace)...].dropLast()), value: value)
    }

    private static func labels(_ text: Substring) -> [String: String] {
        var labels: [String: String] = [:]
        var rest = text
        while let sign = rest.firstIndex(of: "=") {
            let name = String(rest[..<sign])
            var value = ""
            var isEscaped = false
            var index = rest.index(after: sign)
            guard index < rest.endIndex, rest[index] == "\"" else { return labels }
            index = rest.index(after: index)
            while index < rest.endIndex, isEscaped || rest[index] != "\"" {
                let character = rest[index]
                if isEscaped {
                    value.append(character == "n" ? "\n" : character)
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else {
                    value.append(character)
                }
                index = rest.index(after: index)
            }
            labels[name] = value
            guard index < rest.endIndex else { return labels }
            rest = rest[rest.index(after: index)...].drop { $0 == "," }
        }
        return labels
    }
}
