import FileHeuristics
import Pipeline
import PipelineTesting
import Testing

private func ids(_ path: String, kind: String? = nil, _ content: String = "x") -> [String] {
    let output = scan(FileHeuristicsStage(), Bytes(utf8: content), path: path, kind: kind)
    return output.reasons.map(\.signature.ruleName)
}

@Suite struct FileNameHeuristicsTests {
    @Test(arguments: [
        ("C:\\Users\\a\\holiday.jpg", "EXE", ["FileProgramHarmlessExtension"]),
        ("/srv/report.pdf", "ELF", ["FileProgramHarmlessExtension"]),
        ("/srv/notes.txt", "EXE", ["FileProgramHarmlessExtension"]),
        ("/srv/logo.png", "PHP", ["FileScriptHarmlessExtension"]),
        ("/srv/logo.png", "ZIP", ["FileArchiveHarmlessExtension"]),
        ("/srv/tool.exe", "EXE", []), ("/srv/tool", "ELF", []), ("/srv/notes.txt", "PowerShell", []),
        ("/srv/logo.png", "JPEG", []), ("/srv/letter.docx", "Office", []), ("/srv/logo.svg", "SVG", []),
    ])
    func extensionsFitTheContent(_ path: String, _ kind: String, _ expected: [String]) {
        #expect(ids(path, kind: kind) == expected)
    }

    @Test(arguments: [
        ("invoice.pdf.js", true), ("a.jpg.exe", true), ("A.DOCX.SCR", true), ("list.csv.vbs", true),
        ("report.pdf .exe", true), ("C:\\d\\report.pdf.lnk", true),
        ("report.pdf.lnk", false), ("C:\\Users\\a\\AppData\\Roaming\\Microsoft\\Windows\\Recent\\r.pdf.lnk", false),
        ("jquery.min.js", false), ("icon.svg.js", false), ("setup.1.2.exe", false), ("a.exe.pdf", false),
        ("pdf.exe", false), ("report.pdf", false),
    ])
    func doubleExtensions(_ path: String, _ isOdd: Bool) {
        #expect(ids(path).contains("FileDoubleExtension") == isOdd)
    }

    @Test func charactersThatDeceive() {
        #expect(ids("/d/photo\u{202E}gpj.exe") == ["FileDirectionOverride"])
        #expect(ids("/d/\u{202B}שלום\u{202C}.txt") == ["FileDirectionOverride"])
        #expect(ids("/d/שלום\u{200F}.txt") == [])
        #expect(ids("/d/svch\u{200B}ost.exe") == ["FileInvisibleCharacter"])
        #expect(ids("/d/note\u{200B}.txt") == [])
        // The o is Cyrillic.
        #expect(ids("/d/svch\u{43E}st.exe") == ["FileLookalikeLetters"])
        #expect(ids("/d/установка.exe") == [])
        #expect(ids("/d/Установка Word.exe") == [])
        #expect(ids("/d/µTorrent.exe") == [])
        #expect(ids("/d/Ωmega.exe") == [])
        #expect(
            ids("/d/invoice.pdf" + String(repeating: " ", count: 30) + ".exe").sorted() == [
                "FileBlanksBeforeExtension", "FileDoubleExtension",
            ])
        #expect(ids("/d/x" + String(repeating: "\u{2800}", count: 9) + ".scr") == ["FileBlanksBeforeExtension"])
        #expect(ids("/d/x  y.exe") == [])
        #expect(ids("C:\\d\\svchost.exe ", kind: "EXE").contains("FileTrailingBlankOrDot"))
        #expect(ids("C:\\d\\notes.", kind: "Text") == [])
    }

    @Test(arguments: [
        ("C:\\Users\\bob\\svchost.exe", true), ("C:\\Windows\\svchost.exe", true), ("/e/C/Users/b/lsass.exe", true),
        ("C:\\Windows\\System32\\svchost.exe", false), ("/e/C/Windows/SysWOW64/dllhost.exe", false),
        ("C:\\Windows\\explorer.exe", false), ("C:\\Windows\\Temp\\explorer.exe", true),
        ("C:\\Windows\\WinSxS\\amd64_x\\svchost.exe", false), ("svchost.exe", false), ("/cases/7/svchost.exe", false),
        ("C:\\Users\\bob\\svchost.txt", false),
    ])
    func systemNamesBelongToTheirFolder(_ path: String, _ isOdd: Bool) {
        #expect(ids(path).contains("FileSystemNameElsewhere") == isOdd)
    }

    @Test(arguments: [
        ("C:\\PerfLogs\\a.bat", true), ("C:\\Users\\Public\\a.ps1", true), ("/x/C/Windows/Fonts/a.exe", true),
        ("C:\\$Recycle.Bin\\S-1-5-21\\a.exe", true), ("C:\\$Recycle.Bin\\S-1-5-21\\$RABC123.exe", false),
        ("C:\\$Recycle.Bin\\S-1-5-21\\$RABC123\\setup.exe", false), ("C:\\Windows\\Fonts\\arial.ttf", false),
        ("C:\\Users\\Public\\Desktop\\Browser.lnk", false), ("/src/os/windows/tasks/job.ps1", false),
        ("/e/C/Windows/Tasks/job.ps1", true), ("C:\\Program Files\\a\\a.exe", false),
    ])
    func placesWhereProgramsDoNotBelong(_ path: String, _ isOdd: Bool) {
        #expect(ids(path).contains("FileProgramUnusualPlace") == isOdd)
    }

    @Test func placesOfUnix() {
        #expect(ids("/dev/shm/kworker", kind: "ELF") == ["FileProgramUnusualPlace"])
        #expect(ids("/tmp/.x/rs", kind: "Shell Script") == ["FileProgramUnusualPlace"])
        #expect(ids("/tmp/.X11-unix/x", kind: "ELF") == [])
        #expect(ids("/dev/shm/data", kind: "Text") == [])
        #expect(ids("/usr/bin/ls", kind: "ELF") == [])
        #expect(ids("/var/www/html/uploads/a.php", kind: "PHP") == ["FileServerScriptInUploadFolder"])
        #expect(ids("/var/www/html/uploads/index.php", kind: "PHP") == [])
        #expect(ids("/usr/share/php/images/a.php", kind: "PHP") == [])
    }

    @Test func mockFolders() {
        #expect(ids("C:\\Windows \\System32\\a.txt") == ["FileMockFolder"])
        #expect(ids("C:\\My files \\a.txt") == [])
    }

    @Test func streams() {
        #expect(ids("C:\\d\\a.txt:evil.exe") == ["FileProgramInStream"])
        #expect(ids("C:\\d\\a.txt:x:$DATA", kind: "EXE") == ["FileProgramInStream"])
        #expect(ids("C:\\d\\a.txt:secret") == ["FileUnknownStream"])
        #expect(ids("C:\\d\\a.txt:Zone.Identifier") == [])
        #expect(ids("/var/log/app-12:30.log") == [])
        #expect(ids("C:") == [])
    }

    @Test func pathsOfAnySizeAndShape() {
        for path in ["", "/", "\\", "...", ":", "a:", "a/:b", String(repeating: "a.", count: 20_000), "\u{0}.exe"] {
            _ = ids(path, kind: "EXE")
        }
        let output = scan(FileHeuristicsStage(), Bytes(utf8: "x"), path: "C:\\d\\a.pdf.exe")
        #expect(output.reasons.first?.matched == [MatchedText("a.pdf.exe", field: "/path")])
        #expect(output.reasons.first?.signature.tags == ["T1036.007"])
    }
}

