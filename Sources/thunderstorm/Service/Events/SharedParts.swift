import Pipeline

/// What the findings of one report have in common, as JSON: encoded for the first that has it, copied for the others.
///
/// A log with thousands of findings names its file, and the rules that matched, in each of them.
struct SharedParts {
    // Rules that matched last; a report with more of them in turns encodes some again.
    private static let signatureLimit = 16

    private var time: (Timestamp, String)?
    private var context: ([ContextObject], [UInt8])?
    private var signatures: [(Signature, [UInt8])] = []
    private var oldest = 0

    /// The time as jsonlog v3 writes it.
    mutating func text(of time: Timestamp) -> String {
        if let known = self.time, known.0 == time { return known.1 }
        let text = time.rfc3339(fractionDigits: 9)
        self.time = (time, text)
        return text
    }

    /// Writes the context of a finding; `encode` does it if it is another than the last one.
    mutating func write(
        _ context: [ContextObject], to writer: inout JSONWriter, _ encode: (inout JSONWriter) -> Void
    ) {
        if let known = self.context, known.0.isSame(as: context) { return writer.value(encoded: known.1) }
        self.context = (context, Self.piece(of: &writer, encode))
    }

    /// Writes a signature; `encode` does it if it is none of the last ones.
    mutating func write(_ signature: Signature, to writer: inout JSONWriter, _ encode: (inout JSONWriter) -> Void) {
        for known in signatures where known.0 == signature { return writer.value(encoded: known.1) }
        let piece = (signature, Self.piece(of: &writer, encode))
        if signatures.count < Self.signatureLimit { return signatures.append(piece) }
        signatures[oldest] = piece
        oldest = (oldest + 1) % Self.signatureLimit
    }

    // What is written behind a key.
    private static func piece(of writer: inout JSONWriter, _ encode: (inout JSONWriter) -> Void) -> [UInt8] {
        let start = writer.bytes.count
        encode(&writer)
        return writer.bytes.rawSpan.suffix(from: start).array
    }
}
