import Email
import FuzzSupport
import Pipeline
import PipelineTesting

// Any bytes as a message, mailbox, winmail.dat or calendar file: no crash, no hang, bounded memory.

private let stage = EmailStage()

/// Entry point of libFuzzer: one input of `count` bytes; the first chooses the format.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Called once by libFuzzer.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    prepare(seeds: seeds(), run)
}

private func run(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let kinds = ["EMAIL", "EMAIL", "MBOX", "TNEF", "ICS", "Uuencode"]
    _ = scan(stage, Bytes(Array(input.dropFirst())), path: "sample", kind: kinds[Int(first) % kinds.count])
}

private func seeds() -> [[UInt8]] {
    let inner = """
        From: a@demo.example\r\nSubject: =?utf-8?B?w6Q=?=\r\nContent-Type: text/plain; charset=utf-8\r
        Content-Transfer-Encoding: quoted-printable\r\n\r\nb=C3=A4r=\r\n\r\n
        """
    let message = """
        From: a@demo.example\r\nTo: b@demo.example\r\nDate: Fri, 20 Nov 2026 10:11:12 +0100\r\nMIME-Version: 1.0\r
        Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>text</p>\r
        --x\r\nContent-Type: application/octet-stream; name*0="a."; name*1="bin"\r
        Content-Transfer-Encoding: base64\r\n\r\nAAECAwQF\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n\(inner)\r\n--x--\r\n
        """
    let calendar = """
        BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Meeting\r
        ATTACH;ENCODING=BASE64;VALUE=BINARY;FILENAME=a.txt:AAEC\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n
        """
    let encoded = "begin 644 a.bin\n#0V%T\n`\nend\n"
    let box = "From a@demo.example Fri Nov 20 10:11:12 2026\n\(inner)\n\nFrom b Fri Nov 20 10:11:12 2026\n\(inner)"
    // Signature, key, and one attribute of the message level: the subject.
    let tnef: [UInt8] =
        [0x78, 0x9F, 0x3E, 0x22, 1, 0, 1, 0x04, 0x80, 1, 0, 2, 0, 0, 0, 0x61, 0, 0x61, 0]
        + [2, 0x0F, 0x80, 6, 0, 3, 0, 0, 0, 1, 2, 3, 6, 0]
    let texts = [(0, message), (0, inner), (2, box), (4, calendar), (5, encoded)]
    return texts.map { [UInt8($0.0)] + Array($0.1.utf8) } + [[3] + tnef]
}
