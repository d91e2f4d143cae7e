import Pipeline

// Builds Windows event logs (.evtx) for tests and demos: file header, chunks, records, template definitions and
// instances. It shares no structure with the EVTX parser, so that a wrong idea of the format shows on one side.
// Layout after Joachim Metz, "Windows XML Event Log (EVTX) format", and [MS-EVEN6] section 2.2.17.

/// A value of a template instance, with its type.
public struct SyntheticEventValue: Sendable {
    /// Type number as it is stored.
    public var type: UInt8
    /// The stored bytes; ignored for nested fragments.
    public var bytes: [UInt8]
    var fragment: SyntheticEventFragment?

    /// A value with any type number and any bytes.
    public init(type: UInt8, bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }

    /// No value.
    public static let null = SyntheticEventValue(type: 0, bytes: [])

    /// A text in UTF-16.
    public static func string(_ text: String) -> Self { Self(type: 0x01, bytes: utf16(text)) }

    /// A list of texts, each ended by a NUL.
    public static func strings(_ texts: [String]) -> Self {
        Self(type: 0x81, bytes: texts.flatMap { utf16($0) + [0, 0] })
    }

    /// A signed or unsigned number; the type follows from its width.
    public static func number<T: FixedWidthInteger>(_ value: T) -> Self {
        let unsigned: [Int: UInt8] = [8: 0x04, 16: 0x06, 32: 0x08, 64: 0x0A]
        let type = (unsigned[T.bitWidth] ?? 0x08) - (T.isSigned ? 1 : 0)
        return Self(type: type, bytes: littleEndian(value))
    }

    /// A number shown in hexadecimal; 32 or 64 bits wide.
    public static func hexadecimal<T: FixedWidthInteger>(_ value: T) -> Self {
        Self(type: T.bitWidth == 32 ? 0x14 : 0x15, bytes: littleEndian(value))
    }

    /// True or false, stored in four bytes.
    public static func bool(_ value: Bool) -> Self { Self(type: 0x0D, bytes: littleEndian(UInt32(value ? 1 : 0))) }

    /// Bytes.
    public static func binary(_ bytes: [UInt8]) -> Self { Self(type: 0x0E, bytes: bytes) }

    /// A GUID, given as its 16 stored bytes.
    public static func guid(_ bytes: [UInt8]) -> Self { Self(type: 0x0F, bytes: bytes) }

    /// A time in 100 ns steps since 1601.
    public static func filetime(_ value: UInt64) -> Self { Self(type: 0x11, bytes: littleEndian(value)) }

    /// A security identifier from its authority and sub-authorities.
    public static func sid(_ authority: UInt8, _ rest: [UInt32]) -> Self {
        Self(type: 0x13, bytes: [1, UInt8(rest.count), 0, 0, 0, 0, 0, authority] + rest.flatMap { littleEndian($0) })
    }

    /// A fragment of binary XML.
    public static func xml(_ fragment: SyntheticEventFragment) -> Self {
        var value = Self(type: 0x21, bytes: [])
        value.fragment = fragment
        return value
    }
}

/// What stands in an element or attribute.
public indirect enum SyntheticEventContent: Sendable {
    /// Text.
    case text(String)
    /// The value with this number, of a declared type; an optional one disappears when it is null.
    case value(Int, type: UInt8 = 1, optional: Bool = false)
    /// A character by its number.
    case character(UInt16)
    /// A named entity, as in `amp`.
    case entity(String)
    /// A CDATA section.
    case cdata(String)
    /// A processing instruction.
    case instruction(String, String)
    /// An element.
    case element(SyntheticEventElement)
    /// A template instance.
    case instance(SyntheticEventTemplate, [SyntheticEventValue])
}

/// An element of binary XML.
public struct SyntheticEventElement: Sendable {
    /// Its name.
    public var name: String
    /// Attributes in order.
    public var attributes: [(name: String, content: [SyntheticEventContent])]
    /// Content in order.
    public var content: [SyntheticEventContent]

    /// An element.
    public init(
        _ name: String, _ attributes: [(name: String, content: [SyntheticEventContent])] = [],
        _ content: [SyntheticEventContent] = []
    ) {
        self.name = name
        self.attributes = attributes
        self.content = content
    }

    /// `<Data Name="name">%slot</Data>`.
    public static func data(_ name: String, slot: Int, type: UInt8 = 1) -> Self {
        Self("Data", [("Name", [.text(name)])], [.value(slot, type: type)])
    }
}

/// A template definition; defined once in each chunk that uses it.
public struct SyntheticEventTemplate: Sendable {
    /// Its GUID; two templates with the same GUID are taken for the same.
    public var guid: [UInt8]
    /// The element with substitutions.
    public var root: SyntheticEventElement

