// Folders that may be collections, gathered from all names: what hints at a layout, and what proves it.

struct TriageCandidates {
    private struct Candidate {
        let first: Int
        var hasUploads = false
        var hasDrives = false
        var hasRootFolder = false
        // An encoded drive below `uploads`, or what only Windows has below a drive folder.
        var isProvenUploads = false
        var isProvenDrives = false
        // Files that the collectors write themselves.
        var velociraptor = false
        var uac = false
        var kape = false
        var cylr = false
        var hostFile: Int?
    }

    // Hints that one name may give: a hostile one has hundreds of folders named by one letter.
    private static let hintLimit = 4
    private static let rootLimit = 1024

    private(set) var isCut = false
    private var candidates: [String: Candidate] = [:]

    /// Takes in one name.
    mutating func consider(_ name: String, at position: Int, depthLimit: Int) {
        let parts = TriageName.parts(name)
        guard let last = parts.last else { return }
        var hints = 0
        for (depth, part) in parts.dropLast().prefix(depthLimit).enumerated() where hints < Self.hintLimit {
            let rest = parts[(depth + 1)...]
            if let drive = TriageName.drive(part) {
                hints += 1
                note(name, part, position) {
                    $0.hasDrives = true
                    if !$0.isProvenDrives { $0.isProvenDrives = WindowsEvidence.isThere(rest, drive) }
                }
            } else if part.elementsEqual("uploads".utf8), rest.count > 1, TriageName.isAccessor(rest.first) {
                hints += 1
                let isEncoded = TriageName.isEncodedVolume(rest[depth + 2])
                note(name, part, position) {
                    $0.hasUploads = true
                    if isEncoded { $0.isProvenUploads = true }
                }
            } else if part.elementsEqual("[root]".utf8) {
                hints += 1
                note(name, part, position) { $0.hasRootFolder = true }
            } else if part.elementsEqual("live_response".utf8) || part.elementsEqual("bodyfile".utf8) {
                hints += 1
                let isHostFile = rest.count == 2 && last.elementsEqual("hostname.txt".utf8)
                note(name, part, position) {
                    $0.uac = true
                    if isHostFile, $0.hostFile == nil { $0.hostFile = position }
                }
            }
        }
        considerLogs(name, last, position)
    }

    private mutating func considerLogs(_ name: String, _ last: TriageName.Part, _ position: Int) {
        let text = Substring(last)
        switch text {
        case "client_info.json":
            note(name, last, position) {
                $0.velociraptor = true
                $0.hostFile = position
            }
        case "collection_context.json", "uploads.json": note(name, last, position) { $0.velociraptor = true }
        case "uac.log": note(name, last, position) { $0.uac = true }
        default:
            if text.hasSuffix("_CopyLog.csv") || text.hasSuffix("_SkipLog.csv") || text.hasSuffix("_ConsoleLog.txt") {
                note(name, last, position) { $0.kape = true }
            } else if TriageName.isCyLRLog(last) {
                note(name, last, position) { $0.cylr = true }
            }
        }
    }

    private mutating func note(
        _ name: String, _ part: TriageName.Part, _ position: Int, _ change: (inout Candidate) -> Void
    ) {
        let root = String(name[..<part.startIndex])
        guard root.utf8.count <= Self.rootLimit else { return }
        if candidates[root] == nil {
            guard candidates.count < TriageCollections.candidateLimit else {
                isCut = true
                return
            }
            candidates[root] = Candidate(first: position)
        }
        if var candidate = candidates[root] {
            change(&candidate)
            candidates[root] = candidate
        }
    }

    /// Those that are collections, in the order of their first files.
    func recognised(container: String) -> [TriageCollections.Collection] {
        candidates.sorted { ($0.value.first, $0.key) < ($1.value.first, $1.key) }.compactMap { root, found in
            let folder = TriageHost.lastFolder(of: root) ?? container
            let uploads = found.hasUploads && (found.isProvenUploads || found.velociraptor)
            let rootFolder = found.hasRootFolder && (found.uac || folder.lowercased().hasPrefix("uac-"))
            let drives = found.hasDrives && (found.isProvenDrives || found.kape || found.cylr)
            let unixTree = found.cylr && !found.hasDrives
            let collector: TriageCollector
            if uploads {
                collector = .velociraptor
            } else if rootFolder {
                collector = .uac
            } else if drives {
                collector = found.kape ? .kape : found.cylr ? .cylr : .driveFolders
            } else if unixTree {
                collector = .cylr
            } else {
                return nil
            }
            return TriageCollections.Collection(
                origin: TriageOrigin(collector: collector, host: nil), root: root, hasUploads: uploads,
                hasDrives: drives, hasRootFolder: rootFolder, isUnixTree: unixTree,
                hostFile: uploads || rootFolder ? found.hostFile : nil)
        }
    }
}

// What lies below a drive folder of a Windows system, and hardly anywhere else.
private enum WindowsEvidence {
    private static let single: [String] = ["$mft", "$logfile", "$boot", "pagefile.sys", "hiberfil.sys"]
    private static let folders: [(String, [String])] = [
        ("windows", ["system32", "syswow64", "prefetch", "appcompat", "servicing"]),
        ("programdata", ["microsoft"]),
    ]
    private static let profile = ["ntuser.dat", "appdata", "local settings", "application data"]

    static func isThere(_ rest: ArraySlice<TriageName.Part>, _ drive: TriageName.Drive) -> Bool {
        let parts = rest.prefix(3).map { part in
            (drive.isEncoded ? TriageName.decoded(part) : nil) ?? String(Substring(part))
        }.map { $0.lowercased() }
        guard let first = parts.first else { return false }
        if rest.count == 1 { return single.contains(first) }
        if first == "$extend" || first == "$recycle.bin" { return true }
        for (folder, below) in folders where first == folder { return below.contains(parts[1]) }
        return (first == "users" || first == "documents and settings") && parts.count > 2 && profile.contains(parts[2])
    }
}
