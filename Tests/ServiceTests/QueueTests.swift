import Pipeline
import Testing

@testable import ThunderstormService

struct QueueTests {
    private func sample(_ id: Int64, count: Int = 1) -> QueuedSample {
        QueuedSample(id: id, path: "/\(id)", source: "pc", received: Timestamp(seconds: 1), count: count)
    }

    @Test func firstInFirstOut() async {
        let queue = AsyncQueue(countLimit: 10_000, byteLimit: 1 << 20)
        for id in 1...5_000 { queue.append(sample(Int64(id))) }
        for id in 1...5_000 { #expect(await queue.next()?.id == Int64(id)) }
        #expect(queue.count == 0)
    }

    @Test func roomIsCountedWhileSamplesArrive() {
        let queue = AsyncQueue(countLimit: 2, byteLimit: 100)
        #expect(queue.reserve(bytes: 60))
        #expect(!queue.reserve(bytes: 60))
        #expect(queue.reserve(bytes: 40))
        #expect(!queue.reserve(bytes: 0))
        queue.release(bytes: 60)
        queue.release(bytes: 40)
        queue.append(sample(1, count: 100))
        #expect(!queue.reserve(bytes: 1))
        #expect(queue.reserve(bytes: 0))
    }

    @Test func waitingWorkersAreServedAndSentHome() async {
        let queue = AsyncQueue(countLimit: 10, byteLimit: 100)
        await withTaskGroup(of: Int64?.self) { group in
            for _ in 0..<3 { group.addTask { await queue.next()?.id } }
            queue.append(sample(1))
            queue.append(sample(2))
            var answers: [Int64?] = []
            for await answer in group {
                answers.append(answer)
                if answers.count == 2 { queue.close() }
            }
            #expect(answers.compactMap { $0 }.sorted() == [1, 2])
        }
        queue.append(sample(3))
        #expect(await queue.next() == nil)
        #expect(queue.count == 1)
    }

    @Test func metadataSurvives() throws {
        let original = QueuedSample(
            id: 1_700_000_000_000_001, path: "C:\\Temp\\\"ü\n\u{1}.exe", source: "pc<1>",
            received: Timestamp(seconds: 1_700_000_000, nanoseconds: 5), count: 42)
        var read = try #require(QueuedSample(metadata: original.metadata))
        read.arrival = original.arrival
        #expect(read == original)
        #expect(QueuedSample(metadata: Array(original.metadata.dropLast(3))) == nil)
        #expect(QueuedSample(metadata: []) == nil)
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
    private func result(findings: Int = 0) -> StoredResult {
        var report = Report()
        let finding = Finding(
            subject: .record(RecordSubject(type: RecordType("log line", module: "LogScan"), offset: 0, fields: [])),
            module: "LogScan", reasons: [], score: 0, level: .info, context: [], issues: [])
        report.findings = [Finding](repeating: finding, count: findings)
        return StoredResult(
            report: report, context: EventContext(time: Timestamp(seconds: 0), hostname: "", scanID: ""))
    }

    @Test func theOldestResultsGo() {
        let cache = ResultCache(capacity: 100)
        for id in 1...5_000 {
            cache.setWaiting(Int64(id))
            cache.setComplete(Int64(id), result())
        }
        cache.setWaiting(6_000)
        #expect(cache.state(of: 4_900) == nil)
        #expect(cache.state(of: 4_901)?.words == "Sample analysis complete")
        #expect(cache.state(of: 6_000)?.words == "Waiting for execution")
        cache.setScanning(6_000)
        #expect(cache.state(of: 6_000)?.words == "Currently being scanned")
        cache.setFailed(6_000)
        #expect(cache.state(of: 6_000)?.words == "Sample analysis failed")
    }

    @Test func resultsWithManyFindingsGoSooner() {
        let cache = ResultCache(capacity: 100)
        for id in 1...10 { cache.setComplete(Int64(id), result(findings: 100_000)) }
        #expect(cache.state(of: 6) == nil)
        #expect(cache.state(of: 7) != nil)
        cache.setComplete(11, result(findings: 1_000_000))
        #expect(cache.state(of: 11) != nil)
        #expect(cache.state(of: 10) == nil)
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
