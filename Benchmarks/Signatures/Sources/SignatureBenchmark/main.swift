import Glibc
import IOC
import PatternMatching
import Pipeline
import PipelineTesting

// How fast IOC lists are matched, each figure beside its peer in the same run: filename expressions in one pass against
// one expression after another, and ten times the keywords against one time.

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
    print("SignatureBenchmark FILENAME-IOCS PATHS: a list of filename IOCs, and a file with a path on each line")
    exit(2)
}

func read(_ file: String) throws -> Bytes { try ByteStore().read(file: file) }

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = monotonicNanoseconds()
    try body()
    return Double(monotonicNanoseconds() - start) / 1e9
}

func median(of runs: Int, _ body: () throws -> Void) rethrows -> Double {
    var times: [Double] = []
    for _ in 0..<runs { times.append(try seconds(body)) }
    return times.sorted()[runs / 2]
}

func stage(_ kind: SignatureFileKind, _ bytes: Bytes) throws -> IOCStage {
    let file = SignatureFile(path: "list.txt", kind: kind, bytes: bytes)
    return try IOCStage(options: .init(), environment: StageEnvironment(signatures: SignatureSet(files: [file])))
}

func lines(_ values: [String]) -> [RecordSubject] {
    let type = RecordType("log line", module: "LogScan")
    return values.enumerated().map { number, value in
        RecordSubject(type: type, offset: number, fields: [.init(key: "line", value: value)])
    }
}

func row(_ what: String, _ count: Int, _ time: Double, _ ratio: Double) {
    let ratioText = "\(Int(ratio)).\(Int((ratio * 100).rounded()) % 100 / 10)\(Int((ratio * 100).rounded()) % 10)"
    print("| \(what) | \(count) | \(Int(time * 1e6)) | \(Int(Double(count) / time)) | \(ratioText) |")
}

// MARK: Filename IOCs

let list = try read(arguments[1])
let paths = try read(arguments[2]).span.utf8Text.split(separator: "\n").map(String.init)
let iocs = parseIOCList(SignatureFile(path: arguments[1], kind: .filenames, bytes: list)).iocs
let regexes = try iocs.map { ioc in
    let text = Array(ioc.value.utf8)
    return try ExactRegex(
        ioc.expression.isRegex ? text : escapedForRegex(text), flags: ioc.expression.isCaseless ? .caseless : [])
}
print("\(iocs.count) filename IOCs, \(paths.count) paths\n")
print("| filename IOCs | paths | µs | paths/s | ratio |")
print("| --- | --- | --- | --- | --- |")

func exchanged(_ path: [UInt8]) -> [UInt8] { path.map { $0 == 0x2F ? 0x5C : $0 == 0x5C ? 0x2F : $0 } }

let few = Array(paths.enumerated().filter { $0.offset % max(paths.count / 300, 1) == 0 }.map(\.element).prefix(300))
let oneByOne = try median(of: 3) {
    for path in few {
        let bytes = Array(path.utf8)
        let other = exchanged(bytes)
        for regex in regexes {
            if try !regex.matches(bytes.rawSpan) { _ = try regex.matches(other.rawSpan) }
        }
    }
}
let slow = oneByOne / Double(few.count)
row("one expression after another (PCRE2 with JIT)", few.count, oneByOne, 1)

let filenames = try stage(.filenames, list)
let chain = Chain(filenames)
let asFiles = median(of: 3) {
    for path in paths { _ = chain.scan(Sample(path: path, bytes: .empty)) }
}
row("the stage, a file at a time, the whole chain included", paths.count, asFiles, slow * Double(paths.count) / asFiles)
let pathRecords = lines(paths)
let asRecords = median(of: 3) { _ = match(filenames, records: pathRecords) }
row("the stage, as records, building them included", paths.count, asRecords, slow * Double(paths.count) / asRecords)

// MARK: Keywords

struct Words {
    private var generator = SplitMix64(seed: 7)
    private let letters = Array("abcdefghijklmnopqrstuvwxyz-_.:/".utf8)

    mutating func word(_ shortest: Int, _ spread: UInt64) -> String {
        let length = shortest + Int(generator.next() % spread)
        return String(
            decoding: (0..<length).map { _ in letters[Int(generator.next() % UInt64(letters.count))] }, as: UTF8.self)
    }

    mutating func line() -> String { (0..<8).map { _ in word(3, 12) }.joined(separator: " ") }
}

var words = Words()
let keywords = (0..<20_000).map { _ in words.word(8, 16) }
let logLines = lines((0..<200_000).map { _ in words.line() })
print("\n\(logLines.count) log lines\n")
print("| keywords | lines | µs | lines/s | time / time with a tenth |")
print("| --- | --- | --- | --- | --- |")
var before: Double?
for count in [200, 2000, 20_000] {
    let matcher = try stage(.keywords, Bytes(utf8: keywords.prefix(count).joined(separator: "\n")))
    let time = median(of: 3) { _ = match(matcher, records: logLines) }
    row("\(count)", logLines.count, time, before.map { time / $0 } ?? 1)
    before = time
}
