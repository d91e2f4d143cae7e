import Pipeline
import Testing

@testable import ThunderstormService

struct QueueTests {
    @Test func firstInFirstOutWithinASource() async {
        let queue = FairQueue(countLimit: 10_000, byteLimit: 1 << 20)
        for id in 1...5_000 { queue.append(id: Int64(id), source: "pc", count: 1) }
        #expect(queue.bytes == 5_000)
        for id in 1...5_000 { #expect(await queue.next()?.id == Int64(id)) }
        #expect(queue.count == 0)
        #expect(queue.bytes == 0)
    }

    @Test func sourcesTakeTurns() async {
        let queue = FairQueue(countLimit: 10_000, byteLimit: 1 << 20)
        for id in 1...1_000 { queue.append(id: Int64(id), source: "flood", count: 1) }
        for id in 2_001...2_003 { queue.append(id: Int64(id), source: "a", count: 1) }
        for id in 3_001...3_002 { queue.append(id: Int64(id), source: "b", count: 1) }
        var order: [Int64] = []
        for _ in 0..<10 { order.append(await queue.next()?.id ?? 0) }
        #expect(order == [1, 2_001, 3_001, 2, 2_002, 3_002, 3, 2_003, 4, 5])
        // A source that comes back waits behind those that are there.
        queue.append(id: 2_004, source: "a", count: 1)
        #expect(await queue.next()?.id == 6)
        #expect(await queue.next()?.id == 2_004)
    }

    @Test func roomIsCountedWhileSamplesArrive() {
        let queue = FairQueue(countLimit: 2, byteLimit: 100)
        #expect(queue.reserve(bytes: 60))
        #expect(!queue.reserve(bytes: 60))
        #expect(queue.reserve(bytes: 40))
        #expect(!queue.reserve(bytes: 0))
        queue.release(bytes: 60)
        queue.release(bytes: 40)
        queue.append(id: 1, source: "pc", count: 100)
        #expect(!queue.reserve(bytes: 1))
        #expect(queue.reserve(bytes: 0))
    }

    @Test func waitingWorkersAreServedAndSentHome() async {
        let queue = FairQueue(countLimit: 10, byteLimit: 100)
        await withTaskGroup(of: Int64?.self) { group in
            for _ in 0..<3 { group.addTask { await queue.next()?.id } }
            queue.append(id: 1, source: "pc", count: 1)
            queue.append(id: 2, source: "pc", count: 1)
            var answers: [Int64?] = []
            for await answer in group {
                answers.append(answer)
                if answers.count == 2 { queue.close() }
            }
            #expect(answers.compactMap { $0 }.sorted() == [1, 2])
        }
        queue.append(id: 3, source: "pc", count: 1)
        #expect(await queue.next() == nil)
        #expect(queue.count == 1)
    }

    @Test func whatIsKnownOfASampleLiesBehindIt() throws {
        var original = QueuedSample(
            id: 1_700_000_000_000_001, path: "C:\\Temp\\\"ü\n\u{1}.exe", source: "pc<1>",
            received: Timestamp(seconds: 1_700_000_000, nanoseconds: 5), count: 42, sha256: "ab")
        original.collection = "C-1"
        let trailer = original.trailer
        let length = try #require(QueuedSample.fieldCount(footer: trailer.suffix(8)))
        #expect(length == trailer.count - 8)
        #expect(try QueuedSample(fields: Array(trailer.prefix(length))) == original)
        for cut in 0..<length {
            #expect(throws: CodecError.self) { try QueuedSample(fields: Array(trailer.prefix(cut))) }
        }
        #expect(throws: CodecError.self) { try QueuedSample(fields: trailer) }
        #expect(QueuedSample.fieldCount(footer: Array("12345678".utf8)) == nil)
        #expect(QueuedSample.fieldCount(footer: [0, 0, 0, 0xFF] + Array("TSQ2".utf8)) == nil)
    }

    @Test func idsIncreaseOverRuns() {
        let first = SampleNumbers(after: 0, now: Timestamp(seconds: 1_700_000_000))
        let id = first.nextAsyncID()
        #expect(id > 1_700_000_000_000_000 && id < 1 << 53)
        #expect(first.nextAsyncID() == id + 1)
        #expect(SampleNumbers(after: 0, now: Timestamp(seconds: 1_700_000_001)).nextAsyncID() > id)
        // The clock was set back: what lies in the queue still counts.
        #expect(SampleNumbers(after: id, now: Timestamp(seconds: 1_600_000_000)).nextAsyncID() == id + 1)
        #expect(first.nextSample() == 1)
        #expect(first.nextSample() == 2)
    }
}

struct ResultTests {
    private func stored(_ id: Int64, findings: Int = 0) -> ServiceIndex.Result {
        var report = Report()
        let finding = Finding(
            subject: .record(RecordSubject(type: RecordType("log line", module: "LogScan"), offset: 0, fields: [])),
            module: "LogScan", reasons: [], score: 0, level: .info, context: [], issues: [])
        report.findings = [Finding](repeating: finding, count: findings)
        return ServiceIndex.Result(
            id: id, report: ReportCodec.encode(report),
            context: EventContext(time: Timestamp(seconds: 5, nanoseconds: 7), hostname: "pc", scanID: "S-\(id)"))
    }

