import Glibc
import Pipeline
import PipelineTesting

// What the fuzz targets share: bytes of libFuzzer as a sample of one stage, and seeds made by the builders of the tests.

/// Scans the bytes that libFuzzer hands over.
public func fuzz(
    _ stage: some Stage, _ start: UnsafePointer<UInt8>, _ count: Int, path: String, kind: String?
) {
    _ = scan(stage, Bytes(Array(UnsafeBufferPointer(start: start, count: count))), path: path, kind: kind)
}

/// Writes seeds into the folder that the variable FUZZ_SEEDS names, and ends the process; without it does nothing.
///
/// Called from `LLVMFuzzerInitialize`, so that `FUZZ_SEEDS=DIR FuzzNAME` makes what `FuzzNAME DIR` begins with.
public func writeSeeds(_ seeds: @autoclosure () -> [[UInt8]]) -> CInt {
    guard let folder = getenv("FUZZ_SEEDS") else { return 0 }
    for (number, seed) in seeds().enumerated() {
        let path = String(cString: folder) + "/made-\(number)"
        guard let file = fopen(path, "w") else {
            print("cannot write \(path)")
            exit(2)
        }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
    exit(0)
}
