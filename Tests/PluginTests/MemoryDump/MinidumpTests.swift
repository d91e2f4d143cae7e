import MemoryDump
import Pipeline
import PipelineTesting
import Testing

struct MinidumpTests {
    @Test(arguments: [false, true], [false, true])
    func everyTableIsRead(isFull: Bool, paddedCounts: Bool) throws {
        var builder = MinidumpBuilder()
        builder.isFull = isFull
        builder.paddedCounts = paddedCounts
        let bytes = builder.build()
        let dump = try Minidump(.whole(Bytes(bytes)))
        #expect(dump.problems == [])
        #expect(dump.streams.count == 10)
        #expect(dump.modules.map(\.path) == builder.modules.map(\.path))
        #expect(dump.modules.map(\.base) == builder.modules.map(\.base))
        #expect(dump.modules.map(\.version) == ["10.1.19041.5", "10.1.19041.5"])
        #expect(dump.modules.map(\.debugFile) == ["demo.pdb", ""])
        #expect(dump.unloaded.map(\.path) == builder.unloaded.map(\.path))
        #expect(dump.threads.map(\.id) == [0x1234, 0x1250])
        #expect(dump.threads.map(\.name) == ["main", ""])
        #expect(dump.handles.map(\.name) == builder.handles.map(\.name))
        #expect(dump.exception?.code == 0xC000_0005)
        #expect(dump.exception?.parameters == [1, 0xDEAD])
        #expect(dump.regions.map(\.protection) == [0x40])
        #expect(dump.ranges.map(\.address) == builder.memory.map(\.address))
        for (range, memory) in zip(dump.ranges, builder.memory) {
            let start = Int(range.offset)
            #expect(Array(bytes[start..<start + Int(range.size)]) == memory.bytes)
        }
    }

    @Test func aTableThatClaimsTooMuchGivesWhatIsThere() throws {
        var bytes = MinidumpBuilder().build()
        // The first stream of the directory is the module list; its count says a billion.
        let place = Int(Bytes(bytes).span.uint32(at: 32 + 8) ?? 0)
        bytes.replaceSubrange(place..<place + 4, with: [0xFF, 0xFF, 0xFF, 0x3F])
        let dump = try Minidump(.whole(Bytes(bytes)))
        #expect(dump.modules.count == 2)
        #expect(dump.problems.map(\.code) == [.truncated])
    }

    @Test func hugeRangesAreToldOnceAndEndThere() throws {
        var builder = MinidumpBuilder()
        builder.isFull = true
        var bytes = builder.build()
        let list = try Minidump(.whole(Bytes(bytes))).streams.first { $0.type == 9 }
        let size = try Int(#require(list).offset) + 24
        bytes.replaceSubrange(size..<size + 8, with: [UInt8](repeating: 0xFF, count: 8))
        let dump = try Minidump(.whole(Bytes(bytes)))
        #expect(dump.ranges.count == 1)
        #expect(dump.problems.map(\.code) == [.invalid])
        let output = scan(try MemoryDumpStage(), Bytes(bytes), path: "x.dmp", kind: "MDMP")
        #expect(output.issues.map(\.code) == [.damaged])
        #expect(output.records.contains { $0.type.name == "memory range" })
    }

    @Test func twoListsOfTheSameTypeAreNotReadTwice() throws {
        var bytes = MinidumpBuilder().build()
        bytes.replaceSubrange(44..<56, with: bytes[32..<44])
        let dump = try Minidump(.whole(Bytes(bytes)))
        #expect(dump.modules.count == 2)
        #expect(dump.problems.map(\.code) == [.invalid])
    }

    @Test func golden() throws {
        let output = scan(try MemoryDumpStage(), Bytes(MinidumpBuilder().build()), path: "demo.dmp", kind: "MDMP")
        #expect(goldenDifference("minidump.txt", output.text) == nil)
    }

    @Test func conformance() throws {
        var builder = MinidumpBuilder()
        builder.memory.append((0x50_0000, program(isMapped: false)))
        let kit = StageConformance(path: "demo.dmp", kind: "MDMP")
        #expect(kit.violations(of: try MemoryDumpStage(), sample: builder.build()).isEmpty)
    }
}
