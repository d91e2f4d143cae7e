import Pipeline

// Binary XML without a template's values: tokens to a small tree. A tree is made once for each template and chunk, and
// once for each fragment that stands in a record without a template.
// Tokens after [MS-EVEN6] section 2.2.17 and J. Metz, "Windows XML Event Log (EVTX) format", chapter 4.

/// What stands in an element or attribute.
enum BinXMLContent {
    /// Text in UTF-8.
    case text([UInt8])
    /// The value with this number, of a declared type.
    case value(slot: Int, type: UInt8)
    /// An element.
    case element(BinXMLElement)
    /// A template instance: where it starts and ends in the chunk.
    case instance(Range<Int>)
}

/// An element with its attributes and content.
struct BinXMLElement {
    var name: String
    var attributes: [(name: String, content: [BinXMLContent])] = []
    var content: [BinXMLContent] = []

    /// Whether other elements stand in it.
    var hasElements: Bool {
        content.contains {
            switch $0 {
            case .element, .instance: true
            case .text, .value: false
            }
        }
    }
}

/// Reads tokens from a chunk; positions are those of the chunk.
struct BinXMLDecoder {
    /// Deepest element that is read.
    static let depthLimit = 48
    /// Longest name that is read, in UTF-16 units.
    static let nameLimit = 256

    /// Position of the next token.
    var position: Int
    let end: Int
    // Elements of a template definition carry a dependency identifier, those of a nested value or record do not
    // always: it is known only by looking.
    let isTemplate: Bool
    private var depth = 0

    init(from start: Int, to end: Int, isTemplate: Bool) {
        position = start
        self.end = end
        self.isTemplate = isTemplate
    }

    /// Reads all elements up to the end-of-fragment token.
    mutating func fragment(_ chunk: RawSpan) throws(ParseError) -> [BinXMLContent] {
        var elements: [BinXMLContent] = []
        while position < end, let token = chunk.uint8(at: position) {
            switch token & 0xBF {
            case 0x00: return elements
            case 0x0F: position &+= 4
            case 0x01: elements.append(.element(try element(chunk)))
            case 0x0A: try instruction(chunk)
            case 0x0C: elements.append(.instance(try instance(chunk)))
            default: throw unexpected(token)
            }
        }
        return elements
    }

    /// Skips the processing instruction that begins at `position`.
    mutating func instruction(_ chunk: RawSpan) throws(ParseError) {
        var ignored = ByteArena(capacity: 64)
        while position < end, let token = chunk.uint8(at: position), token & 0xBF == 0x0A || token & 0xBF == 0x0B {
            try text(chunk, token, into: &ignored)
        }
    }

