import PatternMatching
import Pipeline

// Plain-text IOC lists: one IOC a line, columns separated by `;`, comments after `#` (REFERENCE C.1). What real lists
// do beyond that is noted where it is handled.

/// Parses a plain-text IOC list of any kind; other files have no IOCs.
public func parseIOCList(_ file: SignatureFile) -> ParsedIOCs {
    var parser = IOCListParser(file)
    parser.parse()
    return parser.result
}

private struct LineProblem: Error {
    var message: String

    init(_ message: String) { self.message = message }
}

private struct IOCListParser {
    private let file: SignatureFile
    private let source: IOCSource
    private var comment = ""
    var result = ParsedIOCs()

    init(_ file: SignatureFile) {
        self.file = file
        source = IOCSource(file: file.path, origin: file.origin)
    }

    mutating func parse() {
        for line in signatureLines(of: file, problems: &result.problems) {
            if line.text.utf8.first == 0x23 {
                take(comment: line.text)
                continue
            }
            do {
                result.iocs.append(try ioc(line))
                if line.isLatin {
                    note(line, "the line is not UTF-8; it is read as Latin-1", isRejected: false)
                }
            } catch {
                note(line, error.message)
            }
        }
    }

    private mutating func note(_ line: SignatureLine, _ message: String, isRejected: Bool = true) {
        result.problems.append(
            SignatureProblem(file: file.path, line: line.number, message: message, isRejected: isRejected))
    }

    // The last comment describes the IOCs below it. An IOC that was commented out (`#\\msn\.exe$;60`) does not.
    private mutating func take(comment line: String) {
        let text = trimmed(line.drop { $0 == "#" })
        if text.isEmpty { return }
        let columns = text.split(separator: ";", omittingEmptySubsequences: false)
        if columns.dropFirst().contains(where: { Int(trimmed($0)) != nil }) { return }
        comment = text
    }

    private func ioc(_ line: SignatureLine) throws(LineProblem) -> IOC {
        switch file.kind {
        case .hashes: try hash(line, isTrusted: false)
        case .trustedHashes: try hash(line, isTrusted: true)
        case .filenames: try filename(line)
        case .keywords:
            IOC(
                .keyword, .init(line.text), score: IOC.Group.keyword.defaultScore, description: comment,
                source: source, line: line.number)
        case .c2: try c2(line)
        case .handles: try handle(line)
        case .pipes: try pipe(line)
        default: throw LineProblem("\(file.kind.rawValue) is no list of IOCs")
        }
    }

    private func columns(_ line: SignatureLine) -> [String] {
        line.text.split(separator: ";", omittingEmptySubsequences: false).map { trimmed($0) }
    }

    private func checked(score: Int) throws(LineProblem) -> Int {
        guard (-100...100).contains(score) else {
            throw LineProblem("the score \(score) is not between -100 and 100")
        }
        return score
    }

    // `hash;comment` or `hash;score;comment`; a middle column that is no number belongs to the comment.
    private func hash(_ line: SignatureLine, isTrusted: Bool) throws(LineProblem) -> IOC {
        let columns = columns(line)
        let value = (columns.first ?? "").lowercased()
        if let problem = hashProblem(value) { throw LineProblem(problem) }
        var score = IOC.Group.hash.defaultScore
        var comment = columns.dropFirst()
        if comment.count >= 2, let given = Int(comment[1]) {
            score = try checked(score: given)
            comment = comment.dropFirst()
        }
        return IOC(
            .hash, .init(value, isCaseless: true), score: isTrusted ? -abs(score) : score,
            description: comment.joined(separator: "; "), source: source, line: line.number)
    }

    // `regex;score` or `regex;score;false-positive regex`, read from the right: a regex may hold a `;`.
    private func filename(_ line: SignatureLine) throws(LineProblem) -> IOC {
        let parts = line.text.split(separator: ";", omittingEmptySubsequences: false)
        var falsePositives: [IOC.Expression] = []
        let scoreColumn: Int
        if parts.count >= 2, Int(trimmed(parts[parts.count - 1])) != nil {
            scoreColumn = parts.count - 1
        } else if parts.count >= 3, Int(trimmed(parts[parts.count - 2])) != nil {
            scoreColumn = parts.count - 2
            let text = trimmed(parts[parts.count - 1])
            if !text.isEmpty { falsePositives = [filenameExpression(text)] }
        } else {
            throw LineProblem("there is no score; write REGEX;SCORE or REGEX;SCORE;FALSE-POSITIVE-REGEX")
        }
        let score = try checked(score: Int(trimmed(parts[scoreColumn])) ?? 0)
        let expression = filenameExpression(trimmed(parts[..<scoreColumn].joined(separator: ";")))
        if let problem = expressionProblem(expression) { throw LineProblem(problem) }
        for falsePositive in falsePositives {
            if let problem = expressionProblem(falsePositive) {
                throw LineProblem("the false-positive expression cannot be used: \(problem)")
            }
        }
        return IOC(
            .filename, expression, score: score, description: comment, falsePositives: falsePositives,
            source: source, line: line.number)
    }

