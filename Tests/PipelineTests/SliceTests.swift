import Dispatch
import Glibc
import Pipeline
import PipelineTesting
import Synchronization
import Testing

// A sample that is cut in slices: nothing is lost at the edges, nothing is told twice, and the report is the same
// however many threads help.

private let needle = Array("<needle>".utf8)

// Cuts samples in slices; extracts what stands between brackets.
private struct Cutter: Stage {
    static let descriptor = StageDescriptor(
        name: "cutter", summary: "Cuts samples in slices.", interest: .samples.andSlices, readsPieces: true)
    var size = 64
    var overlap = 16

    init() {}
    init(size: Int, overlap: Int) {
        self.size = size
        self.overlap = overlap
    }
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        guard sample.depth == 0 else { return }
        try out.slice(
            SlicePlan(size: size, overlap: overlap, module: "Cut") {
                MemoryPlace(address: 0x1000 + UInt64($0), module: "m")
            })
    }

    func inspect(_ slice: Slice, of sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        var position = 0
        while let hit = slice.bytes.span.firstOffset(of: 0x5B, from: position) {
            position = hit + 1
            guard slice.range.lowerBound + hit < slice.next else { return }
            try out.extract(
                Child(
                    name: "\(slice.range.lowerBound + hit)",
                    bytes: sample.content.available(at: slice.range.lowerBound + hit, count: 20), method: "PART"))
        }
    }
}

// Reports every place of the needle; in slices only when `needs`, if any, is in the same slice.
private struct Seeker: Stage {
    static let descriptor = StageDescriptor(
        name: "seeker", summary: "Finds needles.", interest: .samples.andSlices)
    var needs: [UInt8] = []

    init(needs: String = "") { self.needs = Array(needs.utf8) }
    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        if !sample.isSliced { report(sample.bytes, 0, &out) }
    }

    func inspect(_ slice: Slice, of sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        guard needs.isEmpty || slice.bytes.span.firstOffset(of: needs) != nil else { return }
        report(slice.bytes, slice.range.lowerBound, &out)
    }

    private func report(_ bytes: Bytes, _ base: Int, _ out: inout Output) {
        var matched: [MatchedText] = []
        var position = 0
        while let hit = bytes.span.firstOffset(of: needle, from: position) {
            matched.append(MatchedText(data: needle, offset: base + hit))
            position = hit + 1
        }
        guard !matched.isEmpty else { return }
        out.report(Reason(summary: "needle", signature: Signature(kind: .keyword, score: 70), matched: matched))
    }
}

/// Threads that take every slice they can get.
private final class Crowd: SliceHelpers {
    private let count: Int
    let helped = Atomic<Int>(0)

    init(_ count: Int) { self.count = count }

    func offer(_ work: SliceWork) {
        for _ in 0..<count {
            DispatchQueue.global().async { [self] in
                while work.workOnOneSlice() { helped.add(1, ordering: .relaxed) }
            }
        }
    }

    func withdraw(_ work: SliceWork) {}
}

private func planted(_ count: Int, at offsets: [Int]) -> Bytes {
    var bytes = [UInt8](repeating: 0x2E, count: count)
    for offset in offsets { bytes.replaceSubrange(offset..<offset + needle.count, with: needle) }
    return Bytes(bytes)
}

private func offsets(_ report: Report) -> [Int] {
    report.findings.flatMap { finding -> [Int] in
        if case .chunk = finding.subject { finding.reasons.flatMap(\.matched).compactMap(\.offset) } else { [] }
    }
}

// What must not depend on the number of helpers: everything but the clock.
private func facts(_ report: Report) -> Report {
    var facts = report
    for index in facts.stages.indices { facts.stages[index].nanoseconds = 0 }
    return facts
}

struct SliceTests {
    @Test func needlesAcrossEveryEdgeAreFoundOnce() {
        // Slices of 64 begin every 48 bytes; the needle has 8.
        for shift in -12...12 {
            let places = (1...20).map { $0 * 48 + 4 + shift }
            let chain = Chain(Cutter()).appending(Seeker())
            let report = chain.scan(Sample(path: "dump", bytes: planted(1050, at: places)))
            #expect(offsets(report) == places, "shift \(shift)")
            #expect(report.issues.isEmpty)
        }
    }

    @Test func aFindingNamesItsChunkAndThePlaceInMemory() throws {
        let report = Chain(Cutter()).appending(Seeker()).scan(Sample(path: "dump", bytes: planted(200, at: [100])))
        let finding = try #require(report.findings.first)
        guard case .chunk(let chunk) = finding.subject else {
            Issue.record("the subject is not a chunk")
            return
        }
        #expect(chunk.range == 48..<112)
        #expect(chunk.file.path == "dump")
        #expect(finding.module == "Cut")
        #expect(finding.reasons.first?.matched.first?.place == MemoryPlace(address: 0x1064, module: "m"))
        #expect(report.samples == 1)
    }

