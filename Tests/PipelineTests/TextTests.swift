import Pipeline
import Testing

struct TextTests {
    @Test func numbersAndHexadecimal() {
        var arena = ByteArena(capacity: 1)
        arena.append(decimal: UInt64.max)
        arena.append(0x20)
        arena.append(decimal: Int64.min)
        arena.append(0x20)
        arena.append(decimal: UInt64(7), width: 3)
        arena.append(0x20)
        arena.append(hexadecimal: 0xAB, width: 4)
        arena.append(0x20)
        arena.append(hexadecimal: 0, uppercase: true)
        let bytes: [UInt8] = [0xDE, 0xAD]
        arena.append(hexBytes: bytes.rawSpan, uppercase: true)
        #expect(arena.span.utf8Text == "18446744073709551615 -9223372036854775808 007 00ab 0DEAD")
    }

    @Test(arguments: ["", "plain", "Grüße", "日本語", "emoji 🐚 end"])
    func utf16RoundTrip(text: String) {
        let units = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        #expect(String(utf16: units.rawSpan) == text)
        let padded = units + [0, 0, 0x41, 0]
        #expect(String(utf16NullTerminated: padded.rawSpan) == text)
    }

    @Test func brokenUTF16BecomesReplacementCharacters() {
        let lone: [UInt8] = [0x3D, 0xD8, 0x41, 0x00, 0x00, 0xDC, 0x42]
        #expect(String(utf16: lone.rawSpan) == "\u{FFFD}A\u{FFFD}")
    }

    @Test func unknownEncodingsAreReadAsLatin1() {
        let bytes: [UInt8] = [0x47, 0x72, 0xFC, 0xDF, 0x65]
        #expect(String(lossy: bytes.rawSpan) == "Grüße")
        let valid = isValidUTF8(bytes.rawSpan)
        #expect(!valid)
        #expect(Bytes(utf8: "ok").array == [0x6F, 0x6B])
    }

    // Blocks of 32, 16, 8 and 4 bytes are taken at once: each length, and a special byte at each place.
    @Test(arguments: 0...70)
    func blocksOfAnyLengthAreWrittenLikeSingleBytes(count: Int) {
        let ascii = (0..<count).map { UInt8(0x21 + $0) }
        for place in 0...count {
            var bytes = ascii
            if place < count { bytes[place] = 0xE9 }
            let text = bytes.map { String(Unicode.Scalar($0)) }.joined()
            #expect(String(lossy: bytes.rawSpan) == text)
            var arena = ByteArena(capacity: 1)
            arena.append(latin1: bytes.rawSpan)
            arena.append(hexBytes: bytes.rawSpan)
            arena.append(hexBytes: bytes.rawSpan, uppercase: true)
            let digits = bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
            #expect(arena.span.utf8Text == text + digits + digits.uppercased())

            var units = bytes.flatMap { (byte) -> [UInt8] in [byte, 0] }
            #expect(String(utf16: units.rawSpan) == text)
            if place < count { units[2 * place] = 0 }
            #expect(utf16Length(units.rawSpan) == 2 * place)
            // Units with one zero byte are not zero.
            #expect(utf16Length([UInt8](repeating: 0, count: 8).rawSpan) == 0)
            let swapped = bytes.flatMap { (byte) -> [UInt8] in [0, byte] }
            #expect(utf16Length(swapped.rawSpan) == 2 * count)
        }
    }

    @Test func bytesOfAnArenaAreAppendedAgain() {
        var arena = ByteArena(capacity: 1)
        arena.append(literal: "0123456789")
        for _ in 0..<8 { arena.append(again: 2..<arena.count) }
        #expect(arena.count == 2 + 8 * 256)
        #expect(arena.span.suffix(from: arena.count - 16).utf8Text == "2345678923456789")
        arena.append(again: 0..<(arena.count + 1))
        arena.append(again: 5..<5)
        #expect(arena.count == 2 + 8 * 256)
    }

