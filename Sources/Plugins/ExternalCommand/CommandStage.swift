import Pipeline
import Synchronization

// Programs in any language as stages. A program is started for each sample it is meant for; it reads one JSON object
// from standard input and the sample from a path that it is told, and prints one JSON object a line (docs/write-a-stage.md).
// Everything it prints is kept until it has ended, at most so many bytes, and then handed on: nothing of the program is
// alive while the stages downstream work.

/// Runs a program on samples and takes what it prints for types, reasons, records, files and issues.
public final class CommandStage: Stage {
    /// Options in a configuration file.
    public struct Options: Decodable, Sendable {
        /// Name of the stage; `command` if there is none.
        public var name: String?
        /// The program and its arguments.
        public var run: [String]?
        /// Types of samples it is started for.
        public var kinds: [String]?
        /// Extensions of samples it is started for, with or without the dot.
        public var extensions: [String]?
        /// Longest time for one sample, in seconds.
        public var timeout: Double?
        /// Most memory of one run, in MiB of address space.
        public var memory: Int?
        /// Most output of one run, in MiB.
        public var output: Int?
        /// Whether it may use the network.
        public var network: Bool?

        /// Options; the default for what is nil.
        public init(
            name: String? = nil, run: [String]? = nil, kinds: [String]? = nil, extensions: [String]? = nil,
            timeout: Double? = nil, memory: Int? = nil, output: Int? = nil, network: Bool? = nil
        ) {
            self.name = name
            self.run = run
            self.kinds = kinds
            self.extensions = extensions
            self.timeout = timeout
            self.memory = memory
            self.output = output
            self.network = network
        }
    }

    /// What all stages of the type are; each has the name, types and time of its options.
    public static let descriptor = makeDescriptor(name: "command", interest: .samples, seconds: nil)

    /// What this one is.
    public let descriptor: StageDescriptor

    private let program: Program
    private let kinds: Set<FileKind>?
    private let extensions: Set<String>
    private let broker = Mutex<CommandBroker?>(nil)

    /// Checks the options; the program is looked for and not started.
    ///
    /// - Throws: `ConfigurationError` for a missing program or a limit that cannot be.
    public init(options: Options, environment: StageEnvironment = StageEnvironment()) throws {
        let name = options.name ?? Self.descriptor.name
        guard name.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }),
            !name.isEmpty
        else { throw ConfigurationError("the name '\(name)' must be of lower-case letters, digits and dashes") }
        let seconds = options.timeout ?? 10
        let memory = options.memory ?? 512
        let output = options.output ?? 16
        guard seconds > 0, seconds <= 3600 else { throw ConfigurationError("timeout must be above 0 and at most 3600") }
        guard (16...1 << 20).contains(memory) else { throw ConfigurationError("memory must be 16 to 1048576 MiB") }
        guard (1...1024).contains(output) else { throw ConfigurationError("output must be 1 to 1024 MiB") }
        program = try Program(
            options.run ?? [], seconds: seconds, memory: memory << 20, output: output << 20,
            allowsNetwork: options.network ?? false)
        kinds = options.kinds.map { Set($0.map { FileKind($0) }) }
        extensions = Set((options.extensions ?? []).map { ($0.hasPrefix(".") ? $0 : "." + $0).lowercased() })
        let interest = extensions.isEmpty ? kinds.map { .kinds($0) } ?? .samples : StageDescriptor.Interest.samples
        descriptor = Self.makeDescriptor(name: name, interest: interest, seconds: seconds + Self.grace)
    }

    // The program is ended at its time; the stage needs some for what was printed.
    private static let grace = 10.0

    private static func makeDescriptor(
        name: String, interest: StageDescriptor.Interest, seconds: Double?
    ) -> StageDescriptor {
        StageDescriptor(
            name: name, summary: "Runs a program of yours on samples and takes what it prints.", interest: interest,
            module: "Command",
            options: [
                .init(
                    "run",
                    "the program and its arguments, a list; a whole path, or a name in /usr/local/bin, /usr/bin, /bin"),
                .init("name", "name of the stage in findings and issues (default command)"),
                .init(
                    "kinds", "list of file types it is started for (default: with no extensions either, every sample)"),
                .init("extensions", "list of extensions it is started for, besides the types"),
                .init("timeout", "longest time for one sample in seconds (default 10)"),
                .init("memory", "most memory of one run, in MiB of address space (default 512)"),
                .init("output", "most output of one run, in MiB (default 16)"),
                .init("network", "whether it may use the network (default false)"),
            ],
            dependsOnNames: true, startsPrograms: true, seconds: seconds,
            references: ["https://jsonlines.org"],
            limitations: [
                "Only chains of the configuration file may have it: a signature folder cannot start programs.",
                "It is started once for each sample: choose types or extensions.",
                "It may read every file that the service's user may read; writing and the network are refused where the kernel can.",
                "Fields of a record stand in the order of their names.",
            ])
    }

    /// Starts the process that starts programs, for an engine that will not be allowed to.
    public func prepare(threads: Int) throws(SystemError) {
        let started = try CommandBroker(program, connections: threads)
        broker.withLock { $0 = started }
    }

    /// Runs the program on a sample.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        guard isMeant(for: sample) else { return }
        let ending: ProgramEnding
        do {
            let run = try ProgramRun(of: sample, program, byteStore: out.byteStore, seconds: out.secondsLeft)
            if let broker = broker.withLock({ $0 }) {
                ending = try broker.run(run)
            } else {
                ending = try run.start()
            }
        } catch {
            throw StageError(.failed, "\(error): the program was not run on this sample")
        }
        try CommandReading(ending.output, of: sample).handOn(&out)
        for (code, message) in ending.problems(of: program) { out.note(code, message) }
    }

    private func isMeant(for sample: Sample) -> Bool {
        if kinds == nil, extensions.isEmpty { return true }
        return kinds?.contains(sample.kind) == true || extensions.contains(sample.fileExtension)
    }
}
