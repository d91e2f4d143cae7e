import Crypto
import Synchronization

/// MD5, SHA-1 and SHA-256 of some bytes; each is computed when first asked for, and kept.
public final class Digests: Sendable {
    private struct Known {
        var md5: String?
        var sha1: String?
        var sha256: String?
    }

    private let bytes: Bytes
    private let known = Mutex(Known())

    /// Digests of the given bytes; nothing is computed yet.
    public init(of bytes: Bytes) { self.bytes = bytes }

    /// MD5 in lower-case hexadecimal.
    public var md5: String { value(\.md5, Insecure.MD5.self) }

    /// SHA-1 in lower-case hexadecimal.
    public var sha1: String { value(\.sha1, Insecure.SHA1.self) }

    /// SHA-256 in lower-case hexadecimal.
    public var sha256: String { value(\.sha256, SHA256.self) }

    private func value<H: HashFunction>(_ field: WritableKeyPath<Known, String?>, _ function: H.Type) -> String {
        if let value = known.withLock({ $0[keyPath: field] }) { return value }
        var hasher = H()
        unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
        let value = String(hex: Array(hasher.finalize()).rawSpan)
        known.withLock { $0[keyPath: field] = value }
        return value
    }
}
