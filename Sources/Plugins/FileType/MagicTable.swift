import Pipeline

// Magic numbers compiled for matching: patterns at offset 0 are found through their first byte, the few others are
// tried one by one. Nothing is allocated while a sample is matched.

/// One magic number as it is written in a table.
struct Magic: Sendable {
    /// Looks closer at a sample whose pattern fits: the kind, a more exact one, or nil if the pattern fits by chance.
    typealias Look = @Sendable (RawSpan) -> FileKind?

    /// What a sample with this pattern is.
    let kind: FileKind
    /// The bytes: hexadecimal pairs, `??` for any byte, and 'text' in quotes, separated by spaces.
    let pattern: String
    /// Where they stand, in bytes from the start of the sample; negative from its end.
    let offset: Int
    /// The closer look.
    let look: Look?

    init(_ kind: String, _ pattern: String, at offset: Int = 0, look: Look? = nil) {
        self.kind = FileKind(kind)
        self.pattern = pattern
        self.offset = offset
        self.look = look
    }

    /// Values and masks of the pattern's bytes; nil if it is not well-formed.
    static func parse(_ pattern: String) -> (values: [UInt8], masks: [UInt8])? {
        var values: [UInt8] = []
        var masks: [UInt8] = []
        var rest = Array(pattern.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case 0x20, 0x09:
                continue
            case 0x27:
                guard let end = rest.firstIndex(of: 0x27) else { return nil }
                values += rest[..<end]
                masks += [UInt8](repeating: 0xFF, count: end - rest.startIndex)
                rest = rest[(end + 1)...]
            case 0x3F:
                guard rest.popFirst() == 0x3F else { return nil }
                values.append(0)
                masks.append(0)
            default:
                guard let high = hexValue(byte), let next = rest.popFirst(), let low = hexValue(next) else {
                    return nil
                }
                values.append(high << 4 | low)
                masks.append(0xFF)
            }
        }
        return values.isEmpty ? nil : (values, masks)
    }
}

func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
}

/// What a sample seems to be, and how sure that is: in bytes of evidence.
struct Verdict {
    /// Added when a closer look found a more exact kind than the pattern's own.
    static let lookBonus = 4

    var kind = FileKind.unknown
    var strength = 0
    var isUsers = false
}

/// Magic numbers ready for matching; the longest that fits wins, and of equally long ones the user's.
struct MagicTable: Sendable {
    private struct Entry {
        let kind: FileKind
        let offset: Int
        let start: Int
        let count: Int
        // Bytes that are compared: `??` is no evidence.
        let strength: Int
        let look: Magic.Look?
        let isUsers: Bool
    }

    private var entries: [Entry] = []
    private var values: [UInt8] = []
    private var masks: [UInt8] = []
    // Entries at offset 0 whose first byte is b are starts[b]..<starts[b + 1]; the others follow starts[256].
    private var starts: [Int] = []

    /// A table of built-in and user's magic numbers; those with a bad pattern are left out.
    init(builtIn: [Magic], users: [Magic] = []) {
        typealias Parsed = (magic: Magic, isUsers: Bool, values: [UInt8], masks: [UInt8])
        let parsed: [Parsed] = (builtIn.map { ($0, false) } + users.map { ($0, true) }).compactMap { magic, isUsers in
            Magic.parse(magic.pattern).map { (magic, isUsers, $0.values, $0.masks) }
        }
        func bucket(_ entry: Parsed) -> Int {
            entry.magic.offset == 0 && entry.masks[0] == 0xFF ? Int(entry.values[0]) : 256
        }
        let sorted = parsed.enumerated().sorted {
            (bucket($0.element), -$0.element.values.count, $0.offset)
                < (bucket($1.element), -$1.element.values.count, $1.offset)
        }.map(\.element)
        for entry in sorted {
            while starts.count <= bucket(entry) { starts.append(entries.count) }
            entries.append(
                Entry(
                    kind: entry.magic.kind, offset: entry.magic.offset, start: values.count,
                    count: entry.values.count, strength: entry.masks.count { $0 != 0 }, look: entry.magic.look,
                    isUsers: entry.isUsers))
            values += entry.values
            masks += entry.masks
        }
        while starts.count <= 257 { starts.append(entries.count) }
    }

    /// The strongest magic number that fits; strength 0 if none does.
    func best(in span: RawSpan) -> Verdict {
        var best = Verdict()
        guard let first = span.uint8(at: 0) else { return best }
        for index in starts[Int(first)]..<starts[Int(first) + 1] { consider(index, span, &best) }
        for index in starts[256]..<entries.count { consider(index, span, &best) }
        return best
    }

    private func consider(_ index: Int, _ span: RawSpan, _ best: inout Verdict) {
        let entry = entries[index]
        guard entry.strength + Verdict.lookBonus >= best.strength, fits(entry, span) else { return }
        var found = Verdict(kind: entry.kind, strength: entry.strength, isUsers: entry.isUsers)
        if let look = entry.look {
            guard let seen = look(span) else { return }
            if seen != entry.kind {
                found.kind = seen
                found.strength += Verdict.lookBonus
            }
        }
        if found.strength > best.strength || found.strength == best.strength && found.isUsers && !best.isUsers {
            best = found
        }
    }

    private func fits(_ entry: Entry, _ span: RawSpan) -> Bool {
        let base = entry.offset >= 0 ? entry.offset : span.byteCount &+ entry.offset
        guard base >= 0, base <= span.byteCount &- entry.count else { return false }
        for index in 0..<entry.count {
            guard let byte = span.uint8(at: base &+ index),
                byte & masks[entry.start + index] == values[entry.start + index]
            else { return false }
        }
        return true
    }
}
