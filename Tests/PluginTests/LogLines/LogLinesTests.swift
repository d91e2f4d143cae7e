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

    @Test func zerosInALogDoNotHideIt() throws {
        let zeros = [UInt8](repeating: 0, count: 100_000)
        let text = Array(String(repeating: "a line of the log\n", count: 20).utf8)
        let padded = scan(try LogLinesStage(), Bytes(zeros + text), path: "a.log", kind: "UNKNOWN")
        #expect(padded.records.count == 20)
        #expect(padded.records.first?.offset == zeros.count)
        #expect(padded.records.first?.fields.last?.value == "a line of the log")
        #expect(try lines(text + zeros.prefix(4096) + text).count == 40)
        // One byte does not make a log a binary.
        #expect(try lines([0x61, 0] + text).count == 20)
        #expect(try lines(zeros).isEmpty)
        #expect(try lines(zeros + utf16("first\nsecond\n")) == ["first", "second"])
    }

    @Test func longLinesAreCutBetweenCharacters() throws {
        let stage = try LogLinesStage(options: .init(lineBytes: 4))
        func first(_ bytes: [UInt8]) -> String? {
            scan(stage, Bytes(bytes), path: "a.log", kind: "Text").records.first?.fields.last?.value
        }
        #expect(first(Array("aaaäb\n".utf8)) == "aaa")
        #expect(first(Array("aaäb\n".utf8)) == "aaä")
        #expect(first(Array("a😀b\n".utf8)) == "a")
        // Latin-1 has no characters of several bytes.
        #expect(first([0x61, 0x61, 0x61, 0xE4, 0xE4, 0x0A]) == "aaaä")
        #expect(first(utf16("abcdef", mark: true)) == "ab")
    }

    @Test func goldenOutput() throws {
        let stage = try LogLinesStage(options: .init(lines: 4, lineBytes: 24))
        let samples: [[UInt8]] = [
            Array("Jan  2 03:04:05 host a[1]: tab\there\r\n\nsecond\u{1B}[0m\nüml\nfive\nsix\n".utf8),
            utf16("Zeile eins\r\nzwei ü\r\n"), [0x6B, 0xF6, 0x6C, 0x6E, 0x0A],
        ]
        let text = samples.map { scan(stage, Bytes($0), path: "C:\\Logs\\a.log", kind: "Text").text }.joined()
        #expect(goldenDifference("log-lines.txt", text) == nil)
    }

    @Test func limitsAreSaid() throws {
        let stage = try LogLinesStage(options: .init(lines: 2, lineBytes: 4))
        let output = scan(stage, Bytes(utf8: "a\nlonger\nthird\n"), path: "a.log", kind: "Text")
        #expect(output.records.map { $0.fields[1].value } == ["a", "long"])
        #expect(output.issues.map(\.code) == [.limit, .limit])
        #expect(output.issues.last?.message.hasPrefix("1 line is longer than 4 bytes") == true)
        #expect(output.issues.first?.message == "limit of 2 lines reached: 6 bytes were not read as lines")
        #expect(output.issues.first?.offset == 9)
        let whole = scan(
            try LogLinesStage(options: .init(lineBytes: 4)), Bytes(utf8: "longer\n"), path: "a.log", kind: "Text")
        #expect(whole.issues.first?.message.hasPrefix("1 line is longer than 4 bytes") == true)
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
