import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

/// What the index forgets, and what it must not.
struct ServiceIndexTests {
    private static func use(_ name: String, _ bytes: Int, ends: Int64) -> RateLimits.DayUse {
        RateLimits.DayUse(name: name, bytes: bytes, ends: ends)
    }

    private static func index(_ folder: TemporaryFolder) throws -> ServiceIndex {
        try ServiceIndex(directory: folder.path, resultLimit: 0) { Testing.Issue.record("damaged: \($0)") }
    }

    // Names and bytes of all days that are stored.
    private static func uses(_ index: ServiceIndex) throws -> [String: Int] {
        let uses = try index.dayUses(now: Timestamp(seconds: 0))
        return Dictionary(uses.map { ($0.name, $0.bytes) }) { first, _ in first }
    }

    @Test func daysThatAreOverGoWhileItRuns() throws {
        let folder = try TemporaryFolder()
        let index = try Self.index(folder)
        defer { index.close() }
        let (day, now): (Int64, Int64) = (86_400, 1_700_000_000)
        try index.commit(
            ServiceIndex.Changes(dayUses: [Self.use("over", 1, ends: now), Self.use("runs", 2, ends: now + 1)]))
        #expect(try Self.uses(index) == ["over": 1, "runs": 2])
        try index.commit(ServiceIndex.Changes(dayUses: [Self.use("new", 3, ends: now + day)]))
        #expect(try Self.uses(index) == ["runs": 2, "new": 3])
    }

    @Test func minutesThatAreNeverShownGo() throws {
        let folder = try TemporaryFolder()
        let index = try Self.index(folder)
        defer { index.close() }
        let (year, now): (Int64, Int64) = (366 * 24 * 60, 28_000_000)
        try index.commit(
            ServiceIndex.Changes(minutes: [(0, now - year, 1), (0, now - year + 1, 2), (1, now - year, 3)]))
        try index.commit(ServiceIndex.Changes(minutes: [(0, now, 4)]))
        #expect(try index.minutes(kind: 0).map(\.minute) == [now - year + 1, now])
        #expect(try index.minutes(kind: 1).map(\.count) == [3])
    }

    @Test func aFailedCommitLosesNoDaysUse() throws {
        let folder = try TemporaryFolder()
        let directory = try UploadDirectory(path: folder.path)
        let index = try Self.index(folder)
        let journal = Journal(directory: directory, index: index) { _ in }
        let path = folder.path + "/" + ServiceIndex.fileName
        // Writes fail while it is not in its place.
        try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
        journal.note { $0.dayUses += [Self.use("a", 1, ends: 100), Self.use("b", 2, ends: 100)] }
        journal.flush()
        #expect(journal.lastFailure != nil)
        journal.note { $0.dayUses.append(Self.use("a", 3, ends: 100)) }
        journal.flush()
        try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
        journal.flush()
        #expect(journal.lastFailure == nil)
        #expect(try Self.uses(index) == ["a": 3, "b": 2])
        journal.close()
    }
}
