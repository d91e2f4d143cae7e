import Foundation
import Glibc
import HummingbirdTesting
import NIOPosix
import Pipeline
import Testing

@testable import ThunderstormService

struct StorageTests {
    private func files(_ folder: TemporaryFolder) throws -> [String] {
        let all = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
        return all.filter {
            var isDirectory: ObjCBool = false
            return unsafe FileManager.default.fileExists(atPath: folder.path + "/" + $0, isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }.sorted()
    }

    private func policy(_ folder: TemporaryFolder, score: Int, view: TemporaryFolder? = nil) -> StoragePolicy {
        var policy = StoragePolicy()
        policy.minimumScore = score
        policy.directory = folder.path + "/samples"
        policy.viewDirectory = view?.path
        return policy
    }

    /// Keeps a content without findings that comes from `pc`; its SHA-256.
    @discardableResult
    private static func keep(_ bytes: Bytes, path: String, in archive: SampleArchive) throws -> String {
        let (digest, now) = (Digests(of: bytes).sha256, currentTime())
        try archive.keep(
            Submission(number: 1, path: path, source: "pc", bytes: bytes, received: now), sha256: digest,
            result: StoredResult(report: Report(), context: EventContext(time: now, hostname: "pc", scanID: "S-1")))
        return digest
    }

    @Test(arguments: [(0, 2), (60, 1), (86, 0)])
    func samplesAreKeptByScore(score: Int, count: Int) async throws {
        let (kept, view) = (try TemporaryFolder(), try TemporaryFolder())
        let test = try TestServer { $0.storage = policy(kept, score: score, view: view) }
        try await test.route { client async throws in
            let path = #"C:\Users\..\x\evil.exe"#
            for source in ["pc1", "pc2"] {
                _ = try await client.upload(
                    MultipartForm("evil", filename: path), to: "/api/check?source=\(source)")
            }
            let id = try await client.submit(MultipartForm("good", filename: "/etc/good"))
            _ = try await client.result(of: id)
        }
        let contents = try files(kept).filter { !$0.hasSuffix(".ndjson") }
        #expect(contents.count == count)
        for name in contents {
            let path = kept.path + "/" + name
            var info = stat()
            #expect(unsafe stat(path, &info) == 0)
            #expect(info.st_mode & 0o777 == 0o600)
            let digest = Digests(of: try ByteStore().read(file: path)).sha256
            #expect(name == "samples/\(digest.prefix(2))/\(digest)")
        }
        guard count > 0 else { return }
        let evil = try #require(contents.first { (try? kept.read($0)) == "evil" })
        let lines = try kept.read(evil + ".ndjson").split(separator: "\n").map { jsonObject(String($0)) }
        #expect(lines.map { $0["source"] as? String } == ["pc1", "pc2"])
        #expect(lines.allSatisfy { $0["score"] as? Int == 85 && $0["level"] as? String == "Alert" })
        #expect(
            try files(view).filter { $0.hasSuffix("evil.exe") } == [
                "pc1/C_/Users/x/evil.exe", "pc2/C_/Users/x/evil.exe",
            ])
        #expect(try view.read("pc1/C_/Users/x/evil.exe") == "evil")
    }

