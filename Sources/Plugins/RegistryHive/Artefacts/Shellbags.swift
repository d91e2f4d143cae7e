import LNK
public import Pipeline

// Folders that a user has opened in Explorer: `BagMRU` in a user's hive and in that of his classes. Each value holds
// one shell item, the subkey of the same number the items below it. Format after the libyal winreg-kb article "Shell
// bags" and Y. Zhu, P. Gladyshev, J. James, "Using shellbag information to reconstruct user activities".

/// A folder that a user has opened.
public struct Shellbag: Sendable, Equatable {
    /// Path through the shell's name space, steps joined by `\`.
    public var path: String
    /// The last step alone.
    public var name: String
    /// Last change of the folder as Explorer saw it.
    public var modified: Timestamp?
    /// When it was opened last; known only for the last one in each folder.
    public var accessed: Timestamp?
    /// Position of the value in the hive, in bytes.
    public var offset: Int
}

extension Hive {
    private static let bagRoots = [
        "Software\\Microsoft\\Windows\\Shell\\BagMRU", "Software\\Microsoft\\Windows\\ShellNoRoam\\BagMRU",
        "Software\\Classes\\Local Settings\\Software\\Microsoft\\Windows\\Shell\\BagMRU",
        "Local Settings\\Software\\Microsoft\\Windows\\Shell\\BagMRU",
        "Local Settings\\Software\\Microsoft\\Windows\\ShellNoRoam\\BagMRU",
        "Wow6432Node\\Local Settings\\Software\\Microsoft\\Windows\\Shell\\BagMRU",
    ]
    // Deeper than any path that Explorer can open.
    private static let bagDepth = 128

    /// Calls `body` for each folder in a user's hive or that of his classes.
    public func eachShellbag<E: Error>(_ body: (Shellbag) throws(E) -> Void) throws(E) {
        var seen = CellSet(fileSize: bytes.count)
        for root in Self.bagRoots {
            guard let key = key(at: root) else { continue }
            var open: [(key: HiveKey, path: String, depth: Int)] = [(key, "", 0)]
            while let (folder, path, depth) = open.popLast() {
                guard seen.insert(folder.offset) else { continue }
                let newest = newestItem(of: folder)
                var found: [(key: HiveKey, path: String, depth: Int)] = []
                try eachValue(of: folder) { value throws(E) in
                    guard let number = UInt32(name(of: value)), let item = item(value) else { return true }
                    let below = path.isEmpty || path.hasSuffix("\\") ? path + item.name : path + "\\" + item.name
                    try body(
                        Shellbag(
                            path: below, name: item.name, modified: item.modified,
                            accessed: number == newest ? folder.lastWritten : nil, offset: value.offset))
                    if depth < Self.bagDepth, let subkey = self.key(at: String(number), below: folder) {
                        found.append((subkey, below, depth + 1))
                    }
                    return true
                }
                open += found.reversed()
            }
        }
    }

    // The list of the most recently used begins with the newest one.
    private func newestItem(of folder: HiveKey) -> UInt32? {
        guard let value = value("MRUListEx", of: folder), let data = bytes(of: value, limit: 4) else { return nil }
        return data.rawSpan.uint32(at: 0)
    }

    private func item(_ value: HiveValue) -> ShellItem? {
        guard value.type == ValueType.binary, let data = bytes(of: value, limit: 64 << 10) else { return nil }
        return ShellItem.list(data.rawSpan).first
    }
}

/// Emits shellbags as records.
enum ShellbagRecords {
    static let type = RecordType("shellbag entry", module: "RegistryHive")

    static func emit(_ hive: Hive, _ out: inout Output) throws(StageError) {
        try hive.eachShellbag { bag throws(StageError) in
            try out.emit(type, offset: bag.offset) { builder in
                builder.field("path", bag.path)
                builder.field("name", bag.name)
                builder.field("date_access", bag.accessed)
                builder.field("date_modified", bag.modified)
            }
        }
    }
}
