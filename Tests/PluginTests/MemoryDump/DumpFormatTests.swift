import MemoryDump
import Pipeline
import PipelineTesting
import Testing

private let pages = [UInt8](repeating: 0x41, count: 8192)
private let page = [UInt8](repeating: 0x42, count: 4096)

struct DumpFormatTests {
    @Test func runsOfACrashDump() throws {
        for is64 in [true, false] {
            let bytes = crashDump(is64: is64, runs: [(1, pages), (0x100, page)])
            let dump = try CrashDump(.whole(Bytes(bytes)))
            let start: UInt64 = is64 ? 0x2000 : 0x1000
            #expect(dump.problems == [])
            #expect(dump.type == "full")
            #expect(
                dump.ranges == [
                    MemoryRange(address: 0x1000, size: 8192, offset: start),
                    MemoryRange(address: 0x10_0000, size: 4096, offset: start + 8192),
                ])
        }
    }

    @Test func pagesOfABitmap() throws {
        let bytes = crashDump(is64: true, runs: [(3, pages), (0x50, page)], bitmap: true)
        let dump = try CrashDump(.whole(Bytes(bytes)))
        #expect(dump.problems == [])
        #expect(dump.type == "bitmap full")
        #expect(
            dump.ranges == [
                MemoryRange(address: 0x3000, size: 8192, offset: 0x3000),
                MemoryRange(address: 0x5_0000, size: 4096, offset: 0x5000),
            ])
    }

    @Test(arguments: [(true, false), (false, false), (true, true)])
    func aCoreTellsItsProcess(is64: Bool, isBigEndian: Bool) throws {
        let builder = CoreBuilder(is64: is64, isBigEndian: isBigEndian)
        let core = try ELFCore(.whole(Bytes(builder.build())))
        #expect(core.problems == [])
        #expect(core.ranges.map(\.address) == builder.segments.map(\.address))
        #expect(core.modules.map(\.path) == ["/usr/bin/demo", "/usr/lib/libdemo.so"])
        #expect(core.modules.map(\.size) == [0x3000, 0x2000])
        #expect(core.threads.map(\.id) == [77, 78])
        #expect(core.threads.map(\.signal) == [11, 0])
        let facts = Dictionary(core.facts.map { ($0.name, $0.value) }) { first, _ in first }
        #expect(facts["process"] == "demo")
        #expect(facts["command_line"] == "/usr/bin/demo --listen 8080")
        #expect(facts["process_id"] == "77")
        #expect(facts["user_id"] == "1000")
    }

    @Test func partsOfALiMEDump() throws {
        let dump = try LiMEDump(.whole(Bytes(limeDump([(0x1000, page), (0x10_0000, pages)]))))
        #expect(dump.problems == [])
        #expect(dump.ranges.map(\.address) == [0x1000, 0x10_0000])
        #expect(dump.ranges.map(\.offset) == [32, 32 + 4096 + 32])
    }

    @Test func aLiMEPartThatEndsBeforeItBeginsIsAnIssue() throws {
        var bytes = limeDump([(0x1000, page), (0x10_0000, page)])
        bytes.replaceSubrange(16..<24, with: [UInt8](repeating: 0, count: 8))
        let dump = try LiMEDump(.whole(Bytes(bytes)))
        #expect(dump.ranges.isEmpty)
        #expect(dump.problems.map(\.code) == [.invalid])
    }

    @Test(arguments: [
        ("crash64.txt", "Windows Crash Dump", crashDump(is64: true, runs: [(1, page)])),
        ("crash32.txt", "Windows Crash Dump", crashDump(is64: false, runs: [(1, page)])),
        ("bitmap.txt", "Windows Crash Dump", crashDump(is64: true, runs: [(1, page)], bitmap: true)),
        ("core.txt", "ELF Core", CoreBuilder().build()),
        ("core32.txt", "ELF Core", CoreBuilder(is64: false).build()),
        ("lime.txt", "LiME Dump", limeDump([(0x1000, page)])),
        ("raw.txt", "Memory Image", page),
        ("hibernation.txt", "Windows Hibernation", page),
    ])
    func golden(name: String, kind: String, bytes: [UInt8]) throws {
        let output = scan(try MemoryDumpStage(), Bytes(bytes), path: "demo.dmp", kind: kind)
        #expect(goldenDifference(name, output.text) == nil)
        let kit = StageConformance(path: "demo.dmp", kind: kind, flips: 200)
        #expect(kit.violations(of: try MemoryDumpStage(), sample: bytes).isEmpty)
    }

    @Test func whatIsCompressedIsSaid() throws {
        for (kind, bytes) in [
            ("Windows Hibernation", page), ("AVML Dump", Array("AVML".utf8) + page), ("VirtualBox Saved State", page),
        ] {
            let output = scan(try MemoryDumpStage(), Bytes(bytes), path: "x", kind: kind)
            #expect(output.issues.contains { $0.code == .unsupported && $0.message.contains("not decompressed") })
        }
    }
}
