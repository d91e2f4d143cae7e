import IOC
import Pipeline
import PipelineTesting
import Testing

/// A PE file with one section that holds imports; a number is an import by ordinal.
struct SyntheticPE {
    enum Function {
        case name(String)
        case ordinal(UInt16)
    }

    var libraries: [(name: String, functions: [Function])]
    var is64Bit = false

    func file() -> [UInt8] {
        let base = 0x1000
        var data = [UInt8](repeating: 0, count: 20 * (libraries.count + 1))
        let width = is64Bit ? 8 : 4
        for (index, library) in libraries.enumerated() {
            let thunks = data.count
            data += [UInt8](repeating: 0, count: width * (library.functions.count + 1))
            for (number, function) in library.functions.enumerated() {
                var value: UInt64
                switch function {
                case .ordinal(let ordinal): value = 1 << UInt64(width * 8 - 1) | UInt64(ordinal)
                case .name(let name):
                    value = UInt64(base + data.count)
                    data += [0, 0] + Array(name.utf8) + [0]
                }
                put(value, width, at: thunks + number * width, in: &data)
            }
            let name = base + data.count
            data += Array(library.name.utf8) + [0]
            put(UInt64(base + thunks), 4, at: 20 * index, in: &data)
            put(UInt64(name), 4, at: 20 * index + 12, in: &data)
            put(UInt64(base + thunks), 4, at: 20 * index + 16, in: &data)
        }
        var header = [UInt8](repeating: 0, count: 0x200)
        let optional = 0x58
        let optionalSize = is64Bit ? 240 : 224
        put(0x5A4D, 2, at: 0, in: &header)
        put(0x40, 4, at: 0x3C, in: &header)
        put(0x4550, 4, at: 0x40, in: &header)
        put(1, 2, at: 0x46, in: &header)
        put(UInt64(optionalSize), 2, at: 0x54, in: &header)
        put(is64Bit ? 0x20B : 0x10B, 2, at: optional, in: &header)
        let directories = optional + (is64Bit ? 108 : 92)
        put(16, 4, at: directories, in: &header)
        put(UInt64(base), 4, at: directories + 12, in: &header)
        let section = optional + optionalSize
        put(UInt64(data.count), 4, at: section + 8, in: &header)
        put(UInt64(base), 4, at: section + 12, in: &header)
        put(UInt64(data.count), 4, at: section + 16, in: &header)
        put(0x200, 4, at: section + 20, in: &header)
        return header + data
    }

    private func put(_ value: UInt64, _ count: Int, at offset: Int, in bytes: inout [UInt8]) {
        for index in 0..<count { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8)) }
    }
}

private let expected = "2eadc1f85cd353533190dd86f101b01b"

@Suite struct ImportHashTests {
    private func sample(is64Bit: Bool) -> [UInt8] {
        SyntheticPE(
            libraries: [
                ("KERNEL32.dll", [.name("CreateFileA"), .name("Sleep")]),
                ("WS2_32.dll", [.ordinal(115), .ordinal(23), .ordinal(9999)]),
                ("OLEAUT32.dll", [.ordinal(2), .ordinal(6)]), ("comctl32.ocx", [.ordinal(17)]),
                ("tool.exe", [.name("Run")]),
            ], is64Bit: is64Bit
        ).file()
    }

    // The expected value is what libyara's pe.imphash() says of a file with the same imports.
    @Test(arguments: [false, true])
    func isWhatOthersCompute(_ is64Bit: Bool) {
        #expect(importHash(of: sample(is64Bit: is64Bit).rawSpan) == expected)
    }

    @Test func isTheDigestOfTheNames() {
        let names =
            "kernel32.createfilea,kernel32.sleep,ws2_32.wsastartup,ws2_32.socket,ws2_32.ord9999,"
            + "oleaut32.sysallocstring,oleaut32.sysfreestring,comctl32.ord17,tool.exe.run"
        #expect(Digests(of: Bytes(utf8: names)).md5 == expected)
    }

    @Test func isInTheHashLists() throws {
        let loaded = try Loaded("\(expected);Loader family", .hashes)
        let output = scan(loaded.stage, Bytes(sample(is64Bit: true)), path: "x")
        #expect(output.reasons.map(\.summary) == ["Hash IOC match: \(expected) / Loader family"])
        #expect(output.reasons.first?.matched.first?.field == "/pe_info/imphash")
    }

    @Test func otherFilesHaveNone() {
        let none: [[UInt8]] = [[], Array("MZ".utf8), Array("text".utf8), SyntheticPE(libraries: []).file()]
        for file in none { #expect(importHash(of: file.rawSpan) == nil) }
    }

    @Test func damagedFilesDoNoHarm() throws {
        let loaded = try Loaded("\(expected);Loader family", .hashes)
        #expect(StageConformance(flips: 2000).violations(of: loaded.stage, sample: sample(is64Bit: false)) == [])
        // Every byte of the headers at its ends.
        for offset in 0..<0x200 {
            for value in [UInt8(0), 0xFF, 0x7F] {
                var file = sample(is64Bit: true)
                file[offset] = value
                let hash = importHash(of: file.rawSpan)
                #expect(hash == nil || hash?.utf8.count == 32)
            }
        }
    }
}
