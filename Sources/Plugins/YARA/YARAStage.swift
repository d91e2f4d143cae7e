import Glibc
import Pipeline

// YARA rules on files, on the beginnings of files and on records (REFERENCE C.5, C.6). What a rule looks at is said by
// the name of its file; `RecordRules` has the part that looks at records.

/// Scans samples and records with YARA rules.
public struct YARAStage: Stage {
    /// How the stage works.
    public struct Options: Decodable, Sendable {
        /// Longest time of one scan, in seconds.
        public var timeout = 90.0
        /// Types of samples that are process memory: process rules look at them, and rules with `type="memory"`.
        public var memoryKinds = Set(FileKind.memoryDumps.map(\.name))

        enum CodingKeys: String, CodingKey {
            case timeout
            case memoryKinds = "memory-kinds"
        }

        /// The defaults.
        public init() {}

        /// Options that were written, the rest by default.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            timeout = try values.decodeIfPresent(Double.self, forKey: .timeout) ?? timeout
            memoryKinds = try values.decodeIfPresent(Set<String>.self, forKey: .memoryKinds) ?? memoryKinds
        }
    }

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "yara", summary: "Scans files and records with YARA rules.", interest: .samplesAndRecords.andSlices,
        options: [
            StageDescriptor.Option("timeout", "Longest time of one scan in seconds (90)."),
            StageDescriptor.Option(
                "memory-kinds", "File types that process rules and rules with type=\"memory\" look at."),
        ],
        dependsOnNames: true, usesSignatures: true,
        references: ["https://yara.readthedocs.io", "https://github.com/VirusTotal/yara"],
        limitations: [
            "include statements are not followed; each file stands alone",
            "a rule that was found has every string once, and further places only of strings it counts",
        ])

    // Meta `limit` of rules for memory dumps.
    private static let dumpModule = "DumpScan"

    /// Bytes at the beginning of a file that meta rules see.
    static let metaSize = 64 << 10

    static var now: Timestamp { Timestamp(seconds: Int64(time(nil))) }

    private let options: Options
    private let files: YARARules
    private let meta: YARARules
    private let process: YARARules
    private let records: RecordRules

    /// Compiles the rules.
    public init(options: Options = Options(), environment: StageEnvironment) throws {
        self.options = options
        files = Self.compile(.yara, environment)
        meta = Self.compile(.yaraMeta, environment)
        process = Self.compile(.yaraProcess, environment)
        records = RecordRules(environment, limited: files)
        environment.diagnostics.uses(library: "YARA", version: Library.version)
    }

    static func compile(_ kind: SignatureFileKind, _ environment: StageEnvironment) -> YARARules {
        let rules = YARARules(compiling: environment.signatures.files(of: kind).map(YARASource.init))
        rules.tell(environment.diagnostics)
        return rules
    }

    /// Scans a sample.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let isMemory = options.memoryKinds.contains(sample.kind.name)
        if sample.isSliced {
            // Its content came in slices before; what is left are rules on the beginning.
            let externals = YARAExternals(sample, withMD5: meta.usesMD5, now: Self.now)
            return try scan(
                sample.bytes.prefix(Self.metaSize), of: sample, with: meta, externals, isMemory: isMemory, nil, &out)
        }
        let usesMD5 = files.usesMD5 || meta.usesMD5 || (isMemory && process.usesMD5)
        let externals = YARAExternals(sample, withMD5: usesMD5, now: Self.now)
        let all = sample.bytes.prefix(sample.bytes.count)
        try scan(all, of: sample, with: files, externals, isMemory: isMemory, nil, &out)
        try scan(all.prefix(Self.metaSize), of: sample, with: meta, externals, isMemory: isMemory, nil, &out)
        if isMemory { try scan(all, of: sample, with: process, externals, isMemory: true, nil, &out) }
    }

    /// Scans a slice of a memory dump with the rules for files and for processes; `filesize` is the slice's size.
    public func inspect(
        _ slice: Slice, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        let externals = YARAExternals(sample, withMD5: false, now: Self.now)
        let part = Part(start: slice.range.lowerBound, isPiece: slice.range.count < sample.size)
        try scan(slice.bytes, of: sample, with: files, externals, isMemory: true, part, &out)
        try scan(slice.bytes, of: sample, with: process, externals, isMemory: true, part, &out)
    }

    // Where a slice stands in its sample.
    private struct Part {
        var start: Int
        var isPiece: Bool
    }

    /// Looks at records with the rules that are meant for them.
    public func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        try self.records.inspect(records, of: sample, timeout: options.timeout, &out)
    }

    private func scan(
        _ bytes: Bytes, of sample: Sample, with rules: YARARules, _ externals: YARAExternals, isMemory: Bool,
        _ part: Part?, _ out: inout Output
    ) throws(StageError) {
        guard !rules.rules.isEmpty else { return }
        let seconds = min(options.timeout, out.secondsLeft)
        let result: YARAResult
        do {
            result = try rules.scan(
                bytes, externals: externals, fileSize: part == nil ? sample.size : bytes.count,
                seconds: seconds)
        } catch {
            let what = part.map { "the chunk at 0x\(String($0.start, radix: 16))" } ?? "this sample"
            throw StageError(error, seconds: seconds, "no rule was judged for \(what)")
        }
        if !result.unjudged.isEmpty {
            out.note(
                .timeout,
                "YARA rules took too long or failed here and were not judged: \(rules.names(of: result.unjudged))")
        }
        if result.isCut {
            out.note(.limit, "a string was found too often; rules that count it may be wrong")
        }
        for match in result.matches {
            let rule = rules.rules[match.rule]
            let module = part == nil ? Self.descriptor.module : Self.dumpModule
            guard rule.target != (isMemory ? .file : .memory), rule.isMeant(for: module),
                !(rule.isWithoutDeepDive && part?.isPiece == true)
            else { continue }
            let base = part?.start ?? 0
            let matched = match.occurrences.map {
                $0.text(in: bytes.span, at: $0.offset, shown: base + $0.offset, field: nil)
            }
            out.report(rule.reason(matched: matched))
        }
    }
}

