/// The stages that chains can be made of.
public struct StageRegistry: Sendable {
    /// Stage types, in the order in which they are documented.
    public let stages: [any Stage.Type]

    /// A registry of the given stages.
    public init(_ stages: [any Stage.Type]) { self.stages = stages }

    /// Builds a chain, without what the environment switches off.
    ///
    /// - Throws: `ConfigurationError` naming file, line and what exists, for an unknown stage or option, a bad value,
    ///   or a stage that cannot be built.
    public func makeChain(
        _ configuration: ChainConfiguration, environment: StageEnvironment, scoring: Scoring = Scoring()
    ) throws -> Chain {
        guard !configuration.stages.isEmpty else {
            throw ConfigurationError(
                file: configuration.file, line: nil,
                "chain '\(configuration.name)' has no stages; stages are: \(names)")
        }
        let written = configuration.stages.filter { !environment.exclusions.excludes(stage: $0.name) }
        guard !written.isEmpty else {
            throw ConfigurationError("--exclude leaves no stage of chain '\(configuration.name)'")
        }
        let boxes = try written.map { stage in
            guard let type = stages.first(where: { $0.descriptor.name == stage.name }) else {
                throw ConfigurationError(
                    file: configuration.file, line: stage.line,
                    "chain '\(configuration.name)' names the unknown stage '\(stage.name)'; stages are: \(names)")
            }
            return try build(type, stage, configuration, environment)
        }
        return Chain(name: configuration.name, stages: boxes, scoring: scoring, exclusions: environment.exclusions)
    }

    /// Names that `--exclude` takes whatever signatures are loaded: stages and heuristics.
    public var excludableNames: [String] {
        stages.flatMap { [$0.descriptor.name] + $0.descriptor.heuristics.map(\.id) }
    }

    private var names: String { stages.map { $0.descriptor.name }.sorted().joined(separator: ", ") }

    private func build<S: Stage>(
        _ type: S.Type, _ written: StageConfiguration, _ chain: ChainConfiguration, _ environment: StageEnvironment
    ) throws -> StageBox {
        let known = S.descriptor.options.map(\.name)
        for key in written.options?.keys ?? [] where !known.contains(key.name) {
            let hint = known.isEmpty ? "it has none" : "options are: \(known.joined(separator: ", "))"
            throw ConfigurationError(
                file: chain.file, line: key.line ?? written.line,
                "stage '\(written.name)' does not know the option '\(key.name)'; \(hint)")
        }
        let options: S.Options
        do {
            options = try (written.options ?? EmptyOptions()).decode(S.Options.self)
        } catch {
            throw ConfigurationError(
                file: chain.file, line: written.line, "stage '\(written.name)' cannot read its options: \(error)")
        }
        do {
            return TypedStageBox(try S(options: options, environment: environment))
        } catch {
            throw ConfigurationError(
                file: chain.file, line: written.line, "stage '\(written.name)' cannot start: \(error)")
        }
    }
}

/// No options were written: every option takes its default.
struct EmptyOptions: OptionSource, Decoder {
    var keys: [(name: String, line: Int?)] { [] }
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try T(from: self) }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Container<Key>())
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Self.missing }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Self.missing }

    private static var missing: ConfigurationError { ConfigurationError("options must be a map") }

    private struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { [] }

        func contains(_ key: Key) -> Bool { false }

        func decodeNil(forKey key: Key) throws -> Bool { true }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            throw ConfigurationError("the option '\(key.stringValue)' is required")
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { throw EmptyOptions.missing }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            throw EmptyOptions.missing
        }

        func superDecoder() throws -> any Decoder { throw EmptyOptions.missing }

        func superDecoder(forKey key: Key) throws -> any Decoder { throw EmptyOptions.missing }
    }
}