    /// Reads the element that begins at `position`.
    mutating func element(_ chunk: RawSpan) throws(ParseError) -> BinXMLElement {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw ParseError(.limit, "elements are nested deeper than \(Self.depthLimit)", at: position)
        }
        let token = try uint8(chunk, "element token")
        if isTemplate || !looksLikeSizeAndName(chunk, at: position) { position &+= 2 }
        position &+= 4
        var element = BinXMLElement(name: try nameReference(chunk))
        if token & 0x40 != 0 {
            position &+= 4
            while let next = chunk.uint8(at: position), next & 0xBF == 0x06, position < end {
                position &+= 1
                let name = try nameReference(chunk)
                element.attributes.append((name, try content(chunk, isAttribute: true)))
            }
        }
        switch try uint8(chunk, "end of start tag") {
        case 0x02: element.content = try content(chunk, isAttribute: false)
        case 0x03: break
        case let other: throw unexpected(other)
        }
        return element
    }

    // Content up to the end of the element (the token is consumed) or to what ends an attribute (it is not).
    private mutating func content(_ chunk: RawSpan, isAttribute: Bool) throws(ParseError) -> [BinXMLContent] {
        var content: [BinXMLContent] = []
        var text = ByteArena(capacity: 64)
        func flush(_ content: inout [BinXMLContent], _ text: inout ByteArena) {
            guard text.count > 0 else { return }
            content.append(.text(text.span.array))
            text.truncate(to: 0)
        }
        while true {
            guard position < end, let token = chunk.uint8(at: position) else {
                throw ParseError(.truncated, "an element is not closed", at: position)
            }
            switch token & 0xBF {
            case 0x04 where !isAttribute:
                position &+= 1
                flush(&content, &text)
                return content
            case 0x02, 0x03, 0x06:
                guard isAttribute else { throw unexpected(token) }
                flush(&content, &text)
                return content
            case 0x01 where !isAttribute:
                flush(&content, &text)
                content.append(.element(try element(chunk)))
            case 0x0C where !isAttribute:
                flush(&content, &text)
                content.append(.instance(try instance(chunk)))
            case 0x0D, 0x0E:
                flush(&content, &text)
                guard let slot = chunk.uint16(at: position &+ 1), let type = chunk.uint8(at: position &+ 3) else {
                    throw ParseError(.truncated, "substitution: need 4 bytes", at: position)
                }
                position &+= 4
                content.append(.value(slot: Int(slot), type: type))
            default: try self.text(chunk, token, into: &text)
            }
        }
    }

    private mutating func text(_ chunk: RawSpan, _ token: UInt8, into text: inout ByteArena) throws(ParseError) {
        let start = position
        position &+= 1
        switch token & 0xBF {
        case 0x05:
            let type = try uint8(chunk, "value type")
            guard type == EventValue.string else {
                throw ParseError(.unsupported, "text of value type \(type)", at: start)
            }
            try countedText(chunk, into: &text)
        case 0x07: try countedText(chunk, into: &text)
        case 0x08:
            let unit = try uint16(chunk, "character reference")
            let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
            text.append(String(scalar))
        case 0x09:
            let name = try nameReference(chunk)
            text.append(Self.entities[name] ?? "&\(name);")
        case 0x0A: _ = try nameReference(chunk)
        case 0x0B:
            var ignored = ByteArena(capacity: 64)
            try countedText(chunk, into: &ignored)
        default: throw unexpected(token, at: start)
        }
    }

    private static let entities = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]

    private mutating func countedText(_ chunk: RawSpan, into text: inout ByteArena) throws(ParseError) {
        let count = Int(try uint16(chunk, "text length")) &* 2
        guard position &+ count <= end, let units = chunk.slice(at: position, count: count) else {
            throw ParseError(.truncated, "text: need \(count) bytes, have \(max(end &- position, 0))", at: position)
        }
        text.append(utf16: units)
        position &+= count
    }

    // MARK: Template instances

    private mutating func instance(_ chunk: RawSpan) throws(ParseError) -> Range<Int> {
        let start = position
        let head = try BinXMLInstance(chunk, at: start &+ 1, end: end)
        var next = head.values
        for index in 0..<head.count { next &+= Int(chunk.uint16(at: head.table &+ 4 &* index) ?? 0) }
        guard next <= end else { throw ParseError(.truncated, "template values leave their fragment", at: start) }
        position = next
        return start..<next
    }

    // MARK: Names

    /// Reads a reference to a name; the name itself follows where it is used for the first time in its chunk.
    mutating func nameReference(_ chunk: RawSpan) throws(ParseError) -> String {
        guard position &+ 4 <= end, let offset = chunk.uint32(at: position) else {
            throw ParseError(.truncated, "name offset: need 4 bytes", at: position)
        }
        position &+= 4
        let start = Int(offset)
        guard let count = chunk.uint16(at: start &+ 6), count <= Self.nameLimit,
            let units = chunk.slice(at: start &+ 8, count: Int(count) &* 2)
        else { throw ParseError(.invalid, "name offset \(offset) leads to no name", at: position &- 4) }
        if start == position { position &+= 10 &+ Int(count) &* 2 }
        return String(utf16: units)
    }

    // Whether a data size and a name reference stand here: then there is no dependency identifier.
    private func looksLikeSizeAndName(_ chunk: RawSpan, at start: Int) -> Bool {
        guard let size = chunk.uint32(at: start), Int(size) <= end &- start &- 4,
            let name = chunk.uint32(at: start &+ 4), let count = chunk.uint16(at: Int(name) &+ 6),
            count > 0, count <= Self.nameLimit
        else { return false }
        return chunk.uint16(at: Int(name) &+ 8 &+ Int(count) &* 2) == 0
    }

    // MARK: Reading

    private mutating func uint8(_ chunk: RawSpan, _ what: StaticString) throws(ParseError) -> UInt8 {
        guard position < end, let value = chunk.uint8(at: position) else {
            throw ParseError(.truncated, "\(what): need 1 byte, have 0", at: position)
        }
        position &+= 1
        return value
    }

    private mutating func uint16(_ chunk: RawSpan, _ what: StaticString) throws(ParseError) -> UInt16 {
        guard position &+ 2 <= end, let value = chunk.uint16(at: position) else {
            throw ParseError(.truncated, "\(what): need 2 bytes", at: position)
        }
        position &+= 2
        return value
    }

    private func unexpected(_ token: UInt8, at start: Int? = nil) -> ParseError {
        ParseError(
            .invalid, "unexpected binary XML token 0x\(String(token, radix: 16))", at: start ?? position)
    }
}

/// The head of a template instance: which definition, and where its values are.
struct BinXMLInstance {
    /// Where the definition stands in the chunk.
    let definition: Int
    /// Number of values.
    let count: Int
    /// Where the table of sizes and types begins, four bytes a value.
    let table: Int
    /// Where the values begin.
    let values: Int

    /// Reads the head that follows the token of a template instance.
    init(_ chunk: RawSpan, at start: Int, end: Int) throws(ParseError) {
        guard let offset = chunk.uint32(at: start &+ 5) else {
            throw ParseError(.truncated, "template instance: need 9 bytes", at: start)
        }
        definition = Int(offset)
        var position = start &+ 9
        if definition == position {
            guard let size = chunk.uint32(at: position &+ 20) else {
                throw ParseError(.truncated, "template definition: need 24 bytes", at: position)
            }
            position &+= 24 &+ Int(size)
        }
        guard position &+ 4 <= end, let number = chunk.uint32(at: position), Int(number) <= (end &- position &- 4) / 4
        else { throw ParseError(.truncated, "the template's values leave their record", at: position) }
        count = Int(number)
        table = position &+ 4
        values = table &+ 4 &* count
    }
}
