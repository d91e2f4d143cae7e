import Glibc
import Pipeline

// A folder that is scanned may be an unpacked triage collection, one host of many, or a tree of kept samples by host:
// the same layouts as in archives, told from absolute paths, so that it does not matter which folder of the tree was
// named.

/// Where the files of a walk lay on their hosts.
struct CollectedFiles: Sendable {
    private let triage: TriageCollections
    /// Names for finding files that belong together.
    let companionNames: [String]

    /// Looks at the paths of all files.
    init(_ paths: [String]) {
        let names = paths.map(Self.absolute)
        triage = TriageCollections(
            names, container: "", checkpoint: {},
            read: { wanted in
                var found: [Int: Bytes] = [:]
                for position in wanted {
                    guard let file = try? FileContent(path: paths[position]) else { continue }
                    found[position] = try? file.read(at: 0, count: min(TriageCollections.hostFileLimit, file.count))
                }
                return found
            })
        companionNames = triage.companionNames(names)
    }

    /// The collections, in the order of their first files.
    var collections: [TriageCollections.Collection] { triage.collections }

    /// More folders looked like collections than are considered.
    var isCut: Bool { triage.isCut }

    /// Where a file lay on its host; nil when that is not known.
    func path(of position: Int) -> String? { triage.path(of: position) }

    /// Name of the host that a file was collected from; nil when that is not known.
    func host(of position: Int) -> String? { triage.collection(of: position)?.origin.host }

    // Links are left as they are: the walk does not follow them, and the name that was given may be the host's.
    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return (workingDirectory ?? "") + "/" + path
    }

    private static let workingDirectory: String? = {
        guard let path = unsafe getcwd(nil, 0) else { return nil }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }()
}
