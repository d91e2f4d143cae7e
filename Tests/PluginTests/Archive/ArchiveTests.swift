import Archive
import Glibc
import Pipeline
import PipelineTesting
import Testing

/// Members come out of every format with their names, content, times and method.
struct ArchiveTests {
    static let files: [(name: String, content: [UInt8])] = [
        ("readme.txt", Array("first member\n".utf8)),
        ("docs/report.txt", Array(repeating: "the same line again and again\n", count: 500).joined().utf8.map { $0 }),
        ("docs/empty", []),
    ]

    static func stage(_ options: ArchiveStage.Options = .init()) throws -> ArchiveStage {
        try ArchiveStage(options: options)
    }

    @Test(arguments: [
        ("zip", "ZIP", "ZIP"), ("7zip", "7ZIP", "7ZIP"), ("ustar", "TAR", "TAR"), ("pax", "TAR", "TAR"),
        ("gnutar", "TAR", "TAR"), ("newc", "CPIO", "CPIO"), ("odc", "CPIO", "CPIO"), ("bin", "CPIO", "CPIO"),
        ("iso9660", "ISO", "ISO"), ("xar", "XAR", "XAR"), ("warc", "WARC", "WARC"),
    ])
    func membersComeOutOfEveryFormat(format: String, kind: String, method: String) throws {
        let archive = try ArchiveWriter.archive(Self.files, format: format)
        let output = scan(try Self.stage(), Bytes(archive), path: "in/a.bin", kind: kind)
        #expect(output.issues == [])
        // A WARC file begins with a record about itself, which is not a member; ISO names have a fixed order.
        let children = output.children.sorted { $0.path < $1.path }
        let expected = Self.files.sorted { $0.name < $1.name }
        #expect(children.map(\.path) == expected.map { "in/a.bin/" + $0.name })
        #expect(children.map(\.bytes.array) == expected.map(\.content))
        #expect(children.allSatisfy { $0.method == method })
        #expect(children.allSatisfy { $0.times.modified == Timestamp(seconds: 1_700_000_000) })
    }

    @Test func arArchivesHaveFlatNames() throws {
        let files = [(name: "one.o", content: Array("1".utf8)), (name: "two.o", content: Array("22".utf8))]
        let output = scan(
            try Self.stage(), Bytes(try ArchiveWriter.archive(files, format: "arsvr4")), path: "a.a", kind: "AR")
        #expect(output.children.map(\.path) == ["a.a/one.o", "a.a/two.o"])
        #expect(output.children.map(\.method) == ["AR", "AR"])
    }

    @Test(arguments: [
        ("bzip2", "BZIP2", "a.txt.bz2", "a.txt", "BZIP2"), ("zstd", "ZSTD", "a.tzst", "a.tar", "ZSTD"),
        ("lz4", "LZ4", "a.lz4", "a", "LZ4"), ("lzip", "LZIP", "a.lz", "a", "LZIP"),
        ("compress", "TARZ", "a.tar.Z", "a.tar", "COMPRESS"),
    ])
    func bareCompressedFilesHaveOneChild(
        filter: String, kind: String, name: String, inner: String, method: String
    ) throws {
        let content = Self.files[1].content
        let file = try ArchiveWriter.archive([("x", content)], format: "raw", filter: filter)
        let output = scan(try Self.stage(), Bytes(file), path: name, kind: kind)
        #expect(output.issues == [])
        #expect(output.children.map(\.path) == [name + "/" + inner])
        #expect(output.children.first?.bytes.array == content)
        #expect(output.children.first?.method == method)
    }

    @Test func linksAndDevicesAreRecordsAndNotFollowed() throws {
        var tar = SyntheticTar()
        tar.add("./file", Array("x".utf8))
        tar.add("folder/", type: "5")
        tar.add("soft", type: "2", target: "/etc/passwd")
        tar.add("hard", type: "1", target: "file")
        tar.add("disk", type: "4")
        tar.add("pipe", type: "6")
        tar.add("/absolute", Array("y".utf8))
        tar.add("../../outside", Array("z".utf8))
        let output = scan(try Self.stage(), Bytes(tar.bytes), path: "t.tar", kind: "TAR")
        #expect(goldenDifference("tar-kinds.txt", output.text) == nil)
        #expect(output.children.map(\.path) == ["t.tar/file", "t.tar//absolute", "t.tar/../../outside"])
        #expect(output.records.count == 4)
    }

    @Test func namesInOldCodePagesAreText() throws {
        var zip = SyntheticZip([.init("", Array("1".utf8)), .init("Überweisung.txt", Array("2".utf8))])
        zip.members[0].name = [0x81] + Array("bung.txt".utf8)
        zip.members[1].flags = 0x800
        let output = scan(try Self.stage(), Bytes(zip.bytes), path: "n.zip", kind: "ZIP")
        #expect(output.children.map(\.path) == ["n.zip/übung.txt", "n.zip/Überweisung.txt"])
        #expect(output.issues == [])
    }

