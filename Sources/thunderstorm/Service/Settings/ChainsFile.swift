import Pipeline
import Yams

/// The chains of a YAML map: name, then a list of stages, each a name or a map of one name with its options.
///
/// ```yaml
/// chains:
///   full: [file-type, decompress, {ioc: {disabled: [c2]}}, yara]
/// ```
public struct ChainsFile: Sendable {
    /// The chains in the order of the file.
    public private(set) var chains: [ChainConfiguration] = []

    /// Reads the chains of a file.
    ///
    /// - Throws: `ConfigurationError` naming file and line.
    public init(path: String) throws {
        let bytes: Bytes
        do {
            bytes = try ByteStore().read(file: path)
        } catch {
            throw ConfigurationError("chains file: \(error)")
        }
        try self.init(text: bytes.span.utf8Text, file: path)
    }

    /// Reads chains from text; `file` is for errors.
    ///
    /// - Throws: `ConfigurationError` naming file and line.
    public init(text: String, file: String) throws {
        guard let root = try composeYAML(text, file: file)?.mapping, let node = root["chains"] else {
            throw ConfigurationError(file: file, line: nil, "has no map 'chains' at its top level")
        }
        try self.init(node: node, file: file)
    }

    init(node: Node, file: String) throws {
        guard let map = node.mapping else {
            throw ConfigurationError(
                file: file, line: node.mark?.line, "'chains' must be a map of names to lists of stages")
        }
        for (key, value) in map {
            guard let name = key.string, let list = value.sequence else {
                throw ConfigurationError(
                    file: file, line: value.mark?.line ?? key.mark?.line, "a chain must be a list of stages")
            }
            chains.append(
                ChainConfiguration(name: name, file: file, stages: try list.map { try Self.stage($0, file: file) }))
        }
    }

    /// The chain with the given name.
    ///
    /// - Throws: `ConfigurationError` that lists the names there are.
    public func chain(named name: String) throws -> ChainConfiguration {
        guard let chain = chains.first(where: { $0.name == name }) else {
            throw ConfigurationError(
                "there is no chain '\(name)'; chains are: \(chains.map(\.name).joined(separator: ", "))")
        }
        return chain
    }

    private static func stage(_ node: Node, file: String) throws -> StageConfiguration {
        if let name = node.string { return StageConfiguration(name: name, line: node.mark?.line) }
        guard let map = node.mapping, map.count == 1, let (key, options) = map.first, let name = key.string,
            options.mapping != nil
        else {
            throw ConfigurationError(
                file: file, line: node.mark?.line, "a stage must be a name, or a map of one name to its options")
        }
        return StageConfiguration(name: name, line: key.mark?.line, options: YAMLOptions(options))
    }
}
