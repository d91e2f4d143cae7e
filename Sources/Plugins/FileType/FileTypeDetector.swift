import Pipeline

/// Tells what kind of file some bytes are, by their content alone.
///
/// Magic numbers decide first, the longest that fits; where it is shared by several formats, a closer look follows.
/// Texts are told apart by how they begin, how their lines look, and which words they use.
public struct FileTypeDetector: Sendable {
    private let magics: MagicTable
    private let texts = TextDetector()

    /// A detector with the built-in types only.
    public init() { self.init(users: []) }

    init(users: [Magic]) { magics = MagicTable(builtIn: Self.builtIn, users: users) }

    /// The kind of a file; `FileKind.unknown` when nothing fits.
    ///
    /// Looks at the first 64 KiB and at a few positions that the format names.
    public func kind(of span: RawSpan) -> FileKind {
        var best = magics.best(in: span)
        if best.strength > 0 && !best.isUsers { return best.kind }
        if let text = texts.verdict(on: span) {
            if text.strength > best.strength { best = text }
        } else if best.strength == 0 {
            for look in Self.shapes {
                if let kind = look(span) { return kind }
            }
        }
        return best.kind
    }

    static let builtIn =
        executableMagics + archiveMagics + artefactMagics + documentMagics + mediaMagics

    // Formats without a magic number, tried when nothing else fits.
    private static let shapes: [Magic.Look] = [
        lookAtOldTar,
        lookAtZlib,
        lookAtPrefixedZip,
        { span in span.prefix(1024).firstOffset(of: Array("%PDF-".utf8)) != nil ? FileKind("PDF") : nil },
    ]

    /// Names of all kinds that are recognised, in alphabetical order.
    public static let names: [String] = {
        let tables = (builtIn + textMagics).map(\.kind.name)
        let words = scriptVocabulary.map(\.language)
        return Set(tables + words + refinedNames).sorted()
    }()

    // Kinds that only a closer look gives.
    private static let refinedNames = [
        "APK", "APPX", "AVIF", "Apple Property List XML", "ASP", "ASPX", "Base64 EXE", "CSV", "ColdFusion", "DEB",
        "DOS EXE", "ELF Core",
        "EMAIL", "EPUB", "HEIC", "INF", "INI", "IPA", "JAR", "JSON", "Jump List", "LSASS Dump File", "MBOX", "MSG",
        "Memory Image",
        "MSI", "MSP", "MST", "NuGet Package", "Office", "OpenDocument", "Registry Transaction Log", "Script", "Text",
        "VSIX", "WAR", "Windows Task XML", "XPS", "YAML", "ZLIB",
    ]
}
