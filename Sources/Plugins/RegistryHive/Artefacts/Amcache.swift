public import Pipeline

// Programs and drivers that Windows has catalogued, in `Amcache.hve`: the layout of Windows 8 (`Root\File`, values
// named by hexadecimal numbers) and that of Windows 10 (`Root\InventoryApplicationFile` and its sisters). Format after
// B. Lagny, "Analysis of the AmCache" (ANSSI, 2019), and the libyal winreg-kb article "AMCache".

/// One program or driver in the catalogue.
public struct AmcacheEntry: Sendable, Equatable {
    /// Path of the file.
    public var file: String
    /// SHA-1 in lower-case hexadecimal; of the first 31 MiB of the file only, if it is larger.
    public var sha1: String?
    /// Size in bytes.
    public var size: Int?
    /// Description of the file.
    public var description: String?
    /// When it was entered: last write of the entry's key.
    public var firstRun: Timestamp
    /// When the file was created (old layout), or linked (new layout, as the linker wrote it).
    public var created: Timestamp?
    /// Product it says it belongs to.
    public var product: String?
    /// Company it says it is from.
    public var company: String?
    /// Position of the key in the hive, in bytes.
    public var offset: Int
}

extension Hive {
    /// Calls `body` for each entry of an `Amcache.hve`.
    public func eachAmcacheEntry<E: Error>(_ body: (AmcacheEntry) throws(E) -> Void) throws(E) {
        if let files = key(at: "Root\\InventoryApplicationFile") {
            try eachSubkey(of: files) { key throws(E) in
                if let entry = applicationFile(key) { try body(entry) }
                return true
            }
        }
        if let drivers = key(at: "Root\\InventoryDriverBinary") {
            try eachSubkey(of: drivers) { key throws(E) in
                try body(driver(key))
                return true
            }
        }
        if let volumes = key(at: "Root\\File") {
            try eachSubkey(of: volumes) { volume throws(E) in
                try eachSubkey(of: volume) { key throws(E) in
                    if let entry = oldFile(key) { try body(entry) }
                    return true
                }
                return true
            }
        }
    }

    private func applicationFile(_ key: HiveKey) -> AmcacheEntry? {
        guard let path = filled("LowerCaseLongPath", key) ?? filled("Name", key) else { return nil }
        return AmcacheEntry(
            file: path, sha1: digest(text("FileId", of: key)), size: size("Size", key),
            description: filled("OriginalFileName", key), firstRun: key.lastWritten,
            created: text("LinkDate", of: key).flatMap { Timestamp(american: $0) },
            product: filled("ProductName", key), company: filled("Publisher", key), offset: key.offset)
    }

    // The name of the key is the path of the driver.
    private func driver(_ key: HiveKey) -> AmcacheEntry {
        AmcacheEntry(
            file: name(of: key), sha1: digest(text("DriverId", of: key)), size: size("ImageSize", key),
            description: filled("DriverName", key), firstRun: key.lastWritten,
            created: unix(number("DriverTimeStamp", of: key)), product: filled("Product", key),
            company: filled("DriverCompany", key), offset: key.offset)
    }

    private func oldFile(_ key: HiveKey) -> AmcacheEntry? {
        guard let path = filled("15", key) else { return nil }
        return AmcacheEntry(
            file: path, sha1: digest(text("101", of: key)), size: size("6", key), description: filled("c", key),
            firstRun: key.lastWritten, created: filetime(number("12", of: key)), product: filled("0", key),
            company: filled("1", key), offset: key.offset)
    }

    private func filled(_ name: String, _ key: HiveKey) -> String? {
        text(name, of: key).flatMap { $0.isEmpty ? nil : $0 }
    }

    // Sizes are numbers, or texts in decimal or hexadecimal.
    private func size(_ name: String, _ key: HiveKey) -> Int? {
        if let number = number(name, of: key) { return Int(exactly: number) }
        guard let text = text(name, of: key) else { return nil }
        return text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
    }

    // Stored with four zeros in front.
    private func digest(_ text: String?) -> String? {
        guard let text, text.utf8.count == 44, text.hasPrefix("0000") else { return nil }
        return String(text.dropFirst(4)).lowercased()
    }

    private func unix(_ seconds: UInt64?) -> Timestamp? {
        seconds.flatMap { $0 == 0 ? nil : Timestamp(seconds: Int64(truncatingIfNeeded: $0)) }
    }
}

// Zero means that there is no time.
func filetime(_ value: UInt64?) -> Timestamp? { value.flatMap { $0 == 0 ? nil : Timestamp(filetime: $0) } }

extension Timestamp {
    // `06/21/2019 14:35:01`, UTC.
    fileprivate init?(american text: String) {
        let parts = text.split { !$0.isNumber }.compactMap { Int($0) }
        guard parts.count == 6 else { return nil }
        self.init(
            year: parts[2], month: parts[0], day: parts[1], hour: parts[3], minute: parts[4], second: parts[5])
    }
}

/// Emits the catalogue as records.
enum AmcacheRecords {
    static let type = RecordType("AmCache entry", module: "Amcache", numbers: ["size"])

    static func emit(_ hive: Hive, _ out: inout Output) throws(StageError) {
        try hive.eachAmcacheEntry { entry throws(StageError) in
            try out.emit(type, offset: entry.offset) { builder in
                builder.field("file", entry.file)
                builder.field("sha1", entry.sha1)
                if let size = entry.size { builder.field("size", size) }
                builder.field("desc", entry.description)
                builder.field("first_run", entry.firstRun)
                builder.field("created", entry.created)
                builder.field("product", entry.product)
                builder.field("company", entry.company)
                HiveHeuristics.program(entry.file, names: [entry.description], field: "file", type, &builder)
            }
        }
    }
}
