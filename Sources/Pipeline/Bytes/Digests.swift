import Crypto
import Synchronization

/// MD5, SHA-1 and SHA-256 of some bytes; each is computed when first asked for, and kept.
///
/// Of a file that is read in pieces all three are computed in one pass, while other threads that ask wait.
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
        switch content {
        case .whole(let bytes):
            if let value = known.withLock({ $0[keyPath: field] }) { return value }
            var hasher = H()
            unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
            let value = Self.text(hasher.finalize())
            known.withLock { $0[keyPath: field] = value }
            return value
        case .file(let file):
            return known.withLock { known in
                if known.md5 == nil { known = Self.all(of: file) }
                return known[keyPath: field] ?? ""
            }
        }
    }

    private static func all(of file: FileContent) -> Known {
        var md5 = Insecure.MD5()
        var sha1 = Insecure.SHA1()
        var sha256 = SHA256()
        var position = 0
        while position < file.count {
            guard let piece = try? file.read(at: position, count: min(pieceSize, file.count - position)) else {
                return Known(md5: "", sha1: "", sha256: "")
            }
            unsafe piece.withUnsafeBytes { buffer in
                unsafe md5.update(bufferPointer: buffer)
                unsafe sha1.update(bufferPointer: buffer)
                unsafe sha256.update(bufferPointer: buffer)
            }
            position += piece.count
        }
        return Known(md5: text(md5.finalize()), sha1: text(sha1.finalize()), sha256: text(sha256.finalize()))
    }

    private static func text(_ digest: some Sequence<UInt8>) -> String { String(hex: Array(digest).rawSpan) }
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
