import Glibc
import Pipeline

// Checks of the outer form of the content: what type it is, how its lines are, how even its bytes are.

struct ContentChecks {
    enum Form {
        case program
        case script
        case archive
        case other
    }

    private static let programs: Set<String> = ["EXE", "DOS EXE", "ELF", "MACH-O"]
    private static let scripts: Set<String> = [
        "PowerShell", "VBS", "VBE", "JavaScript", "HTA", "BATCH", "WSF", "SCT", "Shell Script", "Python", "Perl", "PHP",
        "Ruby", "JSP", "ASP", "ASPX",
    ]
    private static let archives: Set<String> = ["ZIP", "RAR", "7ZIP", "CAB", "ISO", "TAR", "ARJ", "LHA", "JAR"]
    // Written by hand, with lines that people read.
    private static let lineScripts: Set<String> = ["PowerShell", "VBS", "BATCH", "HTA", "Shell Script"]
    private static let textScripts = lineScripts.union(["JavaScript", "Python", "Perl", "PHP", "ASP", "JSP"])

    private static let lineLimit = 8 << 10
    private static let smallestText = 2 << 10
    private static let textLimit = 1 << 20
    // Source code has about 4.5 to 5.4 bits a byte, Base64 6.
    private static let entropyLimit = 5.85
    private static let paddedSize = 32 << 20
    private static let padding = 16 << 20

    let form: Form
    private let sample: Sample

    init(_ sample: Sample) {
        self.sample = sample
        let kind = sample.kind.name
        form =
            Self.programs.contains(kind)
            ? .program : Self.scripts.contains(kind) ? .script : Self.archives.contains(kind) ? .archive : .other
    }

    /// Reasons by content, with what they are about.
    func findings(_ out: borrowing Output) throws(StageError) -> [(heuristic: Heuristic, match: MatchedText)] {
        var findings: [(heuristic: Heuristic, match: MatchedText)] = []
        if Self.textScripts.contains(sample.kind.name) {
            let text = scriptText
            if Self.lineScripts.contains(sample.kind.name), let line = try longLine(text.span, out) {
                let shown = text.suffix(from: line.lowerBound).prefix(min(line.count, 80))
                findings.append(
                    (
                        FileHeuristics.longLine,
                        MatchedText(data: shown.array, offset: line.lowerBound)
                    ))
            }
            if text.count >= Self.smallestText, !isUTF16(text.span), entropy(text.span) > Self.entropyLimit {
                findings.append((FileHeuristics.highEntropy, MatchedText(data: text.prefix(80).array, offset: 0)))
            }
        }
        if Self.programs.contains(sample.kind.name), let byte = try paddingByte(out) {
            findings.append(
                (
                    FileHeuristics.padded,
                    MatchedText(
                        data: [UInt8](repeating: byte, count: 16), offset: sample.bytes.count - Self.padding)
                ))
        }
        return findings
    }

    // A signed script ends with a block of Base64 that says nothing about it.
    private var scriptText: Bytes {
        let text = sample.bytes.prefix(Self.textLimit)
        guard sample.kind.name == "PowerShell",
            let block = text.span.firstOffset(of: Array("# SIG # Begin signature block".utf8))
        else { return text }
        return text.prefix(block)
    }

    private func isUTF16(_ text: RawSpan) -> Bool {
        text.uint16(at: 0) == 0xFEFF || text.uint16(at: 0) == 0xFFFE || text.uint8(at: 1) == 0
    }

    // The first line that is too long, in bytes; in UTF-16 two are one letter.
    private func longLine(_ text: RawSpan, _ out: borrowing Output) throws(StageError) -> Range<Int>? {
        let limit = isUTF16(text) ? 2 * Self.lineLimit : Self.lineLimit
        var start = 0
        while start < text.byteCount {
            try out.checkpoint()
            let end = text.firstOffset(of: 0x0A, from: start) ?? text.byteCount
            if end - start > limit { return start..<end }
            start = end + 1
        }
        return nil
    }

    // Shannon's entropy in bits a byte.
    private func entropy(_ text: RawSpan) -> Double {
        var counts = [Int](repeating: 0, count: 256)
        for index in 0..<text.byteCount { counts[Int(text.uint8(at: index) ?? 0)] += 1 }
        let total = Double(text.byteCount)
        return counts.filter { $0 > 0 }.reduce(0.0) { sum, count in
            let share = Double(count) / total
            return sum - share * log2(share)
        }
    }

    private func paddingByte(_ out: borrowing Output) throws(StageError) -> UInt8? {
        let span = sample.bytes.span
        guard span.byteCount >= Self.paddedSize, let byte = span.uint8(at: span.byteCount - 1) else { return nil }
        for index in (span.byteCount - Self.padding)..<span.byteCount {
            if index & 0xFFFF == 0 { try out.checkpoint() }
            guard span.uint8(at: index) == byte else { return nil }
        }
        return byte
    }
}