    // `value`, `value;score` or `value;score;comment`.
    private func c2(_ line: SignatureLine) throws(LineProblem) -> IOC {
        var columns = columns(line)
        let value = normalised(c2: columns.removeFirst())
        if NetworkTarget(value) == nil { throw LineProblem(NetworkTarget.problem(value)) }
        var score = IOC.Group.c2.defaultScore
        if let given = columns.first.flatMap({ Int($0) }) {
            score = try checked(score: given)
            columns.removeFirst()
        }
        let own = columns.joined(separator: "; ")
        return IOC(
            .c2, .init(value, isCaseless: true), score: score, description: own.isEmpty ? comment : own,
            source: source, line: line.number)
    }

    // `value;description`.
    private func handle(_ line: SignatureLine) throws(LineProblem) -> IOC {
        let columns = columns(line)
        let expression = IOC.Expression(columns[0], isRegex: hasRegexSpecials(columns[0]))
        if let problem = expressionProblem(expression) { throw LineProblem(problem) }
        return IOC(
            .handle, expression, score: IOC.Group.handle.defaultScore,
            description: columns.dropFirst().joined(separator: "; "), source: source, line: line.number)
    }

    // `value;description` or `value;score;description`.
    private func pipe(_ line: SignatureLine) throws(LineProblem) -> IOC {
        var columns = columns(line)
        let expression = pipeExpression(columns.removeFirst())
        if let problem = expressionProblem(expression) { throw LineProblem(problem) }
        var score = IOC.Group.pipe.defaultScore
        if let given = columns.first.flatMap({ Int($0) }) {
            score = try checked(score: given)
            columns.removeFirst()
        }
        return IOC(
            .pipe, expression, score: score, description: columns.joined(separator: "; "), source: source,
            line: line.number)
    }
}

// MARK: Expressions

/// Whether a text is meant as a regular expression.
func hasRegexSpecials(_ text: String) -> Bool {
    text.utf8.contains { "\\^$.|?*+()[]{}".utf8.contains($0) }
}

/// Case rule of filename lists: plain texts match in either case, expressions as written unless `(?i)` is in them.
func filenameExpression(_ text: String) -> IOC.Expression {
    let isRegex = hasRegexSpecials(text)
    return IOC.Expression(text, isRegex: isRegex, isCaseless: !isRegex || text.contains("(?i)"))
}

/// Pipe names are written without `\\.\pipe\`, but not by everyone.
func pipeExpression(_ text: String) -> IOC.Expression {
    let prefix = "\\\\.\\pipe\\"
    let name = text.lowercased().hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
    return IOC.Expression(name, isRegex: hasRegexSpecials(name), isCaseless: true)
}

/// Why an expression cannot be used; nil if it can.
func expressionProblem(_ expression: IOC.Expression) -> String? {
    if expression.text.isEmpty { return "there is nothing to search for" }
    return ExactRegex.problem(of: expression.pattern, mayMatchNothing: false)
}

extension IOC.Expression {
    var pattern: Pattern {
        var flags: Pattern.Flags = isCaseless ? .caseless : []
        if text.utf8.contains(where: { $0 >= 0x80 }) { flags.insert(.utf8) }
        return isRegex ? Pattern(id: 0, regex: text, flags: flags) : Pattern(id: 0, literal: text, flags: flags)
    }
}

// MARK: Hashes

// Digests of files without content: they are in lists by accident, and on every machine. Empty input, and the
// one-byte and newline files that tools leave behind.
private let emptyContents: [[UInt8]] = [[], [0x0A], [0x0D, 0x0A], [0x0D], [0x20], [0x00], [0x30], [0x31]]

private let emptyDigests: Set<String> = Set(
    emptyContents.flatMap { content in
        let digests = Digests(of: Bytes(content))
        return [digests.md5, digests.sha1, digests.sha256]
    })

/// Why a lower-case digest cannot be used; nil if it can.
func hashProblem(_ value: String) -> String? {
    guard value.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
        return "'\(value.prefix(80))' is not hexadecimal"
    }
    guard [32, 40, 64].contains(value.utf8.count) else {
        return "a digest has 32, 40 or 64 digits (MD5 or imphash, SHA-1, SHA-256), not \(value.utf8.count)"
    }
    return emptyDigests.contains(value)
        ? "this is the digest of an empty file, or of a single character or line break; it never alerts" : nil
}
