import Pipeline
import Testing

@testable import RegistryHive

// Dirty hives and their transaction logs: both formats, applied to a copy, and only where they fit.

@Suite struct HiveLogTests {
    // A hive as it was, and as it should be after the logs: the same cells, other content.
    private let before = tree("old value", dword: 1)
    private let after = tree("new value", dword: 2)

    private static func tree(_ text: String, dword: UInt32) -> KeyNode {
        let root = KeyNode("ROOT", values: [ValueNode("text", text: text)])
        root.subkeys = (0..<100).map { KeyNode("key\($0)", values: [ValueNode("n", dword: dword)]) }
        return root
    }

    func dirty() -> [UInt8] {
        var builder = HiveBuilder()
        builder.primarySequence = 8
        return builder.build(before)
    }

    private func bins(_ root: KeyNode) -> [UInt8] { Array(HiveBuilder.hive(root).dropFirst(4096)) }

    // MARK: The old format

    func oldLog(primary: UInt32 = 8, written: UInt64? = nil) -> [UInt8] {
        var builder = HiveBuilder()
        builder.primarySequence = primary
        builder.secondarySequence = 8
        if let written { builder.written = written }
        let (old, new) = (bins(before), bins(after))
        var log = Array(builder.baseBlock(root: 0, binsSize: new.count, type: 1).prefix(512))
        put(&log, 36, Array(HiveBuilder.hive(after)[36..<40]))
        seal(&log)
        var bitmap = [UInt8](repeating: 0, count: new.count / 4096)
        var pages: [UInt8] = []
        for page in 0..<(new.count / 512) {
            let range = (page * 512)..<(page * 512 + 512)
            if old[range] != new[range] {
                bitmap[page / 8] |= 1 << UInt8(page % 8)
                pages += new[range]
            }
        }
        log += Array("DIRT".utf8) + bitmap
        log += [UInt8](repeating: 0xFF, count: (512 - log.count % 512) % 512)
        return log + pages
    }

    @Test func anOldLogIsApplied() throws {
        let log = Companion(name: "TEST.LOG", bytes: Bytes(oldLog()))
        let recovery = try #require(HiveRecovery(of: Bytes(dirty()), logs: [log]))
        #expect(recovery.notes.map(\.message) == ["\(recovery.pageCount) pages applied from TEST.LOG"])
        let hive = try Hive(recovery.write(to: ByteStore()))
        #expect(hive.header?.isDirty == false)
        #expect(hive.header?.primarySequence == 8)
        try expectNew(hive)
    }

    @Test func anOldLogOfAnotherTimeOrUnfinishedIsNot() {
        let other = Companion(name: "TEST.LOG", bytes: Bytes(oldLog(written: 1)))
        #expect(HiveRecovery(of: Bytes(dirty()), logs: [other]) == nil)
        let unfinished = Companion(name: "TEST.LOG1", bytes: Bytes(oldLog(primary: 9)))
        #expect(HiveRecovery(of: Bytes(dirty()), logs: [unfinished]) == nil)
    }

    @Test func aLostHeaderComesFromTheLog() throws {
        var bytes = dirty()
        put(&bytes, 0, [UInt8](repeating: 0, count: 512))
        let log = Companion(name: "TEST.LOG", bytes: Bytes(oldLog()))
        let recovery = try #require(HiveRecovery(of: Bytes(bytes), logs: [log]))
        let hive = try Hive(recovery.write(to: ByteStore()))
        #expect(hive.header?.isChecksumValid == true)
        try expectNew(hive)
    }

    // MARK: The new format

    private func newLog(_ entries: [[UInt8]]) -> [UInt8] {
        var log = Array(HiveBuilder().baseBlock(root: 32, binsSize: 0, type: 6).prefix(512))
        seal(&log)
        return log + entries.flatMap { $0 }
    }

    private func entry(_ sequence: UInt32, _ pages: [Int], of new: [UInt8]) -> [UInt8] {
        var entry = Array("HvLE".utf8) + little(0, 8) + little(sequence, 4) + little(new.count, 4)
        entry += little(pages.count, 4) + little(0, 16)
        for page in pages { entry += little(page * 4096, 4) + little(4096, 4) }
        for page in pages { entry += new[(page * 4096)..<(page * 4096 + 4096)] }
        entry += [UInt8](repeating: 0, count: (512 - entry.count % 512) % 512)
        put(&entry, 4, little(entry.count, 4))
        put(&entry, 24, little(Marvin32.hash(Array(entry[40...]).rawSpan), 8))
        put(&entry, 32, little(Marvin32.hash(Array(entry[..<32]).rawSpan), 8))
        return entry
    }

