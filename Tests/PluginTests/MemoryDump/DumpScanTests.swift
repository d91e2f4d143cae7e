import FileType
import IOC
import MemoryDump
import Pipeline
import PipelineTesting
import Testing
import YARA

// Dumps through a chain of types, dump, IOCs and YARA, as the program runs it.

private let rules = """
    rule Needle { meta: score = 70 strings: $a = "needle in a dump" wide ascii condition: $a }
    rule Pair { meta: score = 60 strings: $a = "left half" $b = "right half" condition: all of them }
    rule Program { meta: score = 65 strings: $a = "made up program" condition: uint16(0) == 0x5A4D and $a at 0x600 }
    rule OnlyFiles { meta: type = "file" strings: $a = "needle in a dump" condition: $a }
    """
private let processRules = """
    rule Process { meta: score = 75 type = "memory" strings: $a = "needle in a dump" condition: $a }
    """

private func chain(chunk: Int? = nil, overlap: Int = 64) throws -> Chain {
    func file(_ path: String, _ kind: SignatureFileKind, _ text: String) -> SignatureFile {
        SignatureFile(path: path, kind: kind, bytes: Bytes(utf8: text))
    }
    let environment = StageEnvironment(
        signatures: SignatureSet(files: [
            file("a.yar", .yara, rules), file("process.yar", .yaraProcess, processRules),
            file("keywords.txt", .keywords, "secret-keyword\n"), file("c2.txt", .c2, "bad.example;80\n"),
        ]))
    var options = MemoryDumpStage.Options()
    options.chunkSize = chunk ?? options.chunkSize
    options.overlap = chunk == nil ? options.overlap : overlap
    return Chain(FileTypeStage(options: NoOptions(), environment: environment))
        .appending(try MemoryDumpStage(options: options, environment: environment))
        .appending(try IOCStage(options: .init(), environment: environment))
        .appending(try YARAStage(environment: environment))
}

private struct Found: Equatable {
    var subject: String
    var rule: String
    var places: [Int]
    var module: String
}

private func found(_ report: Report) -> [Found] {
    report.findings.flatMap { finding in
        let subject =
            switch finding.subject {
            case .file(let file): file.path
            case .record(let record): record.type.name
            case .chunk(let chunk): "chunk \(chunk.range.lowerBound)..<\(chunk.range.upperBound)"
            }
        return finding.reasons.map { reason in
            Found(
                subject: subject, rule: reason.signature.ruleName.isEmpty ? reason.summary : reason.signature.ruleName,
                places: reason.matched.compactMap(\.offset), module: reason.matched.first?.place?.module ?? "")
        }
    }
}

private let needle = Array("needle in a dump".utf8)

private func wide(_ text: String) -> [UInt8] { text.utf8.flatMap { [$0, 0] } }

struct DumpScanTests {
    @Test func aFindingNamesAddressAndModule() throws {
        var builder = MinidumpBuilder()
        builder.memory = [(0x40_1000, needle), (0x99_0000, needle)]
        let bytes = builder.build()
        let report = try chain().scan(Sample(path: "C:\\x\\demo.dmp", bytes: Bytes(bytes)))
        let all = found(report)
        #expect(Set(all.map(\.rule)) == ["Needle", "Process"])
        #expect(all.allSatisfy { $0.subject == "chunk 0..<\(bytes.count)" && $0.module.hasSuffix("demo.exe") })
        let match = report.findings.first?.reasons.first?.matched.first
        #expect(match?.place?.address == 0x40_1000)
        #expect(match?.place?.isPhysical == false)
        #expect(report.findings.first?.module == "DumpScan")
    }

    @Test func rangesThatOverlapCostNothingAndTellOnePlace() throws {
        // Twenty thousand ranges that all claim the same bytes.
        var builder = MinidumpBuilder()
        builder.memory = [(0x40_1000, needle)] + (1...20_000).map { (UInt64($0) << 20, []) }
        var bytes = builder.build()
        let stream = try #require(try Minidump(.whole(Bytes(bytes))).streams.first { $0.type == 5 })
        let list = Array(bytes[Int(stream.offset) + 12..<Int(stream.offset) + 20])
        for index in 1...20_000 {
            let entry = Int(stream.offset) + 12 + index * 16
            bytes.replaceSubrange(entry..<entry + 8, with: list)
        }
        let report = try chain().scan(Sample(path: "demo.dmp", bytes: Bytes(bytes)))
        #expect(found(report).filter { $0.rule == "Needle" }.map(\.places.count) == [1])
        #expect(report.findings.first?.reasons.first?.matched.first?.place?.address == 20_000 << 20)
        #expect(report.issues.isEmpty)
    }

    @Test func needlesAcrossEveryChunkBoundaryAreFoundOnce() throws {
        // Chunks of 8 KiB with an overlap of 64 bytes begin every 8128 bytes.
        for shift in [-20, -15, -8, -1, 0, 1, 30, 47, 48, 49, 63, 64] {
            var bytes = [UInt8](repeating: 0, count: 100_000)
            let places = (1...11).map { $0 * 8128 + shift }
            for place in places { bytes.replaceSubrange(place..<place + needle.count, with: needle) }
            let report = try chain(chunk: 8192).scan(Sample(path: "x.vmem", bytes: Bytes(bytes)))
            let hits = found(report).filter { $0.rule == "Needle" }.flatMap(\.places)
            #expect(hits == places, "shift \(shift)")
        }
    }

