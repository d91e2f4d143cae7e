import CLZMA
import Pipeline

/// xz and lzma streams through liblzma.
@safe final class LZMADecoder: StreamDecoder {
    private var stream = unsafe lzma_stream()
    private let isAlone: Bool
    private let memoryLimit: UInt64
    private var isReady: Bool

    /// A decoder for `.lzma` files (`isAlone`) or `.xz` files; `memoryLimit` is the most it may ask for, in bytes.
    init(isAlone: Bool, memoryLimit: UInt64) {
        self.isAlone = isAlone
        self.memoryLimit = memoryLimit
        isReady = false
        isReady = start()
    }

    deinit { unsafe lzma_end(&stream) }

    private func start() -> Bool {
        let result =
            if isAlone {
                unsafe lzma_alone_decoder(&stream, memoryLimit)
            } else {
                unsafe lzma_stream_decoder(&stream, memoryLimit, 0)
            }
        return result == LZMA_OK
    }

    func restart() -> Bool { !isAlone && start() }

    func step(
        _ input: UnsafeRawBufferPointer, _ position: inout Int, _ output: UnsafeMutableRawBufferPointer
    ) -> (written: Int, status: DecodeStatus) {
        guard isReady else { return (0, .failed(.failed, "liblzma cannot start")) }
        let given = input.count - position
        unsafe stream.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self).advanced(by: position)
        unsafe stream.avail_in = given
        unsafe stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.avail_out = output.count
        let result = unsafe lzma_code(&stream, LZMA_RUN)
        unsafe position += given - stream.avail_in
        let written = unsafe output.count - stream.avail_out
        switch result {
        case LZMA_OK, LZMA_BUF_ERROR, LZMA_UNSUPPORTED_CHECK: return (written, .more)
        case LZMA_STREAM_END: return (written, .end)
        case LZMA_MEMLIMIT_ERROR:
            let needed = unsafe lzma_memusage(&stream) >> 20
            return (
                written,
                .failed(.limit, "decoding needs \(needed) MiB of memory, more than \(memoryLimit >> 20) MiB: not read")
            )
        case LZMA_OPTIONS_ERROR:
            return (written, .failed(.unsupported, "the stream uses options that liblzma does not know"))
        default: return (written, .failed(.damaged, "the compressed data is damaged"))
        }
    }
}