    @Test(arguments: [0, 1, 3, 16])
    func helpersChangeNothing(count: Int) {
        var bytes = planted(20_000, at: stride(from: 30, to: 19_900, by: 37).map { $0 }).array
        for offset in stride(from: 11, to: 19_900, by: 301) { bytes[offset] = 0x5B }
        let sample = Sample(path: "dump", bytes: Bytes(bytes))
        let chain = Chain(Cutter()).appending(Seeker())
        let alone = chain.scan(sample)
        let crowd = Crowd(count)
        for _ in 0..<20 {
            let report = chain.scan(sample, helpers: crowd)
            #expect(facts(report) == facts(alone))
        }
        #expect(alone.samples == 1 + bytes.count { $0 == 0x5B })
        #expect(alone.findings.count > 400)
    }

    @Test func whatMatchesOnlyWithTheNextSliceIsTold() {
        // The needle lies in the overlap; what it needs lies in the second slice alone.
        var bytes = planted(112, at: [50]).array
        bytes.replaceSubrange(90..<93, with: Array("yes".utf8))
        let report = Chain(Cutter()).appending(Seeker(needs: "yes")).scan(Sample(path: "dump", bytes: Bytes(bytes)))
        #expect(offsets(report) == [50])
    }

    @Test func childrenAreLimitedForEachSlice() {
        var limits = Limits()
        limits.childrenPerSample = 100
        let bytes = Bytes([UInt8](repeating: 0x5B, count: 4000))
        let chain = Chain(Cutter(size: 1000, overlap: 0)).appending(Seeker())
        let report = chain.scan(Sample(path: "dump", bytes: bytes), limits: limits)
        #expect(report.samples == 1 + 4 * 64)
        #expect(report.issues.map(\.code) == [.limit])
    }

    @Test func aCancelledScanSaysWhatWasNotLookedAt() {
        struct Stopper: Stage {
            static let descriptor = StageDescriptor(
                name: "stopper", summary: "Cancels.", interest: Interest.samples.andSlices)
            typealias Interest = StageDescriptor.Interest
            let cancellation: Cancellation
            init(_ cancellation: Cancellation) { self.cancellation = cancellation }
            init(options: NoOptions, environment: StageEnvironment) { cancellation = Cancellation() }

            func inspect(
                _ slice: Slice, of sample: Sample, _ state: inout NoState, _ out: inout Output
            ) throws(StageError) {
                if slice.range.lowerBound > 400 { cancellation.cancel() }
            }
        }
        let cancellation = Cancellation()
        let chain = Chain(Cutter()).appending(Stopper(cancellation))
        let report = chain.scan(
            Sample(path: "dump", bytes: planted(1000, at: [])), cancellation: cancellation)
        let said = "the scan was cancelled; 11 of 21 chunks were not looked at, the first at 0x1e0"
        #expect(report.issues.contains { $0.code == .timeout && $0.stage == "cutter" && $0.message == said })
    }

    @Test func aPlanWithoutProgressIsRefused() {
        let report = Chain(Cutter(size: 16, overlap: 16)).scan(Sample(path: "dump", bytes: planted(100, at: [])))
        #expect(report.issues.map(\.code) == [.failed])
    }

    // MARK: Files that are read in pieces

    private func withFile<R>(_ bytes: Bytes, _ body: (String) throws -> R) throws -> R {
        var name = Array("/tmp/thunderstorm-slices-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&name)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unsafe unlink(path) }
        unsafe bytes.withUnsafeBytes { buffer in
            #expect(unsafe write(descriptor, buffer.baseAddress, buffer.count) == buffer.count)
        }
        return try body(path)
    }

    @Test func aFileInPiecesGivesTheSameReport() throws {
        var bytes = planted(5000, at: stride(from: 3, to: 4900, by: 41).map { $0 }).array
        bytes[77] = 0x5B
        let chain = Chain(Cutter()).appending(Seeker())
        let whole = chain.scan(Sample(path: "dump", bytes: Bytes(bytes)))
        try withFile(Bytes(bytes)) { path in
            let sample = Sample(path: "dump", content: .file(try FileContent(path: path)))
            #expect(sample.size == 5000)
            #expect(sample.digests.sha1 == Digests(of: Bytes(bytes)).sha1)
            #expect(facts(chain.scan(sample)) == facts(whole))
        }
    }

    @Test func aStageThatWantsAllBytesGetsThem() throws {
        try withFile(planted((1 << 20) + 500, at: [(1 << 20) + 100])) { path in
            let report = Chain(Seeker()).scan(Sample(path: "file", content: .file(try FileContent(path: path))))
            #expect(report.findings.first?.reasons.first?.matched.first?.offset == (1 << 20) + 100)
        }
    }

    @Test func aFileThatShrinksIsAnIssueAndNoCrash() throws {
        try withFile(planted(1000, at: [20])) { path in
            let sample = Sample(path: "dump", content: .file(try FileContent(path: path)))
            #expect(unsafe truncate(path, 500) == 0)
            let report = Chain(Cutter()).appending(Seeker()).scan(sample)
            #expect(offsets(report) == [20])
            #expect(report.issues.allSatisfy { $0.code == .failed })
            #expect(report.issues.first?.message.contains("became shorter") == true)
        }
    }
}
