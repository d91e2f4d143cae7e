// Triage collectors copy files of a host into an archive or a folder, each in a layout of its own. The names of all
// files together tell which collector it was; the name of one file then tells where it lay on the host. Nothing is
// taken for a collection because of a folder named `C` alone: what only a Windows system has must lie in it, or a log
// of the collector beside it. Whoever owns the host owns the names below its folders, so only the outermost
// collection counts, and a name that is no path of a host stays as it is.
//
// Sources: Velociraptor, docs.velociraptor.app, "Offline collections" (uploads/ACCESSOR, client_info.json) and
// "Accessors" (escaping of components); UAC, tclahr.github.io/uac-docs, "Output file format" ([root]); KAPE,
// ericzimmerman.github.io/KapeDocs (drive folders, CopyLog); CyLR, github.com/orlikoski/CyLR (log in the archive).

/// The triage collections among the files of an archive or a folder, and where each file lay on its host.
public struct TriageCollections: Sendable {
    /// One collection.
    public struct Collection: Sendable, Equatable {
        /// Collector and host.
        public internal(set) var origin: TriageOrigin
        /// Folder that it lies in, as it begins the names, with a separator at its end; empty for the top.
        public let root: String
        /// Files that belong to it.
        public internal(set) var files = 0
        /// Those of which it is known where they lay on the host.
        public internal(set) var restored = 0
        /// Those whose names do not decode to a path of the host; they are positions in the list of names.
        public internal(set) var unrestorable: [Int] = []
        /// Files that claim the same path as another one.
        public internal(set) var samePaths = 0
        let hasUploads: Bool
        let hasDrives: Bool
        let hasRootFolder: Bool
        let isUnixTree: Bool
        let hostFile: Int?
    }

    /// Most folders of one list of names that are considered.
    public static let candidateLimit = 10_000
    /// Most bytes of a file that tells the host's name.
    public static let hostFileLimit = 64 << 10
    // Most files of that kind that are read.
    private static let hostFileCount = 1000
    // Deepest folder that a collection may begin in.
    private static let depthLimit = 64

    /// The collections, in the order of their first files.
    public private(set) var collections: [Collection] = []
    /// More folders looked like collections than are considered.
    public private(set) var isCut = false
    private var owners: [Int32] = []
    private var paths: [Int: String] = [:]

    /// Looks for collections.
    ///
    /// - Parameters:
    ///   - names: Names of all files, separated by `/` or `\`, in any order.
    ///   - container: Name of the archive or folder that holds them, without directories; it may name the host.
    ///   - checkpoint: Called in loops over the names.
    ///   - read: Gives the first `hostFileLimit` bytes of the files at the positions, as far as they can be read.
    /// - Throws: what the closures throw.
    public init<E: Error>(
        _ names: [String], container: String, checkpoint: () throws(E) -> Void,
        read: ([Int]) throws(E) -> [Int: Bytes]
    ) throws(E) {
        var candidates = TriageCandidates()
        for (position, name) in names.enumerated() {
            if position & 0xFF == 0 { try checkpoint() }
            candidates.consider(name, at: position, depthLimit: Self.depthLimit)
        }
        isCut = candidates.isCut
        collections = candidates.recognised(container: container)
        guard !collections.isEmpty else { return }
        let byRoot = Dictionary(
            collections.enumerated().map { ($0.element.root, $0.offset) }, uniquingKeysWith: { first, _ in first })
        owners = Array(repeating: -1, count: names.count)
        var taken: Set<String> = []
        for (position, name) in names.enumerated() {
            if position & 0xFF == 0 { try checkpoint() }
            assign(name, position, byRoot, &taken)
        }
        // A folder inside a collection is none of its own, and one without files of a host tells nothing.
        let empty = collections.indices.filter { collections[$0].restored == 0 }
        if !empty.isEmpty { drop(Set(empty)) }
        let hostFiles = Array(Set(collections.compactMap(\.hostFile)).sorted().prefix(Self.hostFileCount))
        let contents = hostFiles.isEmpty ? [:] : try read(hostFiles)
        for index in collections.indices {
            let content = collections[index].hostFile.flatMap { contents[$0] }
            collections[index].origin.host = TriageHost.name(of: collections[index], container, content)
        }
    }

    /// The collection that the file at a position belongs to; nil if there is none.
    public func collection(of position: Int) -> Collection? {
        guard owners.indices.contains(position), owners[position] >= 0 else { return nil }
        return collections[Int(owners[position])]
    }

    /// Where the file at a position lay on its host: `C:\Users\…` or `/etc/…`; nil when it is not known.
    public func path(of position: Int) -> String? { paths[position] }

    /// The names with restored paths instead, each behind its collection's folder: files that belong together have
    /// paths that differ in the end only, and those of two hosts differ from the start.
    public func companionNames(_ names: [String]) -> [String] {
        if collections.isEmpty { return names }
        return names.enumerated().map { position, name in
            guard let path = paths[position], let collection = collection(of: position) else { return name }
            return collection.root + "\u{0}" + path
        }
    }

    private mutating func assign(
        _ name: String, _ position: Int, _ byRoot: [String: Int], _ taken: inout Set<String>
    ) {
        let parts = TriageName.parts(name)
        for (depth, part) in parts.prefix(Self.depthLimit).enumerated() {
            guard let index = byRoot[String(name[..<part.startIndex])] else { continue }
            // The outermost one has it, unless it is a file of the collector: that may be another collection.
            if owners[position] < 0 { owners[position] = Int32(index) }
            switch TriageName.path(name, parts[depth...], in: collections[index]) {
            case .notOfTheHost: continue
            case .unrestorable: collections[index].unrestorable.append(position)
            case .restored(let path):
                paths[position] = path
                collections[index].restored += 1
                let key = "\(index)\u{0}" + (path.hasPrefix("/") ? path : path.lowercased())
                if !taken.insert(key).inserted { collections[index].samePaths += 1 }
            }
            owners[position] = Int32(index)
            break
        }
        if owners[position] >= 0 { collections[Int(owners[position])].files += 1 }
    }

    private mutating func drop(_ dropped: Set<Int>) {
        var kept: [Collection] = []
        var numbers: [Int32] = []
        for (index, collection) in collections.enumerated() {
            numbers.append(dropped.contains(index) ? -1 : Int32(kept.count))
            if !dropped.contains(index) { kept.append(collection) }
        }
        for position in owners.indices where owners[position] >= 0 {
            owners[position] = numbers[Int(owners[position])]
        }
        collections = kept
    }
}
