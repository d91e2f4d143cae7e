import Pipeline

// Lines of text logs that have fields: web server logs in common or combined format
// (https://httpd.apache.org/docs/current/logs.html), the same written by proxies, W3C extended logs
// (https://www.w3.org/TR/WD-logfile), and Linux audit logs. Field names are those of the Sigma taxonomy.

/// How a line is divided into fields.
enum LineForm: String, CaseIterable, Sendable {
    /// A request to a web server.
    case access
    /// A request through a proxy: its target is a whole URI.
    case proxy
    /// `type=NAME key=value …` of auditd.
    case audit
}

/// A field of a line: a part of it under a name in lower case.
struct LineField: Equatable {
    var name: String
    var range: Range<Int>
}

/// What a line is, and its fields.
struct LineFields: Equatable {
    static let fieldLimit = 256

    var form: LineForm
    var fields: [LineField]
}

/// Divides the lines of one log; keeps the columns that a W3C log announces.
struct LineReader {
    private var columns: [String] = []

    init() {}

    /// Whether other columns are in force than in an earlier state of the reader.
    func hasChanged(since earlier: LineReader) -> Bool { columns != earlier.columns }

    /// The fields of a line; nil if it has none of the known forms.
    mutating func read(_ line: RawSpan) -> LineFields? {
        switch line.uint8(at: 0) {
        case nil: return nil
        case 0x23?:
            readDirective(line)
            return nil
        default:
            if line.starts(with: LineReader.auditStart.rawSpan) { return audit(line) }
            if !columns.isEmpty { return extended(line) }
            return combined(line)
        }
    }

    private static let auditStart = Array("type=".utf8)
    private static let fieldsDirective = Array("#Fields:".utf8)

    // MARK: Common and combined

    private func combined(_ line: RawSpan) -> LineFields? {
        guard let open = line.firstOffset(of: 0x5B), open < 512,
            let quote = line.firstOffset(of: 0x22, from: open), quote < open + 128,
            let request = quoted(line, at: quote)
        else { return nil }
        let words = self.words(line, request)
        guard words.count >= 2, words.count <= 16, isMethod(line, words[0]) else { return nil }
        let target = words[1].lowerBound..<(words.count > 2 ? words[words.count - 2].upperBound : words[1].upperBound)
        let rest = self.words(line, (request.upperBound + 1)..<min(request.upperBound + 64, line.byteCount))
        guard let status = rest.first, isNumber(line, status) else { return nil }

        let before = self.words(line, 0..<open)
        var result = requestFields(line, method: words[0], target: target)
        result.fields.append(LineField(name: "sc-status", range: status))
        if let host = before.first { result.fields.append(LineField(name: "c-ip", range: host)) }
        if before.count > 2 { result.fields.append(LineField(name: "cs-username", range: before[before.count - 1])) }
        if rest.count > 1, isNumber(line, rest[1]) {
            result.fields.append(LineField(name: "sc-bytes", range: rest[1]))
        }
        if let start = line.firstOffset(of: 0x22, from: request.upperBound + 1), let referer = quoted(line, at: start) {
            result.fields.append(LineField(name: "cs-referer", range: referer))
            if let start = line.firstOffset(of: 0x22, from: referer.upperBound + 1),
                let agent = quoted(line, at: start)
            {
                result.fields.append(LineField(name: "cs-user-agent", range: agent))
                result.fields.append(LineField(name: "c-useragent", range: agent))
            }
        }
        return result
    }

    // Rules name the query and mean what follows the host, so `cs-uri-query` has two values: all of it, and the part
    // after the question mark.
    private func requestFields(_ line: RawSpan, method: Range<Int>, target: Range<Int>) -> LineFields {
        var fields = [LineField(name: "cs-method", range: method), LineField(name: "cs-uri", range: target)]
        var path = target
        var form = LineForm.access
        if let scheme = offset(of: [0x3A, 0x2F, 0x2F], in: line, target), scheme - target.lowerBound < 10 {
            form = .proxy
            let host = scheme + 3
            let end = firstOffset(of: 0x2F, in: line, host..<target.upperBound) ?? target.upperBound
            fields.append(LineField(name: "cs-host", range: host..<end))
            fields.append(LineField(name: "c-uri", range: target))
            path = end..<target.upperBound
        }
        let question = firstOffset(of: 0x3F, in: line, path)
        let stem = path.lowerBound..<(question ?? path.upperBound)
        fields.append(LineField(name: "cs-uri-stem", range: stem))
        fields.append(LineField(name: "cs-uri-query", range: path))
        if let question { fields.append(LineField(name: "cs-uri-query", range: (question + 1)..<path.upperBound)) }
        if form == .proxy {
            fields.append(LineField(name: "c-uri-stem", range: stem))
            if let question { fields.append(LineField(name: "c-uri-query", range: (question + 1)..<path.upperBound)) }
            if let dot = lastOffset(of: 0x2E, in: line, stem) {
                fields.append(LineField(name: "c-uri-extension", range: (dot + 1)..<stem.upperBound))
            }
        }
        return LineFields(form: form, fields: fields)
    }

