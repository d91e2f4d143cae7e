import Glibc
import PipelineTesting

// What the fuzz targets share: seeds made by the builders of the tests, and damage done to given files.

// Memory that a damaged file may take besides twice its size, in bytes.
private let constant = 192 << 20

/// What a target does before libFuzzer begins; called from `LLVMFuzzerInitialize`.
///
///     FUZZ_SEEDS=DIR FuzzNAME            writes seeds into DIR, and ends
///     FUZZ_DAMAGE=FILE FuzzNAME          damages FILE in every way that we know, and ends
///
/// Damage: the file cut every 4 KiB, bits flipped, and what the conformance kit does to small samples. The line at the
/// end tells how many variants were tried, the slowest and the one that took the most memory; it ends with 1 when one
/// took longer than a second and another for each MiB, or more than `constant` and twice the size.
public func prepare(seeds: @autoclosure () -> [[UInt8]], _ run: ([UInt8]) -> Void) -> CInt {
    if let folder = getenv("FUZZ_SEEDS") {
        write(seeds(), to: String(cString: folder))
        exit(0)
    }
    if let path = getenv("FUZZ_DAMAGE") { exit(damage(String(cString: path), run) ? 0 : 1) }
    return 0
}

private func write(_ seeds: [[UInt8]], to folder: String) {
    for (number, seed) in seeds.enumerated() {
        let path = "\(folder)/made-\(number)"
        guard let file = fopen(path, "w") else {
            print("cannot write \(path)")
            exit(2)
        }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
}

private func read(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else {
        print("cannot read \(path)")
        exit(2)
    }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: ftell(file))
    rewind(file)
    fread(&bytes, 1, bytes.count, file)
    return bytes
}

private func damage(_ path: String, _ run: ([UInt8]) -> Void) -> Bool {
    let sample = read(path)
    var tried = 0
    var slowest = (seconds: 0.0, name: "")
    var largest = (bytes: 0, name: "")
    func attempt(_ name: String, _ bytes: [UInt8]) {
        tried += 1
        // A crash leaves the name of the variant as the last line.
        let line = name + "\n"
        Glibc.write(STDERR_FILENO, line, line.utf8.count)
        resetPeak()
        let before = peak()
        let start = monotonicSeconds()
        run(bytes)
        let seconds = monotonicSeconds() - start
        let memory = peak() - before
        if seconds > slowest.seconds { slowest = (seconds, name) }
        if memory > largest.bytes { largest = (memory, name) }
    }
    for length in stride(from: 0, to: sample.count, by: 4096) {
        attempt("cut at \(length)", Array(sample.prefix(length)))
    }
    var random = SplitMix64(seed: 7)
    for number in 0..<(sample.isEmpty ? 0 : 300) {
        var bytes = sample
        for _ in 0...Int(random.next() % 3) {
            bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
        }
        attempt("flips \(number)", bytes)
    }
    for damage in StageConformance.damages(of: sample) { attempt(damage.name, damage.bytes) }
    print(
        "\(path): \(sample.count) bytes, \(tried) variants, slowest \(slowest.seconds) s (\(slowest.name)), "
            + "most memory \(largest.bytes >> 20) MiB (\(largest.name))")
    return slowest.seconds <= 1 + Double(sample.count) / 1_048_576 && largest.bytes <= constant + 2 * sample.count
}

private func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private func resetPeak() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
}

// Most resident memory since the last reset, in bytes.
private func peak() -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
        let text = String(cString: line)
        if text.hasPrefix("VmHWM:") { return (Int(text.filter(\.isNumber)) ?? 0) << 10 }
    }
    return 0
}
