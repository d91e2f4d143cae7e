import CYARA
import Pipeline
import Synchronization

/// A rule that matched some data.
public struct YARAMatch: Sendable, Equatable {
    /// One place where a string of the rule was found.
    public struct Occurrence: Sendable, Equatable {
        /// Name of the string (`$s1`).
        public let identifier: String
        /// Bytes from the start of the data.
        public let offset: Int
        /// Length in bytes.
        public let length: Int
    }

    /// Number of the rule in `YARARules.rules`.
    public let rule: Int
    /// Where its strings were found, in the order of the rule.
    ///
    /// Each string that was found is there at least once, up to `YARARules.occurrenceLimit` places in all; empty for a
    /// rule that matched by other means.
    public let occurrences: [Occurrence]
}

/// libyara's working memory for one compiled set: several hundred kilobytes, made once and used again and again.
///
/// It is lent to one thread at a time, which is why it may cross threads although it holds a raw pointer.
@safe final class Scanner: @unchecked Sendable {
    // libyara's mark for "not known": the entry point of the last sample would otherwise stay for the next one.
    private static let undefined: UInt64 = 0xFFFA_BADA_FABA_DAFF
    private static let flags = SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING

    private let pointer: UnsafeMutablePointer<YR_SCANNER>
    private let rules: RulesHandle
    private let results: ScanResults

    init(_ rules: RulesHandle, numbers: [Int]?) throws(YARAError) {
        var created: UnsafeMutablePointer<YR_SCANNER>?
        let result = unsafe yr_scanner_create(rules.pointer, &created)
        guard result == ERROR_SUCCESS, let created = unsafe created else {
            throw YARAError(number: result, doing: "cannot make a scanner")
        }
        unsafe pointer = created
        self.rules = rules
        results = ScanResults(numbers)
        unsafe yr_scanner_set_callback(pointer, Self.receive, Unmanaged.passUnretained(results).toOpaque())
    }

    deinit { unsafe yr_scanner_destroy(pointer) }

    func set(_ externals: YARAExternals) { unsafe externals.set(in: pointer) }

    // Finds the rules that match. `fileSize` is what `filesize` says when only a part of a file is at hand.
    func matches(
        in data: UnsafeRawBufferPointer, fileSize: Int? = nil, seconds: Double
    ) throws(YARAError) -> YARAResult {
        results.begin(onString: nil)
        try unsafe run(data, fileSize: fileSize ?? data.count, seconds: seconds, flags: SCAN_FLAGS_FAST_MODE)
        return YARAResult(matches: results.matches, isCut: results.isCut)
    }

    // Finds every place of every string, whatever the conditions say.
    //
    // - Returns: false if a string was found so often that places are missing.
    func strings(
        in data: UnsafeRawBufferPointer, seconds: Double, _ body: @escaping (_ rule: Int, _ offset: Int) -> Void
    ) throws(YARAError) -> Bool {
        results.begin(onString: body)
        defer { results.begin(onString: nil) }
        try unsafe run(data, fileSize: data.count, seconds: seconds, flags: 0)
        return !results.isCut
    }

    @unsafe private struct Input {
        var block: YR_MEMORY_BLOCK
        var fileSize: UInt64
    }

    private func run(
        _ data: UnsafeRawBufferPointer, fileSize: Int, seconds: Double, flags: Int32
    ) throws(YARAError) {
        unsafe yr_scanner_set_flags(pointer, Self.flags | flags)
        unsafe pointer.pointee.timeout = UInt64(min(max(seconds, 1e-6), 1e9) * 1e9)
        unsafe pointer.pointee.entry_point = Self.undefined
        unsafe pointer.pointee.last_error_string = nil
        var input = unsafe Input(
            block: YR_MEMORY_BLOCK(
                size: data.count, base: 0, context: UnsafeMutableRawPointer(mutating: data.baseAddress),
                fetch_data: { block in
                    unsafe UnsafePointer(block?.pointee.context?.assumingMemoryBound(to: UInt8.self))
                }),
            fileSize: UInt64(fileSize))
        let result = unsafe withUnsafeMutablePointer(to: &input) { input in
            var iterator = unsafe YR_MEMORY_BLOCK_ITERATOR(
                context: input,
                first: { unsafe $0?.pointee.context?.assumingMemoryBound(to: YR_MEMORY_BLOCK.self) },
                next: { _ in nil },
                file_size: { unsafe $0?.pointee.context?.assumingMemoryBound(to: Input.self).pointee.fileSize ?? 0 },
                last_error: ERROR_SUCCESS)
            return unsafe yr_scanner_scan_mem_blocks(pointer, &iterator)
        }
        guard result == ERROR_SUCCESS else {
            let rule = unsafe yr_scanner_last_error_rule(pointer)
            let name = unsafe rule?.pointee.identifier.map { unsafe String(cString: $0) }
            throw YARAError(
                number: result, doing: "scan stopped" + (name.map { " at rule \($0)" } ?? ""),
                rule: unsafe rule.flatMap { unsafe results.number(of: $0, in: rules) })
        }
    }

