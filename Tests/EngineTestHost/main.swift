import Dispatch
import Glibc
import Pipeline
import Synchronization
import ThunderstormService

// The program behind the engine process of tests. Its stage does what the sample asks for.

runEngineLoader(StageRegistry([ObedientStage.self]))

/// What `prepare` does.
private enum Preparation {
    /// What another thread wants, too, while the first makes it, under a lock of the runtime.
    static let slow: Int = {
        usleep(100_000)
        return 1
    }()
    /// Whether both threads had it.
    static let isDone = Atomic(false)
}

/// Traps, hangs, hogs memory or reaches for the system when a sample says so; else reports what it was loaded with.
struct ObedientStage: Stage {
    static let descriptor = StageDescriptor(
        name: "obedient", summary: "Does what tests ask for.", interest: .samples, references: ["tests"])

    private let marker: String
    private let byteStore: ByteStore

    init(options: NoOptions, environment: StageEnvironment) throws {
        let bytes = environment.signatures.files.first?.bytes ?? .empty
        marker = bytes.span.utf8Text
        byteStore = environment.byteStore
        if marker.hasPrefix("broken") { throw ConfigurationError("this set is broken") }
        if marker.hasPrefix("trap") { abort() }
        environment.diagnostics.loaded([
            SignatureSummary(kind: .yara, name: marker, score: 50, file: "marker.yar")
        ])
    }

    // An engine begins on the thread that does this.
    func prepare(threads: Int) throws(SystemError) {
        guard marker.hasPrefix("once") else { return }
        let other = DispatchSemaphore(value: 0)
        try startThread {
            usleep(20_000)
            _ = Preparation.slow
            other.signal()
        }
        _ = Preparation.slow
        other.wait()
        Preparation.isDone.store(true, ordering: .relaxed)
    }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let text = sample.bytes.prefix(64).span.utf8Text
        switch text.split(separator: " ").first.map(String.init) ?? "" {
        case "trap":
            let numbers = [1, 2, 3]
            report("never \(numbers[sample.bytes.count])", &out)
        case "loop":
            var number: UInt64 = 1
            while number != 0 { number = (number &* 3) | 1 }
            report("never \(number)", &out)
        case "hog":
            var kept: [[UInt8]] = []
            while true { kept.append([UInt8](repeating: UInt8(truncatingIfNeeded: kept.count), count: 1 << 20)) }
        case "exit": _exit(3)
        case "nap":
            usleep(20_000)
            report(marker, &out)
        case "prepared": report("prepared \(Preparation.isDone.load(ordering: .relaxed))", &out)
        case "reach": report(reach(), &out)
        case "spill": report(spill(), &out)
        default:
            let companions = sample.companions.map { "\($0.name)=\($0.bytes.span.utf8Text)" }
            report(([marker, "\(sample.bytes.count)"] + companions).joined(separator: " "), &out)
        }
    }

    private func report(_ text: String, _ out: inout Output) {
        out.report(
            Reason(
                summary: text,
                signature: Signature(kind: .yara, score: 50, ruleName: marker, description: "\(getpid())")))
    }

    // What the sandbox must refuse, each with the error number.
    private func reach() -> String {
        func number(_ result: Int32) -> Int32 { result < 0 ? errno : 0 }
        let read = number(unsafe open("/etc/passwd", O_RDONLY))
        let write = number(unsafe open("/tmp/thunderstorm-engine-test", O_WRONLY | O_CREAT, 0o600))
        let network = number(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        let local = number(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        let program = number(unsafe execv("/bin/true", [nil]))
        let other = number(kill(getppid(), 0))
        let tree = number(unsafe mkdir("/tmp/thunderstorm-engine-test", 0o700))
        return "read \(read) write \(write) network \(network) local \(local) program \(program) other \(other) "
            + "tree \(tree)"
    }

    // More than goes to memory files: the rest of the way is a temporary file.
    private func spill() -> String {
        var writer = byteStore.makeWriter()
        let block = [UInt8](repeating: 7, count: 1 << 20)
        do {
            for _ in 0..<80 { try writer.append(block.rawSpan) }
            let bytes = try writer.finish()
            return
                "spilled \(bytes.count) \(bytes.span.uint8(at: bytes.count - 1) ?? 0) memory \(byteStore.memoryInUse)"
        } catch {
            return "refused: \(error)"
        }
    }
}
