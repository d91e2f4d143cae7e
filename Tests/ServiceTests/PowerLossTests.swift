import Foundation
import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

// Power fails at every step of the group commit; what was acknowledged has to be there afterwards.

struct PowerLossTests {
    private func content(_ id: Int64) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: 3_000) }

    // Large ones come in files of their own, small ones get into one file with others: here it is every second client.
    private func receive(_ id: Int64, in directory: UploadDirectory) throws -> (Journal.Received, QueuedSample) {
        let sample = QueuedSample(
            id: id, path: "/tmp/\(id)", source: "pc\(id % 3)", received: Timestamp(seconds: 5), count: 3_000,
            sha256: "\(id)")
        let bytes = content(id) + sample.trailer
        guard id / 100 % 2 == 0 else { return (.bytes(bytes), sample) }
        let file = try directory.newFile(id)
        try file.append(bytes)
        return (.file(file), sample)
    }

    @Test func theDoubleLosesWhatIsNotSynced() throws {
        let (before, after) = (try TemporaryFolder(), try TemporaryFolder())
        let files = try PowerLossFiles(path: before.path, failsBefore: .max, after: after)
        for name in ["lost", "kept"] {
            let descriptor = try files.create(name)
            try files.write([1, 2, 3], to: descriptor)
            if name == "kept" { try files.sync([descriptor]) }
            files.close(descriptor)
        }
        // Its name comes after the last sync.
        files.close(try files.create("late"))
        files.failNow()
        try files.writeSurvivors()
        #expect(try after.names() == ["kept", "lost"])
        #expect(try after.read("kept").utf8.count == 3)
        #expect(try after.read("lost").isEmpty)
        #expect(throws: SystemError.self) { try files.create("more") }
    }

    @Test(arguments: 1...60, [true, false])
    func acknowledgedSamplesSurvive(failsBefore: Int, keepsIndex: Bool) async throws {
        let (before, after) = (try TemporaryFolder(), try TemporaryFolder())
        let files = try PowerLossFiles(path: before.path, failsBefore: failsBefore, after: after)
        let directory = try UploadDirectory(path: before.path) { _ in files }
        let index = try ServiceIndex(directory: before.path, resultLimit: 100) { _ in }
        let journal = Journal(directory: directory, index: index) { _ in }
        let acknowledged = Acknowledged()
        await withTaskGroup(of: Void.self) { group in
            for client in 0..<8 {
                group.addTask {
                    for step in 0..<6 {
                        let id = Int64(client * 100 + step + 1)
                        guard let (received, sample) = try? receive(id, in: directory),
                            let place = try? await journal.accept(received, as: sample)
                        else { return }
                        acknowledged.insert(id)
                        if step % 3 == 2 {
                            await journal.conclude(
                                ServiceIndex.Result(
                                    id: id, report: ReportCodec.encode(Report()),
                                    context: EventContext(time: sample.received, hostname: "", scanID: "\(id)")),
                                at: place)
                        }
                    }
                }
            }
        }
        files.failNow()
        journal.close()
        try files.writeSurvivors()
        if !keepsIndex {
            for name in try after.names() where name.hasPrefix(ServiceIndex.fileName) {
                try FileManager.default.removeItem(atPath: after.path + "/" + name)
            }
        }

        let found = try UploadDirectory(path: after.path)
        let rebuilt = try ServiceIndex(directory: after.path, resultLimit: 100) {
            Testing.Issue.record("damaged: \($0)")
        }
        let recovery = try Recovery(directory: found, index: rebuilt, host: "here")
        let places = Dictionary(uniqueKeysWithValues: recovery.waiting.map { ($0.id, $0.place) })
        for id in acknowledged.all {
            if try rebuilt.result(id) != nil { continue }
            // Without the index, results of samples that were removed already are gone with it.
            guard places[id] != nil || (keepsIndex || id % 100 % 3 != 0) else { continue }
            let place = try #require(places[id], "sample \(id) is lost")
            let (sample, bytes) = try found.sample(id, at: place)
            #expect(bytes.array == content(id))
            #expect(sample.path == "/tmp/\(id)")
            #expect(recovery.lastID >= id)
        }
        // What is damaged was never acknowledged.
        for problem in recovery.problems {
            #expect(!acknowledged.all.contains { problem.about.hasSuffix("sample-\($0).damaged") }, "\(problem)")
        }
        rebuilt.close()
    }
}

private final class Acknowledged: Sendable {
    private let ids = Mutex<Set<Int64>>([])

    var all: Set<Int64> { ids.withLock { $0 } }

    func insert(_ id: Int64) { ids.withLock { _ = $0.insert(id) } }
}