    // Found by a run of all tests: it ended the process.
    @Test func aNameThatCannotBeConvertedIsNoLackOfMemory() throws {
        var zip = SyntheticZip([.init("", Array("1".utf8)), .init("good.txt", Array("2".utf8))])
        zip.members[0].name = [0xFF, 0xFE, 0xC0]
        zip.members[0].flags = 0x800
        let stage = try Self.stage()
        errno = ENOMEM
        let output = scan(stage, Bytes(zip.bytes), path: "n.zip", kind: "ZIP")
        #expect(output.children.map(\.bytes.array) == [Array("1".utf8), Array("2".utf8)])
    }

    @Test(arguments: ["traditional", "aes128", "aes256"])
    func knownPasswordsOpenMembers(encryption: String) throws {
        for password in ["infected", "123456"] {
            let zip = try ArchiveWriter.archive(
                Self.files, format: "zip", options: "zip:encryption=\(encryption)", password: password)
            let output = scan(try Self.stage(), Bytes(zip), path: "e.zip", kind: "ZIP")
            #expect(output.issues == [])
            #expect(Set(output.children.map(\.path)) == Set(Self.files.map { "e.zip/" + $0.name }))
            let byPath = Dictionary(uniqueKeysWithValues: output.children.map { ($0.path, $0.bytes.array) })
            for file in Self.files { #expect(byPath["e.zip/" + file.name] == file.content) }
        }
    }

    @Test(arguments: ["traditional", "aes256"])
    func closedMembersAreNamed(encryption: String) throws {
        let zip = try ArchiveWriter.archive(
            [("plan.docx", Self.files[1].content)], format: "zip", options: "zip:encryption=\(encryption)",
            password: "nobody guesses this")
        let output = scan(try Self.stage(), Bytes(zip), path: "e.zip", kind: "ZIP")
        #expect(output.children == [])
        #expect(output.records.map { $0.fields.first?.value } == ["e.zip/plan.docx"])
        #expect(output.records.first?.fields.contains { $0.value == "encrypted file" } == true)
        #expect(output.issues.map(\.code) == [.unsupported])
        #expect(output.issues.first?.message.contains("plan.docx") == true)
        let own = ArchiveStage.Options(passwords: ["nobody guesses this"])
        #expect(scan(try Self.stage(own), Bytes(zip), path: "e.zip", kind: "ZIP").children.count == 1)
    }

    @Test func hiveAndLogsComeTogether() throws {
        let files: [(name: String, content: [UInt8])] = [
            ("C/config/SYSTEM", Array("hive".utf8)), ("C/config/SYSTEM.LOG1", Array("log 1".utf8)),
            ("C/$I12.txt", Array("i".utf8)), ("C/config/system.log2", Array("log 2".utf8)),
            ("C/$R12.txt", Array("r".utf8)), ("C/alone", Array("a".utf8)),
        ]
        for (format, kind) in [("zip", "ZIP"), ("7zip", "7ZIP"), ("ustar", "TAR")] {
            let output = scan(
                try Self.stage(), Bytes(try ArchiveWriter.archive(files, format: format)), path: "t", kind: kind)
            let companions = Dictionary(uniqueKeysWithValues: output.children.map { ($0.path, $0.companions) })
            #expect(companions["t/C/config/SYSTEM"] == ["SYSTEM.LOG1", "system.log2"])
            #expect(companions["t/C/$I12.txt"] == ["$R12.txt"])
            #expect(companions["t/C/alone"] == [])
            #expect(companions.count == files.count)
        }
    }

    @Test func theStageConforms() throws {
        var zip = SyntheticZip(Self.files.map { SyntheticZip.Member($0.name, Array($0.content.prefix(64))) })
        zip.comment = Array("comment".utf8)
        let tarFiles = Self.files.map { ($0.name, Array($0.content.prefix(64))) }
        let samples = [
            ("ZIP", zip.bytes), ("TAR", try ArchiveWriter.archive(tarFiles, format: "ustar")),
            ("7ZIP", try ArchiveWriter.archive(tarFiles, format: "7zip")),
            ("CPIO", try ArchiveWriter.archive(tarFiles, format: "newc")),
            ("BZIP2", try ArchiveWriter.archive(tarFiles.suffix(1), format: "raw", filter: "bzip2")),
        ]
        for (kind, sample) in samples {
            let kit = StageConformance(path: "a.bin", kind: kind, flips: 200)
            #expect(kit.violations(of: try Self.stage(), sample: sample) == [], "\(kind)")
        }
    }
}
