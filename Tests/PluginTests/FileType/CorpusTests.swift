import Pipeline
import PipelineTesting
import Testing

@testable import FileType

// Real artefacts of many tools: each has to be recognised as what its folder or extension says. Disagreements are
// listed with their reason; a new one fails the test.

@Suite struct CorpusTests {
    private static let isThere = Shared.directory("corpus/evtx") != nil

    // Kinds that a folder, or files of an extension in it, may have.
    private static let folders: [String: Set<String>] = [
        "evtx": ["EVTX", "EVT"], "hives": ["Registry Hive", "Registry Transaction Log"], "lnk": ["LNK"],
        "prefetch": ["Prefetch"], "jumplists": ["Jump List"], "wer": ["WER"], "memdumps": ["MDMP", "LSASS Dump File"],
        "eml": ["EMAIL", "MBOX", "MSG"],
    ]
    private static let extensions: [String: [String: Set<String>]] = [
        "archives": [
            "zip": ["ZIP"], "zipx": ["ZIP"], "7z": ["7ZIP"], "rar": ["RAR"], "tar": ["TAR"], "cab": ["CAB"],
            "gz": ["GZIP"],
            "tgz": ["GZIP"], "chm": ["CHM"], "cpio": ["CPIO"], "jar": ["JAR"], "war": ["WAR"], "bz2": ["BZIP2"],
            "z": ["TARZ"], "lha": ["LHA"], "lzh": ["LHA"], "ar": ["AR"], "xz": ["XZ"], "lz4": ["LZ4"], "xar": ["XAR"],
            "zst": ["ZSTD"], "iso": ["ISO"], "dmg": ["DMG"], "lzma": ["LZMA"], "exe": ["EXE"], "elf": ["ELF"],
            "arj": ["ARJ"],
        ],
        "ole-office": [
            "doc": ["OLE", "RTF"], "xls": ["OLE"], "ppt": ["OLE"], "dot": ["OLE"], "xlt": ["OLE"], "pub": ["OLE"],
            "docx": ["Office"],
            "xlsx": ["Office"], "pptx": ["Office"], "xlsm": ["Office"], "xlsb": ["Office"], "vsdx": ["Office"],
            "rtf": ["RTF"],
            "one": ["OneNote"], "odt": ["OpenDocument"], "ods": ["OpenDocument"], "mdb": ["Access Database"],
            "accdb": ["Access Database"],
        ],
        "tasks": ["": ["Windows Task XML"]],
        "logs": ["log": ["Log", "Text", "CSV", "Auditd Log"], "csv": ["CSV"], "json": ["JSON"], "jsonl": ["JSON"]],
    ]

    // Files whose content is not what their name says, and what it is.
    private static let explained: [String: String] = [
        // Damaged on purpose, at the magic number itself.
        "archives/COMPRESS-553-fail.tar": "UNKNOWN", "archives/COMPRESS-569-fail.tar": "UNKNOWN",
        "archives/COMPRESS-707-lenient.tar": "UNKNOWN", "archives/testZ_oom.Z": "UNKNOWN",
        "archives/bad_signature.cab": "UNKNOWN", "archives/search_tricky1.cab": "UNKNOWN",
        "archives/cve-2018-14679-off-by-one.chm": "UNKNOWN",
        "archives/test_read_format_zip_ppmd8_crash_2.zipx": "UNKNOWN",
        "archives/test_read_format_cpio_afio_header.part1.cpio": "Text",
        // The magic number of something else stands in its place.
        "archives/cve-2017-6419-lzx-negative-spaninfo.chm": "PDF",
        // Something stands before the archive: text, or `MZ`.
        "archives/search.cab": "UNKNOWN", "archives/prefixed.zip": "DOS EXE",
        // No archive: prose, the deletion record of one, a plain image, a JAR without manifest, a resource fork.
        "archives/invalid-zip.zip": "Text", "archives/$II3DF3L.zip": "Recycle Bin Info",
        "archives/test-documents.dmg": "HFS Volume", "archives/hw.jar": "ZIP",
        "logs/._reg_stop_event_logging_controlset001_minint_key.json": "AppleDouble", "logs/json.log": "JSON",
        // Mail parsers' fixtures without the headers of a mail.
        "eml/quoted.mbox": "Text", "eml/msg_19.txt": "Text", "eml/msg_23.txt": "Text", "eml/msg_38.txt": "Text",
        "eml/test_broken.eml": "Text",
        // The jump list is stored in base64.
        "jumplists/5afe4de1b92fc382.customDestinations-ms": "Text",
        // Breakpad's microdumps are lines of the Android log.
        "memdumps/microdump-arm64.dmp": "Text", "memdumps/microdump-multiple.dmp": "Log",
        "memdumps/microdump-withcrashreason.dmp": "Log", "memdumps/microdump-x86.dmp": "Log",
        // A Graphviz drawing; a document encrypted with a password, which Office keeps in a compound file.
        "ole-office/testGRAPHVIZdc.dot": "Text", "ole-office/testWORD_protected_passtika.docx": "OLE",
    ]

    @Test(.enabled(if: isThere, "no ../shared/corpus here"))
    func corpusIsRecognised() throws {
        let root = try #require(Shared.directory("corpus"))
        let detector = FileTypeDetector()
        let store = ByteStore()
        var folders: Set<String> = []
        var disagreements: [String] = []
        for path in Shared.files(below: root) {
            let parts = path.dropFirst(root.count + 1).split(separator: "/")
            guard parts.count > 1, let folder = parts.first.map(String.init), let name = parts.last else { continue }
            let suffix = name.contains(".") ? String(name.split(separator: ".").last ?? "").lowercased() : ""
            guard let expected = Self.folders[folder] ?? Self.extensions[folder]?[suffix] else { continue }
            let bytes = try store.read(file: path)
            let kind = detector.kind(of: bytes.span).name
            folders.insert(folder)
            if !expected.contains(kind), Self.explained["\(folder)/\(name)"] != kind {
                disagreements.append("\(folder)/\(name): \(kind)")
            }
        }
        #expect(folders.count == Self.folders.count + Self.extensions.count)
        #expect(disagreements == [])
    }
}
