import Pipeline

// A message taken apart into its leaves (RFC 2045, RFC 2046), in one pass and without recursion: a hostile message is
// nested a thousand levels deep. Messages inside messages (message/rfc822) are taken apart with the outer one.

/// The parts of a message.
public struct MailMessage: Sendable {
    /// Most leaves that are listed.
    public static let partLimit = 10_000
    /// Most multiparts and messages inside each other; what is deeper stays one undivided part.
    public static let depthLimit = 100

    /// The header of the message, or of a message inside it.
    public struct Header: Sendable {
        /// Position of the message in the file.
        public let offset: Int
        /// Names of the messages around it and its own, each followed by `/`; empty for the outermost.
        public let prefix: String
        let block: HeaderBlock
    }

    /// A leaf: a body or an attachment.
    public struct Part: Sendable, Equatable {
        /// Media type in lower case, `text/plain` if it is not said.
        public let type: String
        /// File name that the part gives; nil if none.
        public let name: String?
        /// Whether the sender declares it an attachment.
        public let isAttachment: Bool
        /// Where the encoded content begins.
        public let start: Int
        /// Bytes of the encoded content.
        public let count: Int
        /// Index of the message it belongs to.
        public let message: Int
        let encoding: TransferEncoding
    }

    /// The message and those inside it, the outermost first.
    public private(set) var headers: [Header] = []
    /// The leaves in order.
    public private(set) var parts: [Part] = []
    /// Whether there are more parts than are listed.
    public private(set) var isCut = false
    /// Whether something is nested too deep to be divided.
    public private(set) var isDeep = false
    /// Multiparts whose boundary never comes, or that do not end.
    public private(set) var brokenMultiparts = 0

    private struct Level {
        let boundary: [UInt8]
        let message: Int
        let isDigest: Bool
        let depth: Int
    }

    private struct Entity {
        let block: HeaderBlock
        let content: ParameterizedValue
        let message: Int
        let depth: Int
    }

    private struct Hit {
        let level: Int
        let isEnd: Bool
        let contentEnd: Int
        let lineEnd: Int
    }

    private var levels: [Level] = []

    /// Takes a message apart.
    public init(_ span: RawSpan) { self.init(span, checkpoint: {}) }

    /// Takes a message apart, with a checkpoint in its loop.
    ///
    /// - Throws: what `checkpoint` throws.
    public init<E: Error>(_ span: RawSpan, checkpoint: () throws(E) -> Void) throws(E) {
        var entity = openMessage(span, at: Self.start(span), prefix: "", depth: 0)
        while true {
            try checkpoint()
            let body = entity.block.end
            if isMessage(entity), entity.depth < Self.depthLimit, headers.count < Self.partLimit {
                let outer = headers[entity.message].prefix
                let own = name(entity) ?? "message-\(headers.count)"
                entity = openMessage(span, at: body, prefix: outer + own + "/", depth: entity.depth + 1)
                continue
            }
            var hit: Hit?
            if let boundary = boundary(entity) {
                if entity.depth < Self.depthLimit {
                    levels.append(
                        Level(
                            boundary: boundary, message: entity.message,
                            isDigest: entity.content.value == "multipart/digest", depth: entity.depth + 1))
                    hit = nextBoundary(span, from: body)
                    if hit?.level != levels.count - 1 {
                        // Its own boundary never comes: nothing of it may be lost.
                        brokenMultiparts += 1
                        levels.removeLast()
                        add(entity, body, hit?.contentEnd ?? span.byteCount)
                    }
                } else {
                    isDeep = true
                    hit = nextBoundary(span, from: body)
                    add(entity, body, hit?.contentEnd ?? span.byteCount)
                }
            } else {
                if isMessage(entity) { isDeep = true }
                hit = nextBoundary(span, from: body)
                add(entity, body, hit?.contentEnd ?? span.byteCount)
            }
            while let end = hit, end.isEnd {
                try checkpoint()
                brokenMultiparts += levels.count - 1 - end.level
                levels.removeLast(levels.count - end.level)
                hit = nextBoundary(span, from: end.lineEnd)
            }
            guard let open = hit else {
                brokenMultiparts += levels.count
                return
            }
            brokenMultiparts += levels.count - 1 - open.level
            levels.removeLast(levels.count - 1 - open.level)
            if parts.count >= Self.partLimit {
                isCut = true
                return
            }
            let block = HeaderBlock(span, at: open.lineEnd)
            let standard = levels[open.level].isDigest ? "message/rfc822" : "text/plain"
            entity = Entity(
                block: block, content: Self.contentType(block, standard: standard),
                message: levels[open.level].message, depth: levels[open.level].depth)
        }
    }

    // Apple's .emlx has a line with the length before the message.
    private static func start(_ span: RawSpan) -> Int {
        guard let lineEnd = span.firstOffset(of: 0x0A), lineEnd > 0, lineEnd < 24 else { return 0 }
        for offset in 0..<lineEnd {
            guard let byte = span.uint8(at: offset), (0x30...0x39).contains(byte) || byte <= 0x20 else { return 0 }
        }
        return lineEnd + 1
    }

