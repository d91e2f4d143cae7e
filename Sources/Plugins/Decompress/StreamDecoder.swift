import Pipeline

/// What a decoder says after a step.
enum DecodeStatus: Equatable {
    /// It wants more input or more room.
    case more
    /// A stream ended; what follows is another stream or does not belong to it.
    case end
    /// The data is damaged, or needs what is not there.
    case failed(Issue.Code, String)
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
    /// The time was over, or the scan was cancelled: what was inflated until then is there.
    var interruption: StageError?
}

/// Runs a decoder over a sample with a limit on its output.
///
/// - Parameter nextStream: Where the next stream begins, given where the last one ended; nil if there is none.
/// - Throws: `StageError` when output cannot be kept.
func decompress(
    _ sample: Bytes, with decoder: any StreamDecoder, allowance: Int, into store: ByteStore,
    nextStream: (RawSpan, Int) -> Int?, checkpoint: () throws(StageError) -> Void
) throws(StageError) -> Decompressed {
    var writer = store.makeWriter()
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    var position = 0
    var failure: (code: Issue.Code, message: String)?
    var interruption: StageError?
    loop: while true {
        do {
            try checkpoint()
        } catch {
            interruption = error
            break
        }
        let before = position
        // One byte beyond the allowance tells whether there is more.
        let room = max(allowance - writer.count, 0)
        let capacity = room < buffer.count ? room + 1 : buffer.count
        let (written, status) = unsafe sample.withUnsafeBytes { input in
            unsafe buffer.withUnsafeMutableBytes { output in
                unsafe decoder.step(input, &position, UnsafeMutableRawBufferPointer(rebasing: output[..<capacity]))
            }
        }
        if written > room {
            try append(buffer, room, to: &writer)
            failure = (
                .limit,
                "expansion limit of \(allowance) bytes reached: "
                    + "\(sample.count - position) compressed bytes were not read"
            )
            break
        }
        try append(buffer, written, to: &writer)
        switch status {
        case .failed(let code, let message):
            failure = (code, message)
            break loop
        case .end:
            guard let next = nextStream(sample.span, position), decoder.restart() else { break loop }
            position = next
        case .more:
            if written == 0, position == before {
                failure = (.damaged, "the compressed data ends too early")
                break loop
            }
        }
    }
    do {
        return Decompressed(
            bytes: try writer.finish(), inputEnd: position, failure: failure, interruption: interruption)
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
