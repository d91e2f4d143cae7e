import Pipeline

/// Scans files and folders offline, in a fixed order, with the same chain and the same events as the service.
public struct Replay: Sendable {
    /// What a replay did.
    public struct Summary: Sendable, Equatable {
        /// Files scanned.
        public var files = 0
        /// Files and everything found inside them.
        public var samples = 0
        /// Records found inside them.
        public var records = 0
        /// Bytes of the scanned files.
        public var bytes = 0
        /// Files that were not scanned, with the reason.
        public var skipped: [(path: String, reason: String)] = []
        /// Findings by level.
        public var findings: [Level: Int] = [:]
        /// Files of which something was not looked at.
        public var incomplete = 0
        /// Triage collections among the files, as `scan` names them, with how many paths were restored in each.
        public var collections: [(name: String, restored: Int)] = []
        /// Paths that could not be walked at all, and files whose scan failed.
        public var errors: [String] = []
        /// Nanoseconds from start to end.
        public var nanoseconds: UInt64 = 0

        /// 0 clean, 1 findings at Warning or above, 2 errors.
        public var exitCode: Int32 {
            if !errors.isEmpty { return 2 }
            return findings.contains { $0.key >= .warning && $0.value > 0 } ? 1 : 0
        }

        /// Equal if all counts are; the time does not count.
        public static func == (left: Summary, right: Summary) -> Bool {
            left.files == right.files && left.samples == right.samples && left.records == right.records
                && left.bytes == right.bytes && left.findings == right.findings
                && left.incomplete == right.incomplete && left.errors == right.errors
                && left.skipped.map(\.path) == right.skipped.map(\.path)
                && left.collections.map(\.name) == right.collections.map(\.name)
        }
    }

    // How many files may be on their way at once: enough that one slow file does not leave threads idle.
    private static let windowPerThread = 32

    private let engine: any Engine
    private let events: any EventLog
    private let byteStore: ByteStore
    private let source: String
    private let scanID: String
    private let maximumFileSize: Int
    private let restoring: Restoring

    /// What is taken from the layout of triage collections.
    public enum Restoring: Sendable {
        /// Nothing: paths are those on this machine.
        case nothing
        /// Original paths; findings carry the source that was given.
        case paths
        /// Original paths, and the collection's host as source where it tells one.
        case pathsAndHosts
    }

    /// A replay over an engine.
    ///
    /// - Parameters:
    ///   - source: Host name that findings carry.
    ///   - restoring: What is taken from the layout of triage collections.
    ///   - scanID: Scan id of the run; files get `-N`.
    ///   - maximumFileSize: Larger files are skipped, and said so, in bytes.
    public init(
        engine: any Engine, events: any EventLog, byteStore: ByteStore, source: String, scanID: String,
        maximumFileSize: Int, restoring: Restoring = .pathsAndHosts
    ) {
        self.engine = engine
        self.events = events
        self.byteStore = byteStore
        self.source = source
        self.scanID = scanID
        self.maximumFileSize = maximumFileSize
        self.restoring = restoring
    }

    /// Scans everything below the paths.
    ///
    /// - Parameter progress: Told after each file: files done, files in all, and the path.
    public func run(
        _ paths: [String], progress: @escaping @Sendable (Int, Int, String) -> Void = { _, _, _ in }
    ) async -> Summary {
        let started = monotonicNanoseconds()
        var summary = Summary()
        var files: [DirectoryWalk.File] = []
        for path in paths {
            do {
                let walk = try DirectoryWalk(path)
                files += walk.files
                summary.skipped += walk.skipped
            } catch {
                summary.errors.append("\(error)")
            }
        }
        let originals = restoring == .nothing ? nil : CollectedFiles(files.map(\.path))
        let companions = CompanionIndex(originals?.companionNames ?? files.map(\.path))
        if let originals { tell(originals, &summary) }
        let window = engine.threads * Self.windowPerThread
        var running: [Task<Outcome, Never>] = []
        var first = 0
        for (index, file) in files.enumerated() {
            if running.count - first >= window {
                take(await running[first].value, files.count, &summary, progress)
                first += 1
                if first > window {
                    running.removeFirst(first)
                    first = 0
                }
            }
            let others = companions.positions(ofPosition: index).map { files[$0].path }
            let place = Place(
                path: originals?.path(of: index) ?? file.path,
                host: restoring == .pathsAndHosts ? originals?.host(of: index) ?? source : source)
            running.append(Task { await scan(file, number: index + 1, as: place, companions: others) })
        }
        for task in running[first...] { take(await task.value, files.count, &summary, progress) }
        summary.nanoseconds = monotonicNanoseconds() &- started
        return summary
    }

