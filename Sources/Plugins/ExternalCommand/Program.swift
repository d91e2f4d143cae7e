import CLinux
import Glibc
import Pipeline

// One run of a program. What it reads and writes are files in memory, not pipes: nobody has to keep reading, output
// beyond its limit is refused by the kernel (RLIMIT_FSIZE), and what was printed is there whatever became of the program.

/// A descriptor that is closed when nobody needs it any more.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// A file in memory with the given content, to be read from its start.
    ///
    /// - Throws: `SystemError` when there is no memory for it.
    static func memory(_ name: String, _ content: RawSpan) throws(SystemError) -> Descriptor {
        let number = unsafe clinux_memory_file(name)
        guard number >= 0 else { throw SystemError("cannot create a memory file") }
        let file = Descriptor(number)
        var done = 0
        while done < content.byteCount {
            let put = unsafe content.withUnsafeBytes { buffer in
                unsafe write(number, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { throw SystemError("cannot write a memory file") }
            done += put
        }
        guard lseek(number, 0, SEEK_SET) == 0 else { throw SystemError("cannot rewind a memory file") }
        return file
    }

    /// What the file holds now, at most `limit` bytes.
    func content(limit: Int) -> [UInt8] {
        var info = stat()
        guard unsafe fstat(number, &info) == 0, info.st_size > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: min(Int(info.st_size), limit))
        var done = 0
        while done < bytes.count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(number, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, off_t(done))
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { break }
            done += got
        }
        return Array(bytes.prefix(done))
    }
}

/// A program with its arguments and limits, as it was configured.
struct Program: Sendable {
    private static let folders = ["/usr/local/bin", "/usr/bin", "/bin"]
    private static let environment = [
        "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/", "PYTHONDONTWRITEBYTECODE=1",
    ]

    let arguments: [String]
    let seconds: Double
    let memory: Int
    let output: Int
    let allowsNetwork: Bool

    init(_ run: [String], seconds: Double, memory: Int, output: Int, allowsNetwork: Bool) throws(ConfigurationError) {
        guard let name = run.first, !name.isEmpty else {
            throw ConfigurationError("the option 'run' is required: a list of the program and its arguments")
        }
        if name.contains("/"), !name.hasPrefix("/") {
            throw ConfigurationError("run: '\(name)' must be a whole path, or a name without a slash")
        }
        let candidates = name.hasPrefix("/") ? [name] : Self.folders.map { $0 + "/" + name }
        guard let path = candidates.first(where: { unsafe access($0, X_OK) == 0 }) else {
            throw ConfigurationError(
                name.hasPrefix("/")
                    ? "run: \(name) is not there or cannot be executed (chmod +x)"
                    : "run: there is no program '\(name)' in \(Self.folders.joined(separator: ", "))")
        }
        arguments = [path] + run.dropFirst()
        self.seconds = seconds
        self.memory = memory
        self.output = output
        self.allowsNetwork = allowsNetwork
    }

    /// Starts the program with four descriptors, waits for it, and collects it.
    ///
    /// - Returns: Whether its time was over, its exit code, and its signal.
    /// - Throws: `SystemError` when it cannot be started.
    func run(
        _ descriptors: [Int32], milliseconds: Int32
    ) throws(SystemError) -> (isLate: Bool, code: Int32, signal: Int32) {
        let pid = unsafe Self.withStrings(arguments) { arguments in
            unsafe Self.withStrings(Self.environment) { environment in
                unsafe clinux_start_program(
                    arguments, environment, descriptors, UInt64(memory), UInt64(output), allowsNetwork ? 1 : 0)
            }
        }
        guard pid > 0 else { throw SystemError("cannot start \(arguments[0])") }
        let process = clinux_process_descriptor(pid)
        defer { close(process) }
        var (code, signal): (Int32, Int32) = (-1, 0)
        let late = unsafe clinux_wait_program(pid, process, milliseconds, &code, &signal)
        guard late >= 0 else { throw SystemError("cannot wait for \(arguments[0])") }
        return (late == 1, code, signal)
    }

    // A list of C strings with nil at its end.
    private static func withStrings<R>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        let copies = unsafe texts.map { unsafe UnsafePointer(strdup($0)) } + [nil]
        defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        return unsafe copies.withUnsafeBufferPointer { buffer in
            // An array with an element has an address.
            unsafe body(buffer.baseAddress.unsafelyUnwrapped)
        }
    }
}