@Suite struct FileContentHeuristicsTests {
    @Test func longLines() {
        let long = "powershell\r\n$x = '" + String(repeating: "A1b2", count: 3000) + "'\r\nend"
        #expect(ids("a.ps1", kind: "PowerShell", long) == ["FileScriptLongLine"])
        #expect(ids("a.js", kind: "JavaScript", long) == [])
        let short = String(repeating: "Write-Host 'one line of a script'\r\n", count: 1000)
        #expect(ids("a.ps1", kind: "PowerShell", short) == [])
        let output = scan(FileHeuristicsStage(), Bytes(utf8: long), path: "a.ps1", kind: "PowerShell")
        #expect(output.reasons.first?.matched.first?.offset == 12)
    }

    @Test func packedText() {
        var generator = SplitMix64(seed: 3)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let lines = (0..<100).map { _ in
            String(decoding: (0..<76).map { _ in alphabet[Int(generator.next() % 64)] }, as: UTF8.self)
        }
        let packed = lines.joined(separator: "\n")
        #expect(ids("a.php", kind: "PHP", packed) == ["FileScriptHighEntropy"])
        #expect(ids("a.txt", kind: "Text", packed) == [])
        // A signature at the end says nothing.
        let signed =
            String(repeating: "Write-Host 'plain text of a script'\n", count: 100)
            + "# SIG # Begin signature block\n" + packed
        #expect(ids("a.ps1", kind: "PowerShell", signed) == [])
    }

    @Test func paddedPrograms() {
        var bytes = [UInt8](repeating: 0, count: 33 << 20)
        bytes[0] = 0x4D
        func isPadded(_ bytes: [UInt8]) -> Bool {
            scan(FileHeuristicsStage(), Bytes(bytes), path: "a.exe", kind: "EXE").reasons.contains {
                $0.signature.ruleName == "FilePaddedProgram"
            }
        }
        #expect(isPadded(bytes))
        bytes[(33 << 20) - 100] = 1
        #expect(!isPadded(bytes))
        #expect(!isPadded(Array(bytes.prefix(1 << 20))))
    }

    @Test func conforms() {
        let kit = StageConformance(path: "C:\\Users\\Public\\a.pdf.exe", kind: "PowerShell", flips: 50)
        #expect(kit.violations(of: FileHeuristicsStage(), sample: Array("iex 1\r\n".utf8)) == [])
    }
}
