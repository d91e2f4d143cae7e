import Pipeline

/// What a decoder says after a step.
enum DecodeStatus: Equatable {
    /// It wants more input or more room.
    case more
    /// A stream ended; what follows is another stream or does not belong to it.
    case end
    /// The data is damaged, or needs more memory than is given.
    case failed(String)
}

/// A decompressor that works in steps, so that its output can be limited before it is made.
protocol StreamDecoder: AnyObject {
    /// Decodes from `input` at `position` into `output`.
    ///
    /// - Returns: bytes written; `position` is moved behind what was read.
    func step(
        _ input: UnsafeRawBufferPointer, _ position: inout Int, _ output: UnsafeMutableRawBufferPointer
    ) -> (written: Int, status: DecodeStatus)

    /// Prepares for a concatenated stream; false if this format has none.
    func restart() -> Bool
}

/// What came out of a compressed file.
struct Decompressed {
    /// The content as far as it could be, or may be, inflated.
    var bytes: Bytes
    /// Where the reading stopped, in bytes from the start of the sample.
    var inputEnd: Int
    /// Why it stopped before the end; nil when everything was read.
    var failure: (code: Issue.Code, message: String)?
}

/// Runs a decoder over a sample with a limit on its output.
///
/// - Parameter continues: Whether another stream begins at an offset behind the last one.
/// - Throws: `StageError` when the time is over or output cannot be kept.
func decompress(
    _ sample: Bytes, with decoder: any StreamDecoder, allowance: Int, into store: ByteStore,
    continues: (RawSpan, Int) -> Bool, checkpoint: () throws(StageError) -> Void
) throws(StageError) -> Decompressed {
    var writer = store.makeWriter()
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    var position = 0
    var failure: (code: Issue.Code, message: String)?
    loop: while true {
        try checkpoint()
        let before = position
        let (written, status) = unsafe sample.withUnsafeBytes { input in
            unsafe buffer.withUnsafeMutableBytes { output in unsafe decoder.step(input, &position, output) }
        }
        let room = allowance - writer.count
        if written > room {
            try append(buffer, room, to: &writer)
            failure = (
                .limit,
                "expansion limit of \(allowance) bytes reached: \(sample.count - position) compressed bytes were not read"
            )
            break
        }
        try append(buffer, written, to: &writer)
        switch status {
        case .failed(let message):
            failure = (.damaged, message)
            break loop
        case .end:
            guard continues(sample.span, position), decoder.restart() else { break loop }
        case .more:
            if written == 0, position == before {
                failure = (.damaged, "the compressed data ends too early")
                break loop
            }
        }
    }
    do {
        return Decompressed(bytes: try writer.finish(), inputEnd: position, failure: failure)
    } catch {
        throw StageError(.failed, "\(error)")
    }
}

private func append(_ buffer: [UInt8], _ count: Int, to writer: inout ByteWriter) throws(StageError) {
    guard count > 0 else { return }
    do {
        try writer.append(buffer.rawSpan.prefix(count))
    } catch {
        throw StageError(.failed, "\(error)")
    }
}
