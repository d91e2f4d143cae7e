// Chains as data: what a chains file says, before stages are built. Reading YAML is the service's business; here are
// the values and the checks.

/// Options of one stage as they were written, decoded when the stage is built.
public protocol OptionSource: Sendable {
    /// Keys that were written, with their lines (nil if the source has no lines).
    var keys: [(name: String, line: Int?)] { get }

    /// The options as a value.
    func decode<T: Decodable>(_ type: T.Type) throws -> T
}

/// One stage of a chain as it was written.
public struct StageConfiguration: Sendable {
    /// Name of the stage.
    public let name: String
    /// Line in the chains file; nil if it was not read from one.
    public let line: Int?
    /// Options; nil if none were written.
    public let options: (any OptionSource)?

    /// A stage with its options.
    public init(name: String, line: Int? = nil, options: (any OptionSource)? = nil) {
        self.name = name
        self.line = line
        self.options = options
    }
}

/// A chain as it was written.
public struct ChainConfiguration: Sendable {
    /// Name of the chain.
    public let name: String
    /// File it is from, for errors.
    public let file: String
    /// Stages in order.
    public let stages: [StageConfiguration]

    /// A chain of stages.
    public init(name: String, file: String, stages: [StageConfiguration]) {
        self.name = name
        self.file = file
        self.stages = stages
    }
}

/// A configuration that cannot work: names the file and line, and what would.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence, with the remedy.
    public let description: String

    /// An error with its sentence.
    public init(_ description: String) { self.description = description }

    /// An error at a line of a file.
    public init(file: String, line: Int?, _ message: String) {
        description = "\(file)\(line.map { ":\($0)" } ?? ""): \(message)"
    }
}