    @Test func checksumsOfAnyLength() {
        // RFC 1952: bit by bit.
        func slow(_ bytes: some Sequence<UInt8>) -> UInt32 {
            var crc: UInt32 = .max
            for byte in bytes {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
            }
            return ~crc
        }
        let bytes = (0..<700).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ $0 >> 3) }
        for count in 0...400 {
            let start = count % 7
            let expected = slow(bytes[start..<(start + count)])
            #expect(CRC32.update(0, bytes.rawSpan, at: start, count: count) == expected)
            let first = CRC32.update(0, bytes.rawSpan, at: start, count: count / 3)
            let whole = CRC32.update(first, bytes.rawSpan, at: start + count / 3, count: count - count / 3)
            #expect(whole == expected)
        }
        #expect(CRC32.update(0, Array("123456789".utf8).rawSpan, at: 0, count: 9) == 0xCBF4_3926)
        #expect(CRC32.update(7, bytes.rawSpan, at: 600, count: 101) == 7)
    }

    @Test func timesFromAllCalendars() throws {
        #expect(Timestamp(filetime: 0).rfc3339() == "1601-01-01T00:00:00Z")
        #expect(
            Timestamp(filetime: 131_974_070_175_925_921).rfc3339(fractionDigits: 7) == "2019-03-18T18:23:37.5925921Z")
        #expect(Timestamp(seconds: -1).rfc3339() == "1969-12-31T23:59:59Z")
        #expect(Timestamp(seconds: Int64.max).rfc3339() == "9999-12-31T23:59:59Z")
        #expect(Timestamp(filetime: UInt64.max).rfc3339() == "9999-12-31T23:59:59Z")
        let leap = try #require(Timestamp(year: 2024, month: 2, day: 29, hour: 12))
        #expect(leap.rfc3339() == "2024-02-29T12:00:00Z")
        #expect(leap.civil.weekday == 4)
        #expect(Timestamp(year: 2024, month: 13, day: 1) == nil)
    }

    @Test func guidText() {
        let bytes: [UInt8] = [4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16]
        #expect(GUID(bytes.rawSpan)?.description == "01020304-0506-0708-090A-0B0C0D0E0F10")
        #expect(GUID(bytes.rawSpan, at: 1) == nil)
    }

    @Test(arguments: [
        (#"C:\Users\x\evil.EXE"#, "evil.EXE", #"C:\Users\x"#, ".exe"),
        ("/tmp/a.tar.gz", "a.tar.gz", "/tmp", ".gz"),
        ("/noext", "noext", "/", ""),
        ("name.", "name.", "", ""),
        ("", "", "", ""),
        (#"mixed/dir\file.php"#, "file.php", #"mixed/dir"#, ".php"),
    ])
    func pathParts(path: String, name: String, directory: String, fileExtension: String) {
        let sample = Sample(path: path, bytes: .empty)
        #expect(sample.name == name)
        #expect(sample.directory == directory)
        #expect(sample.fileExtension == fileExtension)
    }

    @Test(arguments: [
        ("iocs/hash-iocs.txt", SignatureFileKind.hashes), ("iocs/case-trusted-hashes.txt", .trustedHashes),
        ("iocs/falsepositive-hash-x.txt", .trustedHashes), ("iocs/my-filename-iocs.txt", .filenames),
        ("iocs/keywords.txt", .keywords), ("iocs/c2-iocs.txt", .c2), ("iocs/otx-c2-iocs-ipv4.txt", .c2),
        ("yara/a.yar", .yara), ("yara/my-log-rules.yara", .yaraLog), ("yara/meta.yar", .yaraMeta),
        ("yara/registry-persistence.yar", .yaraRegistry), ("sigma/x.yml", .sigma),
        ("sigma/rules/windows/x.yml", .sigma), ("/sigma/iocs/x.yml", .yamlIOCs),
        ("iocs/case1.yml", .yamlIOCs),
        ("stix/bundle.json", .stix), ("misc/file-type-signatures.txt", .fileTypes), ("pipes.txt", .pipes),
    ])
    func signatureFilesAreKnownByName(path: String, kind: SignatureFileKind) {
        #expect(SignatureFileKind(path: path) == kind)
    }

    @Test(arguments: ["iocs/filenameiocs.txt", "README.md", "x.json", "yara/rules.yas", "chains.yml", "catalog.dat"])
    func otherFilesAreNotSignatures(path: String) {
        #expect(SignatureFileKind(path: path) == nil)
    }

    @Test func versionOfASetDependsOnNamesAndContents() {
        func version(_ path: String, _ text: String) -> String {
            SignatureSet(files: [SignatureFile(path: path, kind: .yara, bytes: Bytes(utf8: text))]).version
        }
        #expect(version("a.yar", "x") == version("a.yar", "x"))
        #expect(version("a.yar", "x") != version("b.yar", "x"))
        #expect(version("a.yar", "x") != version("a.yar", "y"))
    }

    // FIPS 197, appendix C.
    @Test(arguments: [
        (16, "69c4e0d86a7b0430d8cdb78070b4c55a"), (24, "dda97ca4864cdfe06eaf70a0ec0d7191"),
        (32, "8ea2b7ca516745bfeafc49904b496089"),
    ])
    func blocksAreDecrypted(size: Int, cipher: String) throws {
        let aes = try #require(AESBlock(key: (0..<size).map { UInt8($0) }))
        let block = stride(from: 0, to: 32, by: 2).compactMap { UInt8(cipher.dropFirst($0).prefix(2), radix: 16) }
        #expect(aes.decrypt(block) == (0..<16).map { UInt8($0 * 0x11) })
        #expect(AESBlock(key: [1, 2, 3]) == nil)
        #expect(aes.decryptCBC([1, 2, 3], vector: block) == nil)
    }

    @Test func secretsAreMasked() {
        #expect(maskedSecret("Demo!Pass9") == "Dem*******")
        #expect(maskedSecret("ab") == "ab")
    }

    @Test func textsAreFoundByTheirBytes() {
        #expect("a mimikatz b".contains(utf8: "mimikatz"))
        #expect("ends with x".contains(utf8: "x"))
        #expect("".contains(utf8: ""))
        #expect(!"mimikat".contains(utf8: "mimikatz"))
        #expect(!"".contains(utf8: "a"))
        // Characters that are joined to others are found, which `contains` by characters does not.
        #expect("e\u{301}".contains(utf8: "e"))
    }
}