    private static let receive:
        @convention(c) (
            UnsafeMutablePointer<YR_SCAN_CONTEXT>?, Int32, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
        ) -> Int32 = { context, message, object, target in
            guard let context = unsafe context, let target = unsafe target else { return CALLBACK_ERROR }
            let results = unsafe Unmanaged<ScanResults>.fromOpaque(target).takeUnretainedValue()
            switch message {
            case CALLBACK_MSG_RULE_MATCHING:
                if let rule = unsafe object { unsafe results.add(rule.assumingMemoryBound(to: YR_RULE.self), context) }
            case CALLBACK_MSG_SCAN_FINISHED: unsafe results.finish(context)
            case CALLBACK_MSG_TOO_MANY_MATCHES: results.isCut = true
            default: break
            }
            return CALLBACK_CONTINUE
        }
}

// What the callback of one scan gathers; read when the scan is over.
private final class ScanResults {
    var matches: [YARAMatch] = []
    // A string was found more often than libyara counts.
    var isCut = false
    private var onString: ((Int, Int) -> Void)?
    private let numbers: [Int]?

    init(_ numbers: [Int]?) { self.numbers = numbers }

    func begin(onString: ((Int, Int) -> Void)?) {
        matches = []
        isCut = false
        self.onString = onString
    }

    func add(_ rule: UnsafeMutablePointer<YR_RULE>, _ context: UnsafeMutablePointer<YR_SCAN_CONTEXT>) {
        guard onString == nil, let table = unsafe context.pointee.rules?.pointee.rules_table else { return }
        var found: [(string: Int, occurrence: YARAMatch.Occurrence)] = []
        // First each string once, then the further places of each, as long as there is room.
        for isFirst in [true, false] {
            var next: UnsafeMutablePointer<YR_STRING>? = unsafe rule.pointee.strings
            var position = 0
            while let string = unsafe next, found.count < YARARules.occurrenceLimit {
                var seen = 0
                var match = unsafe context.pointee.matches[Int(string.pointee.idx)].head
                while let current = unsafe match, found.count < YARARules.occurrenceLimit {
                    if unsafe !current.pointee.is_private {
                        if (seen == 0) == isFirst {
                            found.append((position, unsafe Self.occurrence(of: string, current)))
                        }
                        seen += 1
                        if isFirst { break }
                    }
                    unsafe match = current.pointee.next
                }
                position += 1
                unsafe next = string.pointee.flags & UInt32(STRING_FLAGS_LAST_IN_RULE) != 0 ? nil : string + 1
            }
        }
        found.sort { ($0.string, $0.occurrence.offset) < ($1.string, $1.occurrence.offset) }
        matches.append(
            YARAMatch(rule: number(unsafe table.distance(to: rule)), occurrences: found.map(\.occurrence)))
    }

    // Number of a rule among all rules.
    func number(of rule: UnsafeMutablePointer<YR_RULE>, in rules: RulesHandle) -> Int? {
        unsafe rules.pointer.pointee.rules_table.map { unsafe number($0.distance(to: rule)) }
    }

    private func number(_ index: Int) -> Int {
        guard let numbers else { return index }
        return index < numbers.count ? numbers[index] : 0
    }

    private static func occurrence(
        of string: UnsafeMutablePointer<YR_STRING>, _ match: UnsafeMutablePointer<YR_MATCH>
    ) -> YARAMatch.Occurrence {
        YARAMatch.Occurrence(
            identifier: unsafe string.pointee.identifier.map { unsafe String(cString: $0) } ?? "",
            offset: unsafe Int(truncatingIfNeeded: match.pointee.base &+ match.pointee.offset),
            length: unsafe Int(match.pointee.match_length))
    }

    func finish(_ context: UnsafeMutablePointer<YR_SCAN_CONTEXT>) {
        guard let onString, let rules = unsafe context.pointee.rules,
            let strings = unsafe rules.pointee.strings_table
        else { return }
        for index in 0..<Int(unsafe rules.pointee.num_strings) {
            var match = unsafe context.pointee.matches[index].head
            while let current = unsafe match {
                unsafe onString(
                    number(Int(strings[index].rule_idx)),
                    Int(truncatingIfNeeded: current.pointee.base &+ current.pointee.offset))
                unsafe match = current.pointee.next
            }
        }
    }
}
