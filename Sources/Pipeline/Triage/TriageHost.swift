// The host's name: from a file of the collector that holds it, the folder that the collection lies in, or the name of
// the archive as the collector gives it.

enum TriageHost {
    // Names that people give to folders and archives, not to hosts.
    private static let generic: Set<String> = [
        "archive", "artefacts", "artifacts", "backup", "c", "case", "cases", "collection", "collections", "copy",
        "cylr",
        "data", "desktop", "disk", "documents", "downloads", "drive", "dump", "evidence", "export", "extracted",
        "files",
        "forensics", "home", "image", "images", "kape", "kapetriage", "lab", "media", "mnt", "mount", "opt", "out",
        "output", "root", "results", "samples", "sans_triage", "share", "shared", "src", "srv", "system", "target",
        "targets", "tdest", "temp", "test", "tests", "tmp", "tout", "tree", "triage", "upload", "uploads", "users",
        "var",
        "velociraptor", "vfs", "volume", "volumes", "win", "windows", "work", "zip",
    ]
    private static let archiveSuffixes = [".zip", ".7z", ".tar", ".tgz", ".gz", ".xz", ".zst", ".bz2", ".rar"]

    /// The host of a collection; nil when nothing names it.
    static func name(
        of collection: TriageCollections.Collection, _ container: String, _ hostFile: Bytes?
    ) -> String? {
        let names = [lastFolder(of: collection.root), container].compactMap { $0 }
        switch collection.origin.collector {
        case .velociraptor:
            return hostFile.flatMap(velociraptorClient) ?? names.lazy.compactMap(velociraptorName).first
                ?? lastFolder(of: collection.root).flatMap { isVelociraptorID($0) ? nil : plain($0) }
        case .uac:
            return names.lazy.compactMap(uacName).first ?? hostFile.flatMap(firstLine)
        case .kape:
            return lastFolder(of: collection.root).flatMap { kapeName($0) ?? plain($0) } ?? kapeName(container)
        case .cylr:
            return lastFolder(of: collection.root).flatMap(plain) ?? plain(stem(container))
        case .driveFolders:
            return lastFolder(of: collection.root).flatMap { kapeName($0) ?? plain($0) } ?? kapeName(container)
        }
    }

    /// The last folder of a collection's root; nil at the top.
    static func lastFolder(of root: String) -> String? {
        TriageName.parts(root).last { !$0.elementsEqual(".".utf8) }.map { String(Substring($0)) }
    }

    // A name that can be a host's, and is not one that people give to folders.
    private static func plain(_ name: String) -> String? {
        isHost(name) && !generic.contains(name.lowercased()) ? name : nil
    }

    private static func isHost(_ name: String) -> Bool {
        guard (2...253).contains(name.utf8.count), let first = name.utf8.first, isAlphanumeric(first) else {
            return false
        }
        return name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }
            && name.utf8.contains { !(0x30...0x39).contains($0) && $0 != 0x2E && $0 != 0x2D && $0 != 0x5F }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func stem(_ name: String) -> String {
        var stem = name
        while let suffix = archiveSuffixes.first(where: { stem.lowercased().hasSuffix($0) }),
            stem.utf8.count > suffix.utf8.count
        {
            stem.removeLast(suffix.count)
        }
        return stem
    }

    // `Collection-HOST-2024-01-02T03_04_05Z`.
    private static func velociraptorName(_ name: String) -> String? {
        let stem = stem(name)
        guard stem.hasPrefix("Collection-") else { return nil }
        let parts = stem.dropFirst(11).split(separator: "-", omittingEmptySubsequences: false)
        let host = parts.prefix { !($0.count == 4 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }) }
        guard host.count < parts.count else { return nil }
        return plain(host.joined(separator: "-"))
    }

    // Clients, flows and hunts have folders of their own: `C.4f5e52adf0a337a9`, `F.BN2HJCPOF5U7U`.
    private static func isVelociraptorID(_ name: String) -> Bool {
        ["C.", "F.", "H."].contains { name.hasPrefix($0) }
    }

    // `uac-HOST-OS-20240102030405`.
    private static func uacName(_ name: String) -> String? {
        let parts = stem(name).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts.first?.lowercased() == "uac", let time = parts.last, time.count == 14,
            time.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return plain(parts.dropFirst().dropLast(2).joined(separator: "-"))
    }

    // `2024-01-02T030405_HOST` or `2024-01-02T03_04_05_1234567_HOST`: the name is the operator's, mostly the host's.
    private static func kapeName(_ name: String) -> String? {
        let parts = stem(name).split(separator: "_", omittingEmptySubsequences: false)
        guard let day = parts.first, day.utf8.count >= 11, day.dropFirst(10).first == "T",
            day.prefix(10).split(separator: "-").map(\.count) == [4, 2, 2]
        else { return nil }
        let rest = parts.dropFirst().drop { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        return plain(rest.joined(separator: "_"))
    }

    // `"Hostname": "…"` of client_info.json.
    private static func velociraptorClient(_ bytes: Bytes) -> String? {
        let span = bytes.span
        for key in ["\"Hostname\"", "\"hostname\"", "\"Fqdn\"", "\"fqdn\""] {
            guard let start = span.firstOffset(of: Array(key.utf8)) else { continue }
            var offset = start + key.utf8.count
            var value: [UInt8] = []
            var quotes = 0
            while let byte = span.uint8(at: offset), quotes < 2, value.count <= 253 {
                offset += 1
                if byte == 0x22 {
                    quotes += 1
                } else if quotes == 1 {
                    value.append(byte)
                } else if byte != 0x3A && byte > 0x20 {
                    break
                }
            }
            let text = String(decoding: value, as: UTF8.self)
            if quotes == 2, isHost(text) { return text }
        }
        return nil
    }

    private static func firstLine(_ bytes: Bytes) -> String? {
        let line = bytes.prefix(256).array.prefix { $0 > 0x20 }
        let text = String(decoding: line, as: UTF8.self)
        return isHost(text) ? text : nil
    }
}
