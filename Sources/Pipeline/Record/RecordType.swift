/// What kind of record a parser emits, and how it is shown.
///
/// Names are those of jsonlog v3 (`eventlog entry`, `log line`, `registry value`).
public struct RecordType: Sendable, Hashable {
    /// The type's name as it is shown.
    public let name: String
    /// Feature name in events (`EVTX`, `LogScan`).
    public let module: String
    /// Name of the map that holds the fields (`entry`); nil when the fields stand beside `type`.
    public let container: String?
    /// Fields whose value is a number in JSON.
    public let numbers: Set<String>
    /// Fields whose value is true or false in JSON.
    public let booleans: Set<String>
    /// Fields that may be repeated and are a list in JSON.
    public let lists: Set<String>

    /// A record type.
    public init(
        _ name: String, module: String, container: String? = nil, numbers: Set<String> = [],
        booleans: Set<String> = [], lists: Set<String> = []
    ) {
        self.name = name
        self.module = module
        self.container = container
        self.numbers = numbers
        self.booleans = booleans
        self.lists = lists
    }

    /// JSON pointer of a field (RFC 6901).
    public func pointer(to key: String) -> String {
        var escaped = ""
        for character in key.unicodeScalars {
            switch character {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return container.map { "/\($0)/\(escaped)" } ?? "/\(escaped)"
    }

    /// Types are equal if their names are.
    public static func == (left: RecordType, right: RecordType) -> Bool { left.name == right.name }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