    @Test func aRuleWithTwoStringsMatchesInsideTheOverlapAndOnce() throws {
        var bytes = [UInt8](repeating: 0, count: 30_000)
        let place = 8128 + 5
        bytes.replaceSubrange(place..<place + 9, with: Array("left half".utf8))
        bytes.replaceSubrange(place + 30..<place + 40, with: Array("right half".utf8))
        let report = try chain(chunk: 8192).scan(Sample(path: "x.raw", bytes: Bytes(bytes)))
        #expect(found(report).map(\.places) == [[place, place + 30]])
    }

    @Test func keywordsAndC2NamesInBothEncodings() throws {
        var bytes = [UInt8](repeating: 0, count: 20_000)
        func put(_ text: [UInt8], at place: Int) { bytes.replaceSubrange(place..<place + text.count, with: text) }
        put(Array(" www.bad.example ".utf8), at: 5000)
        put(wide("http://bad.example/x"), at: 9001)
        put(wide("the secret-keyword"), at: 12_000)
        put(Array("secret-keyword".utf8), at: 15_000)
        let report = try chain(chunk: 8192).scan(Sample(path: "x.mem", bytes: Bytes(bytes)))
        let places = Set(found(report).flatMap(\.places))
        #expect(places == [5001, 9001 + 14, 12_008, 15_000])
    }

    @Test(arguments: [false, true])
    func programsInMemoryAreScannedAsFiles(isMapped: Bool) throws {
        var bytes = [UInt8](repeating: 0, count: 60_000)
        let program = program(isMapped: isMapped, isLibrary: true)
        // Across the boundary of two chunks.
        let place = 8000
        bytes.replaceSubrange(place..<place + program.count, with: program)
        let report = try chain(chunk: 8192).scan(Sample(path: "x.mem", bytes: Bytes(bytes)))
        #expect(found(report).map(\.rule) == ["Program"])
        #expect(found(report).map(\.subject) == ["x.mem/0x1f40.dll"])
        #expect(report.samples == 2)
        guard case .file(let file)? = report.findings.first?.subject else { return }
        #expect(file.size == 0x800)
        #expect(file.unpackSource == ["CHUNK"])
        #expect(file.kind.name == "EXE")
    }

    // Found by the fuzzer: a hundred megabytes of zeros made of a header.
    @Test func aSectionFarBehindItsPlaceMakesNoLargeFile() throws {
        var bytes = program(isMapped: true)
        // PointerToRawData of the second section.
        let field = 0x98 + 240 + 40 + 20
        bytes.replaceSubrange(field..<field + 4, with: [0xFF, 0, 0, 6])
        let output = scan(try MemoryDumpStage(), Bytes(bytes), path: "x.raw", kind: "Memory Image")
        #expect(output.children.map(\.bytes.count) == [0x600])
    }

    // Sections that claim the same megabyte again and again.
    @Test func aProgramIsNeverLargerThanItsMemory() throws {
        var bytes = program(isMapped: true)
        for entry in [0x98 + 240, 0x98 + 280] {
            bytes.replaceSubrange(entry + 8..<entry + 12, with: [0, 0, 0x10, 0])
            bytes.replaceSubrange(entry + 16..<entry + 20, with: [0, 0, 0x10, 0])
        }
        let output = scan(try MemoryDumpStage(), Bytes(bytes), path: "x.raw", kind: "Memory Image")
        #expect(output.children.allSatisfy { $0.bytes.count <= bytes.count } && !output.children.isEmpty)
    }

    @Test func whatOnlyLooksLikeAProgramIsNone() throws {
        for damage in [(0x80, 0), (0x84, 1), (0x86, 0xFF), (0x98, 1), (0x98 + 56 + 3, 0x7F)] {
            var bytes = program(isMapped: false)
            bytes[damage.0] = UInt8(damage.1)
            let output = scan(try MemoryDumpStage(), Bytes(bytes), path: "x.raw", kind: "Memory Image")
            #expect(output.children.isEmpty, "byte \(damage.0)")
        }
    }

    @Test func aHundredThousandHeadersEndAtTheLimitAndSaySo() throws {
        let header = Array(program(isMapped: false)[..<512])
        var bytes = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<20_000 { bytes += header }
        let report = try chain().scan(Sample(path: "x.raw", bytes: Bytes(bytes)))
        #expect(report.samples <= 10_001)
        #expect(report.issues.contains { $0.code == .limit })
    }

    @Test func rawImagesAreToldByName() throws {
        let bytes = Bytes([UInt8](repeating: 0, count: 8192))
        for (path, kind) in [
            ("a.vmem", "Memory Image"), ("a.RAW", "Memory Image"), ("a.mem", "Memory Image"), ("a.bin", "UNKNOWN"),
        ] {
            let stage = FileTypeStage(options: NoOptions(), environment: StageEnvironment())
            #expect(scan(stage, bytes, path: path).kind.name == kind)
        }
    }

    @Test func optionsAreChecked() {
        var options = MemoryDumpStage.Options()
        options.overlap = options.chunkSize
        #expect(throws: MemoryDumpOptionError.self) { try MemoryDumpStage(options: options) }
        options.overlap = 0
        #expect(throws: MemoryDumpOptionError.self) { try MemoryDumpStage(options: options) }
    }
}
