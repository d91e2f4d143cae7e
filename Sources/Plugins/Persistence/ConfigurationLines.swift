import Pipeline

// Small text files that are read line by line: crontabs, authorized_keys, hosts.

/// The lines of a configuration file.
struct ConfigurationLines {
    /// Most lines that are read.
    static let lineLimit = 1_000_000
    /// Most bytes of a line; a longer one is left out.
    static let byteLimit = 256 << 10

    /// A line without white space around it.
    struct Line {
        /// Position of its first byte.
        var offset: Int
        var text: String
    }

    /// Calls `body` for each line that is neither empty nor a comment.
    ///
    /// What is binary has no lines; limits are said.
    static func each(
        of sample: Sample, _ out: inout Output, _ body: (Line, inout Output) throws(StageError) -> Void
    ) throws(StageError) {
        try out.checkpoint()
        let span = sample.bytes.span
        guard span.prefix(4096).firstOffset(of: 0) == nil else { return }
        var offset = span.matches([0xEF, 0xBB, 0xBF], at: 0) ? 3 : 0
        var count = 0
        var isTooLong = false
        while offset < span.byteCount {
            try out.checkpoint()
            count += 1
            if count > lineLimit {
                out.note(.limit, "limit of \(lineLimit) lines reached; the rest was not read", offset: offset)
                break
            }
            let end = span.firstOffset(of: 0x0A, from: offset) ?? span.byteCount
            defer { offset = end + 1 }
            guard end - offset <= byteLimit, let bytes = span.slice(at: offset, count: end - offset) else {
                isTooLong = true
                continue
            }
            let text = trimmed(String(lossy: bytes))
            if text.isEmpty || text.hasPrefix("#") { continue }
            try body(Line(offset: offset, text: text), &out)
        }
        if isTooLong { out.note(.limit, "lines of more than \(byteLimit) bytes were not read") }
    }
}

extension Sample {
    // Parts of the path in lower case, whatever separates them.
    var lowerPathParts: [String] {
        path.lowercased().split(whereSeparator: { $0 == "/" || $0 == "\\" }).map(String.init)
    }
}

/// Words of a text between blanks and tabs.
func words(_ text: some StringProtocol) -> [String] {
    text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map { String($0) }
}
