import Pipeline
import Testing

@testable import ThunderstormService

// Lines of every format over values that try to break them.

private let hostile = "a|b=c\\d'e\"f\n\r\u{1B}[31mg\u{85}h\u{202E}i\u{2028}j,ä€😀"

struct LineFormatTests {
    private let context = EventContext(
        time: Timestamp(seconds: 1_700_000_000, nanoseconds: 5_000_000), hostname: "ho st\n1", scanID: "S-A-1")

    private var finding: Finding {
        var file = FileSubject(Sample(path: "C:\\Users\\Jane Doe\\\(hostile).php", bytes: Bytes(utf8: "x")))
        file.md5 = "0cc175b9c0f1b6a831c399e269772661"
        return Finding(
            subject: .file(file), module: "Filescan",
            reasons: [
                Reason(
                    summary: "YARA rule Evil / \(hostile)",
                    signature: Signature(kind: .yara, score: 90, ruleName: "Evil|rule=1", description: hostile),
                    matched: [MatchedText(data: Array(hostile.utf8), offset: 0)])
            ],
            score: 90, level: .alert, context: [], issues: [])
    }

    private func line(_ format: EventFormat, priority: Int? = nil, _ change: (inout EventOptions) -> Void = { _ in })
        -> String
    {
        var options = EventOptions()
        options.utc = true
        change(&options)
        var bytes: [UInt8] = []
        EventEncoder(format: format, options: options, priority: priority).append(finding, context, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: EventFormat.allCases)
    func everyEventIsOneLineThatSpeaksToNobody(_ format: EventFormat) {
        let text = line(format, priority: 190)
        #expect(text.hasSuffix("\n"))
        let scalars = text.unicodeScalars.dropLast()
        #expect(!scalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        if format != .json && format != .syslogJSON {
            #expect(!scalars.contains { [0x202E, 0x2028].contains($0.value) })
        }
        #expect(text.contains("ä€😀"))
    }

