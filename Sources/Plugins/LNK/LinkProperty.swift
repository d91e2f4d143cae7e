import Pipeline

// Serialized property storage: sets of typed values, by number or by name. Source: MS-PROPSTORE, MS-OLEPS 2.15.

/// One property of a link's target.
public struct LinkProperty: Sendable, Equatable {
    /// Set of the property and its number or name, as in `446D16B1-8DAD-4870-A748-402EA43D788C/100`.
    public let name: String
    /// Its value as text; `(type 0x1234)` when it is of a type that is not shown.
    public let value: String

    // Most properties of a store that are kept.
    private static let limit = 512
    private static let namedSet = "D5CDD505-2E9C-101B-9397-08002B2CF9AE"

    // Reads a property store: storages one after another, each a list of values.
    static func store(_ span: RawSpan) -> [LinkProperty] {
        var properties: [LinkProperty] = []
        var offset = 0
        while let size = span.uint32(at: offset), size >= 24, properties.count < limit,
            let storage = span.slice(at: offset, count: Int(size)), storage.uint32(at: 4) == 0x5350_5331,
            let set = GUID(storage, at: 8)
        {
            var at = 24
            while let valueSize = storage.uint32(at: at), valueSize >= 9, properties.count < limit,
                let entry = storage.slice(at: at, count: Int(valueSize)), let id = entry.uint32(at: 4)
            {
                if set.description == namedSet {
                    let name = String(utf16NullTerminated: entry.suffix(from: 9).prefix(Int(id)))
                    properties.append(
                        LinkProperty(name: "\(set)/\(name)", value: typed(entry.suffix(from: 9 + Int(id)))))
                } else {
                    properties.append(LinkProperty(name: "\(set)/\(id)", value: typed(entry.suffix(from: 9))))
                }
                at += Int(valueSize)
            }
            offset += Int(size)
        }
        return properties
    }

    // A typed value: type of two bytes, two of padding, then the value.
    private static func typed(_ span: RawSpan) -> String {
        let type = span.uint16(at: 0) ?? 0
        let known: String? =
            switch type {
            case 0x02: span.uint16(at: 4).map { String(Int16(bitPattern: $0)) }
            case 0x03: span.uint32(at: 4).map { String(Int32(bitPattern: $0)) }
            case 0x0B: span.uint16(at: 4).map { $0 == 0 ? "false" : "true" }
            case 0x11: span.uint8(at: 4).map { String($0) }
            case 0x12: span.uint16(at: 4).map { String($0) }
            case 0x13: span.uint32(at: 4).map { String($0) }
            case 0x14: span.uint64(at: 4).map { String(Int64(bitPattern: $0)) }
            case 0x15: span.uint64(at: 4).map { String($0) }
            case 0x1E: text(span.suffix(from: 8).prefix(Int(span.uint32(at: 4) ?? 0)), at: 0)
            case 0x1F: String(utf16NullTerminated: span.suffix(from: 8))
            case 0x40: span.uint64(at: 4).map { Timestamp(filetime: $0).rfc3339(fractionDigits: 6) }
            case 0x48: GUID(span, at: 4).map { $0.description }
            default: nil
            }
        return known ?? "(type 0x\(String(type, radix: 16)))"
    }
}
