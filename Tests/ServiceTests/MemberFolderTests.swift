import Foundation
import Glibc
import Pipeline
import PipelineTesting
import Testing

@testable import ThunderstormService

/// Names from a hostile archive, written to a folder.
struct MemberFolderTests {
    // Children by name and text, each with children of its own.
    private struct Tree: Stage {
        static let descriptor = StageDescriptor(name: "tree", summary: "Children of a test.", interest: .samples)
        let members: [(name: String, text: String)]

        init(_ members: [(name: String, text: String)]) { self.members = members }
        init(options: NoOptions, environment: StageEnvironment) { members = [] }

        func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
            guard sample.depth == 0 || sample.depth == 1 && sample.name == "box" else { return }
            for (name, text) in members where sample.depth == 0 || name != "box" {
                let time = FileTimes(modified: Timestamp(seconds: 1_000_000_000))
                try out.extract(Child(name: name, bytes: Bytes(utf8: text), method: "TREE", times: time))
            }
        }
    }

    private func extract(
        _ members: [(name: String, text: String)], to root: String
    ) throws -> (folder: MemberFolder, report: Report) {
        let folder = try MemberFolder(root)
        let report = Chain(Tree(members)).prepending(folder.stage).scan(
            Sample(path: "/evidence/top.bin", bytes: Bytes(utf8: "top")))
        return (folder, report)
    }

    @Test func namesStayInsideAndNothingIsOverwritten() throws {
        let outer = try TemporaryFolder()
        let root = outer.path + "/out"
        let names = [
            "../../evil", "/etc/passwd", "C:\\Windows\\a.exe", "..", ".", "", "same", "same", "same/inner", "a//b",
            ".hidden",
            "bad\u{1B}[31m", "\u{202E}cod.exe", String(repeating: "n", count: 400),
            String(repeating: "d/", count: 300) + "x",
            "box",
        ]
        let (folder, report) = try extract(names.map { ($0, "content of \($0.prefix(20))") }, to: root)
        #expect(folder.failure == nil)
        #expect(report.issues == [])
        #expect(folder.members.count == report.samples - 1 && folder.members.count == 2 * names.count - 1)
        #expect(Set(folder.members.map(\.path)).count == folder.members.count)
        #expect(try outer.names() == ["out"])
        let prefix = URL(filePath: root).resolvingSymlinksInPath().path + "/"
        for member in folder.members {
            let path = root + "/" + member.path
            #expect(URL(filePath: path).resolvingSymlinksInPath().path.hasPrefix(prefix))
            #expect(member.path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.size] as? Int == member.size && attributes[.posixPermissions] as? Int == 0o600)
            #expect((attributes[.modificationDate] as? Date)?.timeIntervalSince1970 == 1_000_000_000)
            let name = String(member.original.split(separator: "/").first { $0 == "same" } ?? "")
            if name == "same", member.original.hasSuffix("/same") {
                #expect(try String(contentsOfFile: path, encoding: .utf8) == "content of same")
            }
        }
        #expect(
            folder.members.contains { $0.path == "evil" } && folder.members.contains { $0.path == "C_/Windows/a.exe" })
        #expect(folder.members.contains { $0.path == "same (2)" })
        #expect(folder.members.contains { $0.path == "box.contents/etc/passwd" })
    }

    @Test func aLinkInTheWayIsNotFollowed() throws {
        let outer = try TemporaryFolder()
        let folder = try MemberFolder(outer.path + "/out")
        try outer.makeFolder("elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: outer.path + "/out/dir", withDestinationPath: outer.path + "/elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: outer.path + "/out/file", withDestinationPath: outer.path + "/elsewhere/file")
        _ = Chain(Tree([("dir/a", "1"), ("file", "2")])).prepending(folder.stage).scan(
            Sample(path: "top", bytes: Bytes(utf8: "x")))
        #expect(folder.members.map(\.path) == ["dir (2)/a", "file (2)"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: outer.path + "/elsewhere").isEmpty)
    }

    @Test func aFolderWithSomethingInItIsRefused() throws {
        let outer = try TemporaryFolder()
        try outer.write("out/kept", "1")
        #expect(throws: ConfigurationError.self) { try MemberFolder(outer.path + "/out") }
        #expect(throws: ConfigurationError.self) { try MemberFolder(outer.path + "/out/kept") }
        #expect(try outer.read("out/kept") == "1")
    }

    @Test func aFolderThatCannotBeWrittenIsAFailure() throws {
        let outer = try TemporaryFolder()
        let folder = try MemberFolder(outer.path + "/out")
        try outer.removeFolder("out")
        let report = Chain(Tree([("a", "1")])).prepending(folder.stage).scan(
            Sample(path: "top", bytes: Bytes(utf8: "x")))
        #expect(folder.failure?.contains("cannot open") == true && folder.members.isEmpty)
        #expect(report.issues.contains { $0.code == .failed && $0.stage == "extract" })
    }
}
