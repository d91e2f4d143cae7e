import Archive
import Decompress
import Foundation
import Pipeline
import PipelineTesting
import Synchronization
import Testing

@testable import FileType

/// Member names equal those of bsdtar over the corpus.
///
/// With THUNDERSTORM_LISTING=FILE every member is written there as a JSON line, for docs/comparisons/compare-archives.py.
struct ArchiveCorpusTests {
    private struct Truth: Decodable {
        let path: String
        let ok: Bool
        let count: Int?
        let members: [String]?
    }

    struct Member: Codable, Equatable {
        var archive = ""
        let name: String
        let method: String
        let size: Int
        let sha256: String
    }

    @Test(.enabled(if: Shared.directory("corpus/truth/archives.jsonl") != nil, "no ../shared here"))
    func memberNamesAreThoseOfBsdtar() throws {
        let root = try #require(Shared.directory("corpus"))
        let lines = try String(contentsOfFile: root + "/truth/archives.jsonl", encoding: .utf8).split(separator: "\n")
        var compared = 0
        var different: [String] = []
        var listing = Data()
        for line in lines {
            let truth = try JSONDecoder().decode(Truth.self, from: Data(line.utf8))
            let bytes = try ByteStore().read(file: root + "/" + truth.path)
            let (members, others, report) = try Self.members(bytes)
            for var member in members {
                member.archive = truth.path
                listing += try JSONEncoder().encode(member) + Data("\n".utf8)
            }
            guard truth.ok, let wanted = truth.members, truth.count == wanted.count else { continue }
            compared += 1
            // bsdtar escapes bytes that are no UTF-8; there the number is compared.
            if wanted.contains(where: { $0.contains("\\") }) {
                if members.count + others.count < Self.files(wanted).count {
                    different.append("\(truth.path): escaped")
                }
                continue
            }
            let ours = Set(members.map(\.name) + others)
            let theirs = Set(Self.files(wanted))
            if !theirs.isSubset(of: ours) || ours != theirs && !report.findings.contains(where: { !$0.reasons.isEmpty })
            {
                let first = ours.symmetricDifference(theirs).sorted().prefix(3)
                different.append(
                    "\(truth.path): \(ours.count)/\(theirs.count) \(first) \(report.issues.first?.message ?? "")")
            }
        }
        print("archives compared: \(compared), different: \(different.count)")
        for line in different { print("  " + line) }
        if let path = ProcessInfo.processInfo.environment["THUNDERSTORM_LISTING"] {
            try listing.write(to: URL(filePath: path))
        }
        #expect(compared > 300)
        #expect(different.count * 10 <= compared)
    }

    // Names that are no folders; folders are named with a slash at the end, or are known by what is in them.
    private static func files(_ names: [String]) -> [String] {
        let folders = Set(
            names.flatMap { name in
                name.indices.filter { name[$0] == "/" }.map { String(name[..<$0]) }
            })
        return names.filter { !$0.hasSuffix("/") && $0 != "." && !folders.contains($0) }.map {
            String(($0.hasPrefix("./") ? $0.dropFirst(2) : $0[...]).prefix(4096))
        }
    }

    // Files directly inside, of a compressed archive those of the archive; and names of what is no file.
    private static func members(_ bytes: Bytes) throws -> ([Member], [String], Report) {
        let lister = Lister()
        let chain = Chain(FileTypeStage(options: NoOptions(), environment: StageEnvironment()))
            .appending(try DecompressStage()).appending(try ArchiveStage()).appending(lister)
        var limits = Limits()
        limits.expandedBytes = 256 << 20
        let report = chain.scan(Sample(path: "A", bytes: bytes), limits: limits)
        let seen = lister.seen.withLock { $0 }
        var prefix = "A/"
        let direct = seen.members.filter { $0.depth == 1 }
        let streams: Set = ["GZIP", "XZ", "LZMA", "ZLIB", "BZIP2", "ZSTD", "LZ4", "LZIP", "COMPRESS"]
        var depth = 1
        if direct.count == 1, let only = direct.first, streams.contains(only.member.method) {
            guard seen.members.contains(where: { $0.depth == 2 }) else { return ([], [], report) }
            prefix = only.member.name + "/"
            depth = 2
        }
        func inner(_ path: String) -> String { String(path.dropFirst(prefix.count)) }
        return (
            seen.members.filter { $0.depth == depth && $0.member.name.hasPrefix(prefix) }.map {
                Member(
                    name: inner($0.member.name), method: $0.member.method, size: $0.member.size,
                    sha256: $0.member.sha256)
            },
            seen.others.filter { $0.depth == depth && $0.path.hasPrefix(prefix) }.map { inner($0.path) }, report
        )
    }
}

private final class Lister: Stage {
    struct Seen {
        var members: [(depth: Int, member: ArchiveCorpusTests.Member)] = []
        var others: [(depth: Int, path: String)] = []
    }

    static let descriptor = StageDescriptor(
        name: "lister", summary: "Keeps what it sees.", interest: .samplesAndRecords)
    let seen = Mutex(Seen())

    init() {}

    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let member = ArchiveCorpusTests.Member(
            name: sample.path, method: sample.unpackParent, size: sample.bytes.count, sha256: sample.digests.sha256)
        seen.withLock { $0.members.append((sample.depth, member)) }
    }

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        for record in 0..<records.count {
            guard let path = records.subject(of: record).fields.first?.value else { continue }
            seen.withLock { $0.others.append((sample.depth + 1, path)) }
        }
    }
}
