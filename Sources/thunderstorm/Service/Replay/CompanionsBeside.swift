import Pipeline

/// The files beside a file that belong to it, read.
///
/// - Throws: `SystemError` when one is there but cannot be read.
public func companionsBeside(_ path: String, byteStore: ByteStore) throws(SystemError) -> [Companion] {
    let name = Sample(path: path, bytes: .empty).name
    let folder = path.count > name.count ? String(path.dropLast(name.count)) : "./"
    let beside = try DirectoryWalk.names(in: folder).map { folder == "./" && !path.hasPrefix("./") ? $0 : folder + $0 }
    var found: [Companion] = []
    for position in CompanionIndex(beside).positions(of: path) {
        let other = beside[position]
        found.append(Companion(name: Sample(path: other, bytes: .empty).name, bytes: try byteStore.read(file: other)))
    }
    return found
}
