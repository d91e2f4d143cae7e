import ExternalCommand
import Glibc
import Pipeline
import PipelineTesting
import Testing

/// The example in Python, on files as they are found.
@Suite(.enabled(if: unsafe access("/usr/bin/python3", X_OK) == 0, "no python3 here"))
struct ShortcutHintsTests {
    private func stage() throws -> CommandStage {
        let script = Shared.packageRoot + "/Examples/shortcut-hints/shortcut_hints.py"
        return try CommandStage(
            options: CommandStage.Options(
                name: "shortcut-hints", run: ["python3", script], extensions: ["url", "ini", "inf"]))
    }

    @Test func entriesBecomeRecords() throws {
        let text =
            "[{000214A0-0000-0000-C000-000000000046}]\r\nProp3=19,2\r\n[InternetShortcut]\r\n; a note\r\nURL=https://www.example.org/a=b\r\n"
        let output = scan(
            try stage(), Bytes(utf8: text), path: "C:\\Users\\a\\Desktop\\site.url", kind: "Internet Shortcut")
        #expect(output.issues.isEmpty && output.findings.isEmpty)
        #expect(output.records.map(\.type.name) == ["shortcut entry", "shortcut entry"])
        #expect(
            output.records[1].fields.map { "\($0.key)=\($0.value)" } == [
                "key=URL", "line=5", "section=InternetShortcut", "value=https://www.example.org/a=b",
            ])
    }

    @Test(arguments: [
        ("[InternetShortcut]\nURL=http://a\nIconFile=\\\\203.0.113.9\\x\\a.ico\n", "ShortcutRemoteFile", 70),
        ("[InternetShortcut]\nURL=file://fileserver@8080/share/a.pdf\n", "ShortcutRemoteFile", 70),
        ("[.ShellClassInfo]\nIconResource=//host.example/i/a.dll,3\n", "ShortcutRemoteFile", 70),
        ("[InternetShortcut]\nURL=file:///C:/Users/Public/a.vbs\n", "ShortcutStartsProgram", 65),
        ("[AutoRun]\nOpen=setup\\start.exe /s\n", "AutorunCommand", 55),
    ]) func whatReachesOutIsAReason(text: String, name: String, score: Int) throws {
        var utf16: [UInt8] = [0xFF, 0xFE]
        for unit in text.utf16 { utf16 += [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8)] }
        for bytes in [Array(text.utf8), utf16] {
            let output = scan(try stage(), Bytes(bytes), path: "x/desktop.ini", kind: "INI")
            #expect(output.reasons.map(\.signature.ruleName) == [name] && output.reasons.map(\.subscore) == [score])
            #expect(output.issues.isEmpty)
        }
    }

    @Test(arguments: [
        "[InternetShortcut]\nURL=https://www.example.org/file.exe\nIconFile=C:\\Windows\\shell32.dll\n",
        "[.ShellClassInfo]\nLocalizedResourceName=@%SystemRoot%\\system32\\shell32.dll,-21769\nIconResource=%SystemRoot%\\system32\\imageres.dll,-183\n",
        "[AutoRun]\nicon=disc.ico\nlabel=Backup\n", "", "no entries\0\u{FF}\n====\n[",
    ]) func whatIsUsualIsNone(_ text: String) throws {
        let output = scan(try stage(), Bytes(utf8: text), path: "x/desktop.ini", kind: "INI")
        #expect(output.reasons.isEmpty && output.issues.isEmpty)
    }

    @Test func whatIsTooLongIsSaid() throws {
        let long = Bytes(Array("[a]\nb=c\n".utf8) + [UInt8](repeating: 0x20, count: 1 << 20))
        let output = scan(try stage(), long, path: "x/desktop.ini", kind: "INI")
        #expect(output.records.count == 1 && output.issues.map(\.code) == [.limit])
    }
}