    private func index(_ folder: TemporaryFolder, limit: Int = 100) throws -> ServiceIndex {
        try ServiceIndex(directory: folder.path, resultLimit: limit) { Testing.Issue.record("damaged: \($0)") }
    }

    @Test func theOldestResultsGo() async throws {
        let folder = try TemporaryFolder()
        let index = try index(folder)
        for start in stride(from: Int64(1), to: 1_000, by: 50) {
            var changes = ServiceIndex.Changes()
            changes.concluded = (start..<start + 50).map { stored($0) }
            try index.commit(changes)
        }
        #expect(try index.result(900) == nil)
        let kept = try #require(try index.result(901))
        #expect(
            kept.context
                == EventContext(
                    time: Timestamp(seconds: 5, nanoseconds: 7), hostname: "pc", scanID: "S-901"))
        #expect(try index.result(1_000) != nil)
        index.close()
        // A smaller cache in the next run.
        let smaller = try self.index(folder, limit: 10)
        #expect(try smaller.result(990) == nil)
        #expect(try smaller.result(991) != nil)
        smaller.close()
    }

    @Test func statesComeFromMemoryAndTheIndex() async throws {
        let folder = try TemporaryFolder()
        let index = try index(folder)
        let store = ResultStore(index: index)
        var changes = ServiceIndex.Changes()
        changes.accepted = [
            QueuedSample(id: 6, path: "/x", source: "pc", received: Timestamp(seconds: 1), count: 1, sha256: "")
        ]
        try index.commit(changes)
        #expect(try await store.state(of: 5) == nil)
        #expect(try await store.state(of: 6)?.words == "Waiting for execution")
        store.setScanning(6)
        #expect(try await store.state(of: 6)?.words == "Currently being scanned")
        var done = ServiceIndex.Changes()
        done.concluded = [store.conclude(6, .failed, source: "pc")]
        #expect(try await store.state(of: 6)?.words == "Sample analysis failed")
        try index.commit(done)
        store.committed([6])
        #expect(try await store.state(of: 6)?.words == "Sample analysis failed")
        #expect(try index.lastID() == 6)
        var complete = ServiceIndex.Changes()
        complete.concluded = [stored(7, findings: 3)]
        try index.commit(complete)
        guard case .complete(let result) = try await store.state(of: 7) else {
            Testing.Issue.record("not complete")
            return
        }
        #expect(result.report.findings.count == 3)
        index.close()
    }

    @Test func aCommitIsOnTheDisk() throws {
        let index = try index(try TemporaryFolder())
        let durability = try index.durability()
        #expect(durability.synchronous == 2)
        #expect(durability.journal == "wal")
        index.close()
    }

