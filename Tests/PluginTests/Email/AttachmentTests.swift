import Email
import Pipeline
import PipelineTesting
import Testing

/// TNEF and calendar files.
struct AttachmentTests {
    private let stage = EmailStage()

    // Attributes as MS-OXTNEF has them; the checksum is the sum of the bytes.
    private static func attribute(_ level: UInt8, _ id: UInt32, _ data: [UInt8]) -> [UInt8] {
        let sum = data.reduce(UInt16(0)) { $0 &+ UInt16($1) }
        return [level] + little(id) + little(UInt32(data.count)) + data + little(sum)
    }

    private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static let longName: [UInt8] = {
        var name: [UInt8] = []
        for unit in "quarterly report.docx\0".utf16 { name += little(unit) }
        var data = little(UInt32(2))
        // A number, then the long name in UTF-16.
        data += little(UInt16(3))
        data += little(UInt16(0x0E21))
        data += little(UInt32(1))
        data += little(UInt16(0x1F))
        data += little(UInt16(0x3707))
        data += little(UInt32(1))
        data += little(UInt32(name.count))
        data += name
        data += [UInt8](repeating: 0, count: (4 - name.count % 4) % 4)
        return data
    }()

    private static let winmail: [UInt8] = {
        var file = little(UInt32(0x223E_9F78)) + [1, 0]
        file += attribute(1, 0x0001_8004, Array("About winmail\0".utf8))
        file += attribute(1, 0x0002_800C, Array("body text".utf8))
        file += attribute(2, 0x0006_9002, [UInt8](repeating: 0, count: 14))
        file += attribute(2, 0x0001_8010, Array("QUARTE~1.DOC\0".utf8))
        file += attribute(2, 0x0006_800F, Array("document".utf8))
        var date: [UInt8] = []
        for part in [2026, 11, 2, 10, 30, 0, 1] { date += little(UInt16(part)) }
        file += attribute(2, 0x0003_8013, date)
        file += attribute(2, 0x0006_9005, longName)
        file += attribute(2, 0x0006_9002, [UInt8](repeating: 0, count: 14))
        file += attribute(2, 0x0006_800F, Array("second".utf8))
        return file
    }()

    private static let calendar = """
        BEGIN:VCALENDAR
        VERSION:2.0
        BEGIN:VEVENT
        UID:1@example.org
        SUMMARY:Meeting\\, urgent
        ORGANIZER;CN="A: B":mailto:a@example.org
        URL:https://meet.example.org/x
        ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY;X-FILENAME="note.txt":
         SGVs
         bG8=
        ATTACH:https://files.example.org/setup.exe
        END:VEVENT
        END:VCALENDAR

        """

    @Test func winmailGivesItsAttachments() {
        let output = scan(stage, Bytes(Self.winmail), path: "winmail.dat", kind: "TNEF")
        #expect(goldenDifference("winmail.txt", output.text) == nil)
        #expect(
            output.children.map(\.path) == [
                "winmail.dat/body.txt", "winmail.dat/quarterly report.docx", "winmail.dat/attachment-2",
            ])
        #expect(output.children.map { String(lossy: $0.bytes.span) } == ["body text", "document", "second"])
        #expect(
            output.children[1].times.modified
                == Timestamp(year: 2026, month: 11, day: 2, hour: 10, minute: 30))
        #expect(output.issues == [])
    }

    @Test func calendarFilesGiveEntriesAndFiles() {
        let output = scan(stage, Bytes(utf8: Self.calendar), path: "c.ics", kind: "ICS")
        #expect(goldenDifference("calendar.txt", output.text) == nil)
        #expect(output.children.map(\.path) == ["c.ics/note.txt"])
        #expect(output.children.map(\.method) == ["ICS"])
        #expect(output.children.map { String(lossy: $0.bytes.span) } == ["Hello"])
        let fields = output.records.first?.fields.map { "\($0.key)=\($0.value)" } ?? []
        #expect(fields.contains("summary=Meeting, urgent"))
        #expect(fields.contains("organizer=mailto:a@example.org"))
        #expect(fields.contains("attach=https://files.example.org/setup.exe"))
    }

    @Test func theStageConforms() {
        #expect(
            StageConformance(path: "winmail.dat", kind: "TNEF", flips: 200)
                .violations(of: stage, sample: Self.winmail) == [])
        #expect(
            StageConformance(path: "c.ics", kind: "ICS", flips: 200)
                .violations(of: stage, sample: Array(Self.calendar.utf8)) == [])
    }
}
