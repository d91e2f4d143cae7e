import Glibc

/// A small generator with a seed: every machine gets the same files.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Writes files until their sum is reached.
///
/// Of ten files three have 4 KB, three 40 KB, three 400 KB and one 4 MB; content goes round text, source code, base64
/// and binary with runs of zeros.
func generate(into directory: String, megabytes: Int) throws {
    mkdir(directory, 0o755)
    let sizes = [4_000, 40_000, 400_000, 4_000, 40_000, 400_000, 4_000, 40_000, 400_000, 4_000_000]
    var random = SplitMix64(state: 1)
    var written = 0
    var index = 0
    while written < megabytes << 20 {
        let size = sizes[index % sizes.count]
        let content = makeContent(index % 4, size, &random)
        let path = "\(directory)/file\(index).bin"
        guard let file = fopen(path, "w") else { throw BenchmarkError("cannot write \(path)") }
        fwrite(content, 1, content.count, file)
        fclose(file)
        written += size
        index += 1
    }
    print("\(index) files, \(written) bytes")
}

/// Writes files of 4,000 bytes of the same contents as the mix.
func generateSmall(into directory: String, count: Int) throws {
    mkdir(directory, 0o755)
    var random = SplitMix64(state: 2)
    for index in 0..<count {
        let content = makeContent(index % 4, 4_000, &random)
        let path = "\(directory)/file\(index).bin"
        guard let file = fopen(path, "w") else { throw BenchmarkError("cannot write \(path)") }
        fwrite(content, 1, content.count, file)
        fclose(file)
    }
    print("\(count) files, \(count * 4_000) bytes")
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

private let words = [
    "the", "system", "account", "update", "window", "function", "return", "value", "error", "service", "process",
    "network", "storage", "request", "format", "client", "number", "result", "length", "report",
]

private func makeContent(_ flavour: Int, _ size: Int, _ random: inout SplitMix64) -> [UInt8] {
    var content: [UInt8] = []
    content.reserveCapacity(size + 64)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    while content.count < size {
        let number = random.next()
        switch flavour {
        case 0:
            content += Array(words[Int(number % UInt64(words.count))].utf8)
            content.append(number % 11 == 0 ? 0x0A : 0x20)
        case 1:
            content += Array(
                "    let \(words[Int(number % 20)])\(number % 997) = \(words[Int((number >> 8) % 20)])(\(number % 4096));\n"
                    .utf8)
        case 2:
            for shift in 0..<8 { content.append(alphabet[Int((number >> UInt64(shift * 6)) & 63)]) }
        default:
            if number % 8 == 0 {
                content += [UInt8](repeating: 0, count: Int(number >> 8 & 255))
            } else {
                for shift in 0..<8 { content.append(UInt8(truncatingIfNeeded: number >> UInt64(shift * 8))) }
            }
        }
    }
    return Array(content.prefix(size))
}
