import Archive
import Pipeline
import PipelineTesting
import Testing

/// ZIP files that readers disagree about: everything is scanned, and said.
struct ZipStructureTests {
    private func scanned(_ bytes: [UInt8], kind: String = "ZIP") throws -> ScannedOutput {
        scan(try ArchiveStage(), Bytes(bytes), path: "z.zip", kind: kind)
    }

    private func names(_ output: ScannedOutput) -> [String] { output.children.map { String($0.path.dropFirst(6)) } }

    private func rules(_ output: ScannedOutput) -> [String] { output.reasons.map(\.signature.ruleName) }

    private let first = SyntheticZip([.init("a.txt", Array("first".utf8)), .init("b.txt", Array("b".utf8))])
    private let second = SyntheticZip([.init("a.txt", Array("second".utf8))])

    @Test func aPlainArchiveIsNotSuspicious() throws {
        let output = try scanned(first.bytes)
        #expect(names(output) == ["a.txt", "b.txt"])
        #expect(rules(output) == [])
        #expect(output.issues == [])
    }

    @Test func joinedArchivesAreBothRead() throws {
        let output = try scanned(first.bytes + second.bytes)
        #expect(output.children.map(\.bytes.array) == ["second", "first", "b"].map { Array($0.utf8) })
        #expect(rules(output) == ["ZipSeveralDirectories"])
    }

    @Test func membersThatTheDirectoryDoesNotNameAreFound() throws {
        var zip = first
        zip.members[1].isListed = false
        let output = try scanned(zip.bytes)
        #expect(names(output) == ["a.txt", "b.txt"])
        #expect(rules(output) == ["ZipHiddenMembers"])
        #expect(output.reasons.first?.matched.map { String(decoding: $0.data, as: UTF8.self) } == ["b.txt"])
    }

    @Test func aMemberWithTwoNamesIsReadUnderBoth() throws {
        var zip = first
        zip.members[0].localName = Array("a.exe".utf8)
        let output = try scanned(zip.bytes)
        #expect(names(output) == ["a.exe", "b.txt", "a.txt"])
        #expect(rules(output) == ["ZipContradictingHeaders"])
    }

    @Test func anArchiveStoredInAnArchiveIsNoSecondDirectory() throws {
        let outer = SyntheticZip([.init("inner.zip", first.bytes), .init("x", [1])])
        let output = try scanned(outer.bytes)
        #expect(names(output) == ["inner.zip", "x"])
        #expect(rules(output) == [])
    }

    @Test func aHugeFakeHeaderDoesNotCoverTheNextOne() throws {
        var zip = SyntheticZip([.init("fake", []), .init("real.exe", Array("payload".utf8)), .init("listed", [1])])
        zip.members[0].isListed = false
        zip.members[0].declaredSize = 1 << 20
        zip.members[1].isListed = false
        #expect(names(try scanned(zip.bytes)).contains("real.exe"))
    }

    @Test func withoutADirectoryLocalHeadersAreRead() throws {
        var zip = first
        zip.hasDirectory = false
        let output = try scanned(zip.bytes)
        #expect(names(output) == ["a.txt", "b.txt"])
        #expect(output.issues.map(\.code) == [.damaged])
    }

    @Test func dataAroundAnArchiveDoesNotHideIt() throws {
        let picture = Array("GIF89a".utf8) + [UInt8](repeating: 7, count: 5000)
        let output = try scanned(picture + first.bytes + [UInt8](repeating: 0x20, count: 40_000), kind: "GIF")
        #expect(names(output) == ["a.txt", "b.txt"])
        #expect(rules(output) == ["ZipBehindOtherType"])
        let program = try scanned(Array("MZ".utf8) + picture + first.bytes, kind: "EXE")
        #expect(names(program) == ["a.txt", "b.txt"])
        #expect(rules(program) == [])
        let cabled = try scanned(
            Array("MZ".utf8) + picture + ArchiveWriter.archive(ArchiveTests.files, format: "7zip"), kind: "EXE")
        #expect(cabled.children.map(\.method) == ["7ZIP", "7ZIP", "7ZIP"])
        #expect(try scanned(picture, kind: "GIF").children == [])
    }

    @Test func aLongCommentDoesNotHideTheDirectory() throws {
        var zip = first
        zip.comment = [UInt8](repeating: 0x41, count: 60_000)
        let output = try scanned(zip.bytes)
        #expect(names(output) == ["a.txt", "b.txt"])
        #expect(rules(output) == [])
    }

    @Test func aDamagedMemberDoesNotCostTheOthers() throws {
        var bytes = try ArchiveWriter.archive(ArchiveTests.files, format: "zip")
        // Inside the deflated data of the second member.
        let name = Bytes(bytes).span.firstOffset(of: Array("docs/report.txt".utf8)) ?? 0
        for index in 60..<80 { bytes[name + index] ^= 0xFF }
        let output = try scanned(bytes)
        #expect(names(output).contains("readme.txt") && names(output).contains("docs/empty"))
        #expect(output.issues.contains { $0.message.hasPrefix("docs/report.txt is damaged") })
    }

    @Test func theStructureIsReadFromTheBytesAlone() {
        let bytes = Bytes([1, 2, 3] + first.bytes + [9])
        let structure = ZipStructure(bytes.span)
        #expect(structure.directories.map(\.base) == [3])
        #expect(structure.directories.first?.entries.map(\.local) == [3, 43])
        #expect(structure.prefixCount == 3)
        #expect(structure.suffixCount == 1)
        #expect(structure.hidden == [])
        let nothing = ZipStructure([UInt8]().rawSpan)
        #expect(nothing.hasNoDirectory)
    }
}
