import Glibc
import IOC
import PatternMatching
import Pipeline
import PipelineTesting

// How fast IOC lists are matched, each figure beside its peer in the same run: filename expressions in one pass against
// one expression after another, and ten times the keywords against one time.

@main
struct SignatureBenchmark {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            print(
                "SignatureBenchmark FILENAME-IOCS PATHS: a list of filename IOCs, and a file with a path on each line")
            exit(2)
        }
        // The bytes have a name because of a compiler crash (docs/architecture.md, Folklore).
        let text = try ByteStore().read(file: arguments[2])
        let paths = text.span.utf8Text.split(separator: "\n").map(String.init)
        try filenames(list: arguments[1], paths: paths)
        try keywords()
    }

    // MARK: Filename IOCs

    private static func filenames(list file: String, paths: [String]) throws {
        let list = try ByteStore().read(file: file)
        let iocs = parseIOCList(SignatureFile(path: file, kind: .filenames, bytes: list)).iocs
        print("\(iocs.count) filename IOCs, \(paths.count) paths\n")
        print("| filename IOCs | paths | ms | paths/s | times faster |")
        print("| --- | --- | --- | --- | --- |")
        let step = max(paths.count / 300, 1)
        let few = stride(from: 0, to: paths.count, by: step).prefix(300).map { paths[$0] }
        let slow = try oneAfterAnother(iocs, few)
        row("one expression after another (PCRE2 with JIT)", few.count, slow, 1)
        let perPath = slow / Double(few.count)
        let stage = try stage(.filenames, list)
        let chain = Chain(stage)
        let asFiles = median {
            for path in paths { _ = chain.scan(Sample(path: path, bytes: .empty)) }
        }
        row(
            "the stage, a file at a time with its report", paths.count, asFiles, perPath * Double(paths.count) / asFiles
        )
        let records = lines(paths)
        let asRecords = median { _ = match(stage, records: records) }
        row(
            "the stage, as records, building them too", paths.count, asRecords,
            perPath * Double(paths.count) / asRecords)
    }

    private static func oneAfterAnother(_ iocs: [IOC], _ paths: [String]) throws -> Double {
        var regexes: [ExactRegex] = []
        for ioc in iocs {
            let text = Array(ioc.value.utf8)
            regexes.append(
                try ExactRegex(
                    ioc.expression.isRegex ? text : escapedForRegex(text),
                    flags: ioc.expression.isCaseless ? .caseless : []))
        }
        return try median {
            for path in paths {
                let bytes = Array(path.utf8)
                let other = bytes.map { $0 == 0x2F ? UInt8(0x5C) : $0 == 0x5C ? 0x2F : $0 }
                for regex in regexes {
                    if try !regex.matches(bytes.rawSpan) { _ = try regex.matches(other.rawSpan) }
                }
            }
        }
    }

    // MARK: Keywords

    private static func keywords() throws {
        var words = Words()
        let all = (0..<20_000).map { _ in words.word(8, 16) }
        let records = lines((0..<200_000).map { _ in words.line() })
        print("\n| keywords | log lines | ms | lines/s | time / time with a tenth |")
        print("| --- | --- | --- | --- | --- |")
        var before: Double?
        for count in [200, 2000, 20_000] {
            let stage = try stage(.keywords, Bytes(utf8: all.prefix(count).joined(separator: "\n")))
            let time = median { _ = match(stage, records: records) }
            row("\(count)", records.count, time, before.map { time / $0 } ?? 1)
            before = time
        }
    }

    // MARK: Tools

    private static func stage(_ kind: SignatureFileKind, _ bytes: Bytes) throws -> IOCStage {
        let file = SignatureFile(path: "list.txt", kind: kind, bytes: bytes)
        return try IOCStage(
            options: .init(), environment: StageEnvironment(signatures: SignatureSet(files: [file])))
    }

    private static func lines(_ values: [String]) -> [RecordSubject] {
        let type = RecordType("log line", module: "LogScan")
        return values.enumerated().map { number, value in
            RecordSubject(type: type, offset: number, fields: [.init(key: "line", value: value)])
        }
    }

    private static func median(_ body: () throws -> Void) rethrows -> Double {
        var times: [Double] = []
        for _ in 0..<3 {
            let start = monotonicNanoseconds()
            try body()
            times.append(Double(monotonicNanoseconds() - start) / 1e9)
        }
        return times.sorted()[1]
    }

    private static func row(_ what: String, _ count: Int, _ seconds: Double, _ ratio: Double) {
        let hundredths = Int((ratio * 100).rounded())
        let decimals = "\(hundredths % 100 / 10)\(hundredths % 10)"
        let rate = Int(Double(count) / seconds)
        print("| \(what) | \(count) | \(Int(seconds * 1000)) | \(rate) | \(hundredths / 100).\(decimals) |")
    }
}

// Words and lines without meaning, the same in every run.
private struct Words {
    private var generator = SplitMix64(seed: 7)
    private let letters = Array("abcdefghijklmnopqrstuvwxyz-_.:/".utf8)

    mutating func word(_ shortest: Int, _ spread: UInt64) -> String {
        let length = shortest + Int(generator.next() % spread)
        var word: [UInt8] = []
        for _ in 0..<length { word.append(letters[Int(generator.next() % UInt64(letters.count))]) }
        return String(decoding: word, as: UTF8.self)
    }

    mutating func line() -> String { (0..<8).map { _ in word(3, 12) }.joined(separator: " ") }
}
