import Glibc
import Pipeline
import Synchronization

// Samples that the operator wants to keep: one file for each content under its SHA-256, and beside it a line of
// metadata for each time it was submitted. Nothing in here can be executed, and no name comes from a client.
//
//     DIR/ab/ab12…           the content, mode 0600
//     DIR/ab/ab12….ndjson    path, source, time, scan id, score, level of each submission
//     DIR/ab/ab12….N.part    a content while it is written

/// Which samples are kept.
public struct StoragePolicy: Sendable, Equatable {
    /// Lowest score of a sample that is kept; 0 keeps all, nil none.
    public var minimumScore: Int?
    /// Directory of kept samples.
    public var directory = ""
    /// Most bytes of kept samples; the oldest go.
    public var quota = 100 << 30
    /// Seconds after which a kept sample goes; nil for never.
    public var maximumAge: Int64?
    /// Directory that shows kept samples under their hosts and original paths; nil for none.
    public var viewDirectory: String?

    /// Nothing is kept.
    public init() {}

    /// Whether a sample with such a report is kept.
    func wants(_ report: Report) -> Bool {
        guard let minimumScore else { return false }
        if minimumScore <= 0 { return true }
        return report.findings.contains { !$0.reasons.isEmpty && $0.score >= minimumScore }
    }
}

/// The directory of kept samples.
final class SampleArchive: Sendable {
    private struct State {
        var bytes = 0
        var wantsCleaning = true
        // When its samples were last looked at, in seconds since 1970.
        var lastWalk: Int64?
        // Contents whose full metadata was told: once in a run is enough.
        var toldFull: Set<String> = []
    }

    private static let digestLength = 64
    // What is read and written at one time.
    private static let pieceSize = 8 << 20
    // Metadata of one content, in bytes: a file that a thousand machines have needs no endless list.
    static let metadataLimit = 4 << 20
    // Seconds between two walks for age: each looks at every kept file.
    private static let ageInterval: Int64 = 60

    private let policy: StoragePolicy
    private let view: SampleView?
    // Held while names in the two trees change: a sample, its lines and what is shown of it come and go together.
    private let state = Mutex(State())

    /// Prepares the directories.
    ///
    /// - Throws: `ConfigurationError` when they cannot be used, with the remedy.
    init(_ policy: StoragePolicy) throws(ConfigurationError) {
        self.policy = policy
        try prepareDirectory(policy.directory, flag: "--server-store-samples")
        if let directory = policy.viewDirectory {
            try prepareDirectory(directory, flag: "--vfs-dir")
            view = SampleView(root: directory)
        } else {
            view = nil
        }
        // Left by a crash: each write has a name of its own, so that no later one replaces them.
        for folder in entries(of: policy.directory) where folder.count == 2 {
            for name in entries(of: policy.directory + "/" + folder)
            where name.hasSuffix(".part") && Self.isDigest(String(name.prefix(Self.digestLength))) {
                unsafe unlink("\(policy.directory)/\(folder)/\(name)")
            }
        }
    }

    /// Keeps a sample if the policy wants it; blocks while the disk is busy.
    ///
    /// - Throws: `SystemError` when the disk does not take it, or takes it and cannot list or show it.
    func keep(_ submission: Submission, sha256: String, result: StoredResult) throws(SystemError) {
        guard policy.wants(result.report), Self.isDigest(sha256) else { return }
        let folder = policy.directory + "/" + sha256.prefix(2)
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST { throw SystemError("cannot create \(folder)") }
        let file = folder + "/" + sha256
        var part: String?
        defer { if let part { unsafe unlink(part) } }
        // Without the lock, so that others do not wait for it.
        if !fileExists(file) { part = try write(submission.content, beside: file) }
        try state.withLock { state throws(SystemError) in
            // Whoever was first has stored the same content.
            if !fileExists(file) {
                // Without a part it was there, and was removed since.
                let whole = if let part { part } else { try write(submission.content, beside: file) }
                part = whole
                guard unsafe rename(whole, file) == 0 else { throw SystemError("cannot rename \(whole)") }
                state.bytes += submission.content.count
                if state.bytes > policy.quota { state.wantsCleaning = true }
            }
            try list(submission, sha256, result, of: file, toldFull: &state.toldFull)
        }
    }

