import Pipeline

/// Inflates gzip, zlib, xz and lzma files; what was inside is a child.
public struct DecompressStage: Stage {
    /// What the stage is, as data.
    public static let descriptor = StageDescriptor(
        name: "decompress",
        summary: "Inflates gzip, zlib, xz and lzma files, concatenated streams too.",
        interest: .kinds("GZIP", "ZLIB", "XZ", "LZMA"),
        references: [
            "https://www.rfc-editor.org/rfc/rfc1952", "https://www.rfc-editor.org/rfc/rfc1950",
            "https://tukaani.org/xz/xz-file-format.txt",
        ],
        limitations: [
            "Streams that ask for more than 128 MiB of dictionary are refused, and said so.",
            "zlib streams with a preset dictionary cannot be read.",
        ])

    /// A stage without options.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Extracts the content; what is damaged or beyond the limit is said, and what was inflated before it is scanned.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let method = sample.kind.name
        guard out.mayExtract else {
            out.note(.limit, "depth limit reached: the \(method) file was not inflated")
            return
        }
        let (decoder, magic): (any StreamDecoder, [UInt8]) =
            switch method {
            case "XZ": (LZMADecoder(isAlone: false), [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0])
            case "LZMA": (LZMADecoder(isAlone: true), [])
            case "GZIP": (Inflater(), [0x1F, 0x8B])
            default: (Inflater(), [])
            }
        let content = try Self.content(sample, decoder, magic, out)
        if let (code, message) = content.failure { out.note(code, message, offset: content.inputEnd) }
        let rest = sample.bytes.suffix(from: content.inputEnd)
        if content.failure == nil, !Self.isPadding(rest.span) {
            out.note(
                .damaged, "\(rest.count) bytes behind the end of the \(method) data were not looked at on their own",
                offset: content.inputEnd)
        }
        if content.bytes.isEmpty, content.failure != nil { return }
        let header = method == "GZIP" ? GzipHeader(sample.bytes.span) : nil
        try out.extract(
            Child(
                name: header?.name ?? Self.innerName(sample), bytes: content.bytes, method: method,
                times: FileTimes(modified: header?.modified)))
    }

    private static func content(
        _ sample: Sample, _ decoder: any StreamDecoder, _ magic: [UInt8], _ out: borrowing Output
    ) throws(StageError) -> Decompressed {
        try decompress(
            sample.bytes, with: decoder, allowance: out.allowance, into: out.byteStore,
            continues: { span, offset in !magic.isEmpty && span.matches(magic, at: offset) },
            checkpoint: { () throws(StageError) in try out.checkpoint() })
    }

    // Tapes and xz files are padded with zeros.
    private static func isPadding(_ span: RawSpan) -> Bool {
        for offset in 0..<span.byteCount where span.uint8(at: offset) != 0 { return false }
        return true
    }

    private static func innerName(_ sample: Sample) -> String {
        let name = sample.name
        let lower = name.lowercased()
        for (suffix, replacement) in [(".tgz", ".tar"), (".txz", ".tar"), (".svgz", ".svg")] where lower.hasSuffix(suffix) {
            return name.dropLast(suffix.count) + replacement
        }
        for suffix in [".gz", ".xz", ".lzma", ".z", ".zlib"] where lower.hasSuffix(suffix) && lower != suffix {
            return String(name.dropLast(suffix.count))
        }
        return "content"
    }
}
