/// Which files of a walk or an archive belong together: a registry hive and its transaction logs, a recycle bin's `$I`
/// and `$R`.
public struct CompanionIndex: Sendable {
    private let positions: [String: Int]
    private let paths: [String]

    /// An index over the paths of all files; of equal paths (case does not count) the first one is kept.
    public init(_ paths: [String]) {
        self.paths = paths
        positions = Dictionary(
            paths.enumerated().map { ($0.element.lowercased(), $0.offset) }, uniquingKeysWith: { first, _ in first })
    }

    /// Positions of the files that belong to the file at a position, in a fixed order.
    public func positions(ofPosition position: Int) -> [Int] {
        paths.indices.contains(position) ? positions(of: paths[position]) : []
    }

    /// Positions of the files that belong to the file at `path`, in a fixed order.
    public func positions(of path: String) -> [Int] {
        let lower = path.lowercased()
        var found = [".log", ".log1", ".log2"].compactMap { positions[lower + $0] }
        let name = pathName(lower)
        if name.hasPrefix("$i"), let other = positions[lower.dropLast(name.count) + "$r" + name.dropFirst(2)] {
            found.append(other)
        }
        return found
    }
}