    /// A template whose GUID is made from a number.
    public init(_ number: UInt8, _ root: SyntheticEventElement) {
        self.init(guid: [UInt8](repeating: number, count: 16), root: root)
    }

    /// A template with a GUID of 16 bytes.
    public init(guid: [UInt8], root: SyntheticEventElement) {
        self.guid = guid
        self.root = root
    }
}

/// Binary XML as a record or a nested value holds it.
public enum SyntheticEventFragment: Sendable {
    /// An instance of a template.
    case instance(SyntheticEventTemplate, [SyntheticEventValue])
    /// An element without a template.
    case element(SyntheticEventElement)
    /// Bytes as they are.
    case bytes([UInt8])
}

/// A Windows event log in the making.
public struct SyntheticEventLog: Sendable {
    static let chunkSize = 65_536
    private var finished: [[UInt8]] = []
    private var chunk = SyntheticChunk(firstRecord: 1)
    private var nextRecord: UInt64 = 1

    /// An empty log.
    public init() {}

    /// Adds a record; a full chunk is closed and the next one begun.
    ///
    /// - Parameter written: When it was written, in 100 ns steps since 1601.
    public mutating func append(_ fragment: SyntheticEventFragment, written: UInt64 = 132_539_328_000_000_000) {
        var longer = chunk
        longer.append(fragment, id: nextRecord, written: written)
        if longer.bytes.count > Self.chunkSize, chunk.count > 0 {
            startChunk()
            chunk.append(fragment, id: nextRecord, written: written)
        } else {
            chunk = longer
        }
        nextRecord += 1
    }

    /// Number that the next record gets.
    public var recordNumber: UInt64 { nextRecord }

    /// Closes the chunk, full or not.
    public mutating func startChunk() {
        finished.append(chunk.closed())
        chunk = SyntheticChunk(firstRecord: nextRecord)
    }

    /// The whole file.
    public func file(isDirty: Bool = false) -> [UInt8] {
        let chunks = finished + (chunk.count > 0 ? [chunk.closed()] : [])
        var header = [UInt8]("ElfFile\0".utf8)
        header += littleEndian(UInt64(0)) + littleEndian(UInt64(max(chunks.count, 1) - 1)) + littleEndian(nextRecord)
        header += littleEndian(UInt32(128)) + littleEndian(UInt16(1)) + littleEndian(UInt16(3))
        header += littleEndian(UInt16(4096)) + littleEndian(UInt16(truncatingIfNeeded: chunks.count))
        header += [UInt8](repeating: 0, count: 76)
        let checksum = crc32(header)
        header += littleEndian(UInt32(isDirty ? 1 : 0)) + littleEndian(checksum)
        return header + [UInt8](repeating: 0, count: 4096 - header.count) + chunks.joined()
    }
}

/// One chunk: names and templates are stored where they are first used and referred to afterwards.
private struct SyntheticChunk: Sendable {
    var bytes = [UInt8](repeating: 0, count: 512)
    var count = 0
    private let firstRecord: UInt64
    private var lastOffset = 512
    private var names: [String: Int] = [:]
    private var templates: [[UInt8]: Int] = [:]

    init(firstRecord: UInt64) { self.firstRecord = firstRecord }

    mutating func append(_ fragment: SyntheticEventFragment, id: UInt64, written: UInt64) {
        lastOffset = bytes.count
        bytes += [0x2A, 0x2A, 0, 0] + littleEndian(UInt32(0)) + littleEndian(id) + littleEndian(written)
        write(fragment)
        while (bytes.count - lastOffset) % 8 != 4 { bytes.append(0) }
        let size = UInt32(bytes.count - lastOffset + 4)
        patch(size, at: lastOffset + 4)
        bytes += littleEndian(size)
        count += 1
    }

    func closed() -> [UInt8] {
        var copy = self
        let end = UInt32(bytes.count)
        let last = firstRecord + UInt64(count) - 1
        let start =
            [UInt8]("ElfChnk\0".utf8) + littleEndian(firstRecord) + littleEndian(last) + littleEndian(firstRecord)
            + littleEndian(last) + littleEndian(UInt32(128)) + littleEndian(UInt32(lastOffset)) + littleEndian(end)
            + littleEndian(crc32(Array(bytes[512...])))
        copy.bytes.replaceSubrange(0..<start.count, with: start)
        copy.patch(crc32(Array(copy.bytes[..<120] + copy.bytes[128..<512])), at: 124)
        return copy.bytes
            + [UInt8](repeating: 0, count: max(0, SyntheticEventLog.chunkSize - copy.bytes.count))
    }