    private struct Outcome: Sendable {
        var path: String
        var size = 0
        var report: Report?
        var context: EventContext?
        var skipped: String?
    }

    // What findings say of a file: where it lay, and on which host.
    private struct Place: Sendable {
        var path: String
        var host: String
    }

    private func tell(_ originals: CollectedFiles, _ summary: inout Summary) {
        for collection in originals.collections {
            let host = restoring == .pathsAndHosts ? collection.origin.host ?? source : source
            let folder = collection.root.isEmpty ? "." : collection.root
            summary.collections.append(
                ("\(collection.origin.collector.rawValue) of \(host) in \(folder)", collection.restored))
            var fields = [
                ("COLLECTOR", collection.origin.collector.rawValue), ("COLLECTED_FROM", host), ("FOLDER", folder),
                ("FILES", "\(collection.files)"), ("RESTORED", "\(collection.restored)"),
            ]
            if !collection.unrestorable.isEmpty { fields.append(("UNRESTORABLE", "\(collection.unrestorable.count)")) }
            events.message(.info, module: "Replay", "triage collection recognised", fields: fields)
        }
        if originals.isCut {
            summary.errors.append(
                "more than \(TriageCollections.candidateLimit) folders look like those of triage collections: paths of "
                    + "the others were not restored")
        }
    }

    private func scan(
        _ file: DirectoryWalk.File, number: Int, as place: Place, companions: [String]
    ) async -> Outcome {
        var outcome = Outcome(path: file.path)
        guard file.size <= maximumFileSize else {
            outcome.skipped = "\(file.size) bytes are more than --max-file-size \(maximumFileSize)"
            return outcome
        }
        do {
            let content = try content(of: file)
            let others = try companions.map { path in
                Companion(name: Sample(path: path, bytes: .empty).name, bytes: try byteStore.read(file: path))
            }
            let now = currentTime()
            let submission = Submission(
                number: number, path: place.path, source: place.host, content: content, received: now,
                companions: others)
            outcome.size = content.count
            outcome.report = await engine.scan(submission, lane: .async)
            outcome.context = EventContext(time: currentTime(), hostname: place.host, scanID: "\(scanID)-\(number)")
        } catch {
            outcome.skipped = "\(error)"
        }
        return outcome
    }

    // What is small a scan thread reads from the file itself: on the way through memory of ours it would be copied twice.
    private func content(of file: DirectoryWalk.File) throws(SystemError) -> Content {
        ScanRequest.packetLimit < file.size && file.size <= ScanRequest.copyLimit
            ? .file(try FileContent(path: file.path)) : try byteStore.content(ofFile: file.path)
    }

    private func take(
        _ outcome: Outcome, _ total: Int, _ summary: inout Summary, _ progress: (Int, Int, String) -> Void
    ) {
        if let reason = outcome.skipped { summary.skipped.append((outcome.path, reason)) }
        if let report = outcome.report, let context = outcome.context {
            summary.files += 1
            summary.samples += report.samples
            summary.records += report.records
            summary.bytes += outcome.size
            if let failure = report.failure { summary.errors.append("\(outcome.path): \(failure)") }
            if report.findings.contains(where: { !$0.issues.isEmpty }) { summary.incomplete += 1 }
            for finding in report.findings where !finding.reasons.isEmpty {
                summary.findings[finding.level, default: 0] += 1
            }
            events.log(report, context: context)
        }
        progress(summary.files + summary.skipped.count, total, outcome.path)
    }
}
