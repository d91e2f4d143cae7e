import Crypto
import Pipeline
import PipelineTesting
import Testing

@testable import ThunderstormService

struct KnownDigestsTests {
    private func content(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    private func sha256(_ content: [UInt8]) -> String {
        SHA256.hash(data: content).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    @Test(arguments: [0, 100, (16 << 10) - 1, 16 << 10, 1_000_003], [0, 10])
    func digestsAreTheSameEachTime(count: Int, limit: Int) {
        let digests = KnownDigests(limit: limit)
        let content = content(count)
        for _ in 0..<3 { #expect(digests.sha256(of: Bytes(content)) == sha256(content)) }
        #expect(digests.count == (limit > 0 && count >= 16 << 10 ? 1 : 0))
    }

    // As on its way in, in a temporary file too.
    @Test(arguments: [100, 200_000], [0, 64 << 20])
    func samplesHaveTheDigestOfTheirContent(count: Int, memory: Int) throws {
        let content = content(count)
        let digests = KnownDigests(limit: 10)
        for isDigestedOnItsWay in [true, false, false] {
            var sample = MemorySample(ByteStore(memoryLimit: memory), isDigestedOnItsWay: isDigestedOnItsWay)
            for start in stride(from: 0, to: count, by: 50_000) {
                try sample.append(Array(content[start..<min(start + 50_000, count)]).rawSpan)
            }
            let (bytes, digest) = try sample.finish(digests)
            #expect(bytes.array == content)
            #expect(digest == sha256(content))
        }
        #expect(digests.count == (count < 16 << 10 ? 0 : 1))
    }

    @Test func largeContentsDoNotWaitForTheirDigest() {
        let digests = KnownDigests(limit: 10)
        #expect(digests.takes(declared: 4 << 20))
        #expect(!digests.takes(declared: (4 << 20) + 1))
        #expect(!digests.takes(declared: nil))
        #expect(!KnownDigests(limit: 0).takes(declared: 100))
    }

    // Whatever differs between two contents, neither is taken for the other.
    @Test func otherContentsHaveOtherDigests() {
        let digests = KnownDigests(limit: 100)
        let original = content(100_000)
        var others = [Array(original.dropLast()), original + [0], Array(original.dropFirst())]
        for place in [0, 15, 16, 50_001, 99_999] {
            var other = original
            other[place] ^= 1
            others.append(other)
        }
        for content in [original] + others {
            for _ in 0..<2 { #expect(digests.sha256(of: Bytes(content)) == sha256(content)) }
        }
        #expect(digests.count == 9)
    }

    @Test func theyAreBounded() {
        let digests = KnownDigests(limit: 4)
        let contents = (0..<40).map { content(16 << 10, seed: $0) }
        for _ in 0..<2 {
            for content in contents { #expect(digests.sha256(of: Bytes(content)) == sha256(content)) }
            #expect(digests.count <= 8)
        }
        // What comes again stays.
        let popular = contents[0]
        for content in contents {
            _ = digests.sha256(of: Bytes(popular))
            _ = digests.sha256(of: Bytes(content))
        }
        let before = digests.count
        _ = digests.sha256(of: Bytes(popular))
        #expect(digests.count == before)
    }
}
