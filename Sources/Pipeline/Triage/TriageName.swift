// One name of a collection: its components, and the path on the host that it stands for.

enum TriageName {
    typealias Part = Substring.UTF8View

    /// A folder that stands for a drive.
    struct Drive {
        let letter: Character
        /// Names below it are percent-encoded.
        let isEncoded: Bool
    }

    /// What a name says about the place on the host.
    enum Place: Equatable {
        /// A file of the collector, not of the host.
        case notOfTheHost
        /// It should be a path of the host and is none.
        case unrestorable
        /// The path on the host.
        case restored(String)
    }

    // Longest path that is restored, in bytes.
    private static let pathLimit = 32 << 10
    // Accessors of Velociraptor whose paths are those of files; registry and process accessors have others.
    private static let accessors = [
        "auto", "file", "ntfs", "lazy_ntfs", "ntfs_vss", "mft", "fat", "ext4", "lazy_file", "raw_file", "vhdx", "ads",
    ]

    /// Components between `/` and `\`, without empty ones.
    static func parts(_ name: String) -> [Part] {
        name[...].utf8.split(whereSeparator: { $0 == 0x2F || $0 == 0x5C })
    }

    /// The drive that a folder stands for: `C`, `C:`, `C%3A`, or `C_` where a file system takes no colon.
    ///
    /// Small letters are none: `/mnt/c` is a mount, and a source tree has folders named `c`.
    static func drive(_ part: Part) -> Drive? {
        guard let first = part.first, (0x41...0x5A).contains(first) else { return nil }
        let letter = Character(Unicode.Scalar(first))
        let rest = part.dropFirst()
        if rest.isEmpty || rest.elementsEqual(":".utf8) || rest.elementsEqual("_".utf8) {
            return Drive(letter: letter, isEncoded: false)
        }
        let isEncoded = rest.elementsEqual("%3A".utf8) || rest.elementsEqual("%3a".utf8)
        return isEncoded ? Drive(letter: letter, isEncoded: true) : nil
    }

    static func isAccessor(_ part: Part?) -> Bool {
        guard let part else { return false }
        return accessors.contains { part.elementsEqual($0.utf8) }
    }

    /// Whether a folder is a drive or device as only Velociraptor writes it.
    static func isEncodedVolume(_ part: Part) -> Bool {
        if let drive = drive(part) { return drive.isEncoded }
        return part.first == 0x25 && decoded(part)?.hasPrefix(#"\\"#) == true
    }

    static func isCyLRLog(_ part: Part) -> Bool {
        let text = Substring(part)
        return text.hasPrefix("CyLR_Collection_Log_") && text.hasSuffix(".log")
    }

    /// The path on the host of a file in a collection.
    ///
    /// - Parameter parts: Components of the name below the collection's folder.
    static func path(
        _ name: String, _ parts: ArraySlice<Part>, in collection: TriageCollections.Collection
    ) -> Place {
        guard let first = parts.first, let last = parts.last else { return .notOfTheHost }
        let below = parts.dropFirst()
        if collection.hasUploads, first.elementsEqual("uploads".utf8), isAccessor(below.first), below.count > 1 {
            return uploaded(below.dropFirst())
        }
        if collection.hasDrives, let drive = drive(first), !below.isEmpty { return onDrive(drive, below) }
        if collection.hasRootFolder, first.elementsEqual("[root]".utf8), let start = below.first?.startIndex {
            return onUnix(name[start...])
        }
        if collection.isUnixTree, !(parts.count == 1 && isCyLRLog(last)) { return onUnix(name[first.startIndex...]) }
        return .notOfTheHost
    }

    private static func onDrive(_ drive: Drive, _ below: ArraySlice<Part>) -> Place {
        joined("\(drive.letter):", below.map { drive.isEncoded ? decoded($0) : String(Substring($0)) })
    }

    private static func uploaded(_ all: ArraySlice<Part>) -> Place {
        var parts = all
        // `\\.\C:` as some programs write it when they unpack: it was taken apart at its separators.
        if parts.first?.elementsEqual(".".utf8) == true, let second = parts.dropFirst().first, drive(second) != nil {
            parts = parts.dropFirst()
        }
        guard let first = parts.first, let volume = decoded(first) else { return .unrestorable }
        let rest = parts.dropFirst()
        if let drive = drive(volume[...].utf8), drive.isEncoded == false, volume.hasSuffix(":") {
            return joined("\(drive.letter):", rest.map(decoded))
        }
        if volume.hasPrefix(#"\\"#) {
            // `\\.\C:` is the drive; other devices (shadow copies) and shares stay in front.
            let device = volume.hasPrefix(#"\\.\"#) ? volume.dropFirst(4) : ""
            if device.count == 2, let drive = drive(device.utf8), device.hasSuffix(":") {
                return joined("\(drive.letter):", rest.map(decoded))
            }
            return isText(volume[...]) && !volume.contains("..") ? joined(volume, rest.map(decoded)) : .unrestorable
        }
        let names = parts.map(decoded)
        guard names.allSatisfy({ $0.map { isComponent($0, separators: "/") } ?? false }) else { return .unrestorable }
        return bounded("/" + names.compactMap { $0 }.joined(separator: "/"))
    }

    private static func joined(_ volume: String, _ parts: [String?]) -> Place {
        guard parts.allSatisfy({ $0.map { isComponent($0, separators: "/\\") } ?? false }) else {
            return .unrestorable
        }
        return bounded(volume + "\\" + parts.compactMap { $0 }.joined(separator: "\\"))
    }

    // Only `/` separates here: a `\` is part of a name.
    private static func onUnix(_ rest: Substring) -> Place {
        let parts = rest.utf8.split(separator: 0x2F).map { String(Substring($0)) }
        guard !parts.isEmpty, parts.allSatisfy({ isComponent($0, separators: "/") }) else { return .unrestorable }
        return bounded("/" + parts.joined(separator: "/"))
    }

    private static func bounded(_ path: String) -> Place {
        path.utf8.count <= pathLimit ? .restored(path) : .unrestorable
    }

    private static func isComponent(_ part: String, separators: String) -> Bool {
        part != "." && part != ".." && !part.isEmpty && isText(part[...])
            && !part.unicodeScalars.contains { separators.unicodeScalars.contains($0) }
    }

    private static func isText(_ text: Substring) -> Bool {
        !text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
    }

    /// A component without its percent escapes; nil when one is broken or the bytes are no UTF-8.
    static func decoded(_ part: Part) -> String? {
        guard part.contains(0x25) else { return String(Substring(part)) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(part.count)
        var rest = part[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
