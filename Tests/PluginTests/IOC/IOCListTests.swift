import IOC
import Pipeline
import Testing

private let md5 = String(repeating: "ab", count: 16)
private let sha1 = String(repeating: "cd", count: 20)
private let sha256 = String(repeating: "ef", count: 32)

@Suite struct IOCListTests {
    private func parse(_ text: String, _ kind: SignatureFileKind) -> ParsedIOCs {
        parseIOCList(signatureFile(text, kind))
    }

    @Test func hashRowsHaveTwoOrThreeColumns() {
        let parsed = parse(
            """
            # header
            \(md5);Tool A
            \(sha1.uppercased());60;Tool B
            \(sha256);Tool; with - a semicolon
            \(String(repeating: "12", count: 16))
            \(String(repeating: "34", count: 16));40;
            """, .hashes)
        #expect(parsed.problems.isEmpty)
        #expect(parsed.iocs.map(\.value.count) == [32, 40, 64, 32, 32])
        #expect(parsed.iocs.map(\.score) == [100, 60, 100, 100, 40])
        #expect(parsed.iocs.map(\.description) == ["Tool A", "Tool B", "Tool; with - a semicolon", "", ""])
        #expect(parsed.iocs[1].value == sha1)
        #expect(parsed.iocs.map(\.line) == [2, 3, 4, 5, 6])
    }

    @Test func badHashRowsCostNoGoodOne() {
        let parsed = parse(
            """
            zz;not hexadecimal
            \(md5)a;33 digits
            \(md5);500;score
            d41d8cd98f00b204e9800998ecf8427e;empty
            DA39A3EE5E6B4B0D3255BFEF95601890AFD80709;empty
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;empty
            68b329da9893e34099c7d8ad5cb9c940;a newline
            \(md5);good
            """, .hashes)
        #expect(parsed.iocs.map(\.description) == ["good"])
        #expect(parsed.problems.map(\.line) == [1, 2, 3, 4, 5, 6, 7])
        #expect(parsed.problems.allSatisfy { $0.isRejected && $0.file == "list.txt" })
        #expect(parsed.problems[3].message.contains("empty file"))
    }

    @Test func trustedHashesTakeAway() {
        let parsed = parse("\(md5);Windows\n\(sha1);50;half", .trustedHashes)
        #expect(parsed.iocs.map(\.score) == [-100, -50])
    }

    @Test func filenamesAreSplitFromTheRight() {
        let parsed = parse(
            """
            \\\\evil\\.exe$;80
            a;b;70
            \\\\tool\\.exe;60;\\\\good\\\\
            \\\\white\\.exe;-30
            """, .filenames)
        #expect(parsed.problems.isEmpty)
        #expect(parsed.iocs.map(\.value) == ["\\\\evil\\.exe$", "a;b", "\\\\tool\\.exe", "\\\\white\\.exe"])
        #expect(parsed.iocs.map(\.score) == [80, 70, 60, -30])
        #expect(parsed.iocs[2].falsePositives.map(\.text) == ["\\\\good\\\\"])
    }

    @Test func caseRuleOfFilenames() {
        let parsed = parse("mimikatz;80\n\\\\evil;80\n\\\\evil(?i)\\.exe;80", .filenames)
        #expect(parsed.iocs.map(\.expression.isRegex) == [false, true, true])
        #expect(parsed.iocs.map(\.expression.isCaseless) == [true, false, true])
    }

    @Test func badFilenamesAreNamed() {
        let parsed = parse(
            """
            noscore
            (open;80
            .*;80
            ;80
            good;80
            fp;80;(open
            good2;101
            """, .filenames)
        #expect(parsed.iocs.map(\.value) == ["good"])
        #expect(parsed.problems.map(\.line) == [1, 2, 3, 4, 6, 7])
        #expect(parsed.problems[0].message.contains("no score"))
        #expect(parsed.problems[2].message.contains("empty text"))
        #expect(parsed.problems[4].message.contains("false-positive"))
    }