extension StageError {
    init(_ error: YARAError, seconds: Double, _ consequence: String) {
        switch error.code {
        case .timeout:
            self.init(.timeout, "YARA used its \(Int(seconds.rounded(.up))) s; \(consequence)")
        case .failed, .format:
            self.init(.failed, "\(error); \(consequence)")
        }
    }
}

extension YARASource {
    init(_ file: SignatureFile) { self.init(name: file.path, text: file.bytes, origin: file.origin) }
}

extension YARARules {
    // Tells what is in use and what is not, of the sources that are told here and nowhere else.
    func tell(_ diagnostics: SignatureDiagnostics, of isOwn: (String) -> Bool = { _ in true }) {
        for problem in problems where isOwn(problem.source) {
            diagnostics.report(
                SignatureProblem(
                    file: problem.source, line: problem.line, message: problem.message, isRejected: problem.isError))
        }
        diagnostics.loaded(
            rules.filter { isOwn(sources[$0.source]) }.map { rule in
                SignatureSummary(
                    kind: .yara, name: rule.signature.ruleName, id: rule.signature.id,
                    score: rule.signature.score, tags: rule.signature.tags, origin: rule.signature.origin,
                    file: sources[rule.source])
            })
    }
}

extension YARARule {
    func reason(matched: [MatchedText]) -> Reason {
        let description = signature.description.isEmpty ? "" : " / " + signature.description
        return Reason(
            summary: "YARA rule \(signature.ruleName)\(description)", signature: signature, matched: matched)
    }
}

extension YARAMatch.Occurrence {
    private static let dataLimit = 512
    private static let contextSize = 50

    // The matched bytes with their surroundings. `shown` is the position to tell, nil when the match is a whole field.
    func text(in data: RawSpan, at start: Int, shown: Int?, field: String?) -> MatchedText {
        let before = min(start, Self.contextSize)
        let count = min(length, Self.dataLimit)
        let after = count < length ? 0 : Self.contextSize
        return MatchedText(
            data: bytes(data, at: start, count: count), name: identifier,
            context: bytes(data, at: start - before, count: before + count + after), offset: shown, field: field)
    }

    private func bytes(_ data: RawSpan, at start: Int, count: Int) -> [UInt8] {
        Bytes(copying: data.suffix(from: start).prefix(count)).array
    }
}
