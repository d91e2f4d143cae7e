import Pipeline
import PipelineTesting
import Testing
import YARA

// Sets for classes of samples leave rules out that cannot match: the matches must be those of the whole set.

@Suite struct SampleClassTests {
    private static let sources: [(name: String, text: String)] = [
        (
            "guards.yar",
            """
            import "pe"
            rule mz { condition: uint16(0) == 0x5A4D }
            rule mz_reversed { condition: 0x5a4d == uint16(0) }
            rule mz_big { condition: uint16be(0) == 0x4D5A }
            rule mz_wide { condition: uint32(0) == 0x00905A4D }
            rule first { condition: uint8(0) == 0x4d }
            rule elf { condition: uint32(0) == 0x464c457f }
            rule elf_big { condition: uint32be(0) == 0x7f454c46 and filesize > 1 }
            rule no_mz { condition: uint16(0) != 0x5A4D }
            rule not_mz { condition: not uint16(0) == 0x5A4D }
            rule not_mz_in_brackets { condition: not (uint16(0) == 0x5A4D and filesize < 10MB) }
            rule either { strings: $a = "text" condition: uint16(0) == 0x5A4D or $a }
            rule both { strings: $a = "text" condition: (uint16(0) == 0x5A4D) and ($a or filesize < 200KB) }
            rule later { condition: uint16(2) == 0x5A4D }
            rule sum { condition: uint16(0) == 0x5A4D + 0 }
            rule small { condition: filesize < 1KB }
            rule below { condition: filesize < 100KB }
            rule at_most { condition: filesize <= 102400 }
            rule exactly { condition: filesize == 102400 }
            rule above { condition: filesize > 100KB }
            rule at_least { condition: 100KB <= filesize }
            rule large { condition: 1MB <= filesize }
            rule other { condition: filesize != 102400 }
            rule module { condition: pe.number_of_sections >= 0 }
            rule module_not { condition: not pe.number_of_sections >= 0 }
            rule module_flag { condition: pe.is_pe == 0 }
            rule module_is { condition: pe.is_pe or filesize == 1024 }
            rule module_is_not { condition: not pe.is_pe }
            rule module_or { condition: filesize > 1024 or pe.imphash() == "x" }
            rule module_and { condition: filesize > 1024 and not pe.exports("x") }
            rule module_entry { strings: $a = "text" condition: $a at pe.entry_point or filesize == 1024 }
            rule module_defined { condition: defined pe.entry_point or not defined pe.machine }
            rule loop_all { strings: $a = "text" condition: for all i in (1..#a) : ( filesize < 1KB ) }
            rule module_constant { condition: pe.MACHINE_I386 == 0x14c }
            rule loop { strings: $a = "text" condition: for any of them : ( uint16(0) == 0x5A4D and $ ) }
            rule loop_size { condition: for any i in (0..1) : ( filesize < 1KB ) }
            """
        ),
        (
            "references.yar",
            """
            private rule program { condition: uint16(0) == 0x5A4D }
            rule no_program { condition: not program }
            rule any_program { condition: any of (prog*) }
            rule comment { condition: /* uint16(0) == 0x5A4D and */ filesize >= 0 // and uint16(0) == 0x5A4D
            }
            rule hex { strings: $a = { 4D /* } condition: false */ 5A } condition: not $a or uint16(0) == 0x5A4D }
            """
        ),
        (
            "global.yar",
            """
            global rule gate { condition: uint16(0) == 0x5A4D }
            rule behind { condition: true }
            """
        ),
        ("alone.yar", "import \"pe\" import \"math\" rule alone { condition: pe.is_pe and uint16(0) == 0x5A4D }"),
    ]

    private static let whole = YARARules(
        compiling: sources.map { YARASource(name: $0.name, text: $0.text) }, splitLimit: .max)
    private static let split = YARARules(
        compiling: sources.map { YARASource(name: $0.name, text: $0.text) }, splitLimit: 0)

    @Test func setsAreSmallerThanTheWhole() {
        #expect(Self.whole.problems.filter(\.isError) == [])
        #expect(Self.whole.ruleCounts == [Self.whole.rules.count])
        #expect(Self.split.ruleCounts.count == 4)
        #expect(Self.split.ruleCounts.dropFirst().allSatisfy { $0 < Self.whole.rules.count })
    }

    @Test(arguments: ["", "M", "MZ", "MZ text", "MZ\u{90}\u{0}", "text", "\u{7F}ELF text", "ZM", "  MZ"])
    func everyClassGivesTheSameMatches(begin: String) throws {
        let head = begin.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        for size in [0, 1, 1023, 1024, 102_399, 102_400, 102_401, 1_048_575, 1_048_576, 1_048_577]
        where size >= head.count {
            let bytes = Bytes(head + [UInt8](repeating: 0x2E, count: size - head.count))
            let expected = try Self.whole.scan(bytes)
            #expect(try Self.split.scan(bytes) == expected, "\(size) bytes")
            #expect(!expected.matches.isEmpty)
        }
    }

    @Test func programs() throws {
        let bytes = Bytes(smallPE())
        let expected = try Self.whole.scan(bytes)
        #expect(try Self.split.scan(bytes) == expected)
        #expect(expected.matches.contains { Self.whole.rules[$0.rule].signature.ruleName == "alone" })
    }
}

/// Headers of a PE file without sections.
func smallPE() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 0x200)
    bytes.replaceSubrange(0..<2, with: [0x4D, 0x5A])
    bytes[0x3C] = 0x80
    bytes.replaceSubrange(0x80..<0x86, with: [0x50, 0x45, 0, 0, 0x4C, 0x01])
    bytes.replaceSubrange(0x94..<0x98, with: [0xE0, 0, 0x02, 0x01])
    bytes.replaceSubrange(0x98..<0x9A, with: [0x0B, 0x01])
    bytes.replaceSubrange(0xF4..<0xF8, with: [16, 0, 0, 0])
    return bytes
}
