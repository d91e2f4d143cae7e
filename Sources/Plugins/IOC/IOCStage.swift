import PatternMatching
import Pipeline

// The stage `ioc`: lists in, reasons out. What is matched where follows REFERENCE C.9 as of version 11: paths and
// digests of every file; file names and keywords in every field of every record; C2 names in records of the network,
// of logs, and of commands that start by themselves.

/// Matches files and records against IOC lists and STIX indicators.
public struct IOCStage: Stage {
    /// Options in a chains file.
    public struct Options: Decodable, Sendable {
        /// Kinds of IOCs that are not used.
        public var disabled: [String]?

        /// Options that switch off some kinds.
        public init(disabled: [String] = []) { self.disabled = disabled }
    }

    /// What the stage keeps during a submission.
    public struct State {
        var fields = FieldKinds()
        var stix = STIXState()
    }

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "ioc",
        summary: "Matches paths, digests and the fields of records against IOC lists and STIX 2 indicators.",
        interest: .samplesAndRecords.andSlices,
        options: [
            .init(
                "disabled",
                "kinds that are not used, of: \(kinds.joined(separator: ", ")); default none")
        ],
        dependsOnNames: true, usesSignatures: true,
        references: [
            "https://github.com/Neo23x0/signature-base (formats of the lists)",
            "https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html (section 9, STIX patterning)",
            "https://www.rfc-editor.org/rfc/rfc4291 (section 2.2, IPv6 addresses in text)",
        ],
        limitations: [
            "STIX: observations joined by AND are looked for in the files and registry values of one submission, and one "
                + "object may fulfil several; FOLLOWEDBY, WITHIN, REPEATS and START, binary values, and other objects "
                + "than files and registry values are refused by name",
            "C2 names and keywords are looked for in records and in memory dumps (ASCII and UTF-16), not in the content "
                + "of other files",
            "IPv4 addresses in records may have zeros in front if all four numbers have three digits (001.002.003.004); "
                + "1.02.3.4 is not taken for 1.2.3.4",
            "domains with letters beyond ASCII match in lower case only; their xn-- form is an IOC of its own",
        ])

    private static let kinds = IOC.Group.allCases.map(\.rawValue) + ["stix"]

    private let hashes: HashMatcher
    private let filenames: FilenameMatcher
    private let keywords: KeywordMatcher
    private let network: NetworkMatcher
    private let search: RecordSearch
    private let pipes: ObjectNameMatcher
    private let handles: ObjectNameMatcher
    private let stix: STIXMatcher

    /// Parses and compiles all IOC files of the environment.
    ///
    /// - Throws: `OptionError` for a kind that does not exist.
    public init(options: Options, environment: StageEnvironment) throws {
        let disabled = options.disabled ?? []
        for name in disabled where !Self.kinds.contains(name) {
            throw OptionError(
                "'\(name)' is no kind of IOC; kinds are: \(Self.kinds.joined(separator: ", "))")
        }
        let set = IOCSet(environment, groups: Set(IOC.Group.allCases.filter { !disabled.contains($0.rawValue) }))
        let pool = ScratchPool()
        hashes = HashMatcher(set[.hash])
        filenames = FilenameMatcher(set[.filename])
        pipes = ObjectNameMatcher(set[.pipe], group: .pipe, pool: pool)
        handles = ObjectNameMatcher(set[.handle], group: .handle, pool: pool)
        keywords = KeywordMatcher(set[.keyword], findsPipes: !pipes.isEmpty, pool: pool)
        network = NetworkMatcher(set[.c2])
        search = RecordSearch(filenames, keywords, hosts: network.proposals ?? [], pool: pool)
        stix = STIXMatcher(environment, isDisabled: disabled.contains("stix"))
        for refusal in keywords.refused where set[.keyword].indices.contains(refusal.index) {
            let ioc = set[.keyword][refusal.index]
            environment.diagnostics.report(
                SignatureProblem(file: ioc.source.file, line: ioc.line, message: refusal.reason))
        }
        for slow in search.slowFilenames {
            let ioc = filenames.iocs[slow.index]
            environment.diagnostics.report(
                SignatureProblem(
                    file: ioc.source.file, line: ioc.line,
                    message: "the expression works, but is searched for on its own: \(slow.reason)",
                    isRejected: false))
        }
    }

    /// The state at the start of a submission.
    public func makeState() -> State { State() }

    // MARK: Files

    /// Looks at path and digests of a file.
    public func inspect(_ sample: Sample, _ state: inout State, _ out: inout Output) throws(StageError) {
        let path = Array(sample.path.utf8)
        var exploded: Set<Int> = []
        if !filenames.isEmpty, !path.isEmpty {
            do {
                let proposed = try search.filenames(in: path.rawSpan)
                for hit in filenames.hits(proposed, in: path.rawSpan, search, exploded: &exploded) {
                    let match = matchedText(hit.range, in: path.rawSpan, field: "/path")
                    out.report(filenames.iocs[hit.ioc].reason([match]))
                }
            } catch {
                throw StageError(.failed, "file names were not matched: \(error)")
            }
            tell(of: exploded, &out)
        }
        try out.checkpoint()
        for reason in hashes.reasons(for: sample) { out.report(reason) }
        stix.inspect(sample, &state.stix) { out.report($0) }
    }

    private func tell(of exploded: Set<Int>, _ out: inout Output) {
        for index in exploded.sorted() {
            let ioc = filenames.iocs[index]
            out.note(
                .limit,
                "the expression of \(ioc.source.file)\(ioc.line.map { ":\($0)" } ?? "") takes too long on some text; "
                    + "it was not decided there")
        }
    }

    // MARK: Slices

    /// Looks for keywords and C2 names in a slice of a memory dump.
    public func inspect(
        _ slice: Slice, of sample: Sample, _ state: inout State, _ out: inout Output
    ) throws(StageError) {
        if keywords.isEmpty && network.isEmpty { return }
        let span = slice.bytes.span
        var found = RecordHits()
        let wide = WideTexts(in: span)
        do {
            for (text, isWide) in [(slice.bytes, false), (wide.bytes, true)] {
                try out.checkpoint()
                for hit in try keywords.hits(in: text.span) {
                    guard let keyword = hit.keyword else { continue }
                    let range = isWide ? wide.place(of: hit.range) : hit.range
                    found.add(
                        keywords.iocs[keyword], matchedBytes(range, in: span, at: slice.range.lowerBound), record: 0)
                }
                network.forEachHit(in: text.span) { ioc, hit in
                    let range = isWide ? wide.place(of: hit) : hit
                    found.add(ioc, matchedBytes(range, in: span, at: slice.range.lowerBound), record: 0)
                }
            }
        } catch let error as StageError {
            throw error
        } catch {
            throw StageError(.failed, "a chunk was not matched: \(error)", offset: slice.range.lowerBound)
        }
        found.report(to: &out)
    }

    // MARK: Records

    /// Looks at the fields of records.
    public func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout State, _ out: inout Output
    ) throws(StageError) {
        var found = RecordHits()
        let candidates: RecordSearch.Candidates
        do {
            candidates = try search.candidates(in: records, keywords)
        } catch {
            throw StageError(.failed, "records were not matched: \(error)")
        }
        try matchFilenames(candidates.filenames, records, &out)
        try matchKeywords(candidates.keywords, records, &found, &out)
        try matchNetwork(candidates.hosts, records, &found, &out)
        try matchFields(records, &state, &found, &out)
        found.report(to: &out)
    }

    private func matchFilenames(
        _ candidates: [(field: Int, ioc: Int)], _ records: borrowing RecordBatch, _ out: inout Output
    ) throws(StageError) {
        if candidates.isEmpty { return }
        var exploded: Set<Int> = []
        var found = FilenameHits()
        var index = 0
        while index < candidates.count {
            try out.checkpoint()
            let field = candidates[index].field
            var proposed: [Int] = []
            while index < candidates.count, candidates[index].field == field {
                if proposed.last != candidates[index].ioc { proposed.append(candidates[index].ioc) }
                index += 1
            }
            let value = records.value(of: field)
            let hits = filenames.hits(proposed, in: value, search, exploded: &exploded)
            let pointer = records.pointer(to: field)
            let matched = hits.map { matchedText($0.range, in: value, field: pointer) }
            found.add(hits, matched, record: records.record(of: field))
        }
        found.report(filenames, to: &out)
        tell(of: exploded, &out)
    }

    private func matchKeywords(
        _ hits: [KeywordMatcher.Hit], _ records: borrowing RecordBatch, _ found: inout RecordHits, _ out: inout Output
    ) throws(StageError) {
        for hit in hits {
            try out.checkpoint()
            guard let field = records.field(at: hit.range.lowerBound) else { continue }
            let record = records.record(of: field)
            if let keyword = hit.keyword {
                guard let match = records.match(hit.range, in: field) else { continue }
                found.add(keywords.iocs[keyword], match, record: record)
                continue
            }
            let value = records.value(of: field)
            let start = hit.range.upperBound - records.textRange(of: field).lowerBound
            let name = pipeName(in: value, from: start)
            guard let text = value.slice(at: name.lowerBound, count: name.count), !name.isEmpty else { continue }
            for ioc in pipes.iocs(for: text) {
                found.add(ioc, matchedText(name, in: value, field: records.pointer(to: field)), record: record)
            }
        }
    }

    private func matchNetwork(
        _ fields: [Int], _ records: borrowing RecordBatch, _ found: inout RecordHits, _ out: inout Output
    ) throws(StageError) {
        for field in fields {
            try out.checkpoint()
            let record = records.record(of: field)
            guard records.isNetworkRecord(record) else { continue }
            let value = records.value(of: field)
            var hits: [(ioc: IOC, range: Range<Int>)] = []
            network.forEachHit(in: value) { hits.append(($0, $1)) }
            for hit in hits {
                found.add(hit.ioc, matchedText(hit.range, in: value, field: records.pointer(to: field)), record: record)
            }
        }
        if network.isEmpty || network.proposals != nil || !records.hasNetworkRecord { return }
        var hits: [(ioc: IOC, range: Range<Int>)] = []
        network.forEachHit(in: records.text) { hits.append(($0, $1)) }
        for hit in hits {
            try out.checkpoint()
            guard let field = records.field(at: hit.range.lowerBound) else { continue }
            let record = records.record(of: field)
            guard records.isNetworkRecord(record), let match = records.match(hit.range, in: field) else { continue }
            found.add(hit.ioc, match, record: record)
        }
    }

    // Fields whose name says what they hold, and indicators on registry values.
    private func matchFields(
        _ records: borrowing RecordBatch, _ state: inout State, _ found: inout RecordHits, _ out: inout Output
    ) throws(StageError) {
        if hashes.isEmpty && pipes.isEmpty && handles.isEmpty && !stix.looksAtRegistry { return }
        state.fields.use(records.keys)
        if state.fields.arePlain && !stix.looksAtRegistry { return }
        for record in 0..<records.count {
            try out.checkpoint()
            for field in records.fields(of: record) {
                let kind = state.fields.kind(of: records.key(of: field))
                if kind == .plain { continue }
                let value = records.value(of: field)
                let pointer = records.pointer(to: field)
                if kind == .digest {
                    var hits: [(ioc: IOC, range: Range<Int>)] = []
                    hashes.forEachHit(in: value) { hits.append(($0, $1)) }
                    for hit in hits {
                        found.add(hit.ioc, matchedText(hit.range, in: value, field: pointer), record: record)
                    }
                } else {
                    for ioc in (kind == .pipe ? pipes : handles).iocs(for: value) {
                        let whole = 0..<value.byteCount
                        found.add(ioc, matchedText(whole, in: value, field: pointer), record: record)
                    }
                }
            }
            if stix.looksAtRegistry, let value = RegistryValue(records, record) {
                stix.inspect(value, &state.stix) { out.report($0, record: record) }
            }
        }
    }
}

/// An option with a value that makes no sense.
public struct OptionError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, and what would be right.
    public let description: String

    init(_ description: String) { self.description = description }
}
