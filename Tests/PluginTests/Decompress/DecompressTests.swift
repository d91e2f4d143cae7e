import CLZMA
import CZlib
import Decompress
import Pipeline
import PipelineTesting
import Testing

struct DecompressTests {
    private let stage: DecompressStage
    private let text = Array("The quick brown fox jumps over the lazy dog. ".utf8)

    init() throws { stage = try DecompressStage() }

    private func run(
        _ bytes: [UInt8], _ kind: String, path: String = "a.log.gz", limits: Limits = Limits()
    ) -> ScannedOutput {
        scan(stage, Bytes(bytes), path: path, kind: kind, limits: limits)
    }

    @Test(arguments: [("GZIP", 31), ("ZLIB", 15)])
    func zlibStreams(kind: String, windowBits: Int32) {
        let output = run(Made.deflate(text, windowBits: windowBits), kind)
        #expect(output.children.map(\.bytes.array) == [text])
        #expect(output.children.map(\.method) == [kind])
        #expect(output.children.map(\.path) == ["a.log.gz/a.log"])
        #expect(output.issues.isEmpty)
    }

    @Test(arguments: ["XZ", "LZMA"])
    func lzmaStreams(kind: String) {
        let output = run(Made.lzma(text, alone: kind == "LZMA"), kind, path: "a.tar." + kind.lowercased())
        #expect(output.children.map(\.bytes.array) == [text])
        #expect(output.children.map(\.path) == ["a.tar.\(kind.lowercased())/a.tar"])
        #expect(output.issues.isEmpty)
    }

    @Test func concatenatedMembersAreOneFile() {
        let member = Made.deflate(text, windowBits: 31)
        #expect(run(member + member + member, "GZIP").children.map(\.bytes.count) == [text.count * 3])
        let stream = Made.lzma(text, alone: false)
        #expect(run(stream + stream, "XZ").children.map(\.bytes.count) == [text.count * 2])
    }

    @Test func nameAndTimeComeFromTheHeader() {
        var named = Made.deflate(text, windowBits: 31)
        named[3] = 8
        named.replaceSubrange(4..<8, with: [0x00, 0xE9, 0x5D, 0x5F])
        named.insert(contentsOf: Array("../dir/re\u{1}al.txt".utf8) + [0], at: 10)
        let output = run(named, "GZIP")
        #expect(output.children.map(\.path) == ["a.log.gz/real.txt"])
        #expect(output.children.first?.times.modified == Timestamp(seconds: 0x5F5D_E900))
        #expect(output.children.first?.bytes.array == text)
    }

    @Test func whatFollowsTheDataIsSaid() {
        let output = run(Made.deflate(text, windowBits: 31) + Array("trailer".utf8), "GZIP")
        #expect(output.children.map(\.bytes.array) == [text])
        #expect(output.issues.map(\.code) == [.damaged])
        #expect(output.issues.first?.message.hasPrefix("7 bytes behind the end") == true)
        #expect(run(Made.deflate(text, windowBits: 31) + [0, 0, 0], "GZIP").issues.isEmpty)
    }

