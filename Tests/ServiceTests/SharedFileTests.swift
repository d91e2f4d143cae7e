import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

// Small samples of one group commit lie in one file. What holds for a sample in a file of its own has to hold there.

struct SharedFileTests {
    private static func record(_ id: Int64) -> (bytes: [UInt8], sample: QueuedSample) {
        let content = Array("content of \(id)\n".utf8)
        let sample = QueuedSample(
            id: id, path: "/tmp/\(id)" + String(repeating: "x", count: id == 12 ? 3_000 : 0), source: "pc1",
            received: Timestamp(seconds: 5), count: content.count, sha256: "\(id)")
        return (content + sample.trailer, sample)
    }

    // The file of the samples 11, 12 and 13, as a commit writes it.
    private static func write(to folder: TemporaryFolder, cutting: Int = 0) throws {
        let bytes = (11...13).flatMap { record($0).bytes }
        try Data(bytes.dropLast(cutting)).write(to: URL(filePath: folder.path + "/sample-11-3.data"))
    }

    private static func open(
        _ folder: TemporaryFolder, results: Int = 100
    ) throws -> (directory: UploadDirectory, index: ServiceIndex) {
        let directory = try UploadDirectory(path: folder.path)
        let index = try ServiceIndex(directory: folder.path, resultLimit: results) {
            Testing.Issue.record("damaged: \($0)")
        }
        return (directory, index)
    }

    private static func failed(_ id: Int64) -> ServiceIndex.Result {
        ServiceIndex.Result(
            id: id, report: nil, context: EventContext(time: Timestamp(seconds: 5), hostname: "", scanID: ""))
    }

    // What a start finds of the samples 11, 12 and 13.
    private static func recover(
        _ folder: TemporaryFolder, cutting: Int = 0
    ) throws -> (directory: UploadDirectory, recovery: Recovery) {
        try write(to: folder, cutting: cutting)
        let (directory, index) = try open(folder)
        defer { index.close() }
        return (directory, try Recovery(directory: directory, index: index, host: "here"))
    }

    @Test func samplesOfOneCommitShareAFile() async throws {
        let folder = try TemporaryFolder()
        let (directory, index) = try Self.open(folder)
        let journal = Journal(directory: directory, index: index) { _ in }
        let places = await withTaskGroup(of: (Int64, SamplePlace)?.self) { group in
            for id in Int64(1)...200 {
                group.addTask {
                    let (bytes, sample) = Self.record(id)
                    return (try? await journal.accept(.bytes(bytes), as: sample)).map { (id, $0) }
                }
            }
            return await group.reduce(into: [Int64: SamplePlace]()) { all, one in
                if let one { all[one.0] = one.1 }
            }
        }
        #expect(places.count == 200)
        #expect(try folder.samples().count == Set(places.values.map(\.file)).count)
        #expect(places.values.contains { $0.samples > 1 })
        for (id, place) in places {
            let (sample, bytes) = try directory.sample(id, at: place)
            #expect(sample == Self.record(id).sample)
            #expect(bytes.array == Array("content of \(id)\n".utf8))
            await journal.conclude(Self.failed(id), at: place)
        }
        journal.close()
        #expect(try folder.samples().isEmpty)
    }

    @Test func theFileGoesWithItsLastSample() throws {
        let folder = try TemporaryFolder()
        let (directory, recovery) = try Self.recover(folder)
        #expect(recovery.waiting.map(\.id) == [11, 12, 13])
        #expect(recovery.lastID == 13)
        for sample in recovery.waiting {
            #expect(try folder.samples() == ["sample-11-3.data"])
            #expect(try directory.sample(sample.id, at: sample.place).sample == Self.record(sample.id).sample)
            directory.remove(sample.place)
        }
        #expect(try folder.samples().isEmpty)
    }

    // No result is kept, so that only the neighbours tell that 12 is done.
    @Test(arguments: [0, 100]) func whatIsDoneIsNotScannedAgain(results: Int) throws {
        let folder = try TemporaryFolder()
        try Self.write(to: folder)
        let (directory, index) = try Self.open(folder, results: results)
        var changes = ServiceIndex.Changes()
        changes.accepted = (11...13).map { Self.record($0).sample }
        try index.commit(changes)
        changes = ServiceIndex.Changes()
        changes.concluded = [Self.failed(12)]
        try index.commit(changes)
        let recovery = try Recovery(directory: directory, index: index, host: "here")
        index.close()
        #expect(recovery.problems.isEmpty)
        #expect(recovery.waiting.map(\.id) == [11, 13])
        for sample in recovery.waiting { directory.remove(sample.place) }
        #expect(try folder.samples().isEmpty)
    }

    // It was not synced before the power failed, so nothing in it was acknowledged.
    @Test(arguments: [1, 8, 100, 4_000]) func aFileThatIsCutOffIsSetAside(cutting: Int) throws {
        let folder = try TemporaryFolder()
        let (_, recovery) = try Self.recover(folder, cutting: cutting)
        #expect(recovery.waiting.isEmpty)
        #expect(recovery.problems.map(\.about) == [folder.path + "/sample-11-3.damaged"])
    }

    @Test func aDamagedSampleIsKeptAndItsNeighboursAreScanned() throws {
        let folder = try TemporaryFolder()
        let (directory, recovery) = try Self.recover(folder)
        let (first, second, third) = (recovery.waiting[0], recovery.waiting[1], recovery.waiting[2])
        var bytes = (11...13).flatMap { Self.record($0).bytes }
        bytes[Self.record(11).bytes.count - 1] = 0
        try Data(bytes).write(to: URL(filePath: folder.path + "/sample-11-3.data"))
        #expect(throws: SystemError.self) { try directory.sample(first.id, at: first.place) }
        #expect(directory.setAside(first.place) == folder.path + "/sample-11-3.damaged")
        for sample in [second, third] {
            #expect(try directory.sample(sample.id, at: sample.place).sample == Self.record(sample.id).sample)
        }
        for sample in recovery.waiting { directory.remove(sample.place) }
        #expect(try folder.samples() == ["sample-11-3.damaged"])
    }
}
