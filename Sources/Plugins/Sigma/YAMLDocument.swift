import Pipeline
import Yams

// YAML as signature files hold it: documents of one file read one by one, so that a broken one costs only itself,
// with lines for messages, and with limits. Scalars keep the text as it was written; only whether they were quoted is
// remembered. Anchors are expanded under a limit, because `&a [*b, *b]` a few levels deep grows without bounds.

/// A value in a YAML document with its line.
struct YAMLValue: Sendable {
    enum Content: Sendable {
        case scalar(String, isPlain: Bool)
        case list([YAMLValue])
        case map([Entry])
    }

    struct Entry: Sendable {
        var key: String
        var value: YAMLValue
    }

    var content: Content
    var line: Int

    /// The text of a scalar; nil for other values and for null.
    var text: String? {
        guard case .scalar(let text, _) = content, !isNull else { return nil }
        return text
    }

    /// Whether it is an unquoted `null`, `~` or nothing.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    var map: [Entry]? {
        if case .map(let entries) = content { return entries }
        return nil
    }

    var list: [YAMLValue]? {
        if case .list(let values) = content { return values }
        return nil
    }

    /// The list, or the one value as a list.
    var values: [YAMLValue] { list ?? [self] }

    /// The texts of a list of scalars or of one scalar; other values are left out.
    var texts: [String] { values.compactMap(\.text) }

    subscript(key: String) -> YAMLValue? { map?.first { $0.key == key }?.value }
}

/// Why a document cannot be used.
struct DocumentError: Error, Equatable {
    var line: Int?
    var message: String
}

/// One document of a file: its value, or why there is none.
struct YAMLDocument {
    /// Largest file, in bytes.
    static let fileLimit = 32 << 20
    /// Largest document, in bytes.
    static let documentLimit = 4 << 20
    /// Most values of one document, with anchors expanded.
    static let valueLimit = 200_000
    /// Deepest nesting.
    static let depthLimit = 64

    var line: Int
    var value: Result<YAMLValue, DocumentError>

    /// Reads all documents of a file; empty ones are left out.
    ///
    /// - Parameter note: Told of what was repaired.
    static func all(in bytes: Bytes, note: (String) -> Void) -> [YAMLDocument] {
        guard bytes.count <= fileLimit else {
            let message = "the file has \(bytes.count) bytes; a rule file may have \(fileLimit)"
            return [YAMLDocument(line: 1, value: .failure(DocumentError(line: nil, message: message)))]
        }
        return parts(of: decoded(bytes.span, note: note)).compactMap { part -> YAMLDocument? in
            do throws(DocumentError) {
                guard let value = try read(part.text, firstLine: part.line) else { return nil }
                return YAMLDocument(line: value.line, value: .success(value))
            } catch {
                return YAMLDocument(line: part.line, value: .failure(error))
            }
        }
    }

    // Byte order marks decide; otherwise UTF-8, and Latin-1 when it is none.
    private static func decoded(_ span: RawSpan, note: (String) -> Void) -> String {
        if span.starts(with: [0xEF, 0xBB, 0xBF].rawSpan) { return decoded(span.suffix(from: 3), note: note) }
        if span.starts(with: [0xFF, 0xFE].rawSpan) { return String(utf16: span.suffix(from: 2)) }
        if !isValidUTF8(span) { note("the file is not UTF-8; it was read as Latin-1") }
        return String(lossy: span)
    }

    // Cuts at the lines `---` and `...`, which end a document even inside a block of text.
    private static func parts(of text: String) -> [(line: Int, text: String)] {
        var parts: [(line: Int, text: String)] = []
        var current = (line: 1, start: text.startIndex)
        var line = 1
        var position = text.startIndex
        while position < text.endIndex {
            let next = text.utf8[position...].firstIndex(of: 0x0A).map { text.utf8.index(after: $0) } ?? text.endIndex
            let content = text.utf8[position..<next]
            if content.starts(with: "---".utf8) || content.starts(with: "...".utf8) {
                let rest = content.dropFirst(3)
                if rest.allSatisfy({ $0 <= 0x20 }) || rest.first == 0x20 {
                    parts.append((current.line, String(text[current.start..<position])))
                    let begin = text.utf8.index(position, offsetBy: 3)
                    current = (line, begin)
                }
            }
            line += 1
            position = next
        }
        parts.append((current.line, String(text[current.start...])))
        return parts.filter { part in
            part.text.utf8.split(separator: 0x0A).contains { line in
                line.first { $0 > 0x20 }.map { $0 != 0x23 && $0 != 0x25 } ?? false
            }
        }
    }

