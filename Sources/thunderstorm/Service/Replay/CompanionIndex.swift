import Pipeline

/// Which files of a walk belong together: a registry hive and its transaction logs, a recycle bin's `$I` and `$R`.
struct CompanionIndex {
    private let byLowerPath: [String: String]

    init(_ paths: [String]) {
        byLowerPath = Dictionary(paths.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Paths of the files that belong to the file at `path`.
    func paths(of path: String) -> [String] {
        let lower = path.lowercased()
        var wanted = [".log", ".log1", ".log2"].map { lower + $0 }
        let name = Sample(path: lower, bytes: .empty).name
        if name.hasPrefix("$i") { wanted.append(lower.dropLast(name.count) + "$r" + name.dropFirst(2)) }
        return wanted.compactMap { byLowerPath[$0] }
    }
}

/// The files beside a file that belong to it, read.
///
/// - Throws: `SystemError` when one is there but cannot be read.
public func companionsBeside(_ path: String, byteStore: ByteStore) throws(SystemError) -> [Companion] {
    let name = Sample(path: path, bytes: .empty).name
    let folder = path.count > name.count ? String(path.dropLast(name.count)) : "./"
    let beside = try DirectoryWalk.names(in: folder).map { folder == "./" && !path.hasPrefix("./") ? $0 : folder + $0 }
    var found: [Companion] = []
    for other in CompanionIndex(beside).paths(of: path) {
        found.append(Companion(name: Sample(path: other, bytes: .empty).name, bytes: try byteStore.read(file: other)))
    }
    return found
}
