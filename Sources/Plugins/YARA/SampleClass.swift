import Pipeline

// Most rules say in their condition which files they are for: `uint16(0) == 0x5A4D and filesize < 300KB and ...`. A
// file that is no executable, or too large, cannot match them, so it is scanned with a set that leaves them out: the
// same matches in half the time. What a class of files rules out is decided here; `RuleTexts` does the rest.

/// What the first bytes and the size of a file tell.
struct SampleClass: Facts, Hashable, Sendable {
    /// Whether the file begins with `MZ`.
    let isProgram: Bool
    /// Sizes of the files in this class.
    let sizes: ClosedRange<UInt64>

    private static let mz: UInt64 = 0x5A4D

    func rulesOut(_ term: Term) -> Bool {
        if let begin = term.beginComparison { return !holds(begin) }
        if let size = term.sizeComparison { return !holds(size) }
        return !isProgram && (term.isAboutProgram || term.isFlagOfProgram)
    }

    // Without the `pe` module a scan saves the time to load it. `uint8(filesize)` is as undefined as the module's values
    // are without a PE header.
    func replacement(for term: Term) -> String? {
        guard !isProgram else { return nil }
        if term.isFlagOfProgram { return "false" }
        if term.isAboutProgram { return "uint8(filesize) == 0" }
        guard term.count == 5, term.kind(0) == .string, term.word(1) == "at", term.word(2) == "pe" else { return nil }
        return term.word(0) + " at uint8(filesize)"
    }

    // `uint32(0) == 0x…`, with the bytes in the order of the file.
    private func holds(_ begin: [UInt8]) -> Bool {
        let known: [UInt8] = [0x4D, 0x5A]
        let agrees = zip(begin, known).allSatisfy { $0 == $1 }
        return isProgram ? agrees : !(agrees && begin.count >= known.count)
    }

    private func holds(_ size: (relation: String, value: UInt64)) -> Bool {
        switch size.relation {
        case "<": sizes.lowerBound < size.value
        case "<=": sizes.lowerBound <= size.value
        case ">": sizes.upperBound > size.value
        case ">=": sizes.upperBound >= size.value
        case "==": sizes.contains(size.value)
        default: true
        }
    }
}

extension Term {
    /// Bytes that the file begins with if this term is true: `uint16(0) == 0x5A4D` or the other way round.
    fileprivate var beginComparison: [UInt8]? {
        guard count == 6 else { return nil }
        let isReversed = kind(0) == .number
        let function = isReversed ? 2 : 0
        guard word(isReversed ? 1 : 4) == "==", let value = number(isReversed ? 0 : 5), word(function + 1) == "(",
            number(function + 2) == 0, word(function + 3) == ")"
        else { return nil }
        let bits: UInt64
        switch word(function) {
        case "uint8", "uint8be": bits = 8
        case "uint16", "uint16be": bits = 16
        case "uint32", "uint32be": bits = 32
        default: return nil
        }
        // A value that does not fit is never there.
        guard value >> bits == 0 else { return nil }
        let little = (0..<bits / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        return word(function).hasSuffix("be") ? little.reversed() : little
    }

    /// `filesize < 100KB` or the other way round.
    fileprivate var sizeComparison: (relation: String, value: UInt64)? {
        guard count == 3 else { return nil }
        if word(0) == "filesize", let value = number(2) { return (word(1), value) }
        guard word(2) == "filesize", let value = number(0) else { return nil }
        switch word(1) {
        case "<": return (">", value)
        case "<=": return (">=", value)
        case ">": return ("<", value)
        case ">=": return ("<=", value)
        default: return (word(1), value)
        }
    }

    /// `pe.is_pe`, which is false without a PE header.
    fileprivate var isFlagOfProgram: Bool {
        count == 3 && word(0) == "pe" && word(1) == "." && word(2) == "is_pe"
    }

    /// A comparison of a value of the `pe` module.
    ///
    /// Values are undefined without a PE header, and then no comparison is true; constants and `is_pe` are always
    /// defined.
    fileprivate var isAboutProgram: Bool {
        guard word(0) == "pe", word(1) == ".", word(2) != "is_pe" else { return false }
        return word(2).utf8.contains { $0 >= 0x61 && $0 <= 0x7A }
    }
}
