import Pipeline

/// Reads case files, texts whose first line is `#### CASE NUMBER`, and reports those of cases that are looked for.
///
/// Every further line `KEY: VALUE` becomes a record, so that IOCs, YARA and Sigma rules look at it.
public struct BannerStage: Stage {
    /// Options in a chain.
    public struct Options: Decodable, Sendable {
        /// Numbers of the cases that are reported; all of them if there is no list.
        public var cases: [Int]?

        /// Options; every case is reported unless told.
        public init(cases: [Int]? = nil) { self.cases = cases }
    }

    /// What the stage is, as data.
    public static let descriptor = StageDescriptor(
        name: "banner", summary: "Reads case files and reports those of cases that are looked for.", interest: .samples,
        module: "Banner", options: [.init("cases", "list of numbers of the cases that are reported (default: all)")],
        heuristics: [found], limitations: ["Lines without a colon are not read."])

    static let found = Heuristic("CaseBanner", score: 65, "A file of a case that is looked for")

    /// Type of the records: fields `key` and `value`.
    public static let recordType = RecordType("case entry", module: "Banner")

    private let cases: Set<Int>?

    /// Builds the stage.
    public init(options: Options = Options(), environment: StageEnvironment = StageEnvironment()) {
        cases = options.cases.map { Set($0) }
    }

    /// Reads one file.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        let span = sample.bytes.span
        guard span.matches(Self.mark, at: 0) else { return }
        var offset = 0
        for (index, line) in span.utf8Text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            try out.checkpoint()
            defer { offset += line.utf8.count + 1 }
            if index == 0 {
                let words = line.split(whereSeparator: \.isWhitespace)
                guard let number = words.last.flatMap({ Int($0) }) else {
                    throw StageError(.damaged, "the banner has no number; the file was not read as a case file")
                }
                if cases?.contains(number) ?? true {
                    out.report(Self.found.reason(MatchedText(String(line), offset: 0)))
                }
                continue
            }
            guard let colon = line.firstIndex(of: ":") else { continue }
            try out.emit(Self.recordType, offset: offset) { builder in
                builder.field("key", String(line[..<colon]))
                builder.field("value", String(line[line.index(after: colon)...].drop { $0 == " " }))
            }
        }
    }

    private static let mark = Array("#### CASE ".utf8)
}
