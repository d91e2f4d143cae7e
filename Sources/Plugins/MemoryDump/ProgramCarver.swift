import Pipeline

// Programs in memory: a PE header that holds together (PE Format, Microsoft Learn: "Optional header", "Section table")
// says how long the program is. It may lie there as in a file (downloaded, injected, not started) or as the loader laid
// it out, with each section at its address; then it is put back into the layout of a file, because rules look at files.

/// A program that lies in memory.
struct CarvedProgram: Equatable {
    private struct Section: Equatable {
        var address: Int
        var addressSize: Int
        var offset: Int
        var size: Int
    }

    private static let machines: Set<UInt16> = [0x014C, 0x01C0, 0x01C4, 0x0200, 0x8664, 0xAA64]
    private static let sectionLimit = 96
    private static let imageLimit = 1 << 30
    /// Bytes that hold the headers of any sensible program.
    static let headerSize = 16 << 10

    /// Extension that fits what its header says it is.
    let fileExtension: String
    /// Whether it lies there as the loader laid it out.
    let isMapped: Bool
    /// Bytes of memory that it takes.
    let size: Int
    private let headers: Int
    private let sections: [Section]

    /// Looks at bytes that begin with `MZ`; nil when no program begins there.
    init?(_ span: RawSpan) {
        guard span.uint16(at: 0) == 0x5A4D, let header = span.uint32(at: 0x3C).map(Int.init), header >= 4,
            header <= 4096,
            span.uint32(at: header) == 0x4550, let machine = span.uint16(at: header + 4),
            Self.machines.contains(machine), let count = span.uint16(at: header + 6).map(Int.init),
            (1...Self.sectionLimit).contains(count), let optionalSize = span.uint16(at: header + 20).map(Int.init),
            let flags = span.uint16(at: header + 22)
        else { return nil }
        let optional = header + 24
        guard (96...4096).contains(optionalSize), let magic = span.uint16(at: optional),
            magic == 0x10B || magic == 0x20B,
            let alignment = span.uint32(at: optional + 32), alignment > 0, alignment & (alignment - 1) == 0,
            let image = span.uint32(at: optional + 56).map(Int.init), (1...Self.imageLimit).contains(image),
            let headers = span.uint32(at: optional + 60).map(Int.init), (1...image).contains(headers),
            let subsystem = span.uint16(at: optional + 68)
        else { return nil }
        var sections: [Section] = []
        for index in 0..<count {
            let entry = optional + optionalSize + index * 40
            guard let addressSize = span.uint32(at: entry + 8).map(Int.init),
                let address = span.uint32(at: entry + 12).map(Int.init), address < image,
                let size = span.uint32(at: entry + 16).map(Int.init),
                let offset = span.uint32(at: entry + 20).map(Int.init), offset + size <= Self.imageLimit
            else { return nil }
            sections.append(Section(address: address, addressSize: addressSize, offset: offset, size: size))
        }
        self.sections = sections
        self.headers = headers
        let fileSize = max(headers, sections.map { $0.size > 0 ? $0.offset + $0.size : 0 }.max() ?? 0)
        isMapped = Self.isMapped(span, headers, sections)
        size = isMapped ? image : fileSize
        fileExtension = flags & 0x2000 != 0 ? ".dll" : subsystem == 1 ? ".sys" : ".exe"
    }

    // A loader leaves zeros between the headers and the first section; in a file the first section begins there.
    private static func isMapped(_ span: RawSpan, _ headers: Int, _ sections: [Section]) -> Bool {
        guard let first = sections.map(\.address).min(), first > headers,
            sections.contains(where: { $0.size > 0 && $0.offset != $0.address })
        else { return false }
        let end = min(first, headers + 4096, span.byteCount)
        guard end > headers else { return false }
        for offset in headers..<end where span.uint8(at: offset) != 0 { return false }
        return true
    }

    /// The program as a file, from the bytes that it takes in memory; never more bytes than those.
    ///
    /// Sections that are not there are left out, and so are those that a file has behind their place in memory: linkers
    /// pack files tighter than memory, and a header must not make a large file of a few bytes.
    func file(from memory: Bytes) -> Bytes {
        guard isMapped else { return memory }
        var parts = [(place: 0, start: 0, count: min(headers, memory.count))]
        // Sections may all claim the same memory: what is copied is bounded as well.
        var left = 2 * memory.count
        for section in sections where section.offset <= section.address {
            let count = min(section.size, section.addressSize, memory.count - section.address)
            guard count > 0, count <= left else { continue }
            left -= count
            parts.append((section.offset, section.address, count))
        }
        var file = [UInt8](repeating: 0, count: parts.map { $0.place + $0.count }.max() ?? 0)
        for part in parts {
            guard let data = memory.span.slice(at: part.start, count: part.count) else { continue }
            file.replaceSubrange(part.place..<part.place + part.count, with: data.array)
        }
        return Bytes(file)
    }
}
