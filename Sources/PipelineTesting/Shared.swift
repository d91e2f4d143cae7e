import Glibc

/// Finds material that lies beside the project on the developers' machines and not in a user's clone.
///
/// A test that needs it is written `@Test(.enabled(if: Shared.directory("corpus/evtx") != nil, "no ../shared here"))`,
/// so that the run says that it was skipped and why.
public enum Shared {
    /// Path of `../shared/NAME`, nil when it is not there.
    public static func directory(_ name: String) -> String? {
        let path = packageRoot + "/../shared/" + name
        return unsafe access(path, R_OK) == 0 ? path : nil
    }

    /// Root of the package these tests were built from.
    public static let packageRoot: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()

    /// All regular files below a directory, sorted by path; links are not followed.
    public static func files(below directory: String) -> [String] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var found: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            let path = directory + "/" + name
            switch unsafe Int32(entry.pointee.d_type) {
            case Int32(DT_DIR): found += files(below: path)
            case Int32(DT_REG): found.append(path)
            default: continue
            }
        }
        return found.sorted()
    }
}
