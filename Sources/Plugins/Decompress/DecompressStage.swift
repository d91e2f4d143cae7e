import Pipeline

/// Inflates gzip, zlib, xz and lzma files; what was inside is a child.
public struct DecompressStage: Stage {
    /// Options in a chains file.
    public struct Options: Decodable, Sendable {
        /// Most memory for one stream, in MiB.
        public var memory: Int?

        /// The default.
        public init(memory: Int? = nil) { self.memory = memory }
    }

    /// What the stage is, as data.
    public static let descriptor = StageDescriptor(
        name: "decompress",
        summary: "Inflates gzip, zlib, xz and lzma files, concatenated streams too.",
        interest: .kinds("GZIP", "ZLIB", "XZ", "LZMA"),
        options: [
            .init(
                "memory",
                "most memory an xz or lzma stream may ask for, in MiB; others are refused, and said (default 128)")
        ],
        dependsOnNames: true,
        references: [
            "https://www.rfc-editor.org/rfc/rfc1952", "https://www.rfc-editor.org/rfc/rfc1950",
            "https://tukaani.org/xz/xz-file-format.txt",
        ],
        limitations: [
            "Streams that ask for more memory than the option allows are refused, and said so (`xz -9` needs 65 MiB).",
            "What stands behind the last stream is not scanned on its own.",
            "zlib streams with a preset dictionary cannot be read.",
        ])

    private let memoryLimit: UInt64

    /// A stage with the given limit of memory.
    ///
    /// - Throws: `ConfigurationError` for a limit outside 1...65536.
    public init(options: Options = Options(), environment: StageEnvironment = StageEnvironment()) throws {
        let memory = options.memory ?? 128
        guard (1...65_536).contains(memory) else {
            throw ConfigurationError("the option memory must be 1 to 65536 (MiB)")
        }
        memoryLimit = UInt64(memory) << 20
    }

    /// Extracts the content; what is damaged or beyond the limit is said, and what was inflated before it is scanned.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let method = sample.kind.name
        guard out.mayExtract else {
            out.note(.limit, "depth limit reached: the \(method) file was not inflated")
            return
        }
        let content = try inflate(sample, method, out)
        if let (code, message) = content.failure { out.note(code, message, offset: content.inputEnd) }
        let rest = sample.bytes.suffix(from: content.inputEnd)
        let isStopped = content.failure != nil || content.interruption != nil
        if !isStopped, try !Self.isPadding(rest.span, out) {
            out.note(
                .damaged, "\(rest.count) bytes behind the end of the \(method) data were not looked at on their own",
                offset: content.inputEnd)
        }
        if !content.bytes.isEmpty || !isStopped {
            let header = method == "GZIP" ? GzipHeader(sample.bytes.span) : nil
            try out.extract(
                Child(
                    name: header?.name ?? sample.uncompressedName, bytes: content.bytes, method: method,
                    times: FileTimes(modified: header?.modified)))
        }
        if let interruption = content.interruption { throw interruption }
    }

    private func inflate(
        _ sample: Sample, _ method: String, _ out: borrowing Output
    ) throws(StageError) -> Decompressed {
        let decoder: any StreamDecoder =
            switch method {
            case "XZ": LZMADecoder(isAlone: false, memoryLimit: memoryLimit)
            case "LZMA": LZMADecoder(isAlone: true, memoryLimit: memoryLimit)
            default: Inflater()
            }
        return try decompress(
            sample.bytes, with: decoder, allowance: out.allowance, into: out.byteStore,
            nextStream: { span, end in Self.nextStream(method, span, end) },
            checkpoint: { () throws(StageError) in try out.checkpoint() })
    }

    // Members of a gzip file follow each other; between xz streams there may be zeros, four at a time.
    private static func nextStream(_ method: String, _ span: RawSpan, _ end: Int) -> Int? {
        switch method {
        case "GZIP": return span.matches([0x1F, 0x8B, 8], at: end) ? end : nil
        case "XZ":
            var start = end
            while start - end < 1 << 16, span.uint32(at: start) == 0 { start += 4 }
            return span.matches([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], at: start) ? start : nil
        default: return nil
        }
    }

    // Tapes and xz files are padded with zeros.
    private static func isPadding(_ span: RawSpan, _ out: borrowing Output) throws(StageError) -> Bool {
        var offset = 0
        while let block = span.uint64(at: offset) {
            if block != 0 { return false }
            offset += 8
            if offset & 0xFFFFF == 0 { try out.checkpoint() }
        }
        while let byte = span.uint8(at: offset) {
            if byte != 0 { return false }
            offset += 1
        }
        return true
    }
}
