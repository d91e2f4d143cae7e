import Pipeline

// The import hash of a PE file: MD5 over its imported libraries and functions in order, as Mandiant defined it
// ("Tracking Malware with Import Hashing", 2014). Layout after Microsoft's "PE Format": optional header, section
// table, .idata section.

/// The import hash in lower-case hexadecimal; nil for what is no PE file or imports nothing.
public func importHash(of file: RawSpan) -> String? {
    guard let table = ImportTable(file) else { return nil }
    var names: [String] = []
    table.forEachImport(of: file) { library, name in names.append(library + "." + name) }
    if names.isEmpty { return nil }
    return Digests(of: Bytes(utf8: names.joined(separator: ","))).md5
}

private struct ImportTable {
    private static let libraryLimit = 1_024
    private static let functionLimit = 32_768
    private static let sectionLimit = 96

    private struct Section {
        var address: Int
        var size: Int
        var offset: Int
    }

    private let sections: [Section]
    private let directory: Int
    private let is64Bit: Bool

    init?(_ file: RawSpan) {
        guard file.uint16(at: 0) == 0x5A4D, let start = file.uint32(at: 0x3C), file.uint32(at: Int(start)) == 0x4550,
            let sectionCount = file.uint16(at: Int(start) + 6), let size = file.uint16(at: Int(start) + 20)
        else { return nil }
        let optional = Int(start) + 24
        switch file.uint16(at: optional) {
        case 0x10B: is64Bit = false
        case 0x20B: is64Bit = true
        default: return nil
        }
        // The second directory is that of imports.
        let directories = optional + (is64Bit ? 108 : 92)
        guard let count = file.uint32(at: directories), count >= 2,
            let address = file.uint32(at: directories + 12), address != 0
        else { return nil }
        var sections: [Section] = []
        for index in 0..<min(Int(sectionCount), Self.sectionLimit) {
            let entry = optional + Int(size) + index * 40
            guard let virtualSize = file.uint32(at: entry + 8), let virtualAddress = file.uint32(at: entry + 12),
                let rawSize = file.uint32(at: entry + 16), let pointer = file.uint32(at: entry + 20)
            else { break }
            // Windows rounds the place in the file down to whole sectors.
            sections.append(
                Section(
                    address: Int(virtualAddress), size: Int(max(virtualSize, rawSize)),
                    offset: Int(pointer & ~0x1FF)))
        }
        self.sections = sections
        directory = Int(address)
    }

    // Where an address lies in the file; what no section holds is part of the headers.
    private func offset(of address: Int) -> Int? {
        for section in sections where address >= section.address && address - section.address < section.size {
            return section.offset + (address - section.address)
        }
        let first = sections.map(\.address).min() ?? Int.max
        return address < first ? address : nil
    }

    /// Calls back with library, without its usual extensions, and function, both in lower case.
    func forEachImport(of file: RawSpan, _ body: (String, String) -> Void) {
        guard let first = offset(of: directory) else { return }
        var left = Self.functionLimit
        for index in 0..<Self.libraryLimit {
            let entry = first + index * 20
            guard let lookup = file.uint32(at: entry), let nameAddress = file.uint32(at: entry + 12),
                let addresses = file.uint32(at: entry + 16), nameAddress != 0
            else { return }
            guard let name = text(of: file, at: Int(nameAddress)) else { continue }
            let library = name.lowercased()
            let short = withoutExtension(library)
            // Some linkers leave the lookup table out.
            let table = lookup != 0 && offset(of: Int(lookup)) != nil ? Int(lookup) : Int(addresses)
            guard var place = offset(of: table) else { continue }
            while left > 0, let thunk = thunk(of: file, at: place), thunk != 0 {
                left -= 1
                place += is64Bit ? 8 : 4
                if thunk >> (is64Bit ? 63 : 31) == 1 {
                    let ordinal = Int(thunk & 0xFFFF)
                    body(short, (exportName(library: library, ordinal: ordinal) ?? "ord\(ordinal)").lowercased())
                } else if let name = text(of: file, at: Int(thunk & 0x7FFF_FFFF) + 2) {
                    body(short, name.lowercased())
                }
            }
        }
    }

    private func thunk(of file: RawSpan, at place: Int) -> UInt64? {
        is64Bit ? file.uint64(at: place) : file.uint32(at: place).map { UInt64($0) }
    }

    // A NUL-terminated name of printable ASCII.
    private func text(of file: RawSpan, at address: Int) -> String? {
        guard let start = offset(of: address) else { return nil }
        var bytes: [UInt8] = []
        while let byte = file.uint8(at: start + bytes.count), byte != 0 {
            guard (0x20...0x7E).contains(byte), bytes.count < 512 else { return nil }
            bytes.append(byte)
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private func withoutExtension(_ library: String) -> String {
        for ending in [".dll", ".ocx", ".sys"] where library.hasSuffix(ending) { return String(library.dropLast(4)) }
        return library
    }
}