    @Test(arguments: ["GZIP", "ZLIB", "XZ", "LZMA"])
    func truncationAtEveryByteKeepsWhatWasThere(kind: String) {
        let whole =
            kind == "GZIP" || kind == "ZLIB"
            ? Made.deflate(text, windowBits: kind == "GZIP" ? 31 : 15) : Made.lzma(text, alone: kind == "LZMA")
        for length in 1..<whole.count {
            let output = run(Array(whole[..<length]), kind)
            #expect(!output.issues.isEmpty, "\(kind) cut to \(length) of \(whole.count) bytes")
            for child in output.children { #expect(text.starts(with: child.bytes.array)) }
        }
    }

    @Test(arguments: ["GZIP", "XZ"])
    func aBombStopsAtTheAllowance(kind: String) {
        let zeros = [UInt8](repeating: 0, count: 64 << 20)
        let bomb = kind == "GZIP" ? Made.deflate(zeros, windowBits: 31) : Made.lzma(zeros, alone: false)
        #expect(bomb.count < 100_000)
        var limits = Limits()
        limits.expandedBytes = 1 << 20
        let output = run(bomb, kind, limits: limits)
        #expect(output.children.map(\.bytes.count) == [1 << 20])
        #expect(output.issues.map(\.code) == [.limit])
        #expect(output.issues.first?.message.contains("expansion limit of 1048576 bytes reached") == true)

        limits.expandedBytes = Int.max
        limits.expansionGrace = 0
        limits.expansionRatio = 2
        #expect(run(bomb, kind, limits: limits).children.map(\.bytes.count) == [bomb.count * 2])
    }

    @Test func aHugeDictionaryIsRefused() throws {
        // An lzma header that asks for 1 GiB: properties, dictionary size, unknown length.
        let header: [UInt8] = [0x5D, 0, 0, 0, 0x40] + [UInt8](repeating: 0xFF, count: 8) + [0, 1, 2, 3, 4, 5, 6, 7]
        let output = run(header, "LZMA")
        #expect(output.children.isEmpty)
        #expect(output.issues.map(\.code) == [.limit])
        #expect(output.issues.first?.message.contains("more than 128 MiB") == true)
        // A stream that needs 12 MiB, with 8 and with 64 to use.
        let stream = Made.lzma(text, alone: false, preset: 6)
        func scanned(memory: Int) throws -> ScannedOutput {
            scan(try DecompressStage(options: .init(memory: memory)), Bytes(stream), kind: "XZ")
        }
        #expect(try scanned(memory: 8).issues.map(\.code) == [.limit])
        #expect(try scanned(memory: 64).children.map(\.bytes.array) == [text])
        #expect(throws: ConfigurationError.self) { try DecompressStage(options: .init(memory: 0)) }
    }

    @Test func paddingBetweenXZStreamsIsSkipped() {
        let stream = Made.lzma(text, alone: false)
        let padded = run(stream + [0, 0, 0, 0, 0, 0, 0, 0] + stream + [0, 0, 0, 0], "XZ")
        #expect(padded.children.map(\.bytes.count) == [text.count * 2])
        #expect(padded.issues.isEmpty)
        let odd = run(stream + [0] + stream, "XZ")
        #expect(odd.children.map(\.bytes.count) == [text.count])
        #expect(odd.issues.map(\.code) == [.damaged])
    }

    /// A gibibyte of zeros in one megabyte: nothing beyond the allowance is made.
    @Test func gigabyteOfZeros() {
        let member = Made.deflate([UInt8](repeating: 0, count: 64 << 20), windowBits: 31)
        let bomb = [[UInt8]](repeating: member, count: 16).flatMap { $0 }
        var limits = Limits()
        limits.expandedBytes = 3_000_000
        let output = run(bomb, "GZIP", limits: limits)
        #expect(output.children.map(\.bytes.count) == [3_000_000])
        #expect(output.issues.map(\.code) == [.limit])
        // The ratio alone stops it too: 200 bytes for each, and 100 MiB.
        let ratio = run(bomb, "GZIP")
        #expect(ratio.children.map(\.bytes.count) == [max(100 << 20, bomb.count * 200)])
        #expect(ratio.issues.map(\.code) == [.limit])
    }

    @Test func endlessEmptyMembersEndWithTheTime() {
        let empty = Made.deflate([], windowBits: 31)
        let first = Made.deflate(text, windowBits: 31)
        var members = empty
        for _ in 0..<21 { members += members }
        let many = first + members
        var limits = Limits()
        limits.stageSeconds = 0.05
        let output = run(many, "GZIP", limits: limits)
        // What was inflated before is scanned all the same.
        #expect(output.children.map(\.bytes.array) == [text])
        #expect(output.issues.map(\.code) == [.timeout])
    }

    @Test func theExactAllowanceIsEnough() {
        var limits = Limits()
        limits.expansionGrace = 0
        limits.expandedBytes = text.count
        let stream = Made.deflate(text, windowBits: 31)
        limits.expansionRatio = 1000
        #expect(run(stream, "GZIP", limits: limits).issues.isEmpty)
        limits.expandedBytes = text.count - 1
        #expect(run(stream, "GZIP", limits: limits).issues.map(\.code) == [.limit])
    }

    @Test func presetDictionariesAreNamed() {
        // Header with the dictionary bit and an id.
        let output = run([0x78, 0xBB, 0, 0, 0, 1, 3, 0], "ZLIB")
        #expect(output.issues.map(\.code) == [.unsupported])
    }

    @Test(arguments: [
        ("a.tgz", "a.tar"), ("a.TXZ", "a.tar"), ("b.svgz", "b.svg"), ("c.log.GZ", "c.log"), (".gz", "content"),
        ("plain", "content"),
    ])
    func innerNames(path: String, name: String) {
        let output = run(Made.deflate(text, windowBits: 31), "GZIP", path: path)
        #expect(output.children.map(\.path) == ["\(path)/\(name)"])
    }

    @Test func goldenOutput() {
        let member = Made.deflate(text, windowBits: 31)
        let cases: [(String, [UInt8])] = [
            ("GZIP", member + member + Array("tail".utf8)), ("GZIP", Array(member.dropLast(10))),
            ("XZ", Made.lzma(text, alone: false)), ("LZMA", Made.lzma(text, alone: true)),
            ("ZLIB", Made.deflate(text, windowBits: 15)),
        ]
        let text = cases.map { "# \($0.0)\n" + run($0.1, $0.0).text }.joined()
        #expect(goldenDifference("decompress.txt", text) == nil)
    }

    @Test func deepestLevelIsNotInflatedAndSaid() {
        var limits = Limits()
        limits.depth = 0
        let output = run(Made.deflate(text, windowBits: 31), "GZIP", limits: limits)
        #expect(output.children.isEmpty)
        #expect(output.issues.map(\.code) == [.limit])
    }

    @Test func conformance() {
        for (kind, sample) in [
            ("GZIP", Made.deflate(text, windowBits: 31)), ("ZLIB", Made.deflate(text, windowBits: 15)),
            ("XZ", Made.lzma(text, alone: false)), ("LZMA", Made.lzma(text, alone: true)),
        ] {
            #expect(StageConformance(kind: kind, flips: 100).violations(of: stage, sample: sample) == [], "\(kind)")
        }
    }
}

/// Compressed files made by the libraries themselves.
private enum Made {
    static func deflate(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
        var stream = unsafe z_stream()
        unsafe deflateInit2_(
            &stream, 9, Z_DEFLATED, windowBits, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        defer { unsafe deflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))))
        let room = UInt32(output.count)
        var input = bytes
        unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = room
                unsafe #expect(CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END)
            }
        }
        return Array(output.prefix(Int(unsafe room - stream.avail_out)))
    }

    static func lzma(_ bytes: [UInt8], alone: Bool, preset: UInt32 = 1) -> [UInt8] {
        var stream = unsafe lzma_stream()
        var options = unsafe lzma_options_lzma()
        unsafe lzma_lzma_preset(&options, preset)
        let ready =
            if alone {
                unsafe lzma_alone_encoder(&stream, &options)
            } else {
                unsafe lzma_easy_encoder(&stream, preset, LZMA_CHECK_CRC32)
            }
        #expect(ready == LZMA_OK)
        defer { unsafe lzma_end(&stream) }
        var output = [UInt8](repeating: 0, count: bytes.count + 4096)
        let room = output.count
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = source.count
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = room
                unsafe #expect(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END)
            }
        }
        return Array(output.prefix(unsafe room - stream.avail_out))
    }
}
