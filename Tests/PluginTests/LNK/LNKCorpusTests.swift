import FoundationEssentials
import LNK
import Pipeline
import PipelineTesting
import Testing

// Fields of every link of the shared corpus against those of another tool.

@Suite struct LNKCorpusTests {
    struct Truth: Decodable {
        var path: String
        var arguments: String?
        var relative_path: String?
        var working_directory: String?
        var local_base_path: String?
        var created: String?
        var modified: String?
        var accessed: String?
        var file_size: Int?
        var extra: [String]?
    }

    static let folder = Shared.directory("corpus")

    /// The blocks as the other tool calls them.
    static let blockNames = [
        "environment": "ENVIRONMENTAL_VARIABLES_LOCATION_BLOCK", "console": "CONSOLE_PROPERTIES_BLOCK",
        "tracker": "DISTRIBUTED_LINK_TRACKER_BLOCK", "special folder": "SPECIAL_FOLDER_LOCATION_BLOCK",
        "darwin": "DARWIN_BLOCK", "icon environment": "ICON_LOCATION_BLOCK",
        "property store": "METADATA_PROPERTIES_BLOCK", "known folder": "KNOWN_FOLDER_LOCATION_BLOCK",
    ]

    /// Where the two differ, and why.
    static let explained = [
        // The block stands at 0x42C with a valid size and storage; the other tool lost it behind the console's.
        "01 - Command Prompt.lnk.test: extra", "01a - Windows PowerShell.lnk.test: extra",
    ]

    @Test(.enabled(if: folder != nil, "no ../shared here"))
    func fieldsEqualThoseOfAnotherTool() throws {
        let folder = try #require(Self.folder)
        let file = try ByteStore().read(file: folder + "/truth/lnk.jsonl")
        let lines = file.span.utf8Text
        var differences: [String] = []
        var count = 0
        for line in lines.split(separator: "\n") {
            let truth = try JSONDecoder().decode(Truth.self, from: Data(line.utf8))
            let bytes = try ByteStore().read(file: folder + "/" + truth.path)
            count += 1
            let link = try Self.link(bytes)
            differences += Self.compare(link, truth)
        }
        #expect(count == 250)
        let unexplained = differences.filter { line in !Self.explained.contains { line.contains($0) } }
        #expect(unexplained == [])
        #expect(differences.count == Self.explained.count)
    }

    // The links are from ordinary machines: neither heuristics nor the parser find fault with any.
    @Test(.enabled(if: folder != nil, "no ../shared here"))
    func noLinkIsSuspiciousOrBroken() throws {
        let folder = try #require(Self.folder)
        var reported: [String] = []
        for path in Shared.files(below: folder + "/lnk") {
            let output = scan(LNKStage(), try ByteStore().read(file: path), kind: "LNK")
            for reason in output.findings.flatMap(\.reasons) {
                reported.append("\(path.dropFirst(folder.count)): \(reason.signature.ruleName)")
            }
            for issue in output.issues { reported.append("\(path.dropFirst(folder.count)) \(issue)") }
        }
        #expect(reported == [])
    }

    private static func link(_ bytes: Bytes) throws(ParseError) -> ShellLink { try ShellLink(bytes.span) }

    private static func compare(_ link: ShellLink, _ truth: Truth) -> [String] {
        let blocks = Set(link.extra.blocks.compactMap { blockNames[$0] }).sorted().joined(separator: " ")
        let pairs: [(name: String, mine: String?, theirs: String?)] = [
            ("arguments", link.arguments, truth.arguments),
            ("relative_path", link.relativePath, truth.relative_path),
            ("working_directory", link.workingDirectory, truth.working_directory),
            ("local_base_path", link.info?.localBasePath, truth.local_base_path),
            ("created", text(link.header.created, like: truth.created), truth.created),
            ("modified", text(link.header.modified, like: truth.modified), truth.modified),
            ("accessed", text(link.header.accessed, like: truth.accessed), truth.accessed),
            ("file_size", String(link.header.fileSize), truth.file_size.map { String($0) }),
            ("extra", blocks, Set(truth.extra ?? []).sorted().joined(separator: " ")),
        ]
        return pairs.filter { $0.mine != $0.theirs }.map {
            "\(truth.path): \($0.name) \($0.mine ?? "-") != \($0.theirs ?? "-")"
        }
    }

    // As the other tool writes times: `2022-02-06 20:17:56.168655+00:00`, without a fraction that is zero, `None` for
    // no time. It rounds to microseconds by way of a floating-point number: the next one is taken for equal.
    private static func text(_ time: Timestamp?, like theirs: String?) -> String? {
        guard let time else { return "None" }
        let floor = Int64(time.nanoseconds) / 1000
        let texts = [floor, floor + 1].map { micros in
            let rounded = Timestamp(
                seconds: time.seconds + micros / 1_000_000, nanoseconds: UInt32(micros % 1_000_000) * 1000)
            return rounded.rfc3339(fractionDigits: micros % 1_000_000 == 0 ? 0 : 6)
                .replacing("T", with: " ").replacing("Z", with: "+00:00")
        }
        return texts.first { $0 == theirs } ?? texts[0]
    }
}