    @Test(arguments: [
        ("/etc/passwd", ["etc", "passwd"]), (#"C:\a\b.exe"#, ["C_", "a", "b.exe"]),
        ("../../../etc/x", ["etc", "x"]), ("", ["unnamed"]), ("/", ["unnamed"]), ("a/./b", ["a", "b"]),
        (".bashrc", ["_bashrc"]), ("a\u{0}b\nc\u{202E}d", ["a_b_c_d"]), ("x. . ", ["x"]), ("...", ["_"]),
        (#"\\srv\share\f"#, ["srv", "share", "f"]), ("a<b>|c", ["a_b__c"]),
    ])
    func pathsAreMadeSafe(_ path: String, _ parts: [String]) {
        #expect(SampleView.safeParts(of: path) == parts)
    }

    @Test func longNamesStayApart() {
        let (one, other) = (String(repeating: "ü", count: 500) + "1", String(repeating: "ü", count: 500) + "2")
        #expect(SampleView.safeName(one) != SampleView.safeName(other))
        #expect(SampleView.safeName(one).utf8.count <= 255)
    }

    @Test func otherContentUnderTheSamePathGetsItsOwnName() async throws {
        let (kept, view) = (try TemporaryFolder(), try TemporaryFolder())
        let test = try TestServer { $0.storage = policy(kept, score: 0, view: view) }
        try await test.route { client async throws in
            for content in ["one", "two", "one"] {
                _ = try await client.upload(MultipartForm(content, filename: "/a/b"), to: "/api/check?source=pc")
            }
            _ = try await client.upload(MultipartForm("below", filename: "/a/b/c"), to: "/api/check?source=pc")
        }
        let shown = try files(view)
        #expect(shown.count == 3)
        #expect(Set(try shown.map { try view.read($0) }) == ["one", "two", "below"])
        #expect(shown.contains("pc/a/b") && shown.contains("pc/a/b~d/c"))
    }

    @Test func theOldestGoBeyondTheQuotaAndTheAge() throws {
        let (kept, view) = (try TemporaryFolder(), try TemporaryFolder())
        var policy = policy(kept, score: 0, view: view)
        policy.quota = 50_000
        policy.maximumAge = 100_000
        let archive = try SampleArchive(policy)
        let now = currentTime()
        for index in 0..<10 {
            let digest = try Self.keep(
                Bytes([UInt8](repeating: UInt8(index), count: 10_000)), path: "/\(index)", in: archive)
            // Each an hour after the one before, the last one now.
            let age = Double((9 - index) * 3_600)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -age)],
                ofItemAtPath: "\(kept.path)/samples/\(digest.prefix(2))/\(digest)")
        }
        #expect(archive.clean(now: now) == 6)
        #expect(try files(view).map { $0 } == ["pc/6", "pc/7", "pc/8", "pc/9"])
        #expect(try files(kept).count == 8)
        #expect(archive.clean(now: now) == 0)
        #expect(archive.clean(now: Timestamp(seconds: now.seconds + 100_000 - 3_000)) == 3)
        #expect(try files(view) == ["pc/9"])
    }

    @Test func aContentThatManyStoreAtOnceIsWhole() async throws {
        let (kept, view) = (try TemporaryFolder(), try TemporaryFolder())
        let bytes = Bytes([UInt8](repeating: 7, count: 1 << 20))
        let digest = Digests(of: bytes).sha256
        let file = "samples/\(digest.prefix(2))/\(digest)"
        // As a crash leaves it.
        try kept.write(file + ".1.part", "half")
        let archive = try SampleArchive(policy(kept, score: 0, view: view))
        #expect(try files(kept).isEmpty)
        let paths = (0..<32).map { "folder/\($0)" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for path in paths {
                group.addTask {
                    try await spoolThreads.runIfActive { _ = try Self.keep(bytes, path: path, in: archive) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try files(kept) == [file, file + ".ndjson"])
        #expect(Digests(of: try ByteStore().read(file: kept.path + "/" + file)).sha256 == digest)
        let lines = try kept.read(file + ".ndjson").split(separator: "\n").map { jsonObject(String($0)) }
        #expect(lines.count == paths.count)
        #expect(Set(lines.compactMap { $0["path"] as? String }) == Set(paths))
        #expect(Set(lines.compactMap { $0["vfs"] as? String }) == Set(paths.map { "pc/" + $0 }))
        #expect(try files(view) == paths.map { "pc/" + $0 }.sorted())
        // All of them are the one file.
        var info = stat()
        #expect(unsafe stat(kept.path + "/" + file, &info) == 0)
        #expect(Int(info.st_nlink) == paths.count + 1)
    }

    @Test func nothingIsShownThatNoLineNames() throws {
        let (kept, view) = (try TemporaryFolder(), try TemporaryFolder())
        var policy = policy(kept, score: 0, view: view)
        policy.quota = 0
        let archive = try SampleArchive(policy)
        let bytes = Bytes(Array("one".utf8))
        let digest = try Self.keep(bytes, path: "/a/b/c", in: archive)
        let metadata = "samples/\(digest.prefix(2))/\(digest).ndjson"
        let lines = try kept.read(metadata) + String(repeating: "\n", count: SampleArchive.metadataLimit)
        try kept.write(metadata, lines)
        let error = #expect(throws: SystemError.self) { try Self.keep(bytes, path: "/a/d/e", in: archive) }
        #expect(error?.description.contains(metadata) == true)
        // Told once.
        try Self.keep(bytes, path: "/f", in: archive)
        #expect(try kept.read(metadata) == lines)
        #expect(try files(view) == ["pc/a/b/c"])
        // With the sample goes what is shown of it, and the directories, but not the root.
        #expect(archive.clean(now: currentTime()) == 1)
        #expect(try files(kept).isEmpty)
        #expect(try view.names().isEmpty)
    }

    @Test func aNameThatCannotBeMadeIsNotReported() throws {
        let (kept, view) = (try TemporaryFolder(), try TemporaryFolder())
        let archive = try SampleArchive(policy(kept, score: 0, view: view))
        let bytes = Bytes(Array("one".utf8))
        let digest = Digests(of: bytes).sha256
        try view.makeFolder("pc/x")
        try view.makeFolder("pc/x~\(digest.prefix(8))")
        #expect(throws: SystemError.self) { try Self.keep(bytes, path: "/x", in: archive) }
        let lines = try kept.read("samples/\(digest.prefix(2))/\(digest).ndjson").split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines.allSatisfy { jsonObject(String($0))["vfs"] == nil })
    }
}
