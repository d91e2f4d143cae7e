import EVTX
import FileType
import Glibc
import IOC
import LogLines
import Pipeline
import RegistryHive

// Runs one parser over files that are in memory already, again and again on one thread, and prints what one round took:
// "RECORDS BYTES PARSING WHOLE", seconds of the processor. A finding carries the three digests of its file: WHOLE computes
// them in each round, PARSING once before the first, as no other parser computes them. Called by parsers.py.
//
//     ParserBenchmark evtx|hives|lines SECONDS FILE...
//     ParserBenchmark logs SECONDS IOC_FOLDER FILE...      log lines matched against lists in IOC_FOLDER

func fail(_ message: String) -> Never {
    let line = message + "\n"
    write(STDERR_FILENO, line, line.utf8.count)
    exit(2)
}

func processorSeconds() -> Double {
    var usage = rusage()
    // RUSAGE_SELF, which is imported with another type.
    getrusage(0, &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

func makeIOCStage(_ folder: String) throws -> IOCStage {
    let lists: [(name: String, kind: SignatureFileKind)] = [
        ("c2", .c2), ("filename", .filenames), ("keyword", .keywords),
    ]
    let files = try lists.map { list in
        let path = "\(folder)/bench-\(list.name)-iocs.txt"
        return SignatureFile(path: path, kind: list.kind, bytes: try ByteStore().read(file: path))
    }
    return try IOCStage(options: .init(), environment: StageEnvironment(signatures: SignatureSet(files: files)))
}

var arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 3, let wanted = Double(arguments[1]) else { fail("see the head of the source") }
let types = Chain(FileTypeStage(options: .init(), environment: StageEnvironment()))
let chain: Chain
switch arguments[0] {
case "evtx": chain = types.appending(EVTXStage(options: NoOptions(), environment: StageEnvironment()))
case "hives": chain = types.appending(RegistryHiveStage())
case "lines": chain = types.appending(try LogLinesStage())
case "logs":
    chain = types.appending(try LogLinesStage()).appending(try makeIOCStage(arguments[2]))
    arguments.remove(at: 2)
default: fail("there is no benchmark '\(arguments[0])'")
}
let samples = try arguments.dropFirst(2).map { Sample(path: $0, bytes: try ByteStore().read(file: $0)) }

// A sample keeps its digests; a fresh one has none yet.
func round(freshSamples: Bool) -> Int {
    samples.reduce(0) { records, sample in
        records + chain.scan(freshSamples ? Sample(path: sample.path, bytes: sample.bytes) : sample).records
    }
}

func secondsOfARound(freshSamples: Bool) -> Double {
    let start = processorSeconds()
    var rounds = 0
    repeat {
        guard round(freshSamples: freshSamples) == records else { fail("two rounds, two numbers of records") }
        rounds += 1
    } while processorSeconds() - start < wanted
    return (processorSeconds() - start) / Double(rounds)
}

let records = round(freshSamples: false)
let parsing = secondsOfARound(freshSamples: false)
print(records, samples.reduce(0) { $0 + $1.bytes.count }, parsing, secondsOfARound(freshSamples: true))
