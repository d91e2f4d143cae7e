import Foundation
import Glibc
import Pipeline
import PipelineTesting
import Synchronization
import Testing

@testable import ThunderstormService

/// Engines that crash, hang, hog and are killed, for real: each in processes of the test host.
@Suite(.serialized) struct EngineProcessTests {
    @Test func bytesOfEveryKindReachTheEngine() async throws {
        try await EngineHarness().run { harness in
            let onDisk = ByteStore(memoryLimit: 0, temporaryDirectory: harness.folder.path)
            for count in [0, 5, 16 << 10, (16 << 10) + 1, 64 << 10, (64 << 10) + 1, 3 << 20] {
                for store in [ByteStore(), onDisk] {
                    var writer = store.makeWriter()
                    try writer.append([UInt8](repeating: 0x61, count: count).rawSpan)
                    let bytes = try writer.finish()
                    let report = await harness.scan(bytes)
                    #expect(report.words == "one \(count)" && report.failure == nil)
                    guard case .file(let file)? = report.findings.first?.subject else { continue }
                    #expect(file.sha256 == Digests(of: bytes).sha256 && file.path == "/s/1")
                }
            }
            var writer = ByteStore().makeWriter()
            try writer.append(Array("0123456789".utf8).rawSpan)
            try writer.append([UInt8](repeating: 0x62, count: 100_000).rawSpan)
            let part = try #require(try writer.finish().slice(at: 4, count: 6))
            let report = await harness.scan(
                part, companions: [Companion(name: "LOG1", bytes: part), Companion(name: "LOG2", bytes: .empty)])
            #expect(report.words == "one 6 LOG1=456789 LOG2=")
            let many = (0..<250).map { Companion(name: "\($0)", bytes: .empty) }
            #expect(await harness.scan(part, companions: many).failure?.contains("250 companions") == true)
        }
    }

    // A file as large as a scan thread reads at once, and one that is read in pieces.
    @Test(arguments: [20_000, 3 << 20]) func filesThatChangeAfterTheyWereOpened(_ count: Int) async throws {
        try await EngineHarness().run { harness in
            let path = harness.folder.path + "/log"
            func scan(then change: (FileHandle) throws -> Void) async throws -> Report {
                try Data(repeating: 0x61, count: count).write(to: URL(filePath: path))
                let content = Content.file(try FileContent(path: path))
                let handle = try FileHandle(forUpdating: URL(filePath: path))
                try change(handle)
                try handle.close()
                return await harness.engine.scan(
                    Submission(
                        number: 1, path: "/s/1", source: "pc1", content: content, received: Timestamp(seconds: 0)),
                    lane: .async)
            }
            let grown = try await scan { handle in
                try handle.seekToEnd()
                try handle.write(contentsOf: Data("more".utf8))
            }
            #expect(grown.failure == nil && grown.bytes == count)
            let cut = try await scan { try $0.truncate(atOffset: 10) }
            let words = [cut.failure ?? ""] + cut.issues.map(\.message)
            #expect(words.contains { $0.contains("became shorter") })
        }
    }

    @Test func theReportIsThatOfTheInProcessEngine() async throws {
        try await EngineHarness().run { harness in
            let bytes = Bytes(utf8: "a sample")
            var report = await harness.scan(bytes, lane: .sync)
            #expect(report.samples == 1 && report.bytes == 8 && report.stages.map(\.name) == ["obedient"])
            #expect(report.stages[0].runs == 1 && report.level == .notice)
            report.findings[0].reasons = []
            let file = FileSubject(Sample(path: "/s/1", bytes: bytes))
            #expect(report.findings[0].subject == .file(file))
        }
    }

