import Pipeline
import Yams

/// Options of a stage from a YAML map, with the lines of their keys.
struct YAMLOptions: OptionSource, @unchecked Sendable {  // A parsed node is never changed after this value is made.
    private let node: Node

    init(_ node: Node) { self.node = node }

    /// These options with one of them set.
    func setting(_ name: String, to value: String) -> YAMLOptions {
        var map = node.mapping ?? Node.Mapping([])
        map[Node(name)] = Node(value)
        return YAMLOptions(Node.mapping(map))
    }

    var keys: [(name: String, line: Int?)] {
        (node.mapping.map(Array.init) ?? []).map { ($0.key.string ?? "?", $0.key.mark?.line) }
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        do {
            return try YAMLDecoder().decode(type, from: node)
        } catch let error as DecodingError {
            throw ConfigurationError(Self.sentence(error))
        }
    }

    static func sentence(_ error: DecodingError) -> String {
        let (path, text) =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context.codingPath, context.debugDescription)
            case .keyNotFound(let key, let context):
                (context.codingPath, "the key '\(key.stringValue)' is required")
            @unknown default: ([] as [any CodingKey], "\(error)")
            }
        let name = path.map(\.stringValue).joined(separator: ".")
        return name.isEmpty ? text : "'\(name)': \(text)"
    }
}

/// Reads YAML text into a node.
///
/// - Throws: `ConfigurationError` with file, line and what the parser says.
func composeYAML(_ text: String, file: String) throws -> Node? {
    do {
        return try Yams.compose(yaml: text)
    } catch let error as YamlError {
        throw ConfigurationError("\(file): \(error.description.split(separator: "\n").joined(separator: " "))")
    }
}
