import Crypto
import Synchronization

/// MD5, SHA-1 and SHA-256 of some bytes; computed when first asked for, and kept.
///
/// All three are computed in one pass, while other threads that ask wait; only of bytes in memory, on a processor
/// without SHA instructions, each is computed for itself.
public final class Digests: Sendable {
    private struct Known {
        var md5: String?
        var sha1: String?
        var sha256: String?
    }

    private static let pieceSize = 4 << 20

    private let content: Content
    private let known = Mutex(Known())

    /// Digests of the given bytes; nothing is computed yet.
    public convenience init(of bytes: Bytes) { self.init(of: .whole(bytes)) }

    /// Digests of the given content; nothing is computed yet.
    ///
    /// Empty texts if a file cannot be read to its end.
    public init(of content: Content) { self.content = content }

    /// MD5 in lower-case hexadecimal.
    public var md5: String { value(\.md5, Insecure.MD5.self) }

    /// SHA-1 in lower-case hexadecimal.
    public var sha1: String { value(\.sha1, Insecure.SHA1.self) }

    /// SHA-256 in lower-case hexadecimal.
    public var sha256: String { value(\.sha256, SHA256.self) }

    private func value<H: HashFunction>(_ field: WritableKeyPath<Known, String?>, _ function: H.Type) -> String {
        if let value = known.withLock({ $0[keyPath: field] }) { return value }
        if case .whole(let bytes) = content, !DigestPass.isFast {
            var hasher = H()
            unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
            let value = String(hex: Array(hasher.finalize()).rawSpan)
            known.withLock { $0[keyPath: field] = value }
            return value
        }
        return known.withLock { known in
            if known.md5 == nil { known = Self.all(of: content) }
            return known[keyPath: field] ?? ""
        }
    }

    private static func all(of content: Content) -> Known {
        var pass = DigestPass()
        switch content {
        case .whole(let bytes): pass.update(bytes.span)
        case .file(let file):
            var position = 0
            while position < file.count {
                guard let piece = try? file.read(at: position, count: min(pieceSize, file.count - position)) else {
                    return Known(md5: "", sha1: "", sha256: "")
                }
                pass.update(piece.span)
                position += piece.count
            }
        }
        let digests = pass.finish()
        return Known(md5: digests.md5, sha1: digests.sha1, sha256: digests.sha256)
    }
}

/// SHA-256 of bytes that come in pieces.
public struct StreamingDigest: Sendable {
    private var hasher = SHA256()

    /// The digest of nothing.
    public init() {}

    /// Adds bytes at the end.
    public mutating func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    }

    /// The digest of all bytes so far, in lower-case hexadecimal.
    public var value: String { String(hex: Array(hasher.finalize()).rawSpan) }
}