    @Test func newLogsAreAppliedInTheOrderOfTheirEntries() throws {
        let new = bins(after)
        let pages = Array(0..<(new.count / 4096))
        // The second log holds the earlier entries; an entry older than the hive is left out.
        let first = newLog([entry(8, [pages[1]], of: new), entry(9, Array(pages[2...]), of: new)])
        let second = newLog([entry(6, [0], of: bins(before)), entry(7, [0], of: new)])
        let logs = [
            Companion(name: "test.log1", bytes: Bytes(first)), Companion(name: "test.log2", bytes: Bytes(second)),
            Companion(name: "test.txt", bytes: Bytes(first)),
        ]
        let recovery = try #require(HiveRecovery(of: Bytes(dirty()), logs: logs))
        #expect(
            recovery.notes.map(\.message) == [
                "1 log entries applied from test.log2", "2 log entries applied from test.log1",
            ])
        let hive = try Hive(recovery.write(to: ByteStore()))
        #expect(hive.header?.primarySequence == 9)
        #expect(hive.header?.isDirty == false)
        try expectNew(hive)
    }

    @Test func aWrongChecksumEndsALog() throws {
        let new = bins(after)
        var bad = entry(8, [1], of: new)
        bad[100] ^= 1
        let log = Companion(name: "T.LOG1", bytes: Bytes(newLog([entry(7, [0], of: new), bad])))
        let recovery = try #require(HiveRecovery(of: Bytes(dirty()), logs: [log]))
        #expect(recovery.pageCount == 8)
        #expect(recovery.notes.contains { $0.message.contains("entry 8 has a wrong checksum") })
    }

    @Test func aGapEndsTheRecovery() throws {
        let new = bins(after)
        let logs = [
            Companion(name: "T.LOG1", bytes: Bytes(newLog([entry(7, [0], of: new)]))),
            Companion(name: "T.LOG2", bytes: Bytes(newLog([entry(9, [1], of: new)]))),
        ]
        let recovery = try #require(HiveRecovery(of: Bytes(dirty()), logs: logs))
        #expect(recovery.pageCount == 8)
        #expect(recovery.notes.contains { $0.message.contains("between 7 and 9 are missing") })
    }

    // Found by reading: one page at the end of 4 GiB made a copy of that size.
    @Test func aPageFarBehindTheEndDoesNotMakeALongFile() throws {
        let new = bins(after)
        var stray = entry(8, [0], of: new)
        put(&stray, 16, little(UInt32(0xFFFF_F000), 4))
        put(&stray, 40, little(UInt32(0xFFFF_E000), 4))
        put(&stray, 24, little(Marvin32.hash(Array(stray[40...]).rawSpan), 8))
        put(&stray, 32, little(Marvin32.hash(Array(stray[..<32]).rawSpan), 8))
        let hive = dirty()
        let log = Companion(name: "T.LOG1", bytes: Bytes(newLog([entry(7, [0], of: new), stray])))
        let recovery = try #require(HiveRecovery(of: Bytes(hive), logs: [log]))
        #expect(recovery.pageCount == 8)
        #expect(recovery.notes.contains { $0.message.hasPrefix("8 pages of the logs lie behind the end of the hive") })
        #expect(try recovery.write(to: ByteStore()).count <= hive.count + 8 * 512)
    }

    @Test func aCleanHiveIsLeftAlone() {
        let log = Companion(name: "T.LOG1", bytes: Bytes(newLog([entry(8, [0], of: bins(after))])))
        #expect(HiveRecovery(of: Bytes(HiveBuilder.hive(before)), logs: [log]) == nil)
    }

    @Test func theChecksumIsMarvin32() {
        // Published vectors of the hash with another seed, halves joined by exclusive or.
        let vectors: [(seed: UInt64, text: [UInt8], hash: UInt64)] = [
            (0x004F_B61A_001B_DBCC, [], 0x30ED_35C1_00CD_3C7D),
            (0x004F_B61A_001B_DBCC, [0xAF], 0x48E7_3FC7_7D75_DDC1),
            (0x004F_B61A_001B_DBCC, [0xE7, 0x0F], 0xB5F6_E1FC_485D_BFF8),
            (0x004F_B61A_001B_DBCC, [0x37, 0xF4, 0x95], 0xF0B0_7C78_9B8C_F7E8),
            (0x004F_B61A_001B_DBCC, [0x86, 0x42, 0xDC, 0x59], 0x7008_F2E8_7E9C_F556),
        ]
        for vector in vectors { #expect(Marvin32.hash(vector.text.rawSpan, seed: vector.seed) == vector.hash) }
    }

    @Test func damagedLogsNeverStopTheProcess() {
        let new = bins(after)
        let good = [oldLog(), newLog([entry(7, [0], of: new), entry(8, [1, 2], of: new)])]
        for log in good {
            var applied = 0
            for length in stride(from: 0, to: log.count, by: 37) {
                let companion = Companion(name: "T.LOG1", bytes: Bytes(Array(log[..<length])))
                guard let recovery = HiveRecovery(of: Bytes(dirty()), logs: [companion]) else { continue }
                #expect(recovery.pageCount > 0)
                if let bytes = try? recovery.write(to: ByteStore()) { applied += bytes.isEmpty ? 0 : 1 }
            }
            #expect(applied > 0)
        }
    }

    private func expectNew(_ hive: Hive) throws {
        let root = try #require(hive.root)
        #expect(hive.text("text", of: root) == "new value")
        for index in 0..<100 { #expect(hive.key(at: "key\(index)").flatMap { hive.number("n", of: $0) } == 2) }
    }
}