    // MARK: W3C extended

    private mutating func readDirective(_ line: RawSpan) {
        guard line.starts(with: Self.fieldsDirective.rawSpan), line.byteCount < 8_192 else { return }
        columns = words(line, Self.fieldsDirective.count..<line.byteCount).prefix(LineFields.fieldLimit).map { range in
            let name = (line.slice(at: range.lowerBound, count: range.count)?.utf8Text ?? "").lowercased()
            switch name {
            case "cs(user-agent)": return "cs-user-agent"
            case "cs(referer)": return "cs-referer"
            case "cs(cookie)": return "cs-cookie"
            case "cs(host)": return "cs-host"
            default: return name
            }
        }
    }

    private func extended(_ line: RawSpan) -> LineFields? {
        let values = words(line, 0..<line.byteCount)
        guard values.count == columns.count, columns.contains("cs-method") else { return nil }
        let isProxy = columns.contains("cs-uri-scheme") || columns.contains("c-uri") || columns.contains("s-action")
        var fields: [LineField] = []
        for (name, range) in zip(columns, values) {
            // A dash stands for nothing.
            if range.count == 1, line.uint8(at: range.lowerBound) == 0x2D { continue }
            fields.append(LineField(name: name, range: range))
            switch name {
            case "cs-user-agent": fields.append(LineField(name: "c-useragent", range: range))
            case "cs-uri-stem": fields.append(LineField(name: "cs-uri-query", range: range))
            default: break
            }
        }
        return LineFields(form: isProxy ? .proxy : .access, fields: fields)
    }

    // MARK: Audit

    private func audit(_ line: RawSpan) -> LineFields? {
        var fields: [LineField] = []
        var position = 0
        while position < line.byteCount, fields.count < LineFields.fieldLimit {
            guard let equals = line.firstOffset(of: 0x3D, from: position) else { break }
            var start = equals
            while start > position, let byte = line.uint8(at: start - 1), isKey(byte) { start -= 1 }
            var value = (equals + 1)..<line.byteCount
            if line.uint8(at: equals + 1) == 0x22, let inside = quoted(line, at: equals + 1) {
                value = inside
                position = inside.upperBound + 1
            } else {
                let end = line.firstOffset(of: 0x20, from: equals + 1) ?? line.byteCount
                value = (equals + 1)..<end
                position = end
            }
            if start < equals, let name = line.slice(at: start, count: equals - start) {
                fields.append(LineField(name: name.utf8Text.lowercased(), range: value))
            }
            position = max(position, equals + 1)
        }
        return fields.isEmpty ? nil : LineFields(form: .audit, fields: fields)
    }

    // MARK: Parts of a line

    // What stands between the quote at `start` and the next one that is not escaped.
    private func quoted(_ line: RawSpan, at start: Int) -> Range<Int>? {
        var position = start + 1
        while let end = line.firstOffset(of: 0x22, from: position) {
            if line.uint8(at: end - 1) != 0x5C || end == start + 1 { return (start + 1)..<end }
            position = end + 1
        }
        return nil
    }

    private func words(_ line: RawSpan, _ range: Range<Int>) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var start: Int?
        var position = range.lowerBound
        while position <= range.upperBound {
            let byte = position < range.upperBound ? line.uint8(at: position) : nil
            if let byte, byte > 0x20 {
                if start == nil { start = position }
            } else if let begun = start {
                words.append(begun..<position)
                start = nil
            }
            position += 1
        }
        return words
    }

    private func isMethod(_ line: RawSpan, _ range: Range<Int>) -> Bool {
        range.count >= 3 && range.count <= 24
            && range.allSatisfy { line.uint8(at: $0).map { ($0 >= 0x41 && $0 <= 0x5A) || $0 == 0x5F } ?? false }
    }

    private func isNumber(_ line: RawSpan, _ range: Range<Int>) -> Bool {
        range.allSatisfy { line.uint8(at: $0).map { $0 >= 0x30 && $0 <= 0x39 } ?? false }
    }

    private func isKey(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
        default: false
        }
    }

    private func firstOffset(of byte: UInt8, in line: RawSpan, _ range: Range<Int>) -> Int? {
        let found = line.firstOffset(of: byte, from: range.lowerBound)
        return found.flatMap { $0 < range.upperBound ? $0 : nil }
    }

    private func lastOffset(of byte: UInt8, in line: RawSpan, _ range: Range<Int>) -> Int? {
        range.last { line.uint8(at: $0) == byte }
    }

    private func offset(of bytes: [UInt8], in line: RawSpan, _ range: Range<Int>) -> Int? {
        guard let found = line.firstOffset(of: bytes, from: range.lowerBound), found + bytes.count <= range.upperBound
        else { return nil }
        return found
    }
}
