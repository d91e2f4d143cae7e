import Archive
import Decompress
import FileType
import Pipeline
import PipelineTesting
import Testing

/// Archives made to exhaust whoever opens them: the limits hold, and the result says which one cut what.
struct BombTests {
    private func chain() throws -> Chain {
        Chain(FileTypeStage(options: NoOptions(), environment: StageEnvironment()))
            .appending(try DecompressStage()).appending(try ArchiveStage())
    }

    private func scanned(_ bytes: [UInt8], limits: Limits = Limits()) throws -> Report {
        try chain().scan(Sample(path: "bomb", bytes: Bytes(bytes)), limits: limits)
    }

    private func limitsSaid(_ report: Report) -> [String] {
        report.issues.filter { $0.code == .limit }.map(\.message)
    }

    @Test func aFlatBombIsCut() throws {
        let zeros = [UInt8](repeating: 0, count: 32 << 20)
        let zip = try ArchiveWriter.archive([("zeros", zeros), ("small", [1])], format: "zip")
        #expect(zip.count < 1 << 20)
        var limits = Limits()
        limits.expansionGrace = 4 << 20
        limits.expansionRatio = 10
        let report = try scanned(zip, limits: limits)
        #expect(report.bytes <= zip.count + 4 << 20)
        #expect(limitsSaid(report) == ["expansion limit reached: zeros was looked at up to 2097152 bytes"])
        // What stands behind the bomb is still looked at.
        #expect(report.samples == 3)
    }

    @Test func membersThatFitAreNotCut() throws {
        let archive = try ArchiveWriter.archive(
            [("large", [UInt8](repeating: 0x61, count: 3 << 20)), ("small", [1])], format: "zip")
        var limits = Limits()
        limits.expandedBytes = 4 << 20
        let report = try scanned(archive, limits: limits)
        #expect(report.issues == [])
        #expect(report.bytes == archive.count + 3 << 20 + 1)
    }

    @Test func aNestedBombSharesOneBudget() throws {
        let zeros = [UInt8](repeating: 0, count: 4 << 20)
        var level = try ArchiveWriter.archive([("zeros", zeros)], format: "zip")
        for _ in 0..<3 {
            level = try ArchiveWriter.archive((0..<8).map { ("\($0).zip", level) }, format: "zip")
        }
        var limits = Limits()
        limits.expandedBytes = 16 << 20
        let report = try scanned(level, limits: limits)
        #expect(report.bytes <= level.count + limits.expandedBytes)
        #expect(limitsSaid(report).contains { $0.hasPrefix("expansion limit reached") })
    }

    @Test func twentyLevelsEndAtTheArchiveDepth() throws {
        var level = SyntheticZip([.init("bottom.txt", Array("x".utf8))]).bytes
        for number in 0..<20 { level = SyntheticZip([.init("\(number).zip", level)]).bytes }
        let report = try scanned(level)
        #expect(report.samples == 5)
        #expect(limitsSaid(report) == ["archive depth limit 4 reached: the ZIP file was not opened"])
        guard case .file(let deepest)? = report.findings.last?.subject else {
            Testing.Issue.record("no finding")
            return
        }
        #expect(deepest.path == "bomb/19.zip/18.zip/17.zip/16.zip")
    }

    // A quine holds a file that is the archive again, for ever; for the scanner that is depth without end.
    @Test func compressedTarsCountOnceADepth() throws {
        var level = Array("x".utf8)
        for _ in 0..<6 {
            var tar = SyntheticTar()
            tar.add("inner.tar.bz2", level)
            level = try ArchiveWriter.archive([("x", tar.bytes)], format: "raw", filter: "bzip2")
        }
        let report = try scanned(level)
        // Depth 8 of all extractions is four compressed tars.
        #expect(report.samples == 9)
        #expect(limitsSaid(report) == ["depth limit reached: the BZIP2 file was not opened"])
    }

    @Test func aMillionEmptyMembersAreCounted() throws {
        // All entries name one local header: the file is as small as a million entries can be.
        let local = Array(SyntheticZip([.init("a", [])]).bytes.prefix(31))
        var entry = SyntheticZip([.init("a", [])]).bytes
        entry = Array(entry[31..<78])
        var bytes = local
        bytes.reserveCapacity(50 << 20)
        for _ in 0..<1_000_000 { bytes += entry }
        bytes += [0x50, 0x4B, 0x05, 0x06, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
        let size = UInt32(47_000_000)
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + [31, 0, 0, 0, 0, 0]
        let report = try scanned(bytes)
        #expect(report.samples <= 10_001)
        #expect(limitsSaid(report).contains { $0.hasPrefix("the ZIP file has more directories or entries") })
    }

    @Test func membersBeyondTheLimitAreSaid() throws {
        let zip = SyntheticZip((0..<50).map { .init("m\($0)", [UInt8($0)]) })
        let output = scan(
            try ArchiveStage(options: .init(members: 20)), Bytes(zip.bytes), path: "m.zip", kind: "ZIP")
        #expect(output.children.count == 20)
        #expect(
            output.issues.map(\.message) == ["limit of 20 members reached: m20 and all behind it were not looked at"])
        var tar = SyntheticTar()
        for index in 0..<12_000 { tar.add("empty-\(index)") }
        let whole = scan(try ArchiveStage(), Bytes(tar.bytes), path: "m.tar", kind: "TAR")
        #expect(whole.children.count == 10_000)
        #expect(
            whole.issues.map(\.message) == [
                "limit of 10000 members reached: empty-10000 and all behind it were not looked at"
            ])
    }

    @Test func aSparseMemberIsNotMoreThanItsBudget() throws {
        // GNU sparse 1.0 in a pax header would need a writer; a tar that declares more than it has does as well.
        var tar = SyntheticTar()
        tar.add("liar", Array("short".utf8), declaredSize: 1 << 32)
        let output = scan(try ArchiveStage(), Bytes(tar.bytes), path: "l.tar", kind: "TAR")
        #expect(output.children.count <= 1)
        #expect(output.issues.contains { $0.code == .damaged })
    }

    @Test func anEndlessStreamIsCut() throws {
        let zeros = [UInt8](repeating: 0, count: 8 << 20)
        let bzip = try ArchiveWriter.archive([("x", zeros)], format: "raw", filter: "bzip2")
        let endless = (0..<40).flatMap { _ in bzip }
        var limits = Limits()
        limits.expansionGrace = 10 << 20
        limits.expansionRatio = 1
        let report = try scanned(endless, limits: limits)
        #expect(report.bytes <= endless.count + 10 << 20)
        #expect(limitsSaid(report) == ["expansion limit reached: 10485760 bytes of the content were looked at"])
    }
}
