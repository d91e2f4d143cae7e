import Testing

@testable import ThunderstormService

// Each row is what one kind of client sends (REFERENCE A.2) and the path it means.

struct UploadFilenameTests {
    private func path(_ disposition: String) -> String { path(Array(disposition.utf8)) }

    private func path(_ disposition: [UInt8]) -> String {
        clientText(PartHeader(Array("Content-Disposition: ".utf8) + disposition + [0x0D, 0x0A]).filename ?? [])
    }

    private func quoted(_ value: String) -> String { path("form-data; name=\"file\"; filename=\"\(value)\"") }

    @Test(arguments: [
        // Raw paths: curl, requests, PowerShell, the old Python collector.
        (#"/var/log/auth.log"#, #"/var/log/auth.log"#),
        (#"C:\Users\x\evil.exe"#, #"C:\Users\x\evil.exe"#),
        (#"\\srv\share\f.exe"#, #"\\srv\share\f.exe"#),
        (#"\\?\C:\x"#, #"\\?\C:\x"#),
        (#"\\.\PhysicalDrive0"#, #"\\.\PhysicalDrive0"#),
        (#"C:\dir\"#, #"C:\dir\"#),
        (#"C:\a "b" c.txt"#, #"C:\a "b" c.txt"#),
        // Doubled backslashes: Go, LWP, httpx, newer curl.
        (#"C:\\Users\\x\\evil.exe"#, #"C:\Users\x\evil.exe"#),
        (#"\\\\srv\\share\\f.exe"#, #"\\srv\share\f.exe"#),
        (#"\\\\?\\C:\\x"#, #"\\?\C:\x"#),
        (#"C:\\dir\\"#, #"C:\dir\"#),
        // Quotes: Go and LWP, curl, requests; not escaped at all.
        (#"/tmp/a\"b.txt"#, #"/tmp/a"b.txt"#),
        (#"C:\\a\\\"b\".txt"#, #"C:\a\"b".txt"#),
        (#"/tmp/a%22b.txt"#, #"/tmp/a"b.txt"#),
        (#"/tmp/a%0Db%0ac"#, "/tmp/a\rb\nc"),
        (#"/tmp/a"b.txt"#, #"/tmp/a"b.txt"#),
        (#"/tmp/a;b.txt"#, #"/tmp/a;b.txt"#),
        // Other percent codes are part of the name.
        (#"/tmp/100%25.txt"#, #"/tmp/100%25.txt"#),
        (#"/tmp/%41%2"#, #"/tmp/%41%2"#),
        (#"/tmp/%"#, #"/tmp/%"#),
        // Newer collectors replace what would need quoting.
        ("/tmp/a_b.txt", "/tmp/a_b.txt"),
        // Nothing is done about where a path leads: it is never used as one here.
        ("../../etc/passwd", "../../etc/passwd"),
        ("", ""),
        ("Ünï code 漢.txt", "Ünï code 漢.txt"),
        ("file.txt:stream", "file.txt:stream"),
        ("a\u{202E}gpj.exe", "a\u{202E}gpj.exe"),
    ])
    func quotedNames(_ sent: String, _ meant: String) {
        #expect(quoted(sent) == meant)
    }

    @Test func theNameEndsBeforeOtherParameters() {
        #expect(path(#"form-data; filename="C:\\a\\b"; name="file""#) == #"C:\a\b"#)
        #expect(path(#"form-data; filename="a" ; name="file""#) == "a")
        #expect(path(#"form-data; name="file"; filename="a"; size=3"#) == "a")
    }

    @Test func aNameMayLookLikeAParameter() {
        let header = PartHeader(
            Array(#"Content-Disposition: form-data; name="file"; filename="x; name=other; y""#.utf8))
        #expect(header.name == "file")
        #expect(header.filename == Array("x; name=other; y".utf8))
    }

    @Test func unquotedNamesEndAtBlankOrSemicolon() {
        #expect(path("form-data; name=file; filename=a.txt; x=y") == "a.txt")
        #expect(path("form-data; name=file; filename=a.txt b") == "a.txt")
        #expect(path("form-data; name=file; filename=") == "")
    }

    @Test func anUnterminatedNameIsTheRestOfTheLine() {
        #expect(path(#"form-data; name="file"; filename="C:\a.txt"#) == #"C:\a.txt"#)
    }

    @Test func theExtendedFormWins() {
        let both = #"form-data; name="file"; filename="a.txt"; filename*=utf-8''%2Ftmp%2F%C3%BC.txt"#
        #expect(path(both) == "/tmp/ü.txt")
        #expect(path("form-data; name=file; filename*=UTF-8'en'a%20b") == "a b")
        #expect(path("form-data; name=file; filename*=ISO-8859-1''%FC") == "ü")
        #expect(path(#"form-data; name="file"; filename="a.txt"; filename*=broken"#) == "a.txt")
    }

    @Test func namesInNoUnicodeAreReadAsCodePage1252() {
        let head = Array(#"form-data; name="file"; filename="C:\"#.utf8)
        #expect(path(head + [0xFC, 0x80, 0x93, 0x81] + Array("\"".utf8)) == "C:\\ü€\u{201C}\u{81}")
    }

    @Test func namesEndAtNUL() {
        #expect(quoted("evil.exe\0.txt") == "evil.exe")
        #expect(path("form-data; name=file; filename*=UTF-8''evil%00.txt") == "evil")
        #expect(path("form-data; name=file; filename=a\0b") == "a")
    }

    @Test func longNamesSurvive() {
        let long = "C:\\" + String(repeating: "directory\\", count: 6_600) + "x.exe"
        #expect(long.utf8.count > 64 << 10)
        #expect(quoted(long) == long)
        #expect(quoted(String(repeating: "\"", count: 32 << 10)).utf8.count == (32 << 10))
    }

    @Test func headersInAnyCaseAndFolded() {
        let header = PartHeader(
            Array("content-TYPE: x\nCONTENT-disposition: form-data;\r\n NAME=\"file\";\n\tFileName=a\n".utf8))
        #expect(header.name == "file")
        #expect(header.filename == Array("a".utf8))
        #expect(PartHeader([]).filename == nil)
        #expect(PartHeader(Array("Content-Disposition: form-data; name=\"file\"".utf8)).filename == nil)
    }
}
