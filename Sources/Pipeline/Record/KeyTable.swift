/// The field names of a submission's records, each with a small number.
///
/// Parsers of formats with many records intern a name once and use its number; matchers keep what they know of a
/// name under its number. A table belongs to one submission and one thread.
public final class KeyTable {
    /// Number of a field name, valid for one table.
    public struct ID: Hashable, Sendable {
        /// Position in the table.
        public let index: Int

        @usableFromInline
        init(index: Int) { self.index = index }
    }

    /// Names that one table takes; a file with more of them gets a fresh table (`RecordBatch.keys` changes).
    static let limit = 16_384

    private var ids: [String: ID] = [:]
    private var names: [String] = []

    /// An empty table, for parsers that are used without a batch.
    public init() {}

    /// Number of names.
    public var count: Int { names.count }

    /// The number of a name, given now if it is new.
    public func id(of name: String) -> ID {
        if let known = ids[name] { return known }
        let id = ID(index: names.count)
        names.append(name)
        ids[name] = id
        return id
    }

    /// The number that was given as the `index`th, counted from 0.
    public func id(at index: Int) -> ID { ID(index: index) }

    /// The name of a number; empty for a number of another table.
    public func name(of id: ID) -> String { id.index < names.count ? names[id.index] : "" }
}
