import CDigests
import Crypto

// MD5, SHA-1 and SHA-256 in one pass. MD5 waits for its own last step nearly all the time, and in that time the
// processor's SHA instructions do the other two: all three take as long as MD5 alone. Every finding has all three, and
// lists of digests need them of every sample.

/// Computes MD5, SHA-1 and SHA-256 of bytes that come in pieces.
struct DigestPass: ~Copyable {
    /// Whether all three cost little more than one.
    static let isFast = cdigests_supported() != 0

    private static let blockSize = 64

    private var state = cdigests()
    // Bytes that are no whole block yet.
    private var rest: [UInt8] = []
    private var count = 0
    // Without the instructions.
    private var plain: (md5: Insecure.MD5, sha1: Insecure.SHA1, sha256: SHA256)?

    init() {
        unsafe cdigests_start(&state)
        if !Self.isFast { plain = (Insecure.MD5(), Insecure.SHA1(), SHA256()) }
    }

    /// Adds bytes at the end.
    mutating func update(_ bytes: RawSpan) {
        guard Self.isFast else {
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe plain?.md5.update(bufferPointer: buffer)
                unsafe plain?.sha1.update(bufferPointer: buffer)
                unsafe plain?.sha256.update(bufferPointer: buffer)
            }
            return
        }
        count += bytes.byteCount
        var start = 0
        if !rest.isEmpty {
            start = min(Self.blockSize - rest.count, bytes.byteCount)
            rest += bytes.prefix(start).array
            guard rest.count == Self.blockSize else { return }
            let block = rest
            rest = []
            take(block.rawSpan)
        }
        let whole = (bytes.byteCount - start) / Self.blockSize * Self.blockSize
        take(bytes.suffix(from: start).prefix(whole))
        rest = bytes.suffix(from: start + whole).array
    }

    // Takes whole blocks.
    private mutating func take(_ blocks: RawSpan) {
        unsafe blocks.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe cdigests_update(
                &state, start.assumingMemoryBound(to: UInt8.self), buffer.count / Self.blockSize)
        }
    }

    /// The digests of all bytes, in lower-case hexadecimal.
    consuming func finish() -> (md5: String, sha1: String, sha256: String) {
        if let plain {
            return (text(plain.md5.finalize()), text(plain.sha1.finalize()), text(plain.sha256.finalize()))
        }
        let bits = UInt64(count) &* 8
        // One bit, zeros, and the length in bits at the end of a block: MD5 has its low byte first.
        var tail = rest + [0x80]
        while tail.count % Self.blockSize != Self.blockSize - 8 { tail.append(0) }
        let before = state
        take((tail + littleEndian(bits)).rawSpan)
        let md5 = state.md5
        state = before
        take((tail + littleEndian(bits.byteSwapped)).rawSpan)
        let (sha1, sha256) = (state.sha1, state.sha256)
        return (
            text([md5.0, md5.1, md5.2, md5.3].flatMap { littleEndian($0) }),
            text([sha1.0, sha1.1, sha1.2, sha1.3, sha1.4].flatMap { littleEndian($0.byteSwapped) }),
            text(
                [sha256.0, sha256.1, sha256.2, sha256.3, sha256.4, sha256.5, sha256.6, sha256.7].flatMap {
                    littleEndian($0.byteSwapped)
                })
        )
    }

    private func text(_ digest: some Sequence<UInt8>) -> String { String(hex: Array(digest).rawSpan) }

    private func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<(T.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }
}
