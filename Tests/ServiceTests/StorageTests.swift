import Foundation
import Glibc
import HummingbirdTesting
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
            let bytes = Bytes([UInt8](repeating: UInt8(index), count: 10_000))
            let digest = Digests(of: bytes).sha256
            try archive.keep(
                Submission(number: index, path: "/\(index)", source: "pc", bytes: bytes, received: now),
                sha256: digest,
                result: StoredResult(
                    report: Report(), context: EventContext(time: now, hostname: "pc", scanID: "S-\(index)")))
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
}
