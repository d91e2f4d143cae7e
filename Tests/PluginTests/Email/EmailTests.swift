import Email
import Pipeline
import PipelineTesting
import Testing

/// Messages come apart into bodies and attachments, with a record for each header.
struct EmailTests {
    private let stage = EmailStage()

    private func scanned(_ text: String, kind: String = "EMAIL", limits: Limits = Limits()) -> ScannedOutput {
        scan(stage, Bytes(utf8: text), path: "m.eml", kind: kind, limits: limits)
    }

    private func text(_ child: ScannedChild?) -> String? { child.map { String(lossy: $0.bytes.span) } }

    private static let mixed = """
        Received: from relay.example (192.0.2.7) by mx.example; Mon, 2 Nov 2026 10:00:00 +0000
        Received: from client
        \tby relay.example
        From: =?utf-8?B?SsO8cmdlbg==?= <j@example.org>
        To: team@example.org
        Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?q?_und_mehr?=
        Message-ID: <1@example.org>
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary="outer x"

        preamble
        --outer x
        Content-Type: multipart/alternative; boundary=inner

        --inner
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        A line that is =
        joined =3D here
        --inner
        Content-Type: text/html

        <p>Hello</p>
        --inner--
        --outer x
        Content-Type: application/octet-stream; name="ignored.bin"
        Content-Disposition: attachment; filename*=utf-8''%C3%BCbung%20plan.doc
        Content-Transfer-Encoding: base64

        SGVs!bG8g
        d29ybGQ=
        --outer x
        Content-Type: message/rfc822; name=fwd.eml

        Subject: inside
        From: a@example.org
        Content-Type: multipart/mixed; boundary=deep

        --deep
        Content-Disposition: attachment; filename*0="long-"; filename*1="name.txt"

        nested
        --deep--
        --outer x--
        epilogue

        """

    @Test func aMessageComesApart() {
        let output = scanned(Self.mixed)
        #expect(goldenDifference("mixed.txt", output.text) == nil)
        #expect(
            output.children.map(\.path) == [
                "m.eml/part-1.txt", "m.eml/part-2.html", "m.eml/übung plan.doc", "m.eml/fwd.eml/long-name.txt",
            ])
        #expect(
            output.children.map { text($0) } == [
                "A line that is joined = here", "<p>Hello</p>", "Hello world", "nested",
            ])
        #expect(output.children.allSatisfy { $0.method == "EMAIL" })
        let fields = output.records.first?.fields ?? []
        #expect(fields.first { $0.key == "from" }?.value == "Jürgen <j@example.org>")
        #expect(fields.first { $0.key == "subject" }?.value == "Grüße und mehr")
        #expect(fields.count { $0.key == "received" } == 2)
        #expect(output.records.count == 2)
        #expect(output.issues == [])
    }

    @Test func lineEndsDoNotMatter() {
        let windows = scanned(String(Self.mixed.flatMap { $0 == "\n" ? "\r\n" : String($0) }))
        #expect(windows.children.map(\.path) == scanned(Self.mixed).children.map(\.path))
        #expect(text(windows.children.last) == "nested")
    }

    @Test func brokenBoundariesLoseNothing() {
        let missing = scanned("Subject: a\nContent-Type: multipart/mixed; boundary=zz\n\nno boundary at all\n")
        #expect(missing.children.map { text($0) } == ["no boundary at all\n"])
        #expect(missing.issues.map(\.code) == [.damaged])
        let open = scanned("Subject: a\nContent-Type: multipart/mixed; boundary=zz\n\n--zz\n\none\n--zz\n\ntwo")
        #expect(open.children.map { text($0) } == ["one", "two"])
        #expect(open.issues.map(\.code) == [.damaged])
        let unclosed = scanned(
            "Subject: a\nContent-Type: multipart/mixed; boundary=o\n\n--o\n"
                + "Content-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--o\n\ntwo\n--o--\n")
        #expect(unclosed.children.map { text($0) } == ["one", "two"])
    }

    @Test func uuencodedFilesInTextsAreFound() {
        let output = scanned("Subject: a\nFrom: b\n\nsee below\n\nbegin 644 run.bat\n%:&5L;&\\\n`\nend\nbye\n")
        #expect(output.children.map(\.path) == ["m.eml/part-1.txt", "m.eml/run.bat"])
        #expect(text(output.children.last) == "hello")
    }

    @Test func aMailboxIsItsMessages() {
        let output = scanned(
            "From a@b Mon Nov  2 10:00:00 2026\nSubject: 1\n\nFrom here on\n\n"
                + "From c@d Mon Nov  2 11:00:00 2026\nSubject: 2\n\ntwo\n", kind: "MBOX")
        #expect(output.children.map(\.path) == ["m.eml/message-1.eml", "m.eml/message-2.eml"])
        #expect(text(output.children.last) == "Subject: 2\n\ntwo\n")
    }

    @Test func tenThousandPartsStayWithinTheLimit() {
        var message = "Subject: many\nContent-Type: multipart/mixed; boundary=b\n\n"
        for _ in 0..<10_500 { message += "--b\n\nx\n" }
        let output = scanned(message + "--b--\n")
        #expect(output.children.count == 10_000)
        #expect(output.issues.map(\.message) == ["limit of 10000 parts reached: the rest was not taken apart"])
    }

    @Test func aThousandLevelsStayWithinTheLimit() {
        var message = "Subject: deep\n"
        for level in 0..<1_000 { message += "Content-Type: multipart/mixed; boundary=b\(level)z\n\n--b\(level)z\n" }
        let output = scanned(message + "\nbottom\n")
        #expect(output.issues.contains { $0.message.hasPrefix("parts are nested more than 100 levels deep") })
        #expect(output.children.count == 1)
        #expect(text(output.children.first)?.hasSuffix("bottom\n") == true)
        var forwarded = ""
        for _ in 0..<1_000 { forwarded += "Content-Type: message/rfc822\n\n" }
        #expect(scanned("Subject: x\n" + forwarded + "\nbottom").issues.map(\.code) == [.limit])
    }

    @Test func withoutABudgetNothingIsDecoded() {
        var limits = Limits()
        limits.expandedBytes = 0
        let output = scanned(Self.mixed, limits: limits)
        #expect(output.children == [])
        #expect(output.issues.map(\.code) == [.limit])
    }

    @Test func base64IsReadThroughRubbish() {
        func decoded(_ body: String) -> String? {
            text(scanned("Subject: a\nContent-Transfer-Encoding: base64\n\n" + body).children.first)
        }
        #expect(decoded("aGVsbG8=") == "hello")
        #expect(decoded("aG VsbG8") == "hello")
        #expect(decoded("aGVsbG8=\naGVsbG8=\n") == "hellohello")
        #expect(decoded("aGVsbG8=\n-- \nA mailing list\n") == "hello")
    }

    @Test func theStageConforms() {
        let kit = StageConformance(path: "m.eml", kind: "EMAIL", flips: 200)
        #expect(kit.violations(of: stage, sample: Array(Self.mixed.utf8)) == [])
    }
}
