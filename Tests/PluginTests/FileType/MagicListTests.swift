import Pipeline
import PipelineTesting
import Testing

@testable import FileType

@Suite struct MagicListTests {
    private func file(_ text: String) -> SignatureFile {
        SignatureFile(path: "my-file-types.txt", kind: .fileTypes, bytes: Bytes(utf8: text), origin: .custom)
    }

    private func stage(_ text: String, _ diagnostics: SignatureDiagnostics = SignatureDiagnostics()) -> FileTypeStage {
        let environment = StageEnvironment(signatures: SignatureSet(files: [file(text)]), diagnostics: diagnostics)
        return FileTypeStage(options: NoOptions(), environment: environment)
    }

    private func kind(_ stage: FileTypeStage, _ bytes: [UInt8]) -> String { scan(stage, Bytes(bytes)).kind.name }

    @Test func newTypesAndOffsets() {
        let stage = stage("# mine\nCA FE F0 0D;Coffee\r\n16;41 42 ?? 44;Letters\n0x20;0102030405;Deep\n")
        #expect(kind(stage, [0xCA, 0xFE, 0xF0, 0x0D, 0, 0]) == "Coffee")
        #expect(kind(stage, Fixture.block(64, (16, Fixture.text("ABxD")))) == "Letters")
        #expect(kind(stage, Fixture.block(64, (32, [1, 2, 3, 4, 5]))) == "Deep")
        #expect(kind(stage, [0x7F, 0x45, 0x4C, 0x46, 2, 1]) == "ELF")
    }

    @Test func equalLengthOverrides() {
        let stage = stage("25 50 44 46;Printout\n50 4B 03 04;Bundle\n")
        #expect(kind(stage, Fixture.text("%PDF-1.7")) == "Printout")
        #expect(kind(stage, Fixture.zip([("a", "b")])) == "Bundle")
        // What a closer look found is surer than four bytes.
        #expect(kind(stage, Fixture.zip([("META-INF/MANIFEST.MF", "x")])) == "JAR")
    }

    @Test func shortOnesNeedNothingBetter() {
        let stage = stage("54 56;Television\nFF FE;Wide\n66 75 6E 63 74 69 6F 6E;Functional\n")
        #expect(kind(stage, Fixture.text("TV programmes of this evening")) == "Text")
        #expect(kind(stage, [0x54, 0x56, 0, 1, 2, 3]) == "Television")
        #expect(kind(stage, Fixture.utf16("Some plain text")) == "Text")
        #expect(kind(stage, Fixture.text("function of the state")) == "Functional")
    }

    @Test func knownSpellingsKeepTheirStage() {
        let stage = stage(
            "37 7A BC AF 27 1C;7Zip\n01 06 01 00;Job File\n30 00 00 00 4C 66 4C 65;EVT Event Viewer File\n")
        #expect(kind(stage, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0, 4]) == "7ZIP")
        #expect(kind(stage, [0x30, 0, 0, 0] + Fixture.text("LfLe")) == "EVT")
        #expect(kind(stage, [1, 6, 1, 0, 9, 9]) == "Windows At Job")
    }

    @Test func badLinesAreNamedAndCostNothingElse() {
        let diagnostics = SignatureDiagnostics()
        let text = "4D 5;Odd\nXY ZZ;NoHex\n41 42\n41 42;\n?? ??;Any\n-3;41;Minus\n41 42 43 44;Good\n"
        let stage = stage(text, diagnostics)
        #expect(diagnostics.problems.map(\.line) == [1, 2, 3, 4, 5, 6])
        #expect(diagnostics.problems.allSatisfy { $0.file == "my-file-types.txt" && $0.isRejected })
        #expect(kind(stage, Fixture.text("ABCD") + [0, 0]) == "Good")
    }

    @Test(.enabled(if: Shared.directory("signatures/signature-base/misc") != nil, "no ../shared here"))
    func signatureBaseListLoads() throws {
        let folder = try #require(Shared.directory("signatures/signature-base/misc"))
        let bytes = try ByteStore().read(file: folder + "/file-type-signatures.txt")
        let diagnostics = SignatureDiagnostics()
        let file = SignatureFile(path: "file-type-signatures.txt", kind: .fileTypes, bytes: bytes)
        let stage = FileTypeStage(
            options: NoOptions(),
            environment: StageEnvironment(signatures: SignatureSet(files: [file]), diagnostics: diagnostics))
        #expect(diagnostics.problems == [])
        #expect(kind(stage, Fixture.zip([("a", "b")])) == "ZIP")
        #expect(kind(stage, Fixture.text("ElfFile\u{0}")) == "EVTX")
        #expect(kind(stage, Fixture.compound(entries: ["__nameid_version1.0"])) == "MSG")
    }
}
