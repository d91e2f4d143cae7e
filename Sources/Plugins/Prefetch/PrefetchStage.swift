public import Pipeline

// Emits each prefetch file as one record `prefetch info`:
//   executable, path        name in the header, and its device path if it is among the files
//   execution_times (list)  RFC 3339 with microseconds, latest first
//   execution_count, hash, version, compressed
//   volume (list)           `PATH SERIAL CREATED`
//   accessed_files (list)   device paths

/// Reads Windows prefetch files.
public struct PrefetchStage: Stage {
    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "prefetch", summary: "Reads Windows prefetch files: which program ran when, and what it loaded.",
        interest: .kinds("Prefetch"), module: "Prefetch", heuristics: PrefetchHeuristics.all,
        references: [
            "https://github.com/libyal/libscca (Windows Prefetch File format)",
            "https://learn.microsoft.com/openspecs/windows_protocols/ms-xca (MS-XCA)",
        ],
        limitations: [
            "The checksum of compressed files is not verified.",
            "Metrics, trace chains and directory names are not shown.",
        ])

    /// Type of the records.
    public static let recordType = RecordType(
        "prefetch info", module: "Prefetch", numbers: ["execution_count", "version"], booleans: ["compressed"],
        lists: ["execution_times", "accessed_files", "volume"])

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one prefetch file.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        if let size = PrefetchFile.inflatedSize(sample.bytes.span), size > out.allowance {
            throw StageError(.limit, "\(size) bytes may not be inflated any more; the file was not read", offset: 4)
        }
        let file: PrefetchFile
        do throws(ParseError) {
            file = try PrefetchFile(sample.bytes.span)
        } catch {
            throw StageError(error)
        }
        for problem in file.problems { out.note(.damaged, problem.message, offset: problem.offset) }
        try out.emit(Self.recordType, offset: 0) { builder throws(StageError) in
            builder.field("executable", file.executable)
            builder.field("path", file.executablePath)
            for time in file.executionTimes { builder.field("execution_times", time.rfc3339(fractionDigits: 6)) }
            builder.field("execution_count", Int(file.executionCount))
            builder.field("hash", padded(file.hash))
            builder.field("version", Int(file.version))
            builder.field("compressed", file.isCompressed ? "true" : "false")
            for volume in file.volumes {
                let created = volume.created.map { " " + $0.rfc3339() } ?? ""
                builder.field("volume", "\(volume.path) \(padded(volume.serial))\(created)")
            }
            for name in file.accessedFiles {
                try builder.checkpoint()
                builder.field("accessed_files", name)
            }
            for reason in PrefetchHeuristics.reasons(file, type: Self.recordType) { builder.report(reason) }
        }
    }

    private func padded(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