    @Test(arguments: ["trap", "exit"]) func aCrashCostsTheOthersARetryAndIsParked(_ killer: String) async throws {
        try await EngineHarness { $0.threads = 4 }.run { harness in
            let reports = await withTaskGroup(of: (Int, Report).self) { group in
                for number in 1...40 {
                    group.addTask {
                        (number, await harness.scan(number == 7 ? killer : "nap \(number)", number: number))
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for (number, report) in reports where number != 7 {
                #expect(report.failure == nil && report.words == "one")
            }
            let failed = try #require(reports[7])
            #expect(failed.failure?.contains("ended the engine each time") == true)
            #expect(failed.findings.first?.issues.first?.code == .failed)
            #expect(EventWords.shown(failed, minimumLevel: .alert).count == 1)
            let kept = try FileManager.default.contentsOfDirectory(atPath: harness.parked).sorted()
            #expect(kept.count == 2 && kept[0].hasSuffix("-7.data") && kept[1].hasSuffix("-7.json"))
            #expect(try String(contentsOfFile: harness.parked + "/" + kept[0], encoding: .utf8) == killer)
            let metadata = jsonObject(try String(contentsOfFile: harness.parked + "/" + kept[1], encoding: .utf8))
            #expect(metadata["path"] as? String == "/s/7" && metadata["sha256"] as? String != nil)
            #expect(harness.log.messages.contains { $0.contains("could not be analysed") && $0.contains("FILE=/s/7") })
            #expect(await harness.scan("after").words == "one 5")
        }
    }

    @Test func aScanThatHangsIsEnded() async throws {
        try await EngineHarness(seconds: 0.3) { $0.threads = 2 }.run { harness in
            async let hanging = harness.scan("loop", number: 1)
            var scanned = 0
            for number in 2...30 where await harness.scan("nap", number: number).words == "one" { scanned += 1 }
            #expect(scanned == 29)
            #expect(await hanging.failure?.contains("did not stop") == true)
            #expect(harness.log.messages.contains { $0.contains("did not stop after 0.6 s") })
        }
    }

    @Test func aScanThatTakesMemoryWithoutEndIsEnded() async throws {
        try await EngineHarness(memory: 200 << 20) { $0.threads = 2 }.run { harness in
            async let hog = harness.scan("hog", number: 1)
            for number in 2...20 { #expect(await harness.scan("nap", number: number).words == "one") }
            #expect(await hog.failure?.contains("ended the engine each time") == true)
            #expect(await harness.scan("after").words == "one 5")
        }
    }

    @Test func killsAtRandomMomentsLoseNothing() async throws {
        try await EngineHarness { $0.threads = 3 }.run { harness in
            let killing = Task {
                var generator = SplitMix64(seed: 9)
                var killed = 0
                while !Task.isCancelled, killed < 20 {
                    if let pid = harness.engines.first, pid > 0, kill(pid, SIGKILL) == 0 { killed += 1 }
                    try? await Task.sleep(for: .milliseconds(20 + Int(generator.next() % 60)))
                }
                return killed
            }
            let wrong = await withTaskGroup(of: Bool.self) { group in
                for number in 1...600 {
                    group.addTask {
                        let report = await harness.scan(number % 3 == 0 ? "nap" : "sample \(number)", number: number)
                        let expected = number % 3 == 0 ? "one" : "one \("sample \(number)".utf8.count)"
                        return report.failure != nil || report.words != expected
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            killing.cancel()
            #expect(wrong == 0)
            #expect(await killing.value >= 5)
        }
    }

    @Test func theLoaderMayDieToo() async throws {
        try await EngineHarness().run { harness in
            let before = await harness.scan("nap")
            let stat = try String(contentsOfFile: "/proc/\(before.process)/stat", encoding: .utf8)
            let parent = try #require(Int32(stat.split(separator: " ")[3]))
            #expect(parent != getpid())
            kill(parent, SIGKILL)
            for number in 1...20 { #expect(await harness.scan("nap", number: number).words == "one") }
            while !harness.log.messages.contains(where: { $0.contains("loaded anew") }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            while await harness.scan("nap").process == before.process { try await Task.sleep(for: .milliseconds(5)) }
            #expect(await harness.scan("nap").failure == nil)
        }
    }

    @Test func enginesAreRecycledWithoutAGap() async throws {
        try await EngineHarness { $0.recycleAfter = 10 }.run { harness in
            var processes: Set<String> = []
            for number in 1...100 {
                let report = await harness.scan("nap", number: number)
                #expect(report.failure == nil)
                processes.insert(report.process)
            }
            #expect(processes.count > 3)
        }
    }

    // An engine that went on with the thread that was forked would hang.
    @Test func locksWorkInAnEngine() async throws {
        try await EngineHarness(marker: "once").run { harness in
            #expect(await harness.scan("prepared").words == "prepared true")
        }
    }

    // What the kernel says of each thread of a process, from the third field on: behind the name in brackets. One that has
    // ended since the list was read is none.
    private func threads(of process: Int32) throws -> [[Substring]] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").compactMap { task in
            let path = "/proc/\(process)/task/\(task)/stat"
            guard let words = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
            let fields = words.split(separator: ")").last?.split(separator: " ") ?? []
            try #require(fields.count > 38)
            return fields
        }
    }

    private func niceness(_ thread: [Substring]) -> Int? { Int(thread[16]) }

    @Test(arguments: [0, 3, 7]) func enginesStandBackBehindTheReception(_ niceness: Int) async throws {
        let harness = try EngineHarness {
            $0.niceness = niceness
            $0.threads = 3
        }
        try await harness.run { harness in
            #expect(await harness.scan("calm").failure == nil)
            for process in harness.engines {
                let found = Dictionary(grouping: try threads(of: process), by: self.niceness).mapValues(\.count)
                // The one that was forked, which sleeps; one that receives and three for clients who wait; three more
                // for the queue.
                let expected = niceness > 5 ? [0: 1, 5: 4, niceness: 3] : niceness > 0 ? [0: 1, niceness: 7] : [0: 8]
                #expect(found == expected)
            }
            #expect(!harness.engines.isEmpty)
        }
    }

    // A job of the queue that was begun so long ago.
    private func assigned(_ number: UInt64, _ lane: Lane, secondsAgo: UInt64?, now: UInt64) -> ProcessEngine.Assigned {
        let submission = Submission(
            number: 1, path: "/s", source: "test", bytes: .empty, received: Timestamp(seconds: 0))
        let job = ProcessEngine.Job(number: number, submission: submission, lane: lane) { _ in }
        return ProcessEngine.Assigned(job: job, started: secondsAgo.map { now - $0 * 1_000_000_000 })
    }

    // 0 is SCHED_OTHER, 5 SCHED_IDLE.
    @Test(.timeLimit(.minutes(1))) func threadsForTheQueueTakeWhatIsLeftWhileSamplesComeIn() async throws {
        let harness = try EngineHarness {
            $0.niceness = 19
            $0.threads = 2
        }
        try await harness.run { harness in
            #expect(await harness.scan("calm").failure == nil)
            let process = try #require(harness.engines.first)
            // Waits until so many threads have a niceness and policy, without the one that was forked.
            func wait(for expected: [String: Int]) async throws {
                while true {
                    let threads = try threads(of: process).filter { niceness($0) != 0 }
                    let found = Dictionary(grouping: threads) { "\($0[16]) \($0[38])" }.mapValues(\.count)
                    if found == expected { return }
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            for isReceiving in [true, false] {
                harness.engine.isReceiving.withLock { $0 = { isReceiving } }
                let policy = isReceiving && ProcessEngine.mayComeForward ? "5" : "0"
                try await wait(for: ["5 0": 3, "19 \(policy)": 2])
                #expect(await harness.scan("calm").failure == nil)
            }
            // Beside a scan that has taken long they do not stand back; afterwards they do again.
            for isLong in [true, false] {
                let long = isLong ? assigned(1 << 40, .async, secondsAgo: 31, now: monotonicNanoseconds()) : nil
                harness.engine.state.withLock { state in
                    for number in state.children.keys { state.children[number]?.jobs[1 << 40] = long }
                }
                try await wait(for: isLong && ProcessEngine.mayComeForward ? ["5 0": 5] : ["5 0": 3, "19 0": 2])
                #expect(await harness.scan("calm").failure == nil)
            }
        }
    }

    @Test func scansOfTheQueueStandBackByWhatTheyHaveTaken() throws {
        let (ours, _) = try PacketSocket.pair()
        let now: UInt64 = 100_000_000_000
        func place(_ scans: [(lane: Lane, seconds: UInt64?)], isReceiving: Bool = true) -> QueuePlace {
            var child = ProcessEngine.Child(role: .traffic, loader: 1, socket: ours)
            for (number, scan) in zip(UInt64(0)..., scans) {
                child.jobs[number] = assigned(number, scan.lane, secondsAgo: scan.seconds, now: now)
            }
            return child.queuePlace(now: now, isReceiving: isReceiving)
        }
        #expect(place([]) == .idle)
        #expect(place([], isReceiving: false) == .back)
        #expect(place([(.async, nil), (.async, 2)]) == .idle)
        #expect(place([(.async, 0), (.async, 3)]) == .back)
        #expect(place([(.async, 0), (.sync, nil)]) == .back)
        #expect(place([(.async, 30), (.sync, 90)]) == .back)
        #expect(place([(.async, 31), (.async, nil)]) == .forward)
        #expect(place([(.async, 31), (.sync, 1)], isReceiving: false) == .forward)
    }

    @Test func theSandboxRefusesFilesNetworkAndPrograms() async throws {
        try await EngineHarness().run { harness in
            let said = harness.log.messages.first { $0.contains("SANDBOX=") } ?? ""
            // Only the kernel may excuse an engine without the filter, not what the engine says of itself.
            guard try String(contentsOfFile: "/proc/self/status", encoding: .utf8).contains("Seccomp_filters:") else {
                withKnownIssue("this kernel has no seccomp filters") { Issue.record("not tried: \(said)") }
                return
            }
            #expect(said.contains("seccomp filter"))
            let expected = ["read", "write", "network", "local", "program", "other", "tree"].map { "\($0) \(EPERM)" }
            #expect(await harness.scan("reach").words == expected.joined(separator: " "))
            #expect(!FileManager.default.fileExists(atPath: "/tmp/thunderstorm-engine-test"))
            #expect(await harness.scan("spill").words == "spilled \(80 << 20) 7 memory 0")
            let left = try FileManager.default.contentsOfDirectory(atPath: harness.folder.path + "/temporary")
            #expect(left.isEmpty)
        }
    }

    @Test func whatWaitsInTheEngineIsNotSuspected() async throws {
        try await EngineHarness { $0.threads = 1 }.run { harness in
            // The samples that failed, and how many the engine had after each scan.
            let (failed, assigned) = await withTaskGroup(of: (Int, Report, Int).self) { group in
                for number in 1...20 {
                    group.addTask {
                        let report = await harness.scan(number == 10 ? "trap" : "nap", number: number)
                        let counts = harness.engine.state.withLock { $0.children.values.map(\.jobs.count) }
                        return (number, report, counts.max() ?? 0)
                    }
                }
                return await group.reduce(into: ([Int](), [Int]())) { all, one in
                    if one.1.failure != nil { all.0.append(one.0) }
                    all.1.append(one.2)
                }
            }
            #expect(failed == [10])
            #expect(assigned.max() == 2, "one is scanned, one waits")
            let ends = harness.log.messages.filter { $0.contains("is replaced") }
            #expect(ends.count == 2 && ends.allSatisfy { $0.contains("SAMPLES=1") })
        }
    }

    @Test func reservedThreadsStayFreeForSyncJobs() async throws {
        try await EngineHarness {
            $0.threads = 2
            $0.syncOnly = 1
        }.run { harness in
            async let all: Void = withTaskGroup(of: Void.self) { group in
                for number in 1...60 { group.addTask { _ = await harness.scan("nap", number: number) } }
            }
            for _ in 0..<5 {
                #expect(await harness.scan("sync", lane: .sync).words == "one 4")
                // Two threads, one of them reserved: never two async jobs at once.
                let running = harness.engine.state.withLock { state in
                    state.children.values.map { $0.running(.async) }.max() ?? 0
                }
                #expect(running <= 1)
            }
            #expect(harness.engine.state.withLock { !($0.waiting[.async] ?? []).isEmpty })
            await all
        }
    }

    @Test func whatAHostileEngineSendsNeverTraps() {
        let answer = EngineAnswer.report(number: 3, report: Report()).encoded
        var generator = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            var bytes = answer
            for _ in 0..<3 { bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(generator.next() & 0xFF) }
            guard case .report(_, let report)? = try? EngineAnswer(Bytes(bytes)) else { continue }
            #expect(report.samples >= 0)
        }
        #expect((try? EngineAnswer(.empty)) == nil)
    }

    @Test func aClosedEngineSaysSo() async throws {
        let harness = try EngineHarness()
        try await harness.run { _ in }
        #expect(await harness.scan("late").failure == "the engine has ended")
    }
}
