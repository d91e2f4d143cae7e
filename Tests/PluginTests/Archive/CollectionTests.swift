import Archive
import Decompress
import FileType
import Pipeline
import PipelineTesting
import Synchronization
import Testing

/// A triage collection sent as one archive is taken apart as the host's files.
struct CollectionTests {
    private static let files: [(path: String, content: [UInt8])] = [
        (#"C:\Windows\System32\config\SYSTEM"#, Array("hive".utf8)),
        (#"C:\Users\bob\AppData\a%b.txt"#, Array("a".utf8)),
        (#"C:\Windows\System32\config\SYSTEM.LOG1"#, Array("log".utf8)), (#"C:\$MFT"#, Array("mft".utf8)),
    ]

    @Test(arguments: [SyntheticCollection.Layout.kape, .velociraptor, .cylr, .folders], ["ZIP", "TAR"])
    func membersHaveTheirPathsOnTheHost(layout: SyntheticCollection.Layout, kind: String) throws {
        let collection = SyntheticCollection(host: "WS7", files: Self.files)
        let bytes = kind == "ZIP" ? collection.zip(layout) : collection.tar(layout)
        let output = scan(
            try ArchiveStage(), Bytes(bytes), path: "up/\(collection.containerName(layout)).zip", kind: kind)
        #expect(output.issues == [])
        let host = output.children.filter { $0.path.hasPrefix("C:") }
        #expect(Set(host.map(\.path)) == Set(Self.files.map(\.path)))
        for child in host { #expect(child.bytes.array == Self.files.first { $0.path == child.path }?.content) }
        #expect(host.first { $0.path.hasSuffix("SYSTEM") }?.companions == ["SYSTEM.LOG1"])
        #expect(output.children.allSatisfy { $0.origin?.host == "WS7" })
        let record = try #require(output.records.first { $0.type.name == "triage collection" })
        #expect(record.fields.contains(.init(key: "host", value: "WS7")))
        #expect(record.fields.contains(.init(key: "restored", value: "4")))
    }

    @Test func aUACTarIsRecognisedBehindItsCompression() throws {
        let files = [(path: "/etc/passwd", content: Array("root:x:0:0::/root:/bin/sh\n".utf8))]
        let collection = SyntheticCollection(host: "web1", files: files)
        let gzip = try ArchiveWriter.archive([("x", collection.tar(.uac))], format: "raw", filter: "gzip")
        let seen = Paths()
        let chain = Chain(FileTypeStage(options: NoOptions(), environment: StageEnvironment()))
            .appending(try DecompressStage()).appending(try ArchiveStage()).appending(seen)
        let name = collection.containerName(.uac) + ".tar.gz"
        let report = chain.scan(Sample(path: name, bytes: Bytes(gzip)))
        #expect(report.issues == [])
        let tar = "\(name)/\(collection.containerName(.uac)).tar"
        #expect(
            seen.all == [
                "/etc/passwd web1", "\(tar)/uac.log web1", "\(tar)/live_response/network/hostname.txt web1",
                "\(tar)/bodyfile/bodyfile.txt web1", "\(tar) -", "\(name) -",
            ])
    }

    // The host's user owns what lies in it, and a sender what is in a message: neither chooses paths and hosts.
    @Test func aCollectionInsideIsAnArchiveLikeOthers() throws {
        let fake = SyntheticCollection(host: "DC1", files: [(#"C:\Windows\System32\cmd.exe"#, [0x4D, 0x5A])])
        let real = SyntheticCollection(
            host: "WS7", files: Self.files + [(#"C:\Users\bob\Downloads\x.zip"#, fake.zip(.folders))])
        let seen = Paths()
        let chain = Chain(FileTypeStage(options: NoOptions(), environment: StageEnvironment()))
            .appending(try ArchiveStage()).appending(seen)
        _ = chain.scan(Sample(path: "c.zip", bytes: Bytes(real.zip(.kape))))
        #expect(seen.all.contains(#"C:\Users\bob\Downloads\x.zip/DC1/C/Windows/System32/cmd.exe -"#))
        // In an archive that is none itself it is one.
        let outer = SyntheticZip([.init("cases/" + real.containerName(.kape) + ".zip", real.zip(.kape))])
        let again = Paths()
        _ = Chain(FileTypeStage(options: NoOptions(), environment: StageEnvironment()))
            .appending(try ArchiveStage()).appending(again).scan(Sample(path: "o.zip", bytes: Bytes(outer.bytes)))
        #expect(again.all.contains(#"C:\$MFT WS7"#))
    }

    @Test func ordinaryArchivesStayWhatTheyAre() throws {
        let zip = SyntheticZip([.init("C/main.c", [1]), .init("C/Users/readme.txt", [2])])
        let output = scan(try ArchiveStage(), Bytes(zip.bytes), path: "c.zip", kind: "ZIP")
        #expect(output.children.map(\.path) == ["c.zip/C/main.c", "c.zip/C/Users/readme.txt"])
        #expect(output.records == [])
        #expect(output.children.allSatisfy { $0.origin == nil })
    }

    @Test func namesThatAreNoPathsAreSaid() throws {
        let zip = SyntheticZip([
            .init("uploads/auto/C%3A/good.txt", [1]), .init("uploads/auto/C%3A/%2E%2E/up.txt", [2]),
            .init("uploads/auto/C%3A/odd%zz", [3]),
        ])
        let output = scan(try ArchiveStage(), Bytes(zip.bytes), path: "v.zip", kind: "ZIP")
        #expect(
            output.children.map(\.path) == [
                #"C:\good.txt"#, "v.zip/uploads/auto/C%3A/%2E%2E/up.txt", "v.zip/uploads/auto/C%3A/odd%zz",
            ])
        #expect(
            output.issues.map(\.message) == [
                "2 members of the Velociraptor collection have names that are no path of a host and stay as they are: "
                    + "uploads/auto/C%3A/%2E%2E/up.txt, uploads/auto/C%3A/odd%zz"
            ])
    }

    @Test func membersThatOnlyTheirHeadersNameHaveTheirPathsToo() throws {
        var zip = SyntheticZip([.init("C/$MFT", Array("m".utf8)), .init("C/Users/x.txt", Array("x".utf8))])
        // The directory calls it so, its own header otherwise: both readings are looked at.
        zip.members[1].localName = Array("C/Users/y.txt".utf8)
        let output = scan(try ArchiveStage(), Bytes(zip.bytes), path: "k.zip", kind: "ZIP")
        #expect(output.children.map(\.path).contains(#"C:\$MFT"#))
        #expect(output.children.count == 3)
        #expect(output.issues == [])
    }

    @Test func aWholeCollectionIsMoreThanOtherArchivesMayBe() throws {
        var members = (0..<50).map { SyntheticZip.Member("C/Users/bob/\($0).txt", [UInt8($0)]) }
        let plain = ArchiveStage.Options(members: 20, collectionMembers: 40)
        let ordinary = scan(
            try ArchiveStage(options: plain), Bytes(SyntheticZip(members).bytes), path: "a", kind: "ZIP")
        #expect(ordinary.children.count == 20)
        members.append(.init("C/$MFT", [0]))
        let collection = SyntheticZip(members).bytes
        let cut = scan(try ArchiveStage(options: plain), Bytes(collection), path: "a", kind: "ZIP")
        #expect(cut.children.count == 40)
        #expect(
            cut.issues.map(\.message) == [
                "limit of 40 members reached: C/Users/bob/40.txt and all behind it were not looked at"
            ])
        var limits = Limits()
        limits.childrenPerSample = 10
        let whole = scan(
            try ArchiveStage(options: .init(members: 20)), Bytes(collection), path: "a", kind: "ZIP", limits: limits)
        #expect(whole.children.count == 51)
        #expect(whole.issues == [])
        limits.collectionChildren = 30
        let bounded = scan(
            try ArchiveStage(options: .init(members: 20)), Bytes(collection), path: "a", kind: "ZIP", limits: limits)
        #expect(bounded.children.count == 30)
        #expect(bounded.issues.map(\.code) == [.limit])
    }

    @Test func aLongFileOfTheClientIsReadInPart() throws {
        let long = Array((#"{"x": ""# + String(repeating: "y", count: 1 << 20) + #"", "Hostname": "LATE"}"#).utf8)
        let zip = SyntheticZip([.init("uploads/auto/C%3A/a.txt", [1]), .init("client_info.json", long)])
        let output = scan(
            try ArchiveStage(), Bytes(zip.bytes), path: "Collection-WS8-2026-11-20T10_11_12Z.zip", kind: "ZIP")
        #expect(output.issues == [])
        #expect(output.children.map { $0.origin?.host } == ["WS8", "WS8"])
    }

    @Test func aCollectionGetsTimeForItsSizeAndASmallOneNotMuch() {
        let limits = Limits()
        #expect(limits.seconds(forCollectionOf: 100_000) == 603)
        #expect(limits.seconds(forCollectionOf: 100_000_000) == 3600)
        #expect(limits.seconds(forCollectionOf: 10_000_000_000) == 7200)
        #expect(limits.seconds(forCollectionOf: 1 << 50) == limits.seconds(forBytes: 1 << 50))
    }

    // What tells that it is one stands behind everything that other archives may have.
    @Test func aCollectionIsRecognisedFromWhatIsListed() throws {
        var tar = SyntheticTar()
        tar.add("C/$MFT", [1])
        for index in 0..<12_000 { tar.add("C/Users/bob/\(index)") }
        let output = scan(try ArchiveStage(), Bytes(tar.bytes), path: "k.tar", kind: "TAR")
        #expect(output.children.count == 12_001)
        #expect(output.issues == [])
        #expect(output.children.last?.path == #"C:\Users\bob\11999"#)
    }

    @Test(arguments: SyntheticCollection.Layout.allCases)
    func damagedCollectionsAreHandledLikeDamagedArchives(layout: SyntheticCollection.Layout) throws {
        let collection = SyntheticCollection(host: "WS7", files: Self.files)
        let kit = StageConformance(path: collection.containerName(layout) + ".zip", kind: "ZIP", flips: 60)
        #expect(kit.violations(of: try ArchiveStage(), sample: collection.zip(layout)) == [])
    }

    @Test func diskImagesThatAreNotOpenedAreSaid() throws {
        let output = scan(try ArchiveStage(), Bytes(utf8: "vhdxfile"), path: "kape.vhdx", kind: "VHDX")
        #expect(output.issues.map(\.message) == ["VHDX files cannot be opened: what is inside was not looked at"])
    }
}

// Paths and hosts of all samples, in order.
private final class Paths: Stage {
    static let descriptor = StageDescriptor(name: "paths", summary: "Keeps paths.", interest: .samples)
    private let seen = Mutex<[String]>([])

    init() {}
    init(options: NoOptions, environment: StageEnvironment) {}

    var all: [String] { seen.withLock { $0 } }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        seen.withLock { $0.append("\(sample.path) \(sample.origin?.host ?? "-")") }
    }
}
