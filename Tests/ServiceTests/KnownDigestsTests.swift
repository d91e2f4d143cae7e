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

    @Test(arguments: [0, 100, (16 << 10) - 1, 16 << 10, 1_000_003, (4 << 20) + 1], [0, 10])
    func digestsAreTheSameEachTime(count: Int, limit: Int) async {
        let digests = KnownDigests(limit: limit)
        let content = content(count)
        for _ in 0..<3 { #expect(await digests.sha256(of: Bytes(content)) == sha256(content)) }
        #expect(digests.count == (limit > 0 && count >= 16 << 10 ? 1 : 0))
    }

    // Whatever differs between two contents, neither is taken for the other.
    @Test func otherContentsHaveOtherDigests() async {
        let digests = KnownDigests(limit: 100)
        let original = content(100_000)
        var others = [Array(original.dropLast()), original + [0], Array(original.dropFirst())]
        for place in [0, 15, 16, 50_001, 99_999] {
            var other = original
            other[place] ^= 1
            others.append(other)
        }
        for content in [original] + others {
            for _ in 0..<2 { #expect(await digests.sha256(of: Bytes(content)) == sha256(content)) }
        }
        #expect(digests.count == 9)
    }

    @Test func theyAreBounded() async {
        let digests = KnownDigests(limit: 4)
        let contents = (0..<40).map { content(16 << 10, seed: $0) }
        for _ in 0..<2 {
            for content in contents { #expect(await digests.sha256(of: Bytes(content)) == sha256(content)) }
            #expect(digests.count <= 8)
        }
        // What comes again stays.
        let popular = contents[0]
        for content in contents {
            _ = await digests.sha256(of: Bytes(popular))
            _ = await digests.sha256(of: Bytes(content))
        }
        let before = digests.count
        _ = await digests.sha256(of: Bytes(popular))
        #expect(digests.count == before)
    }
}
