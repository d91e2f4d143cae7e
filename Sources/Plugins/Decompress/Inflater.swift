import CZlib
import Pipeline

/// gzip and zlib streams through zlib; which of them it is, zlib tells from the header.
@safe final class Inflater: StreamDecoder {
    private var stream = unsafe z_stream()
    private let isReady: Bool

    init() {
        // 15 bits of window, 32: gzip or zlib header.
        isReady = unsafe inflateInit2_(&stream, 47, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    }

    deinit {
        if isReady { unsafe inflateEnd(&stream) }
    }

    func restart() -> Bool { unsafe isReady && inflateReset(&stream) == Z_OK }

    func step(
        _ input: UnsafeRawBufferPointer, _ position: inout Int, _ output: UnsafeMutableRawBufferPointer
    ) -> (written: Int, status: DecodeStatus) {
        guard isReady else { return (0, .failed(.failed, "zlib cannot start")) }
        let given = min(input.count - position, 1 << 20)
        // zlib declares its input as mutable and does not write to it.
        unsafe stream.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(
            to: UInt8.self
        )
        .advanced(by: position)
        unsafe stream.avail_in = UInt32(given)
        unsafe stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.avail_out = UInt32(output.count)
        let result = unsafe inflate(&stream, Z_NO_FLUSH)
        unsafe position += given - Int(stream.avail_in)
        let written = unsafe output.count - Int(stream.avail_out)
        switch result {
        case Z_OK, Z_BUF_ERROR: return (written, .more)
        case Z_STREAM_END: return (written, .end)
        case Z_NEED_DICT:
            return (written, .failed(.unsupported, "the stream needs a preset dictionary, which is not there"))
        case Z_MEM_ERROR: return (written, .failed(.failed, "zlib has no memory"))
        default: return (written, .failed(.damaged, "the compressed data is damaged"))
        }
    }
}
