import EVTX
import Pipeline
import PipelineTesting
import Testing

@Suite("Event log: fields and values")
struct EventRenderingTests {
    @Test("Every value type has its text form", arguments: Self.values)
    func value(_ value: Value, _ expected: [String]) {
        let events = parsed(EventLogFixtures.log([("Field", value)])).events
        #expect(events.first?.values("Field") == expected)
    }

    static let values: [(Value, [String])] = [
        (.null, [""]), (.string("a<b>&\"é😀"), ["a<b>&\"é😀"]), (.string(""), [""]),
        (Value(type: 0x01, bytes: utf16("abc\0")), ["abc"]), (Value(type: 0x01, bytes: utf16("a\0b")), ["a\0b"]),
        (Value(type: 0x01, bytes: [0x41, 0, 0x42]), ["A"]),
        (Value(type: 0x01, bytes: [0, 0xD8, 0x41, 0]), ["\u{FFFD}A"]),
        (Value(type: 0x02, bytes: [0x41, 0xE9, 0x80, 0x9F, 0]), ["Aé€Ÿ"]),
        (.number(Int8(-5)), ["-5"]), (.number(UInt8(250)), ["250"]), (.number(Int16(-300)), ["-300"]),
        (.number(UInt16(65_000)), ["65000"]), (.number(Int32(-70_000)), ["-70000"]),
        (.number(UInt32(4_000_000_000)), ["4000000000"]), (.number(Int64.min), ["-9223372036854775808"]),
        (.number(UInt64.max), ["18446744073709551615"]),
        (Value(type: 0x0B, bytes: bytes(Float(1.5).bitPattern)), ["1.5"]),
        (Value(type: 0x0C, bytes: bytes(Double(0.1).bitPattern)), ["0.1"]),
        (Value(type: 0x0C, bytes: bytes(Double.nan.bitPattern)), ["NaN"]),
        (.bool(true), ["true"]), (.bool(false), ["false"]), (Value(type: 0x0D, bytes: bytes(UInt32(16))), ["16"]),
        (Value(type: 0x0D, bytes: [1]), ["true"]), (.binary([0xDE, 0xAD]), ["DEAD"]),
        (.guid(Array(1...16)), ["04030201-0605-0807-090A-0B0C0D0E0F10"]),
        (Value(type: 0x10, bytes: bytes(UInt32(4_096))), ["0x1000"]),
        (Value(type: 0x10, bytes: bytes(UInt64(1) << 32)), ["0x100000000"]),
        (.filetime(132_539_328_001_234_567), ["2021-01-01T00:00:00.123456Z"]),
        (.filetime(0), ["1601-01-01T00:00:00.000000Z"]),
        (
            Value(type: 0x12, bytes: [2021, 3, 0, 5, 6, 7, 8, 9].flatMap { bytes(UInt16($0)) }),
            ["2021-03-05T06:07:08.009000Z"]
        ),
        (Value(type: 0x12, bytes: [UInt8](repeating: 0xFF, count: 16)), [String(repeating: "F", count: 32)]),
        (.sid(5, [21, 1, 2, 3, 500]), ["S-1-5-21-1-2-3-500"]), (Value(type: 0x13, bytes: [1, 9, 0]), ["010900"]),
        (.hexadecimal(UInt32(0xAB)), ["0xab"]), (.hexadecimal(UInt64(0xDEAD_BEEF_00)), ["0xdeadbeef00"]),
        (.strings(["a", "", "b"]), ["a", "", "b"]), (Value(type: 0x81, bytes: utf16("a\0b")), ["a", "b"]),
        (Value(type: 0x82, bytes: [0x41, 0, 0x42, 0]), ["A", "B"]),
        (Value(type: 0x83, bytes: [0xFF, 2]), ["-1", "2"]),
        (Value(type: 0x88, bytes: bytes(UInt32(2)) + bytes(UInt32(3))), ["2", "3"]),
        (
            Value(type: 0x8F, bytes: Array(1...32)),
            ["04030201-0605-0807-090A-0B0C0D0E0F10", "14131211-1615-1817-191A-1B1C1D1E1F20"]
        ),
        (
            Value(type: 0x93, bytes: Value.sid(5, [18]).bytes + Value.sid(5, [21, 7]).bytes),
            ["S-1-5-18", "S-1-5-21-7"]
        ),
        (Value(type: 0x95, bytes: bytes(UInt64(16)) + bytes(UInt64(1))), ["0x10", "0x1"]),
        (Value(type: 0x88, bytes: [1, 0, 0, 0, 9]), ["1", "09"]),
        (Value(type: 0x7E, bytes: [1, 2]), ["0102"]), (Value(type: 0x08, bytes: [1]), ["01"]),
    ]

