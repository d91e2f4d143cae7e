import LogLines
import Pipeline
import PipelineTesting
import Testing

struct LogLinesTests {
    private func lines(_ bytes: [UInt8], path: String = "/var/log/app.log", kind: String = "Text") throws -> [String] {
        try scan(LogLinesStage(), Bytes(bytes), path: path, kind: kind).records.map { $0.fields[1].value }
    }

    private func utf16(_ text: String, bigEndian: Bool = false, mark: Bool = true) -> [UInt8] {
        ((mark ? "\u{FEFF}" : "") + text).utf16.flatMap { unit in
            let (low, high) = (UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8))
            return bigEndian ? [high, low] : [low, high]
        }
    }

    @Test func linesWithIndexAndOffset() throws {
        let output = scan(try LogLinesStage(), Bytes(utf8: "one\r\n\nthree\nfour"), path: "a.log", kind: "Text")
        #expect(output.records.map(\.offset) == [0, 6, 12])
        #expect(output.records.map { $0.fields[0].value } == ["1", "3", "4"])
        #expect(output.records.map { $0.fields[1].value } == ["one", "three", "four"])
        #expect(output.records.allSatisfy { $0.type.name == "log line" && $0.type.module == "LogScan" })
    }

    @Test(arguments: [(false, true), (true, true), (false, false), (true, false)])
    func utf16IsDecoded(bigEndian: Bool, mark: Bool) throws {
        // U+0A0D and U+0D0A hold the bytes of a line end and are none.
        let text = "first line of the log\r\nsecond line\u{0A0D}\u{0D0A} goes on\n"
        #expect(
            try lines(utf16(text, bigEndian: bigEndian, mark: mark)) == [
                "first line of the log", "second line\u{0A0D}\u{0D0A} goes on",
            ])
    }

    @Test func codePagesAndMarksAreRead() throws {
        #expect(try lines([0xEF, 0xBB, 0xBF] + Array("märk".utf8)) == ["märk"])
        #expect(try lines([0x6D, 0xE4, 0x72, 0x6B]) == ["märk"])
    }

    @Test(arguments: [
        ("C:\\Windows\\System32\\LogFiles\\W3SVC1\\u_ex.txt", "Text", true), ("/var/log/auth.log.1", "Text", true),
        ("/srv/log/data", "UNKNOWN", true), ("/home/a/notes.txt", "Text", false), ("notes.txt", "Log", true),
        ("script.log", "PHP", false), ("syslog", "UNKNOWN", true), ("secure-20260101", "Text", true),
        ("catalog.txt", "Text", false),
    ])
    func logsAreKnownByNameFolderOrType(path: String, kind: String, isLog: Bool) throws {
        #expect(try lines(Array("text\n".utf8), path: path, kind: kind).isEmpty == !isLog)
    }

    @Test func binaryIsSkipped() throws {
        #expect(try lines((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) }).isEmpty)
        #expect(try lines([]).isEmpty)
        #expect(try lines([0, 0, 0, 0]).isEmpty)
    }

    @Test func limitsAreSaid() throws {
        let stage = try LogLinesStage(options: .init(lines: 2, lineBytes: 4))
        let output = scan(stage, Bytes(utf8: "a\nlonger\nthird\n"), path: "a.log", kind: "Text")
        #expect(output.records.map { $0.fields[1].value } == ["a", "long"])
        #expect(output.issues.map(\.code) == [.limit])
        #expect(output.issues.first?.message == "limit of 2 lines reached: 6 bytes were not read as lines")
        #expect(output.issues.first?.offset == 9)
        let whole = scan(
            try LogLinesStage(options: .init(lineBytes: 4)), Bytes(utf8: "longer\n"), path: "a.log", kind: "Text")
        #expect(whole.issues.first?.message.hasPrefix("1 lines are longer than 4 bytes") == true)
        #expect(throws: ConfigurationError.self) { try LogLinesStage(options: .init(lines: 0)) }
    }

    @Test func conformance() throws {
        let kit = StageConformance(path: "a.log", kind: "Text", flips: 100)
        #expect(kit.violations(of: try LogLinesStage(), sample: Array("one\ntwo\r\n\nthree".utf8)) == [])
        #expect(kit.violations(of: try LogLinesStage(), sample: utf16("one\ntwo\r\n\nthree")) == [])
    }

    @Test(.enabled(if: Shared.directory("corpus/logs") != nil, "no ../shared/corpus here"))
    func corpusLogsHaveTheirLines() throws {
        let folder = try #require(Shared.directory("corpus/logs"))
        let stage = try LogLinesStage()
        var seen = 0
        for path in Shared.files(below: folder) where path.hasSuffix(".log") {
            let bytes = try ByteStore().read(file: path)
            let span = bytes.span
            guard isValidUTF8(span), span.firstOffset(of: 0) == nil, span.byteCount > 0 else { continue }
            let output = scan(stage, bytes, path: path, kind: "Text")
            let expected = span.utf8Text.split(whereSeparator: \.isNewline).count
            // Other line ends of Unicode inside a line count for `split` only.
            #expect(output.records.count <= expected && output.records.count * 100 >= expected * 95, "\(path)")
            seen += 1
        }
        #expect(seen > 10)
    }
}
