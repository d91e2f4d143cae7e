import Decompress
import EVTX
import FileType
import Glibc
import JumpList
import LNK
import LogLines
import Pipeline
import PipelineTesting
import Prefetch
import RegistryHive

// Damages files on purpose and hands them to the chain of all parsers: cut every 4 KiB, bits flipped, extreme numbers in
// every field of the head, pages zero or missing. Prints for each file how many variants were tried, the slowest and the
// most memory; ends with 1 when one took more memory than the file's size and a constant, or longer than a second for
// each MiB. A crash leaves the variant's name in the file that the variable DAMAGE_STATE names.

private let constant = 192 << 20

let parsers = Chain(try FileTypeStage(options: .init(), environment: StageEnvironment()))
    .appending(try DecompressStage())
    .appending(EVTXStage(options: NoOptions(), environment: StageEnvironment()))
    .appending(RegistryHiveStage())
    .appending(LNKStage())
    .appending(PrefetchStage())
    .appending(JumpListStage())
    .appending(try LogLinesStage())

let state = getenv("DAMAGE_STATE").map { open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o644) } ?? -1
var failed = false
for path in CommandLine.arguments.dropFirst() {
    do {
        let file = try ByteStore().read(file: path)
        try check(path, file.span.array)
    } catch {
        print("\(path): \(error)")
        failed = true
    }
}
exit(failed ? 1 : 0)

func check(_ path: String, _ sample: [UInt8]) throws {
    var tried = 0
    var slowest = (seconds: 0.0, name: "")
    var largest = (bytes: 0, name: "")
    func run(_ name: String, _ bytes: [UInt8]) {
        tried += 1
        note("\(path): \(name)\n")
        let before = peak(resetting: true)
        let start = monotonicSeconds()
        _ = parsers.scan(Sample(path: path, bytes: Bytes(bytes)))
        let seconds = monotonicSeconds() - start
        let memory = peak(resetting: false) - before
        if seconds > slowest.seconds { slowest = (seconds, name) }
        if memory > largest.bytes { largest = (memory, name) }
    }
    for length in stride(from: 0, to: sample.count, by: 4096) { run("cut at \(length)", Array(sample.prefix(length))) }
    var random = SplitMix64(seed: 7)
    for number in 0..<300 {
        var bytes = sample
        for _ in 0...Int(random.next() % 3) {
            bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
        }
        run("flips \(number)", bytes)
    }
    for damage in StageConformance.damages(of: sample) { run(damage.name, damage.bytes) }
    let megabytes = Double(sample.count) / 1_048_576
    print(
        "\(path): \(sample.count) bytes, \(tried) variants, slowest \(slowest.seconds) s (\(slowest.name)), "
            + "most memory \(largest.bytes >> 20) MiB (\(largest.name))")
    if slowest.seconds > 1 + megabytes || largest.bytes > constant + 2 * sample.count { failed = true }
}

func note(_ text: String) {
    guard state >= 0 else { return }
    ftruncate(state, 0)
    pwrite(state, text, text.utf8.count, 0)
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

// Most resident memory since the last reset, in bytes.
func peak(resetting: Bool) -> Int {
    if resetting, let file = fopen("/proc/self/clear_refs", "w") {
        fputs("5", file)
        fclose(file)
    }
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if text.hasPrefix("VmHWM:") { return (Int(text.filter(\.isNumber)) ?? 0) << 10 }
    }
    return 0
}