    @Test("System fields have the names that rules use, in the order of the XML")
    func systemFields() {
        let fields = parsed(EventLogFixtures.log([("A", .string("b"))])).events.first ?? []
        #expect(
            fields.map { "\($0.name)=\($0.value)" } == [
                "Provider_Name=Demo-Provider", "Provider_Guid=04030201-0605-0807-090A-0B0C0D0E0F10", "EventID=42",
                "Version=0", "Level=4", "Task=0", "Keywords=0x8020000000000000",
                "TimeCreated=2021-01-01T00:00:00.000000Z", "EventRecordID=1", "Execution_ProcessID=4242",
                "Execution_ThreadID=1717", "Channel=Demo/Operational", "Computer=WS01.corp.example",
                "Security_UserID=S-1-5-18", "A=b",
            ])
    }

    @Test("EventData: named, unnamed, repeated, clashing and put-together fields")
    func eventData() {
        func data(_ name: [SyntheticEventContent], _ content: [SyntheticEventContent]) -> SyntheticEventContent {
            .element(Element("Data", [("Name", name)], content))
        }
        let payload = Element(
            "EventData", [("Name", [.text("Kind")])],
            [
                data(
                    [.text("Mixed")],
                    [
                        .text("a "), .value(0), .text(" b"), .entity("amp"), .character(65), .cdata("<x>"),
                        .instruction("t", "d"), .value(1, type: 8), .entity("other"),
                    ]),
                data([.text("Optional")], [.value(2, optional: true)]), data([.text("None")], []),
                .element(Element("Data", [], [.value(0)])), .element(Element("Data", [], [.value(3, type: 0x81)])),
                data([.value(0)], [.value(1)]), data([.text("Missing")], [.value(77)]),
                data([.text("Level")], [.text("own")]),
                .element(Element("Data", [("Name", [.text("With")]), ("Unit", [.text("ms")])], [.text("5")])),
                .element(Element("ComplexData", [("Name", [.text("State")])], [.value(1)])),
                .element(Element("Binary", [], [.value(2, type: 0x0E, optional: true)])),
            ])
        let events = parsed(
            EventLogFixtures.log(payload: payload, [.string("VAL"), .number(UInt32(7)), .null, .strings(["x", "y"])])
        ).events
        #expect(
            events.first?.payload == [
                "EventData_Name=Kind", "Mixed=a VAL b&A<x>7&other;", "Optional=", "None=", "Data=VAL", "Data=x",
                "Data=y", "VAL=7", "Missing=", "Level=own", "With_Unit=ms", "With=5", "State=7", "Binary=",
            ])
        #expect(events.first?.values("Level") == ["4", "own"])
    }

    @Test("UserData: leaves by name, with their path only where it is needed")
    func userData() {
        let payload = Element(
            "UserData", [],
            [
                .element(
                    Element(
                        "Root", [("xmlns", [.text("urn:x")]), ("kind", [.text("k")])],
                        [
                            .element(Element("Only", [], [.value(0)])),
                            .element(
                                Element(
                                    "First", [],
                                    [.element(Element("Same", [("id", [.text("1")])], [.text("one")]))])),
                            .element(
                                Element(
                                    "Second", [],
                                    [
                                        .element(Element("Same", [("id", [.text("2")])], [.text("two")])),
                                        .element(Element("Same", [("id", [.text("3")])], [.text("three")])),
                                    ])),
                            .element(Element("Empty")),
                            .element(Element("Nested", [], [.value(1, type: 0x21)])),
                        ]))
            ])
        let nested = SyntheticEventFragment.element(
            Element("Inner", [("at", [.text("z")])], [.element(Element("Deep", [], [.text("d")]))]))
        let events = parsed(EventLogFixtures.log(payload: payload, [.string("v"), .xml(nested)])).events
        #expect(
            events.first?.payload == [
                "Root_kind=k", "Only=v", "First_Same_id=1", "First_Same=one", "Second_Same_id=2", "Second_Same=two",
                "Second_Same_id=3", "Second_Same=three", "Empty=", "Inner_at=z", "Deep=d",
            ])
    }

    @Test("What a collector rendered keeps its own names")
    func renderingInfo() {
        var log = SyntheticEventLog()
        func leaf(_ name: String, _ text: String) -> SyntheticEventContent {
            .element(Element(name, [], [.text(text)]))
        }
        log.append(
            .element(
                Element(
                    "Event", [],
                    [
                        .element(Element("System", [], [leaf("EventID", "7"), leaf("Level", "2")])),
                        .element(
                            Element(
                                "RenderingInfo", [("Culture", [.text("en-US")])],
                                [leaf("Level", "Error"), .element(Element("Keywords", [], [leaf("Keyword", "A")]))])),
                    ])))
        #expect(
            parsed(log.file()).events.first?.map { "\($0.name)=\($0.value)" } == [
                "EventID=7", "Level=2", "RenderingInfo_Culture=en-US", "RenderingInfo_Level=Error",
                "RenderingInfo_Keywords_Keyword=A",
            ])
    }

    @Test("A log with every kind of content gives the recorded output")
    func golden() {
        var log = SyntheticEventLog()
        for (index, (value, _)) in Self.values.enumerated() {
            log.append(EventLogFixtures.system, data: [("Field\(index)", value), ("Second", .number(UInt16(index)))])
        }
        log.startChunk()
        log.append(
            .init(provider: "Microsoft-Windows-Eventlog", id: 104, channel: "System"), userData: "LogFileCleared",
            [("SubjectUserName", .string("alice")), ("Channel", .string("Application")), ("BackupPath", .null)])
        let difference = goldenDifference("every-type.txt", scanned(log.file()).text)
        #expect(difference == nil)
    }

    @Test("A second chunk, and a file longer than its header says, are read to the end")
    func chunks() {
        var file = EventLogFixtures.numbered(chunks: 3, recordsPerChunk: 5)
        #expect(parsed(file).numbers == Array(1...15))
        file.replaceSubrange(42..<44, with: [1, 0])
        file.replaceSubrange(16..<24, with: bytes(UInt64(0)))
        #expect(parsed(file).numbers == Array(1...15))
    }
}
