import Pipeline

/// Tells what kind of file a sample is; every later stage is chosen by it.
///
/// Users add types with text files of kind `.fileTypes`, one magic number a line.
public struct FileTypeStage: Stage {
    /// What the stage is, as data.
    public static let descriptor = StageDescriptor(
        name: "file-type",
        summary: "Recognises \(FileTypeDetector.names.count) types of files by content.",
        interest: .samples,
        dependsOnNames: true,
        usesSignatures: true, readsPieces: true,
        references: [
            "https://learn.microsoft.com/en-us/windows/win32/debug/pe-format",
            "https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html",
            "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT",
            "https://www.rfc-editor.org/rfc/rfc1952",
            "https://tukaani.org/xz/xz-file-format.txt",
            "https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html",
            "https://ecma-international.org/publications-and-standards/standards/ecma-119/",
            "https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-cfb/",
            "https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-tsch/",
            "https://github.com/libyal/documentation",
            "https://github.com/msuhanov/regf",
            "https://www.sqlite.org/fileformat2.html",
            "https://www.rfc-editor.org/rfc/rfc5322",
            "https://github.com/Neo23x0/signature-base/blob/master/misc/file-type-signatures.txt",
        ],
        limitations: [
            "A magic number decides before the text heuristics: a script behind a picture's header is a picture.",
            "Scripts are recognised by the first 16 KiB; shorter than a few statements, they stay Text.",
            "ZIP-based formats are told by the first 256 member names.",
            "UTF-16 text without a byte order mark is recognised only where it is mostly ASCII; UTF-32 is not.",
            "Formats without any signature (raw disk images, encrypted volumes) are UNKNOWN; a raw memory image is told by "
                + "its name: \(rawImageExtensions.sorted().joined(separator: " ")).",
            "A user's magic number of one or two bytes is used only where nothing better is known.",
        ])

    private let detector: FileTypeDetector

    /// Builds the tables, with the user's lists.
    public init(options: NoOptions, environment: StageEnvironment) {
        var users: [Magic] = []
        for file in environment.signatures.files(of: .fileTypes) {
            let list = MagicList(file)
            for problem in list.problems { environment.diagnostics.report(problem) }
            users += list.magics
        }
        detector = FileTypeDetector(users: users)
    }

    /// Classifies the sample.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        var kind = detector.kind(of: sample.bytes.span)
        // Physical memory begins with whatever stood in its first page, often with nothing.
        if kind == .unknown, sample.size >= Self.smallestImage, Self.rawImageExtensions.contains(sample.fileExtension) {
            kind = FileKind("Memory Image")
        }
        out.classify(kind)
    }

    private static let rawImageExtensions: Set<String> = [".dmp", ".dump", ".mem", ".memdump", ".raw", ".vmem"]
    private static let smallestImage = 4096
}