    /// Removes what is too old, and the oldest beyond the quota; returns how many samples went.
    func clean(now: Timestamp) -> Int {
        let (isDue, isTime) = state.withLock { state in
            let isDue = state.wantsCleaning
            state.wantsCleaning = false
            // A clock that was set back does not stop it.
            let isRecent = state.lastWalk.map { (0..<Self.ageInterval).contains(now.seconds - $0) } ?? false
            let isTime = policy.maximumAge != nil && !isRecent
            if isDue || isTime { state.lastWalk = now.seconds }
            return (isDue, isTime)
        }
        guard isDue || isTime else { return 0 }
        var kept: [(file: String, time: Int64, size: Int)] = []
        for folder in entries(of: policy.directory) where folder.count == 2 {
            for name in entries(of: policy.directory + "/" + folder) where Self.isDigest(name) {
                let file = "\(policy.directory)/\(folder)/\(name)"
                var info = stat()
                guard unsafe lstat(file, &info) == 0 else { continue }
                kept.append((file, Int64(info.st_mtim.tv_sec), Int(info.st_size)))
            }
        }
        kept.sort { $0.time < $1.time }
        var total = kept.reduce(0) { $0 + $1.size }
        // Room for a while, so that not every sample costs a walk.
        let target = isDue && total > policy.quota ? policy.quota / 10 * 9 : Int.max
        var removed = 0
        for sample in kept {
            let isOld = policy.maximumAge.map { now.seconds - sample.time > $0 } ?? false
            guard isOld || total > target else { continue }
            state.withLock { _ in
                view?.hide(metadata: sample.file + ".ndjson")
                unsafe unlink(sample.file)
                unsafe unlink(sample.file + ".ndjson")
            }
            total -= sample.size
            removed += 1
        }
        state.withLock { $0.bytes = total }
        return removed
    }

    // A whole file under a name of its own: others may store the same content at the same time.
    private func write(_ content: Content, beside file: String) throws(SystemError) -> String {
        let part = "\(file).\(UInt64.random(in: 0...UInt64.max)).part"
        let descriptor = unsafe open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("cannot create \(part)") }
        defer { close(descriptor) }
        do throws(SystemError) {
            var done = 0
            while done < content.count {
                let piece = try content.piece(at: done, count: min(Self.pieceSize, content.count - done))
                try writeAll(piece.span, to: descriptor, file: part)
                done += piece.count
            }
            guard fsync(descriptor) == 0 else { throw SystemError("cannot sync \(part)") }
        } catch {
            unsafe unlink(part)
            throw error
        }
        return part
    }

    // Shows a kept sample and adds its line. What is shown is found again by its line only: no line, nothing shown.
    private func list(
        _ submission: Submission, _ sha256: String, _ result: StoredResult, of file: String,
        toldFull: inout Set<String>
    ) throws(SystemError) {
        let metadata = file + ".ndjson"
        let descriptor = unsafe open(metadata, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("cannot open \(metadata)") }
        defer { close(descriptor) }
        var info = stat()
        guard unsafe fstat(descriptor, &info) == 0 else { throw SystemError("cannot look at \(metadata)") }
        guard Int(info.st_size) < Self.metadataLimit else {
            guard toldFull.insert(sha256).inserted else { return }
            throw SystemError(
                "\(metadata) has its \(Self.metadataLimit) bytes; more submissions of this content are neither listed "
                    + "there nor shown by --vfs-dir", number: EFBIG)
        }
        var shown: (path: String, isNew: Bool)?
        var failure: SystemError?
        do throws(SystemError) {
            shown = try view?.show(file, of: submission, sha256: sha256)
        } catch {
            failure = error
        }
        let bytes = line(submission, sha256, result, shown?.path)
        do throws(SystemError) {
            try writeAll(bytes.rawSpan, to: descriptor, file: metadata)
        } catch {
            // Half a line would spoil the next one.
            _ = ftruncate(descriptor, info.st_size)
            if let shown, shown.isNew { view?.remove(shown.path) }
            throw error
        }
        if let failure { throw failure }
    }

    private func line(
        _ submission: Submission, _ sha256: String, _ result: StoredResult, _ shown: String?
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("time", result.context.time.rfc3339())
            writer.field("received", submission.received.rfc3339())
            writer.field("path", submission.path)
            writer.field("source", submission.source)
            writer.field("scan_id", result.context.scanID)
            writer.field("sha256", sha256)
            writer.field("size", submission.content.count)
            writer.field("score", result.report.findings.filter { !$0.reasons.isEmpty }.map(\.score).max() ?? 0)
            writer.field("level", result.report.level?.name ?? "")
            if let shown { writer.field("vfs", shown) }
        }
        return writer.bytes + [0x0A]
    }

    private static func isDigest(_ name: String) -> Bool {
        name.utf8.count == digestLength
            && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// Writes all bytes; blocks while the disk is busy.
func writeAll(_ bytes: RawSpan, to descriptor: Int32, file: String) throws(SystemError) {
    var done = 0
    while done < bytes.byteCount {
        let put = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
        }
        if put < 0 && errno == EINTR { continue }
        guard put > 0 else { throw SystemError("cannot write \(file)") }
        done += put
    }
}

/// Names in a directory, without `.` and `..`; none when it cannot be read.
func entries(of path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    return unsafe directoryNames(directory)
}
