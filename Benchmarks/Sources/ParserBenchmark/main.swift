import EVTX
import FileType
import Glibc
import IOC
import LogLines
import Pipeline
import RegistryHive

// Runs one parser over files that are in memory already, again and again on one thread, and prints what one round took:
// "ROUNDS RECORDS BYTES SECONDS", seconds of the processor. Called by parsers.py.
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
let files = try arguments.dropFirst(2).map { path in (path, try ByteStore().read(file: path)) }

func round() -> Int {
    files.reduce(0) { records, file in
        records + chain.scan(Sample(path: file.0, bytes: file.1)).records
    }
}

let records = round()
let start = processorSeconds()
var rounds = 0
repeat {
    guard round() == records else { fail("two rounds, two numbers of records") }
    rounds += 1
} while processorSeconds() - start < wanted
let seconds = (processorSeconds() - start) / Double(rounds)
print(rounds, records, files.reduce(0) { $0 + $1.1.count }, seconds)
