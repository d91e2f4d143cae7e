import Pipeline
import Yams

// IOC files in YAML (REFERENCE C.2): groups of IOCs below `iocs`, each a mapping or a list of mappings. Only these
// few levels are walked, so that a file that refers to itself or nests without end costs nothing.

/// Parses an IOC file in YAML; one that is no YAML has no IOCs and one problem.
public func parseIOCYAML(_ file: SignatureFile) -> ParsedIOCs {
    var parser = IOCYAMLParser(file)
    parser.parse()
    return parser.result
}

private struct IOCYAMLParser {
    private static let groups: [String: IOC.Group] = [
        "hashes": .hash, "files": .filename, "c2s": .c2, "named_pipes": .pipe, "mutexes": .handle, "events": .handle,
    ]
    private static let byteLimit = 32 << 20
    private static let iocLimit = 1_000_000

    private let file: SignatureFile
    private var source: IOCSource
    private var note = ""
    var result = ParsedIOCs()

    init(_ file: SignatureFile) {
        self.file = file
        source = IOCSource(file: file.path, origin: file.origin)
    }

    mutating func parse() {
        guard file.bytes.count <= Self.byteLimit else {
            return reject(nil, "the file is larger than \(Self.byteLimit >> 20) MiB; split it")
        }
        let root: Node?
        do {
            root = try compose(yaml: file.bytes.span.utf8Text)
        } catch {
            return reject((error as? YamlError).flatMap(line), "the file is no valid YAML: \(firstLine(of: error))")
        }
        guard let top = root?.mapping else { return reject(1, "the file has no keys; 'iocs' is needed") }
        source.title = top["title"]?.string ?? ""
        source.date = top["date"]?.string ?? ""
        source.references = entries(top["references"]).compactMap(\.string)
        note = top["description"]?.string ?? ""
        guard let groups = top["iocs"]?.mapping else {
            return reject(1, "there is no mapping 'iocs' with groups of IOCs")
        }
        for (key, value) in groups {
            let line = key.mark?.line
            guard let name = key.string, let group = Self.groups[name] else {
                let known = Self.groups.keys.sorted().joined(separator: ", ")
                reject(line, "'\(key.string ?? "?")' is no group of IOCs; groups are: \(known)")
                continue
            }
            for entry in entries(value) {
                guard result.iocs.count < Self.iocLimit else {
                    return reject(line, "the file has more than \(Self.iocLimit) IOCs; the rest is left out")
                }
                add(entry, to: group, line: entry.mark?.line ?? line)
            }
        }
    }

    private mutating func reject(_ line: Int?, _ message: String) {
        result.problems.append(SignatureProblem(file: file.path, line: line, message: message))
    }

    // One mapping or a list of them.
    private func entries(_ node: Node?) -> [Node] {
        guard let node else { return [] }
        if let sequence = node.sequence { return Array(sequence) }
        return [node]
    }

    private mutating func add(_ node: Node, to group: IOC.Group, line: Int?) {
        guard let map = node.mapping, let value = map["value"]?.scalar?.string, !value.isEmpty else {
            return reject(line, "an IOC needs a 'value'")
        }
        var score = group.defaultScore
        if let given = map["score"] {
            guard let number = given.int, (-100...100).contains(number) else {
                return reject(line, "the score is no number between -100 and 100")
            }
            score = number
        }
        guard let expression = expression(value, map, group, line) else { return }
        var falsePositives: [IOC.Expression] = []
        for entry in entries(map["false_positives"]) {
            let map = entry.mapping
            let value = map?["value"]?.scalar?.string ?? entry.scalar?.string ?? ""
            guard let falsePositive = self.expression(value, map, .filename, line) else { return }
            falsePositives.append(falsePositive)
        }
        result.iocs.append(
            IOC(
                group, expression, score: score, description: map["description"]?.scalar?.string ?? note,
                falsePositives: falsePositives, source: source, line: line))
    }

    private mutating func expression(
        _ value: String, _ map: Node.Mapping?, _ group: IOC.Group, _ line: Int?
    ) -> IOC.Expression? {
        let type = map?["type"]?.scalar?.string ?? "plain"
        guard type == "plain" || type == "regex" else {
            reject(line, "the type '\(type)' is neither 'plain' nor 'regex'")
            return nil
        }
        var expression = IOC.Expression(
            value, isRegex: type == "regex", isCaseless: !(map?["case_sensitive"]?.bool ?? false))
        var problem: String?
        switch group {
        case .hash:
            expression = .init(value.lowercased(), isCaseless: true)
            problem = hashProblem(expression.text)
        case .c2:
            expression = .init(normalised(c2: value), isCaseless: true)
            if NetworkTarget(expression.text) == nil { problem = NetworkTarget.problem(expression.text) }
        case .pipe:
            expression.text = pipeExpression(value).text
            problem = expressionProblem(expression)
        default:
            problem = expressionProblem(expression)
        }
        if let problem { reject(line, problem) }
        return problem == nil ? expression : nil
    }

    private func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: nil
        }
    }

    private func firstLine(of error: any Error) -> String {
        // Yams shows the place in the text on further lines.
        switch error as? YamlError {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        default: String("\(error)".prefix { $0 != "\n" })
        }
    }
}
