import EVTX
import Pipeline
import PipelineTesting
import Testing

@Suite("Event log: damaged and hostile files")
struct EventLogDamageTests {
    private let header = 4_096
    private let chunk = 65_536

    // Where records begin in a chunk of the little log.
    private func recordOffsets(_ file: [UInt8]) -> [Int] {
        var log = EventLog(Bytes(file))
        var offsets: [Int] = []
        while log.nextChunk() {
            while let record = log.nextRecord() { offsets.append(record.offset) }
        }
        return offsets
    }

    // MARK: Truncation

    @Test("Cut at every byte, a log gives the records before the cut, and says so")
    func everyTruncation() {
        let file = EventLogFixtures.little
        let whole = parsed(file)
        let ends = recordOffsets(file).map { start in
            start + Int(file[start + 4]) + Int(file[start + 5]) << 8
        }
        var wrong: [Int] = []
        for length in 0..<(ends.last ?? 0) + 16 {
            let cut = parsed(Array(file[..<length]))
            let expected = ends.filter { $0 <= length }.count
            let complete = cut.events.prefix(expected)
            let isSaid = length == header || !cut.damage.isNone
            if cut.events.count < expected || Array(complete) != Array(whole.events.prefix(expected)) || !isSaid {
                wrong.append(length)
            }
        }
        #expect(ends.count == 3)
        #expect(wrong.isEmpty)
    }

    @Test("Cut at every 4 KiB, a long log gives all chunks before the cut")
    func largeTruncation() {
        let file = EventLogFixtures.numbered(chunks: 4, recordsPerChunk: 8)
        for length in stride(from: 0, through: file.count, by: 4_096) {
            let output = scanned(Array(file[..<length]))
            let complete = max(0, (length - header) / chunk) * 8
            #expect(output.records.count >= complete)
            let isCut = length < header || (length - header) % chunk != 0
            #expect(output.issues.isEmpty != isCut)
        }
    }

