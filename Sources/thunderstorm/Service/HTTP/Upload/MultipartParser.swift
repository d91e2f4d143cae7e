import Pipeline

// Cuts a multipart body (RFC 2046 section 5.1, RFC 7578) into parts while it arrives. Chunks may end anywhere; file
// content is handed on without a copy, only bytes that may begin a delimiter are held back.

/// Takes the parts of a body in order.
protocol MultipartReceiver: ~Copyable {
    /// A part begins.
    mutating func partBegan(_ header: PartHeader) throws(APIError)
    /// Content of the current part.
    mutating func partBytes(_ bytes: RawSpan) throws(APIError)
    /// The current part is complete.
    mutating func partEnded() throws(APIError)
}

/// The state between two chunks of a body.
struct MultipartParser {
    /// Largest header block of one part, in bytes: a name of 64 KiB with every byte as a percent code, and more.
    static let headerLimit = 256 << 10
    // Blanks that may follow a boundary in its line.
    private static let paddingLimit = 64

    private enum State {
        case content
        case afterBoundary
        case header
        case epilogue
    }

    // A line feed, two dashes and the boundary; a carriage return before it belongs to it when it is there.
    private let delimiter: [UInt8]
    private var state = State.content
    // Nothing is handed on before the first delimiter.
    private var isInPart = false
    private var sawDelimiter = false
    // Bytes held back: the start of what may be a delimiter. A body begins as if after a line end.
    private var held: [UInt8] = [0x0D, 0x0A]
    // What followed a delimiter so far.
    private var padding: [UInt8] = []
    private var header: [UInt8] = []

    init(boundary: [UInt8]) { delimiter = [0x0A, 0x2D, 0x2D] + boundary }

    /// Whether the closing delimiter was seen; what follows is ignored.
    var isComplete: Bool { state == .epilogue }

    /// Takes the next bytes of the body.
    mutating func consume(
        _ chunk: RawSpan, into receiver: inout some MultipartReceiver & ~Copyable
    ) throws(APIError) {
        var offset = 0
        while offset < chunk.byteCount {
            switch state {
            case .content: offset = try content(chunk, offset, &receiver)
            case .afterBoundary: offset = try afterBoundary(chunk, offset, &receiver)
            case .header: offset = try header(chunk, offset, &receiver)
            case .epilogue: return
            }
        }
    }

    /// Ends the body.
    ///
    /// - Throws: `APIError` when the closing delimiter is missing.
    func finish() throws(APIError) {
        if isComplete { return }
        guard sawDelimiter else {
            throw .badRequest("boundary_not_found", "the boundary that Content-Type names is not in the body")
        }
        throw .truncated
    }

    // MARK: Content

    private mutating func content(
        _ chunk: RawSpan, _ start: Int, _ receiver: inout some MultipartReceiver & ~Copyable
    ) throws(APIError) -> Int {
        if !held.isEmpty {
            // A delimiter that began in the last chunk ends within the next `delimiter.count` bytes.
            let more = chunk.suffix(from: start).prefix(delimiter.count)
            let joint = held + more.array
            let before = held.count
            if let hit = joint.rawSpan.firstOffset(of: delimiter) {
                try boundary(joint.rawSpan, from: 0, at: hit, &receiver)
                return start + hit + delimiter.count - before
            }
            if start + more.byteCount == chunk.byteCount {
                let kept = possibleStart(joint.rawSpan)
                try emit(joint.rawSpan.prefix(joint.count - kept), &receiver)
                held = Array(joint.suffix(kept))
                return chunk.byteCount
            }
            try emit(held.rawSpan, &receiver)
            held = []
        }
        if let hit = chunk.firstOffset(of: delimiter, from: start) {
            try boundary(chunk, from: start, at: hit, &receiver)
            return hit + delimiter.count
        }
        let rest = chunk.suffix(from: start)
        let kept = possibleStart(rest)
        try emit(rest.prefix(rest.byteCount - kept), &receiver)
        held = rest.suffix(from: rest.byteCount - kept).array
        return chunk.byteCount
    }