    @Test func theLastCommentDescribes() {
        let parsed = parse(
            """
            # Campaign One
            one.example.com
            two.example.com;70
            #
            #\\\\msn\\.exe$;60;\\\\MSNCoreFiles\\\\
            three.example.com
            # Campaign Two

            four.example.com;own words
            five.example.com
            """, .c2)
        #expect(
            parsed.iocs.map(\.description) == [
                "Campaign One", "Campaign One", "Campaign One", "own words", "Campaign Two",
            ])
        #expect(parsed.iocs.map(\.score) == [100, 70, 100, 100, 100])
    }

    @Test func c2ValuesAreChecked() {
        let parsed = parse(
            """
            evil[.]example.com
            *.sub.example.com
            EXAMPLE.ORG.
            198.51.100.7:8080
            198.51.100.0/24
            2001:db8::/32
            [2001:db8::1]:443
            a.b
            localhost
            http://example.com/path
            300.1.2.3
            10.0.0.0/0
            10.0.0.0/33
            two words.com
            """, .c2)
        #expect(
            parsed.iocs.map(\.value) == [
                "evil.example.com", "sub.example.com", "example.org", "198.51.100.7", "198.51.100.0/24",
                "2001:db8::/32", "2001:db8::1",
            ])
        #expect(parsed.problems.map(\.line) == [8, 9, 10, 11, 12, 13, 14])
    }

    @Test func keywordsAreWholeLines() {
        let parsed = parse("# Tools\n<3 eo.oe\nwscript.exe /b;x \n   \n", .keywords)
        #expect(parsed.iocs.map(\.value) == ["<3 eo.oe", "wscript.exe /b;x "])
        #expect(parsed.iocs.map(\.description) == ["Tools", "Tools"])
        #expect(parsed.iocs.map(\.score) == [75, 75])
    }

    @Test func handlesAndPipes() {
        let handles = parse("EvilMutex;RAT\n^Global\\\\[0-9]+x$;regex", .handles)
        #expect(handles.iocs.map(\.score) == [70, 70])
        #expect(handles.iocs.map(\.expression.isRegex) == [false, true])
        let pipes = parse("\\\\.\\pipe\\evilpipe;PsExec copy\nmsagent_[0-9a-f]{2};60;beacon", .pipes)
        #expect(pipes.iocs.map(\.value) == ["evilpipe", "msagent_[0-9a-f]{2}"])
        #expect(pipes.iocs.map(\.score) == [100, 60])
        #expect(pipes.iocs.map(\.description) == ["PsExec copy", "beacon"])
    }

    @Test func lineEndsMarksAndEncodings() {
        let plain = parse("# c\r\n\(md5);one\r\n\r\n\(sha1);two\r\n", .hashes)
        #expect(plain.iocs.map(\.description) == ["one", "two"])
        let marked = parse("\u{FEFF}\(md5);one", .hashes)
        #expect(marked.iocs.map(\.description) == ["one"])
        var bytes: [UInt8] = [0xFF, 0xFE]
        for unit in "\(md5);one\r\n\(sha1);two".utf16 {
            bytes += [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8)]
        }
        let wide = parseIOCList(SignatureFile(path: "w", kind: .hashes, bytes: Bytes(bytes)))
        #expect(wide.iocs.map(\.description) == ["one", "two"])
        let latin = Bytes(Array("\(md5);caf".utf8) + [0xE9, 0x0A] + Array("\(sha1);two".utf8))
        let mixed = parseIOCList(SignatureFile(path: "l", kind: .hashes, bytes: latin))
        #expect(mixed.iocs.map(\.description) == ["café", "two"])
        #expect(mixed.problems.map(\.isRejected) == [false])
        #expect(mixed.problems.map(\.line) == [1])
    }

    @Test func longLinesAreLeftOut() {
        let parsed = parse(String(repeating: "x", count: 40_000) + "\nkeyword", .keywords)
        #expect(parsed.iocs.map(\.value) == ["keyword"])
        #expect(parsed.problems.map(\.line) == [1])
    }

    @Test func aHundredThousandLinesLoad() throws {
        let hashes = (0..<100_000).map { number in
            let digits = String(number, radix: 16)
            return String(repeating: "a", count: 64 - digits.count) + digits + ";number \(number)"
        }
        let parsed = parse(hashes.joined(separator: "\n"), .hashes)
        #expect(parsed.iocs.count == 100_000)
        let domains = (0..<100_000).map { "host\($0).example.com" }.joined(separator: "\n")
        let loaded = try Loaded(domains, .c2)
        #expect(loaded.diagnostics.counts["Domain IOC"] == 100_000)
        #expect(loaded.hits(line: "GET http://host99999.example.com/") == ["Domain IOC match: host99999.example.com"])
        #expect(loaded.hits(line: "GET http://host100000.example.com/") == [])
    }

    @Test func manyFilenamesLoad() throws {
        let text = (0..<20_000).map { "\\\\tool\($0)[a-z]{2}\\.exe$;60" }.joined(separator: "\n")
        let loaded = try Loaded(text, .filenames)
        #expect(loaded.diagnostics.counts["Filename IOC"] == 20_000)
        #expect(loaded.hits(path: "/x/tool19999ab.exe").count == 1)
        #expect(loaded.hits(path: "/x/tool19999ab.exe.bak").isEmpty)
    }

    @Test func otherKindsHaveNoIOCs() {
        let parsed = parse("anything", .sigma)
        #expect(parsed.iocs.isEmpty)
        #expect(parsed.problems.count == 1)
    }
}