    private mutating func patch(_ value: UInt32, at offset: Int) {
        bytes.replaceSubrange(offset..<offset + 4, with: littleEndian(value))
    }

    // MARK: Binary XML

    private mutating func write(_ fragment: SyntheticEventFragment) {
        switch fragment {
        case .bytes(let raw): bytes += raw
        case .element(let element):
            bytes += [0x0F, 1, 1, 0]
            write(element, isTemplate: false)
            bytes.append(0)
        case .instance(let template, let values):
            bytes += [0x0F, 1, 1, 0]
            write(template, values)
            bytes.append(0)
        }
    }

    private mutating func write(_ template: SyntheticEventTemplate, _ values: [SyntheticEventValue]) {
        bytes += [0x0C, 1] + template.guid[..<4]
        if let known = templates[template.guid] {
            bytes += littleEndian(UInt32(known))
        } else {
            bytes += littleEndian(UInt32(bytes.count + 4))
            templates[template.guid] = bytes.count
            bytes += [0, 0, 0, 0] + template.guid
            let size = bytes.count
            bytes += [0, 0, 0, 0, 0x0F, 1, 1, 0]
            write(template.root, isTemplate: true)
            bytes.append(0)
            patch(UInt32(bytes.count - size - 4), at: size)
        }
        bytes += littleEndian(UInt32(values.count))
        let table = bytes.count
        for value in values { bytes += littleEndian(UInt16(value.bytes.count)) + [value.type, 0] }
        for (index, value) in values.enumerated() {
            guard let fragment = value.fragment else {
                bytes += value.bytes
                continue
            }
            let start = bytes.count
            write(fragment)
            let size = UInt16(truncatingIfNeeded: bytes.count - start)
            bytes.replaceSubrange(table + index * 4..<table + index * 4 + 2, with: littleEndian(size))
        }
    }

    // A name stands behind the first reference to it.
    private mutating func write(name: String) {
        if let known = names[name] {
            bytes += littleEndian(UInt32(known))
            return
        }
        bytes += littleEndian(UInt32(bytes.count + 4))
        names[name] = bytes.count
        let units = utf16(name)
        let hash = name.utf16.reduce(UInt32(0)) { $0 &* 65_599 &+ UInt32($1) }
        bytes += [0, 0, 0, 0] + littleEndian(UInt16(truncatingIfNeeded: hash))
        bytes += littleEndian(UInt16(name.utf16.count)) + units + [0, 0]
    }

    private mutating func write(_ element: SyntheticEventElement, isTemplate: Bool) {
        bytes.append(element.attributes.isEmpty ? 0x01 : 0x41)
        // Only elements of templates carry a dependency identifier.
        if isTemplate { bytes += [0xFF, 0xFF] }
        let size = bytes.count
        bytes += [0, 0, 0, 0]
        write(name: element.name)
        if !element.attributes.isEmpty {
            let listSize = bytes.count
            bytes += [0, 0, 0, 0]
            for (index, attribute) in element.attributes.enumerated() {
                bytes.append(index + 1 < element.attributes.count ? 0x46 : 0x06)
                write(name: attribute.name)
                for content in attribute.content { write(content, isTemplate: isTemplate) }
            }
            patch(UInt32(bytes.count - listSize - 4), at: listSize)
        }
        if element.content.isEmpty {
            bytes.append(0x03)
        } else {
            bytes.append(0x02)
            for content in element.content { write(content, isTemplate: isTemplate) }
            bytes.append(0x04)
        }
        patch(UInt32(bytes.count - size - 4), at: size)
    }

    private mutating func write(_ content: SyntheticEventContent, isTemplate: Bool) {
        switch content {
        case .text(let text): bytes += [0x05, 0x01] + littleEndian(UInt16(text.utf16.count)) + utf16(text)
        case .value(let slot, let type, let optional):
            bytes += [optional ? 0x0E : 0x0D] + littleEndian(UInt16(slot)) + [type]
        case .character(let number): bytes += [0x08] + littleEndian(number)
        case .entity(let name):
            bytes.append(0x09)
            write(name: name)
        case .cdata(let text): bytes += [0x07] + littleEndian(UInt16(text.utf16.count)) + utf16(text)
        case .instruction(let target, let data):
            bytes.append(0x0A)
            write(name: target)
            bytes += [0x0B] + littleEndian(UInt16(data.utf16.count)) + utf16(data)
        case .element(let element): write(element, isTemplate: isTemplate)
        case .instance(let template, let values): write(template, values)
        }
    }
}

private func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { littleEndian($0) } }

private func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
}

// Bit by bit: slow, and obviously right.
private func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
}