    @Test("A missing tail is counted from the chunk's own header")
    func lostTail() {
        let file = EventLogFixtures.little
        let second = recordOffsets(file)[1]
        let output = scanned(Array(file[..<(second + 10)]))
        #expect(output.records.count == 1)
        #expect(
            output.issues.contains {
                $0.code == .damaged && $0.message.starts(with: "2 records in 1 chunk could not be read")
            })
    }

    // MARK: Damage

    @Test("Random bit flips never stop the parser")
    func bitFlips() {
        let file = EventLogFixtures.little
        let used = (recordOffsets(file).last ?? 0) + 600
        var generator = SplitMix64(seed: 7)
        var read = 0
        for _ in 0..<1_500 {
            var flipped = file
            for _ in 0...Int(generator.next() % 4) {
                flipped[Int(generator.next() % UInt64(used))] ^= UInt8(1) << UInt8(generator.next() % 8)
            }
            read += parsed(flipped).events.count
        }
        #expect(read > 1_500)
    }

    @Test("A wrong checksum is said and the chunk read")
    func checksums() {
        var file = EventLogFixtures.little
        let last = recordOffsets(file)[2]
        // The EventRecordID that the record's head repeats: nothing else depends on it.
        file[last + 16] ^= 1
        let output = scanned(file)
        #expect(output.records.count == 3)
        #expect(output.issues.map(\.message) == ["1 chunk with a wrong checksum; they were read all the same"])
    }

    @Test("A destroyed record costs itself only")
    func destroyedRecord() {
        var file = EventLogFixtures.numbered(chunks: 2, recordsPerChunk: 6)
        let offsets = recordOffsets(file)
        for offset in offsets[2]..<offsets[3] { file[offset] = 0xA5 }
        let output = scanned(file)
        #expect(output.records.count == 11)
        #expect(
            output.issues.contains { $0.message.starts(with: "1 record in 1 chunk could not be read") })
        #expect(output.issues.contains { $0.offset == offsets[2] || $0.offset == header })
    }

    @Test("A record with a wrong size does not hide the next one")
    func wrongSize() {
        var file = EventLogFixtures.numbered(chunks: 1, recordsPerChunk: 6)
        let offsets = recordOffsets(file)
        file.replaceSubrange(offsets[3] + 4..<offsets[3] + 8, with: bytes(UInt32(0x7000)))
        #expect(parsed(file).numbers == [1, 2, 3, 4, 5, 6])
        file.replaceSubrange(offsets[3] + 4..<offsets[3] + 8, with: bytes(UInt32.max))
        #expect(parsed(file).numbers == [1, 2, 3, 4, 5, 6])
    }

    @Test("Record numbers at the ends of their range are counted without overflow")
    func extremeNumbers() {
        let whole = EventLogFixtures.numbered(chunks: 1, recordsPerChunk: 3)
        let offsets = recordOffsets(whole)
        for (first, last, number) in [(UInt64.max - 5, UInt64.max, UInt64(0)), (0, 2, .max), (.max, .max, .max)] {
            var file = whole
            file.replaceSubrange(header + 24..<header + 40, with: bytes(first) + bytes(last))
            for offset in offsets { file.replaceSubrange(offset + 8..<offset + 16, with: bytes(number)) }
            file.replaceSubrange(offsets[2]..<offsets[2] + 4, with: [1, 1, 1, 1])
            let damage = parsed(file).damage
            #expect(damage.lostRecords > 0)
            #expect(damage.lostRecords < 10)
        }
    }

    @Test("A record that breaks behind its EventID keeps what stands before the break")
    func partialRecord() {
        var file = EventLogFixtures.numbered(chunks: 1, recordsPerChunk: 2)
        // The nested template instance of the second record begins with this token sequence: its last occurrence.
        let token: [UInt8] = [0x0F, 1, 1, 0, 0x0C, 1]
        let place = (0..<file.count - 6).last { Array(file[$0..<$0 + 6]) == token }
        guard let place else {
            Issue.record("the nested instance was not found")
            return
        }
        file[place + 4] = 0x1E
        let output = scanned(file)
        #expect(output.records.count == 2)
        #expect(output.records.last?.fields.last?.key == "Security_UserID")
        #expect(output.issues.contains { $0.message.starts(with: "1 record could only be read in part") })
    }

    @Test("A chunk without its signature still gives its records")
    func missingMagic() {
        var file = EventLogFixtures.numbered(chunks: 3, recordsPerChunk: 4)
        for offset in 0..<8 { file[header + chunk + offset] = 0 }
        let output = scanned(file)
        #expect(output.records.count == 12)
        #expect(output.issues.contains { $0.message.contains("without a chunk header") })
    }

    @Test("Chunks are found behind a missing file header, unused space and missing bytes")
    func movedChunks() {
        let file = EventLogFixtures.numbered(chunks: 2, recordsPerChunk: 4)
        #expect(parsed(Array(file[header...])).numbers == Array(1...8))
        #expect(parsed(Array(file[header...])).damage.header?.code == .badMagic)

        var padded = file
        padded.insert(contentsOf: [UInt8](repeating: 0, count: 3 * chunk), at: header + chunk)
        #expect(parsed(padded).numbers == Array(1...8))
        #expect(parsed(padded).damage.isNone)

        var short = file
        short.removeSubrange(header + chunk - 1_000..<header + chunk)
        #expect(parsed(short).numbers == Array(1...8))
        #expect(parsed(short).damage.missingChunks == 0)
    }

    @Test("Files that are no event logs give nothing and say so")
    func notAnEventLog() {
        for file in [[UInt8]("not an event log".utf8), [0x45], [UInt8](repeating: 0x2A, count: 70_000)] {
            let output = scanned(file)
            #expect(output.records.isEmpty)
            #expect(output.issues.contains { $0.message.contains("signature is not ElfFile") })
        }
        #expect(scanned([]).records.isEmpty)
    }

    // MARK: Hostile structures

    // A record with one template instance; `definition` and `values` are raw.
    private func instance(_ head: [UInt8], _ rest: [UInt8]) -> [UInt8] {
        [0x0F, 1, 1, 0, 0x0C, 1, 9, 9, 9, 9] + head + rest
    }

    @Test("Counts and sizes of 2^32 - 1 are refused", arguments: 0..<5)
    func hugeCounts(_ which: Int) {
        let huge = bytes(UInt32.max)
        // Records begin at 512 with a head of 24 bytes: what follows the 14 bytes of the instance is at 550.
        let here = bytes(UInt32(550))
        let guid = [UInt8](repeating: 1, count: 16)
        let record: [UInt8]
        switch which {
        case 0: record = instance(bytes(UInt32(64)), huge)
        case 1: record = instance(huge, bytes(UInt32(0)))
        case 2: record = instance(here, [0, 0, 0, 0] + guid + huge + [0])
        case 3: record = [0x0F, 1, 1, 0, 0x01] + huge + huge
        default: record = [0x0F, 1, 1, 0, 0x01, 0, 0, 0, 0] + bytes(UInt32(545)) + [0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        }
        let output = scanned(EventLogFixtures.log(bytes: record))
        #expect(output.records.isEmpty)
        #expect(output.issues.contains { $0.message.starts(with: "1 record in 1 chunk could not be read") })
    }

    @Test("A processing instruction with the more-follows flag does not hang", arguments: [0x4A, 0x4B, 0x0A, 0x0B])
    func flaggedInstruction(_ token: UInt8) {
        let nameless: [UInt8] = [token, 0xFF, 0xFF, 0xFF, 0xFF]
        let record = scanned(EventLogFixtures.log(bytes: [0x0F, 1, 1, 0] + nameless))
        #expect(record.records.isEmpty)
        let guid = [UInt8](repeating: 1, count: 16)
        let body = [0x0F, 1, 1, 0] + nameless
        let definition = [0, 0, 0, 0] + guid + bytes(UInt32(body.count)) + body
        let inTemplate = instance(bytes(UInt32(550)), definition + bytes(UInt32(0)) + [0])
        #expect(scanned(EventLogFixtures.log(bytes: inTemplate)).records.isEmpty)
    }

    @Test("A definition that contains itself ends")
    func cyclicDefinition() {
        // <a>template instance of this very definition</a>, with no values.
        let name = [UInt8](repeating: 0, count: 6) + bytes(UInt16(1)) + utf16("a") + [0, 0]
        let start = UInt32(550)
        let element: [UInt8] = [0x01, 0xFF, 0xFF, 0, 0, 0, 0]
        let nameOffset = start + 24 + 4 + 7 + 4
        let body =
            [0x0F, 1, 1, 0] + element + bytes(nameOffset) + name + [0x02, 0x0C, 1, 9, 9, 9, 9] + bytes(start)
            + bytes(UInt32(0)) + [0x04, 0]
        let guid = [UInt8](repeating: 1, count: 16)
        let definition = [0, 0, 0, 0] + guid + bytes(UInt32(body.count)) + body
        let output = scanned(EventLogFixtures.log(bytes: instance(bytes(start), definition + bytes(UInt32(0)) + [0])))
        #expect(output.records.isEmpty)
        #expect(output.issues.contains { $0.message.contains("nested deeper than") })
    }

    @Test("Elements and fragments nested without end are refused")
    func deepNesting() {
        var element = Element("x", [], [.text("end")])
        for _ in 0..<500 { element = Element("x", [], [.element(element)]) }
        var deep = SyntheticEventLog()
        deep.append(.element(element))
        #expect(scanned(deep.file()).issues.contains { $0.message.contains("nested deeper than") })

        let template = SyntheticEventTemplate(9, Element("n", [], [.value(0, type: 0x21)]))
        var fragment = SyntheticEventFragment.instance(template, [.string("end")])
        for _ in 0..<200 { fragment = .instance(template, [.xml(fragment)]) }
        var nested = SyntheticEventLog()
        nested.append(fragment)
        #expect(scanned(nested.file()).issues.contains { $0.message.contains("nested deeper than") })
    }

    @Test("Long names nested deeply do not multiply without bounds")
    func longPaths() {
        let name = String(repeating: "n", count: 250)
        var element = Element(
            name, [], [.element(Element(name)), .element(Element("a", [], [.element(Element(name))]))])
        for _ in 0..<40 {
            element = Element(name, [], [.element(element), .element(Element(name)), .element(Element(name))])
        }
        var log = SyntheticEventLog()
        log.append(.element(Element("Event", [], [.element(Element("UserData", [], [.element(element)]))])))
        let names = parsed(log.file()).events.first?.map(\.name) ?? []
        #expect(names.count > 80)
        #expect(names.allSatisfy { $0.utf8.count < 1_100 })
    }

    @Test("A value that is repeated at every level does not multiply without bounds")
    func substitutionBomb() {
        let many = [SyntheticEventContent](repeating: .value(0, type: 0x21), count: 200)
        let template = SyntheticEventTemplate(9, Element("n", [], many))
        var fragment = SyntheticEventFragment.instance(
            SyntheticEventTemplate(8, Element("t", [], [.value(0)])), [.string(String(repeating: "x", count: 2_000))])
        for _ in 0..<12 { fragment = .instance(template, [.xml(fragment)]) }
        var log = SyntheticEventLog()
        for _ in 0..<8 { log.append(fragment) }
        let output = scanned(log.file())
        #expect(output.issues.contains { $0.message.contains("expands to more text") })
        let written = output.records.flatMap(\.fields).reduce(0) { $0 + $1.value.utf8.count }
        #expect(written < 20 << 20)
    }

    @Test("The stage keeps the promises of every stage")
    func conformance() {
        let violations = StageConformance(path: "demo.evtx", kind: "EVTX", flips: 40)
            .violations(of: makeStage(), sample: EventLogFixtures.little)
        #expect(violations.isEmpty)
    }
}