    private mutating func boundary(
        _ bytes: RawSpan, from start: Int, at hit: Int, _ receiver: inout some MultipartReceiver & ~Copyable
    ) throws(APIError) {
        let end = hit > start && bytes.uint8(at: hit - 1) == 0x0D ? hit - 1 : hit
        try emit(bytes.suffix(from: start).prefix(end - start), &receiver)
        held = bytes.suffix(from: end).prefix(hit + delimiter.count - end).array
        padding = []
        state = .afterBoundary
    }

    // Number of bytes at the end that may be the start of a delimiter.
    private func possibleStart(_ bytes: RawSpan) -> Int {
        let whole = [0x0D] + delimiter
        var count = min(delimiter.count, bytes.byteCount)
        while count > 0 {
            let tail = bytes.suffix(from: bytes.byteCount - count)
            if whole.rawSpan.starts(with: tail) || delimiter.rawSpan.starts(with: tail) { return count }
            count -= 1
        }
        return 0
    }

    private func emit(_ bytes: RawSpan, _ receiver: inout some MultipartReceiver & ~Copyable) throws(APIError) {
        if isInPart, bytes.byteCount > 0 { try receiver.partBytes(bytes) }
    }

    // MARK: Between parts

    // The boundary's line may end in blanks; `--` closes the body. Anything else: the content only looked like it.
    private mutating func afterBoundary(
        _ chunk: RawSpan, _ start: Int, _ receiver: inout some MultipartReceiver & ~Copyable
    ) throws(APIError) -> Int {
        var offset = start
        while let byte = chunk.uint8(at: offset) {
            switch (byte, padding.last) {
            case (0x2D, nil):
                padding = [byte]
            case (0x2D, 0x2D):
                try endPart(&receiver)
                sawDelimiter = true
                state = .epilogue
                return offset + 1
            case (0x0A, nil), (0x0A, 0x20), (0x0A, 0x09), (0x0A, 0x0D):
                try endPart(&receiver)
                sawDelimiter = true
                header = []
                state = .header
                return offset + 1
            case (0x20, nil), (0x20, 0x20), (0x20, 0x09), (0x09, nil), (0x09, 0x20), (0x09, 0x09),
                (0x0D, nil), (0x0D, 0x20), (0x0D, 0x09):
                guard padding.count < Self.paddingLimit else {
                    try resumeContent(&receiver)
                    return offset
                }
                padding.append(byte)
            default:
                try resumeContent(&receiver)
                return offset
            }
            offset += 1
        }
        return offset
    }

    private mutating func resumeContent(_ receiver: inout some MultipartReceiver & ~Copyable) throws(APIError) {
        let startsLineEnd = padding.last == 0x0D
        try emit((held + padding.dropLast(startsLineEnd ? 1 : 0)).rawSpan, &receiver)
        held = startsLineEnd ? [0x0D] : []
        padding = []
        state = .content
    }

    private mutating func endPart(_ receiver: inout some MultipartReceiver & ~Copyable) throws(APIError) {
        held = []
        if isInPart { try receiver.partEnded() }
        isInPart = false
    }

    // MARK: Headers

    private mutating func header(
        _ chunk: RawSpan, _ start: Int, _ receiver: inout some MultipartReceiver & ~Copyable
    ) throws(APIError) -> Int {
        let end = chunk.firstOffset(of: 0x0A, from: start).map { $0 + 1 } ?? chunk.byteCount
        let isLineEnd = chunk.uint8(at: end - 1) == 0x0A
        header.append(contentsOf: chunk.suffix(from: start).prefix(end - start).array)
        guard header.count <= Self.headerLimit else {
            throw .badRequest(
                "part_header_too_large", "the header of a part is larger than \(Self.headerLimit) bytes")
        }
        let tail = header.suffix(3)
        let isEmptyLine =
            header == [0x0A] || header == [0x0D, 0x0A] || tail == [0x0A, 0x0D, 0x0A]
            || tail.suffix(2) == [0x0A, 0x0A]
        if isLineEnd, isEmptyLine {
            try receiver.partBegan(PartHeader(header))
            header = []
            isInPart = true
            state = .content
        }
        return end
    }
}
