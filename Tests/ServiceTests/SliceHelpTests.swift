import Dispatch
import Glibc
import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

// Threads of the in-process engine help with the slices of a large sample.

// Cuts samples in slices of 16 bytes and notes which thread looks at each of them.
private final class Cutter: Stage {
    static let descriptor = StageDescriptor(
        name: "cutter", summary: "Cuts samples in slices.", interest: .samples.andSlices, readsPieces: true)
    let threads = Mutex<Set<UInt>>([])
    private let together: Int
    private let inside = Atomic<Int>(0)
    private let allInside = DispatchSemaphore(value: 0)

    // The first `together` slices wait for each other.
    init(together: Int = 0) { self.together = together }
    init(options: NoOptions, environment: StageEnvironment) { together = 0 }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        if sample.name == "small" { return }
        try out.slice(SlicePlan(size: 16, overlap: 0, module: "Cut"))
    }

    func inspect(_ slice: Slice, of sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        threads.withLock { $0.formUnion([UInt(pthread_self())]) }
        let number = inside.add(1, ordering: .relaxed).newValue
        if number == together {
            for _ in 1..<max(together, 1) { allInside.signal() }
        } else if number < together {
            // Long enough for any machine; without help nobody would come.
            guard allInside.wait(timeout: .now() + 60) == .success else {
                throw StageError(.failed, "nobody helped")
            }
        }
        out.report(
            Reason(
                summary: slice.bytes.span.utf8Text, signature: Signature(kind: .keyword, score: 50),
                matched: [MatchedText("x", offset: slice.range.lowerBound)]))
    }
}

struct SliceHelpTests {
    private static let sample = Bytes((0..<1600).map { UInt8(0x41 + $0 / 16 % 26) })

    private func scan(_ engine: InProcessEngine, _ path: String = "dump") async -> Report {
        await engine.scan(
            Submission(number: 1, path: path, source: "s", bytes: Self.sample, received: Timestamp(seconds: 0)),
            lane: .async)
    }

    @Test func idleThreadsHelp() async throws {
        let stage = Cutter(together: 3)
        let engine = try InProcessEngine(chain: Chain(stage), threads: 3, byteStore: ByteStore())
        defer { engine.close() }
        let report = await scan(engine)
        #expect(report.issues.isEmpty)
        #expect(stage.threads.withLock { $0.count } == 3)
    }

    @Test func reservedThreadsDoNot() async throws {
        let stage = Cutter()
        let engine = try InProcessEngine(chain: Chain(stage), threads: 4, syncOnly: 3, byteStore: ByteStore())
        defer { engine.close() }
        for _ in 0..<50 { #expect(await scan(engine).findings.count == 100) }
        #expect(stage.threads.withLock { $0.count } == 1)
    }

    @Test func theReportIsTheSameWithAnyNumberOfThreads() async throws {
        var reports: [[Finding]] = []
        for threads in [1, 2, 5] {
            let engine = try InProcessEngine(chain: Chain(Cutter()), threads: threads, byteStore: ByteStore())
            defer { engine.close() }
            for _ in 0..<20 { reports.append(await scan(engine).findings) }
        }
        #expect(reports.allSatisfy { $0 == reports[0] })
        #expect(reports[0].count == 100)
    }

    @Test func manyLargeSamplesAtOnceEnd() async throws {
        let engine = try InProcessEngine(chain: Chain(Cutter()), threads: 3, syncOnly: 1, byteStore: ByteStore())
        defer { engine.close() }
        let counts = await withTaskGroup(of: Int.self) { group in
            for index in 0..<60 {
                group.addTask { await scan(engine, index % 3 == 0 ? "small" : "dump").findings.count }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts.sorted() == [Int](repeating: 0, count: 20) + [Int](repeating: 100, count: 40))
    }
}