    @Test func textLinesStartAsSyslogDoes() {
        #expect(
            line(.text).hasPrefix("Nov 14 22:13:20 ho_st\\n1 THOR: Alert: MODULE: Filescan MESSAGE: Malicious file"))
        #expect(line(.text, { $0.rfc3339 = true }).hasPrefix("2023-11-14T22:13:20Z ho_st\\n1 THOR: Alert:"))
        #expect(line(.text, priority: 190).hasPrefix("<190>Nov 14 "))
    }

    @Test func keysAndValuesCanBeReadBack() {
        let text = line(.keyValue)
        #expect(text.hasPrefix("TIME='Nov 14 22:13:20' HOSTNAME='ho st\\n1' LEVEL='Alert' MODULE='Filescan' MESSAGE="))
        #expect(text.contains(#"\\d\'e"f\n\r\x1b[31mg\x85h\u202ei\u2028j,ä€😀.php' EXTENSION='.php'"#))
        #expect(line(.syslogKeyValue, priority: 190).hasPrefix("<190>Nov 14 22:13:20 ho_st\\n1 THOR: LEVEL='Alert' "))
    }

    @Test func cefEscapesItsHeaderAndItsExtension() {
        let text = line(.cef, priority: 190)
        let head = "<190>Nov 14 22:13:20 ho_st\\n1 CEF:0|Thunderstorm|Thunderstorm|\(thunderstormVersion)|"
        #expect(text.hasPrefix(head + #"Evil\|rule=1|Malicious file found|10|rt=1700000000005 dvchost=ho st\n1 "#))
        #expect(text.contains(#"msg=YARA rule Evil / a|b\=c\\d'e"f\n\r\x1b[31mg\x85h\u202ei\u2028j,ä€😀 filePath="#))
        #expect(text.contains("cn1Label=Score cn1=90 "))
    }

    @Test func csvQuotesWhatNeedsIt() {
        let text = line(.csv)
        let path = "C:\\Users\\Jane Doe\\" + #"a|b=c\d'e""f\n\r\x1b[31mg\x85h\u202ei\u2028j,ä€😀.php"#
        #expect(text == "0cc175b9c0f1b6a831c399e269772661,\"\(path)\",90\n")
        #expect(String(decoding: EventEncoder(format: .csv).header, as: UTF8.self) == "md5,path,score\n")
    }

    @Test func longValuesAreCutBetweenCharacters() {
        var bytes: [UInt8] = []
        bytes.append(safe: "aä€😀b", limit: 4)
        #expect(String(decoding: bytes, as: UTF8.self) == "aä€😀... (truncated)")
        bytes = []
        bytes.append(safe: "aä€😀", limit: 4)
        #expect(String(decoding: bytes, as: UTF8.self) == "aä€😀")
        #expect(line(.text) { $0.truncateAt = 64 }.contains("... (truncated)"))
    }

    @Test func personsAreHidden() {
        for format in EventFormat.allCases {
            let text = line(format) { $0.hidesPersonalData = true }
            #expect(!text.contains("Jane"), "\(format)")
            #expect(text.contains(PersonalData.replacement), "\(format)")
        }
        func hidden(_ text: String) -> String { PersonalData.hidden(in: text) }
        #expect(
            hidden("/home/jane/x /Users/jane/y c:\\users\\jane\\z")
                == "/home/ANONYMIZED/x /Users/ANONYMIZED/y c:\\users\\ANONYMIZED\\z")
        #expect(hidden(#"C:\\Users\\jane\\x"#) == #"C:\\Users\\ANONYMIZED\\x"#)
        #expect(hidden("C:\\Documents and Settings\\jane") == "C:\\Documents and Settings\\ANONYMIZED")
        #expect(hidden("C:\\Users\\Public\\x /home/root") == "C:\\Users\\Public\\x /home/root")
        #expect(hidden("\\users\\") == "\\users\\")
        let type = RecordType("eventlog entry", module: "EVTX")
        var finding = finding
        finding.subject = .record(
            RecordSubject(type: type, offset: 0, fields: [.init(key: "TargetUserName", value: "jane")]))
        guard case .record(let record) = PersonalData.hidden(in: finding).subject else {
            Issue.record("the subject changed")
            return
        }
        #expect(record.fields.map(\.value) == [PersonalData.replacement])
    }
}

struct TargetAddressTests {
    @Test func shortFormsHaveTheDefaultsOfSyslog() throws {
        let short = try TargetAddress("siem.example")
        #expect((short.host, short.port, short.format, short.transport) == ("siem.example", 514, .text, .udp))
        let whole = try TargetAddress("[::1]:6514:cef:tcptls@Warning")
        #expect((whole.host, whole.port, whole.format, whole.transport) == ("::1", 6514, .cef, .tls))
        #expect(whole.minimumLevel == .warning)
        #expect(try TargetAddress("h:514::TCP").transport == .tcp)
        #expect(try TargetAddress("h::SYSLOGKV").format == .syslogKeyValue)
    }

    @Test func addressesOfTheWeb() throws {
        let http = try TargetAddress("http://h")
        #expect((http.port, http.path, http.format, http.transport) == (80, "/", .json, .http))
        let https = try TargetAddress("https://h:8088/services/collector?x=1:SYSLOGJSON@alert")
        #expect((https.port, https.path, https.format) == (8088, "/services/collector?x=1", .syslogJSON))
        #expect(https.transport == .https && https.minimumLevel == .alert)
    }

    @Test(arguments: [
        ("", "names no host"), (":514", "names no host"), ("h:0", "ports are 1 to 65535"), ("h:x", "ports are"),
        ("h:1:XML", "there are DEFAULT, CEF, JSON"), ("h:1:CEF:SCTP", "there are UDP, TCP, TCPTLS"),
        ("h:1:CEF:TCP:x", "too many parts"), ("[::1", "lacks the ]"), ("[::1]x", "behind the host"),
        ("http://h/a b", "percent-encoded"), ("http://", "names no host"),
    ])
    func whatIsWrongIsSaid(_ text: String, _ reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try TargetAddress(text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("HOST[:PORT[:FORMAT[:PROTOCOL]]]") == true)
    }
}