    @Test func historiesHaveEmptyBucketsAndLimits() {
        let start = Timestamp(seconds: 1_700_000_000 / 86_400 * 86_400)
        func at(_ minute: Int64) -> Timestamp { Timestamp(seconds: start.seconds + minute * 60) }
        let history = MinuteHistory(start: start)
        for minute in [0, 0, 3, 7, 59] { history.record(at: at(Int64(minute))) }
        let all = history.buckets(aggregate: 1, limit: 0, now: at(59))
        #expect(all.count == 60)
        #expect(all.prefix(4).map(\.count) == [2, 0, 0, 1])
        #expect(all[0].key == LocalTime(start).minuteKey)
        let quarters = history.buckets(aggregate: 15, limit: 0, now: at(59))
        #expect(quarters.map(\.count) == [4, 0, 0, 1])
        #expect(quarters.map(\.key) == [0, 15, 30, 45].map { LocalTime(at($0)).minuteKey })
        #expect(history.buckets(aggregate: 1, limit: 5, now: at(59)).map(\.count) == [0, 0, 0, 0, 1])
        #expect(history.buckets(aggregate: 1, limit: 5, now: at(100)).map(\.count) == [0, 0, 0, 0, 0])
        #expect(history.buckets(aggregate: 525_600, limit: 0, now: at(59)).map(\.count).reduce(0, +) == 5)
    }

    @Test func historiesBearClocksThatJump() {
        let history = MinuteHistory(start: Timestamp(seconds: 1_700_000_000))
        history.record(at: Timestamp(seconds: 0))
        #expect(history.buckets(aggregate: 1, limit: 0, now: Timestamp(seconds: 0)).map(\.count) == [1])
        history.record(at: Timestamp(seconds: 4_000_000_000))
        let after = history.buckets(aggregate: 1, limit: 1, now: Timestamp(seconds: 4_000_000_000))
        #expect(after.map(\.count) == [1])
    }

    @Test func historiesGoOnAfterARestart() {
        let first = MinuteHistory(start: Timestamp(seconds: 6_000))
        first.record(at: Timestamp(seconds: 6_000))
        first.record(at: Timestamp(seconds: 6_130))
        first.record(at: Timestamp(seconds: 6_131))
        let stored = first.takeChanges()
        #expect(stored.map(\.minute) == [100, 102])
        #expect(first.takeChanges().isEmpty)
        let second = MinuteHistory(start: Timestamp(seconds: 6_300), stored: stored)
        second.record(at: Timestamp(seconds: 6_131))
        let buckets = second.buckets(aggregate: 1, limit: 0, now: Timestamp(seconds: 6_300))
        #expect(buckets.map(\.count) == [1, 0, 3, 0, 0, 0])
        #expect(second.takeChanges().map(\.count) == [3])
        // A clock that was once centuries ahead costs no memory.
        let wrong = MinuteHistory(start: Timestamp(seconds: 6_300), stored: [(1, 1), (1 << 40, 1)])
        wrong.record(at: Timestamp(seconds: 6_300))
        #expect(wrong.takeChanges().count == 1)
    }

    @Test func countersAndTheRateOfWork() {
        let counters = ServiceCounters()
        #expect(counters.uptime >= 1)
        #expect((1...120).contains(counters.seconds(for: 1)))
        counters.countRequest()
        counters.countDenied()
        counters.countScanned(scan: 2_000, total: 5_000)
        counters.countScanned(scan: 9_000, total: 7_000)
        let now = counters.snapshot
        #expect((now.scanned, now.denied, now.requests) == (2, 1, 1))
        #expect((now.meanScan, now.meanWait, now.meanTotal) == (4_500, 1_500, 6_000))
        #expect(counters.seconds(for: 1) <= counters.seconds(for: 1_000))
        #expect(counters.seconds(for: 1_000_000) == 120)
    }
}
