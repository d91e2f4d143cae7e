import Crypto
import FoundationEssentials
import Pipeline
import Synchronization

// Later sweeps bring what the first one brought, and SHA-256 is what takes longest then. GMAC (NIST SP 800-38D), a fingerprint
// with a key, takes a fraction of that. The key is made at the start and stays in this process, as the fingerprints do, so
// that nobody can make two contents with the same one; two of 64 MiB have the same with a probability of 2^-106.

/// SHA-256 of contents; those that were there before are found by a fingerprint.
final class KnownDigests: Sendable {
    private typealias Fingerprint = Data

    // Those used last are in the first generation; when that is full, it becomes the second.
    private struct Generations {
        var young: [Fingerprint: String] = [:]
        var old: [Fingerprint: String] = [:]
    }

    // Below, SHA-256 takes no longer than a fingerprint and looking for it.
    private static let smallest = 16 << 10
    // Larger contents are digested on their way in: all at once they would hold up a thread of the cooperative pool.
    private static let largest = 4 << 20

    private let limit: Int
    private let key = SymmetricKey(size: .bits128)
    private let generations = Mutex(Generations())

    /// Knows nothing yet.
    ///
    /// - Parameter limit: Contents that are remembered at least, twice as many at most, about 150 bytes each; 0 for none.
    init(limit: Int) { self.limit = limit }

    /// Contents that are remembered now.
    var count: Int {
        generations.withLock { generations in
            generations.young.count + generations.old.keys.count { generations.young[$0] == nil }
        }
    }

    /// Whether the content of a body of so many bytes may wait for its digest until it is there; nil for an unknown size.
    func takes(declared: Int?) -> Bool { limit > 0 && declared.map { $0 <= Self.largest } ?? false }

    /// SHA-256 of a content, in lower-case hexadecimal.
    func sha256(of bytes: Bytes) -> String {
        guard limit > 0, bytes.count >= Self.smallest, let fingerprint = fingerprint(of: bytes) else {
            return Self.digest(of: bytes)
        }
        if let known = generations.withLock({ $0.young[fingerprint] ?? $0.old[fingerprint] }) {
            remember(known, as: fingerprint)
            return known
        }
        let sha256 = Self.digest(of: bytes)
        remember(sha256, as: fingerprint)
        return sha256
    }

    private func remember(_ sha256: String, as fingerprint: Fingerprint) {
        generations.withLock { generations in
            guard generations.young[fingerprint] == nil else { return }
            if generations.young.count >= limit {
                generations.old = generations.young
                generations.young = [:]
            }
            generations.young[fingerprint] = sha256
        }
    }

    // With one nonce for all: nothing is encrypted, and the tags are secret.
    private func fingerprint(of bytes: Bytes) -> Fingerprint? {
        unsafe bytes.withUnsafeBytes { content -> Fingerprint? in
            guard let base = content.baseAddress,
                let nonce = try? AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12))
            else { return nil }
            let data = unsafe Data(
                bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: content.count, deallocator: .none)
            return (try? AES.GCM.seal(Data(), using: key, nonce: nonce, authenticating: data)).map { Data($0.tag) }
        }
    }

    private static func digest(of bytes: Bytes) -> String {
        var digest = StreamingDigest()
        digest.update(bytes.span)
        return digest.value
    }
}