/// How a run ended, and what was printed.
struct ProgramEnding {
    // What is shown of standard error.
    private static let wordLimit = 300

    let isLate: Bool
    let code: Int32
    let signal: Int32
    let output: [UInt8]
    let errors: [UInt8]
    let milliseconds: Int32

    /// What went wrong, in words.
    func problems(of program: Program) -> [(Issue.Code, String)] {
        var problems: [(Issue.Code, String)] = []
        if output.count >= program.output {
            problems.append(
                (.limit, "it printed more than \(program.output >> 20) MiB; what came after that was not taken"))
        }
        let words = lastWords.isEmpty ? "" : "; it said: \(lastWords)"
        let taken = "what it printed was taken"
        if isLate {
            let seconds = Double(milliseconds) / 1000
            problems.append((.timeout, "it did not end within \(seconds) s and was killed; \(taken)\(words)"))
        } else if signal != 0 {
            problems.append((.failed, "it died of signal \(signal) (\(name)); \(taken)\(words)"))
        } else if code != 0 {
            problems.append((.failed, "it ended with exit code \(code); \(taken)\(words)"))
        }
        return problems
    }

    private var name: String { unsafe strsignal(signal).map { unsafe String(cString: $0) } ?? "unknown" }

    private var lastWords: String {
        let lines = String(decoding: errors.suffix(4096), as: UTF8.self).split(whereSeparator: \.isNewline)
        return String((lines.last ?? "").prefix(Self.wordLimit))
    }
}

/// One sample on its way to a program.
struct ProgramRun {
    /// What the program has of standard error.
    static let errorLimit = 64 << 10

    let program: Program
    let milliseconds: Int32
    private let input: Descriptor
    private let output: Descriptor
    private let errors: Descriptor
    private let sample: Descriptor

    /// Prepares a run.
    ///
    /// - Throws: `SystemError` when there is no memory for its files.
    init(of sample: Sample, _ program: Program, byteStore: ByteStore, seconds: Double) throws(SystemError) {
        self.program = program
        milliseconds = Int32(max(min(program.seconds, seconds), 0) * 1000)
        let request = CommandRequest(sample).line
        input = try Descriptor.memory("thunderstorm-request", request.rawSpan)
        let nothing: [UInt8] = []
        output = try Descriptor.memory("thunderstorm-output", nothing.rawSpan)
        errors = try Descriptor.memory("thunderstorm-errors", nothing.rawSpan)
        self.sample = try Self.file(of: sample.bytes, byteStore)
    }

    /// Standard input, output, errors, and the sample.
    var descriptors: [Int32] { [input.number, output.number, errors.number, sample.number] }

    /// Runs the program from this process.
    func start() throws(SystemError) -> ProgramEnding {
        let (isLate, code, signal) = try program.run(descriptors, milliseconds: milliseconds)
        return ending(isLate: isLate, code: code, signal: signal)
    }

    /// What was printed, with how it ended.
    func ending(isLate: Bool, code: Int32, signal: Int32) -> ProgramEnding {
        ProgramEnding(
            isLate: isLate, code: code, signal: signal, output: output.content(limit: program.output),
            errors: errors.content(limit: Self.errorLimit), milliseconds: milliseconds)
    }

    // A file that is the sample from its first to its last byte: the one it is mapped from, or a copy.
    private static func file(of bytes: Bytes, _ byteStore: ByteStore) throws(SystemError) -> Descriptor {
        let own = bytes.withFile { descriptor, offset -> Int32? in
            var info = stat()
            guard offset == 0, unsafe fstat(descriptor, &info) == 0, Int(info.st_size) == bytes.count else {
                return nil
            }
            return fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        }
        if let own, let descriptor = own, descriptor >= 0 { return Descriptor(descriptor) }
        if bytes.count <= 1 << 20 { return try Descriptor.memory("thunderstorm-sample", bytes.span) }
        var writer = byteStore.makeWriter()
        try writer.append(bytes.span)
        let copy = try writer.finish()
        let file = copy.withFile { descriptor, _ in fcntl(descriptor, F_DUPFD_CLOEXEC, 0) } ?? -1
        guard file >= 0 else { throw SystemError("cannot hand the sample to the program") }
        return Descriptor(file)
    }
}
