// Plain text that every match of an expression contains. Hyperscan compiles a text thirty times faster than an
// expression, which is what lets lists of a hundred thousand expressions load; PCRE2 confirms as always.

/// The longest text of at least `shortest` bytes that every match contains, in either case if the expression has
/// `(?i)`; nil if there is none, or the expression has parts that are not understood here.
func requiredLiteral(of expression: [UInt8], shortest: Int) -> [UInt8]? {
    var finder = LiteralFinder(expression: expression)
    guard let best = finder.longest(), best.count >= shortest else { return nil }
    return best
}

private struct LiteralFinder {
    let expression: [UInt8]
    private var index = 0
    private var run: [UInt8] = []
    private var best: [UInt8] = []

    init(expression: [UInt8]) { self.expression = expression }

    private func byte(at index: Int) -> UInt8? { index < expression.count ? expression[index] : nil }

    private mutating func endRun() {
        if run.count > best.count { best = run }
        run = []
    }

    mutating func longest() -> [UInt8]? {
        while let byte = byte(at: index) {
            switch byte {
            case UInt8(ascii: "\\"):
                guard takeEscape() else { return nil }
            case UInt8(ascii: "["):
                guard let end = endOfClass(from: index) else { return nil }
                endRun()
                index = end
            case UInt8(ascii: "("):
                endRun()
                guard takeGroup() else { return nil }
            case UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "$"):
                endRun()
                index += 1
            case UInt8(ascii: "+"):
                endRun()
                index += 1
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "{"):
                // The character before may be missing. Of `{1,3}` the rest is skipped, of `{` as text too much.
                if !run.isEmpty { run.removeLast() }
                endRun()
                index += 1
                if byte == UInt8(ascii: "{") { skipCounts() }
            case UInt8(ascii: "|"), UInt8(ascii: ")"), 0x80...:
                return nil
            default:
                run.append(byte)
                index += 1
            }
        }
        endRun()
        return best
    }

    private mutating func skipCounts() {
        while let byte = byte(at: index), (0x30...0x39).contains(byte) || byte == 0x2C || byte == 0x7D { index += 1 }
    }

    private mutating func takeEscape() -> Bool {
        guard let next = byte(at: index + 1), next < 0x80 else { return false }
        let isLetterOrDigit = (0x30...0x39).contains(next) || (0x61...0x7A).contains(next | 0x20)
        if isLetterOrDigit {
            // Classes and assertions stand for something unknown; numbers and names take more than one character.
            guard "dDwWsSbBAzZhHvVtnrfea".utf8.contains(next) else { return false }
            endRun()
        } else {
            run.append(next)
        }
        index += 2
        return true
    }

    // Offset after a class, from its bracket on.
    private func endOfClass(from start: Int) -> Int? {
        var index = start + 1
        if byte(at: index) == UInt8(ascii: "^") { index += 1 }
        if byte(at: index) == UInt8(ascii: "]") { index += 1 }
        while let byte = byte(at: index) {
            switch byte {
            case UInt8(ascii: "]"): return index + 1
            case UInt8(ascii: "["): return nil
            case UInt8(ascii: "\\"):
                if self.byte(at: index + 1) == UInt8(ascii: "Q") { return nil }
                index += 2
            default: index += 1
            }
        }
        return nil
    }

    // A group is skipped whole: what it needs is left out.
    private mutating func takeGroup() -> Bool {
        if Array(expression[index...].prefix(4)) == Array("(?i)".utf8) {
            index += 4
            return true
        }
        var depth = 0
        while let byte = byte(at: index) {
            switch byte {
            case UInt8(ascii: "\\"):
                if self.byte(at: index + 1) == UInt8(ascii: "Q") { return false }
                index += 1
            case UInt8(ascii: "["):
                guard let end = endOfClass(from: index) else { return false }
                index = end - 1
            case UInt8(ascii: "("):
                depth += 1
                let next = self.byte(at: index + 1)
                if next == UInt8(ascii: "*") { return false }
                if next == UInt8(ascii: "?"), self.byte(at: index + 2) != UInt8(ascii: ":") { return false }
            case UInt8(ascii: ")"):
                depth -= 1
                if depth == 0 {
                    index += 1
                    return true
                }
            default: break
            }
            index += 1
        }
        return false
    }
}