    private static func read(_ text: String, firstLine: Int) throws(DocumentError) -> YAMLValue? {
        func failure(_ line: Int?, _ message: String) -> DocumentError {
            DocumentError(line: line.map { $0 + firstLine - 1 } ?? firstLine, message: message)
        }
        guard text.utf8.count <= documentLimit else {
            throw failure(nil, "the document has \(text.utf8.count) bytes; one may have \(documentLimit)")
        }
        if let problem = aliasProblem(in: text) { throw failure(nil, problem) }
        do {
            // The basic resolver leaves scalars alone; their text is looked at where it is used.
            guard let root = try Parser(yaml: text, resolver: .basic).singleRoot() else { return nil }
            var budget = valueLimit
            let value = try convert(root, firstLine: firstLine, depth: 0, budget: &budget)
            if value.isNull { return nil }
            return value
        } catch let error as DocumentError {
            throw error
        } catch let error as YamlError {
            let (line, message) = explanation(of: error)
            throw failure(line, message)
        } catch {
            throw failure(nil, "not YAML: \(error)")
        }
    }

    private static func explanation(of error: YamlError) -> (Int?, String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (mark.line, "not YAML: \(problem)")
        case .reader(let problem, _, _, _): (nil, "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            (context.mark.line, "the same key twice: \(keys.sorted().joined(separator: ", "))")
        default: (nil, "not YAML")
        }
    }

    private static func convert(
        _ node: Node, firstLine: Int, depth: Int, budget: inout Int
    ) throws(DocumentError) -> YAMLValue {
        let line = (node.mark?.line ?? 1) + firstLine - 1
        budget -= 1
        guard budget >= 0 else {
            throw DocumentError(line: line, message: "more than \(valueLimit) values with anchors expanded")
        }
        guard depth <= depthLimit else {
            throw DocumentError(line: line, message: "nested more than \(depthLimit) deep")
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            return YAMLValue(content: .scalar(scalar.string, isPlain: isPlain), line: line)
        case .sequence(let sequence):
            var values: [YAMLValue] = []
            for item in sequence {
                values.append(try convert(item, firstLine: firstLine, depth: depth + 1, budget: &budget))
            }
            return YAMLValue(content: .list(values), line: line)
        case .mapping(let mapping):
            var entries: [YAMLValue.Entry] = []
            for (key, item) in mapping {
                guard case .scalar(let name) = key else {
                    throw DocumentError(line: line, message: "a key is no text")
                }
                let value = try convert(item, firstLine: firstLine, depth: depth + 1, budget: &budget)
                entries.append(YAMLValue.Entry(key: name.string, value: value))
            }
            return YAMLValue(content: .map(entries), line: line)
        case .alias:
            throw DocumentError(line: line, message: "an alias without its anchor")
        }
    }

    // Yams expands anchors while it reads and compares keys; with few aliases even the worst nesting stays small.
    private static func aliasProblem(in text: String) -> String? {
        var anchors: Set<Substring> = []
        var aliases: [Substring] = []
        var before: UInt8 = 0x20
        let bytes = text.utf8
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let byte = bytes[position]
            let next = bytes.index(after: position)
            if (byte == 0x26 || byte == 0x2A) && opens(before) {
                let end = bytes[next...].firstIndex { !isName($0) } ?? bytes.endIndex
                if end > next {
                    if byte == 0x26 { anchors.insert(text[next..<end]) } else { aliases.append(text[next..<end]) }
                }
            }
            before = byte
            position = next
        }
        let used = aliases.filter { anchors.contains($0) }.count
        guard used > 64 || (used > 16 && anchors.count > 8) else { return nil }
        return "too many aliases (\(used)); write the values out"
    }

    private static func opens(_ byte: UInt8) -> Bool {
        byte <= 0x20 || [0x5B, 0x7B, 0x2C, 0x3A, 0x3F, 0x2D].contains(byte)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
        default: false
        }
    }
}