    private mutating func openMessage(_ span: RawSpan, at offset: Int, prefix: String, depth: Int) -> Entity {
        let block = HeaderBlock(span, at: offset)
        headers.append(Header(offset: offset, prefix: prefix, block: block))
        return Entity(
            block: block, content: Self.contentType(block, standard: "text/plain"),
            message: headers.count - 1, depth: depth)
    }

    private static func contentType(_ block: HeaderBlock, standard: String) -> ParameterizedValue {
        let given = block["content-type"].map { ParameterizedValue($0.value) }
        guard let given, given.value.contains("/") else {
            return given.map { ParameterizedValue(Array("text/plain;".utf8), parametersOf: $0) }
                ?? ParameterizedValue(Array(standard.utf8))
        }
        return given
    }

    private func isMessage(_ entity: Entity) -> Bool {
        guard entity.content.value == "message/rfc822" || entity.content.value == "message/global" else { return false }
        return TransferEncoding(entity.block["content-transfer-encoding"]?.value) == .none
    }

    private func boundary(_ entity: Entity) -> [UInt8]? {
        guard entity.content.value.hasPrefix("multipart/"), let boundary = entity.content.raw("boundary"),
            !boundary.isEmpty, boundary.count <= 1000
        else { return nil }
        return boundary
    }

    private func name(_ entity: Entity) -> String? {
        let disposition = entity.block["content-disposition"].map { ParameterizedValue($0.value) }
        guard let name = disposition?.text("filename") ?? entity.content.text("name") else { return nil }
        let clean = String(
            String.UnicodeScalarView(name.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
        // A name of a megabyte, times a hundred messages around it, would be a path of a hundred.
        return clean.isEmpty ? nil : String(clean.prefix(255))
    }

    private mutating func add(_ entity: Entity, _ start: Int, _ end: Int) {
        let disposition = entity.block["content-disposition"].map { ParameterizedValue($0.value) }
        parts.append(
            Part(
                type: entity.content.value, name: name(entity), isAttachment: disposition?.value == "attachment",
                start: start, count: max(end - start, 0), message: entity.message,
                encoding: TransferEncoding(entity.block["content-transfer-encoding"]?.value)))
    }

    // The next line that is a boundary of any open multipart, the innermost first.
    private func nextBoundary(_ span: RawSpan, from start: Int) -> Hit? {
        guard !levels.isEmpty else { return nil }
        var line = start
        if !span.matches([0x2D, 0x2D], at: start) {
            guard let next = span.firstOffset(of: [0x0A, 0x2D, 0x2D], from: max(start - 1, 0)) else { return nil }
            line = next + 1
        }
        while true {
            for (index, level) in levels.enumerated().reversed() {
                guard span.matches(level.boundary, at: line + 2) else { continue }
                var end = line + 2 + level.boundary.count
                let isEnd = span.matches([0x2D, 0x2D], at: end)
                if isEnd { end += 2 }
                while let blank = span.uint8(at: end), blank == 0x20 || blank == 0x09 || blank == 0x0D { end += 1 }
                guard end >= span.byteCount || span.uint8(at: end) == 0x0A else { continue }
                var contentEnd = line
                if contentEnd > start { contentEnd -= 1 }
                if contentEnd > start, span.uint8(at: contentEnd - 1) == 0x0D { contentEnd -= 1 }
                return Hit(level: index, isEnd: isEnd, contentEnd: contentEnd, lineEnd: min(end + 1, span.byteCount))
            }
            guard let next = span.firstOffset(of: [0x0A, 0x2D, 0x2D], from: line) else { return nil }
            line = next + 1
        }
    }
}

/// Where the messages of a mailbox begin: behind lines `From sender time` after an empty line (RFC 4155).
func mailboxMessages<E: Error>(
    _ span: RawSpan, limit: Int, checkpoint: () throws(E) -> Void
) throws(E) -> (ranges: [Range<Int>], isCut: Bool) {
    let separator = Array("\nFrom ".utf8)
    var starts = [0]
    var from = 0
    while let hit = span.firstOffset(of: separator, from: from) {
        try checkpoint()
        from = hit + separator.count
        let isBehindEmptyLine = span.uint8(at: hit - 1) == 0x0A || span.matches([0x0A, 0x0D], at: hit - 2)
        if isBehindEmptyLine, isMailboxLine(span, hit + 1) {
            if starts.count == limit {
                return (zip(starts, starts.dropFirst() + [hit + 1]).map { $0..<$1 }, true)
            }
            starts.append(hit + 1)
        }
    }
    return (zip(starts, starts.dropFirst() + [span.byteCount]).map { $0..<$1 }, false)
}

// `From sender Mon Nov  2 10:00:00 2026`: a sentence that begins with the word has no time.
private func isMailboxLine(_ span: RawSpan, _ start: Int) -> Bool {
    let end = min(span.firstOffset(of: 0x0A, from: start) ?? span.byteCount, start + 300)
    var offset = start
    func isDigit(_ at: Int) -> Bool { (0x30...0x39).contains(span.uint8(at: at) ?? 0) }
    while let colon = span.firstOffset(of: 0x3A, from: offset), colon < end {
        if isDigit(colon - 1), isDigit(colon + 1), isDigit(colon + 2) { return true }
        offset = colon + 1
    }
    return false
}
