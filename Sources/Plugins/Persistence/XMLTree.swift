import CXML
import Pipeline

// XML of artefacts as a small tree: elements with local names, attributes and text. UTF-16 is decoded first, so that a
// wrong encoding declaration changes nothing. Documents that declare entities are refused: no artefact has them, and
// their expansion is what makes a small file large.

/// An element with what is in it.
struct XMLElement: Sendable, Equatable {
    struct Attribute: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// Name without prefix.
    var name: String
    var attributes: [Attribute] = []
    /// All text directly inside, without white space around it.
    var text = ""
    var children: [XMLElement] = []

    /// The value of the first attribute with one of these names, whatever their case.
    func attribute(_ names: String...) -> String? {
        for name in names {
            if let found = attributes.first(where: { $0.name.lowercased() == name.lowercased() }) { return found.value }
        }
        return nil
    }

    /// The first child with this name.
    func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// Text of the first child with this name; nil when it is missing or empty.
    func text(of name: String) -> String? {
        guard let text = child(name)?.text, !text.isEmpty else { return nil }
        return text
    }

    /// Calls `body` for this element and all below it, in document order.
    func each(_ body: (XMLElement) -> Void) {
        body(self)
        for child in children { child.each(body) }
    }
}

/// A document, as far as it could be read.
struct XMLTree {
    /// Most bytes of a document that are read.
    static let byteLimit = 16 << 20
    /// Most elements of a document.
    static let elementLimit = 100_000

    /// The outermost element.
    private(set) var root: XMLElement
    /// Where the document breaks; nil when it was read to its end.
    private(set) var problem: ParseError?

    /// Reads a document in UTF-16, UTF-8, or else Latin-1.
    ///
    /// - Throws: `ParseError` when there is no element at all, or entities are declared.
    init(_ span: RawSpan) throws(ParseError) {
        let text = Self.utf8(span.prefix(Self.byteLimit))
        var builder = XMLTreeBuilder()
        if text.span.firstOffset(of: Array("<!ENTITY".utf8)) != nil {
            throw ParseError(.unsupported, "the document declares entities; it was not read", at: 0)
        }
        builder.read(text)
        if builder.problem == nil, span.byteCount > Self.byteLimit {
            builder.problem = ParseError(
                .limit, "the document is larger than \(Self.byteLimit) bytes; the rest was not read", at: Self.byteLimit
            )
        }
        guard let root = builder.finished() else {
            throw builder.problem ?? ParseError(.invalid, "there is no element in the document", at: 0)
        }
        self.root = root
        problem = builder.problem
    }

    private static func utf8(_ span: RawSpan) -> ByteArena {
        var arena = ByteArena(capacity: span.byteCount + 64)
        if span.matches([0xFF, 0xFE], at: 0) {
            arena.append(utf16: span.suffix(from: 2))
        } else if span.uint8(at: 1) == 0, span.uint8(at: 0) != 0 {
            arena.append(utf16: span)
        } else if span.matches([0xFE, 0xFF], at: 0) || span.uint8(at: 0) == 0 {
            var swapped = span.array
            for index in stride(from: 0, to: swapped.count - 1, by: 2) { swapped.swapAt(index, index + 1) }
            arena.append(utf16: swapped.rawSpan.suffix(from: span.uint8(at: 0) == 0 ? 0 : 2))
        } else {
            arena.append(lossy: span.suffix(from: span.matches([0xEF, 0xBB, 0xBF], at: 0) ? 3 : 0))
        }
        return arena
    }
}

// Builds the tree from the reader's nodes; the elements that are open stand in a stack.
private struct XMLTreeBuilder {
    private var open: [XMLElement] = []
    private var root: XMLElement?
    private var count = 0
    var problem: ParseError?

    mutating func read(_ text: borrowing ByteArena) {
        guard text.count > 0 else { return }
        unsafe text.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, let reader = unsafe cxml_open(base, Int32(buffer.count)) else {
                return
            }
            defer { unsafe cxml_close(reader) }
            unsafe read(reader)
        }
    }

    private mutating func read(_ reader: OpaquePointer) {
        while problem == nil {
            switch unsafe Int(cxml_next(reader)) {
            case CXML_ELEMENT: unsafe start(reader)
            case CXML_ELEMENT_END: end()
            case CXML_TEXT:
                if !open.isEmpty, let value = unsafe cxml_value(reader) {
                    unsafe open[open.count - 1].text += String(cString: value)
                }
            case CXML_END: return
            case CXML_ERROR:
                let message = unsafe String(cString: cxml_message(reader))
                let line = unsafe cxml_line(reader)
                problem = ParseError(
                    .invalid, "line \(line): \(message.isEmpty ? "the XML is not well-formed" : message)", at: 0)
            default: break
            }
        }
    }

    private mutating func start(_ reader: OpaquePointer) {
        count += 1
        guard count <= XMLTree.elementLimit else {
            let line = unsafe cxml_line(reader)
            problem = ParseError(
                .limit, "there are more than \(XMLTree.elementLimit) elements; from line \(line) on nothing was read",
                at: 0)
            return
        }
        let isEmpty = unsafe cxml_is_empty(reader) != 0
        var element = XMLElement(name: unsafe cxml_name(reader).map { unsafe String(cString: $0) } ?? "")
        while unsafe cxml_next_attribute(reader) != 0 {
            guard let name = unsafe cxml_name(reader), let value = unsafe cxml_value(reader) else { continue }
            unsafe element.attributes.append(.init(name: String(cString: name), value: String(cString: value)))
        }
        open.append(element)
        if isEmpty { end() }
    }

    private mutating func end() {
        guard var element = open.popLast() else { return }
        element.text = trimmed(element.text)
        if open.isEmpty { root = root ?? element } else { open[open.count - 1].children.append(element) }
    }

    // What was open when the document broke is closed.
    mutating func finished() -> XMLElement? {
        while !open.isEmpty { end() }
        return root
    }
}

/// A text without white space around it.
func trimmed(_ text: some StringProtocol) -> String {
    var part = text[...]
    while let first = part.unicodeScalars.first, first.properties.isWhitespace { part = part.dropFirst() }
    while let last = part.unicodeScalars.last, last.properties.isWhitespace { part = part.dropLast() }
    return String(part)
}
