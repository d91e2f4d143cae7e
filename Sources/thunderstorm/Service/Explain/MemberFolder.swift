import Glibc
import Pipeline
import Synchronization

// Writes what is inside a file to a folder. Names come from the file: each component is made safe (`SampleView.safeName`),
// folders are entered without following links, and a file that is there is never touched.

/// A folder that takes everything that is found inside a sample.
public final class MemberFolder: Sendable {
    /// A file that was written.
    public struct Member: Sendable, Equatable {
        /// Path below the folder.
        public let path: String
        /// Path as the sample says it.
        public let original: String
        /// How it was unpacked.
        public let method: String
        /// Size in bytes.
        public let size: Int
    }

    // The file being looked at and the files around it: where the contents of each go. Samples come depth first, so the
    // last one of the level above is the one that a sample lies in.
    private struct Level {
        var path: String
        var folder: String
    }

    private struct Contents {
        var levels: [Level] = []
        var members: [Member] = []
        var failure: String?
    }

    /// The folder.
    public let root: String
    private let contents = Mutex(Contents())
    private let report: @Sendable (Member) -> Void

    /// A new folder, or an empty one.
    ///
    /// - Parameter report: Told each file once it is written.
    /// - Throws: `ConfigurationError` when the folder cannot be made or is not empty.
    public init(_ root: String, report: @escaping @Sendable (Member) -> Void = { _ in }) throws(ConfigurationError) {
        try prepareDirectory(root, flag: "--to")
        self.root = root
        self.report = report
        let names: [String]
        do {
            names = try DirectoryWalk.names(in: root)
        } catch {
            throw ConfigurationError("--to: \(error)")
        }
        guard names.isEmpty else {
            throw ConfigurationError("--to: \(root) is not empty, and nothing is overwritten; name another folder")
        }
    }

    /// What was written.
    public var members: [Member] { contents.withLock { $0.members } }

    /// Why not everything could be written; nil when it was.
    public var failure: String? { contents.withLock { $0.failure } }

    /// The stage that writes, for the head of a chain that scans on one thread.
    public var stage: some Stage { MemberStage(self) }

    fileprivate func take(_ sample: Sample) throws(SystemError) {
        let place = contents.withLock { contents -> (around: Level, index: Int)? in
            if sample.depth == 0 {
                contents.levels = [Level(path: sample.path, folder: "")]
                return nil
            }
            contents.levels.removeLast(max(contents.levels.count - sample.depth, 0))
            return contents.levels.last.map { ($0, contents.members.count) }
        }
        guard let around = place?.around else { return }
        // A container may know the whole path: then it is shown as a whole.
        let isJoined = sample.path.hasPrefix(around.path + "/")
        let name = isJoined ? String(sample.path.dropFirst(around.path.utf8.count + 1)) : sample.path
        let path: String
        do {
            path = try write(sample.bytes, to: SampleView.safeParts(of: name), below: around.folder, sample.times)
        } catch {
            contents.withLock { $0.failure = $0.failure ?? "\(error)" }
            throw error
        }
        let member = Member(path: path, original: sample.path, method: sample.unpackParent, size: sample.size)
        contents.withLock { contents in
            contents.members.append(member)
            contents.levels.append(Level(path: sample.path, folder: path + Self.contentsSuffix))
        }
        report(member)
    }

    // What is inside `a.zip` goes to the folder `a.zip.contents` beside it.
    private static let contentsSuffix = ".contents"
    private static let attempts = 10_000

    private func write(
        _ bytes: Bytes, to parts: [String], below folder: String, _ times: FileTimes
    ) throws(SystemError) -> String {
        var directory = unsafe open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw SystemError("cannot open \(root)") }
        defer { close(directory) }
        var path = ""
        for part in folder.split(separator: "/").map(String.init) + parts.dropLast() {
            guard let (next, taken) = Self.firstFree(part, { SampleView.enter(directory, $0) }) else {
                throw SystemError("cannot create \(root)/\(path)\(part)")
            }
            close(directory)
            directory = next
            path += taken + "/"
        }
        let name = parts.last ?? "unnamed"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        guard let (file, taken) = Self.firstFree(name, { unsafe openat(directory, $0, flags, 0o600) }) else {
            throw SystemError("cannot create \(root)/\(path)\(name)")
        }
        defer { close(file) }
        try writeAll(bytes.span, to: file, file: "\(root)/\(path)\(taken)")
        if let modified = times.modified {
            // Only a service to the reader: a time that the file system does not take is left out.
            let time = timespec(tv_sec: Int(modified.seconds), tv_nsec: Int(modified.nanoseconds))
            _ = unsafe futimens(file, [time, time])
        }
        return path + taken
    }

    // Opens under the name, or under `name (2)` and so on where something else has it.
    private static func firstFree(_ name: String, _ open: (String) -> Int32) -> (descriptor: Int32, name: String)? {
        for number in 1...attempts {
            let candidate = number == 1 ? name : "\(name) (\(number))"
            let descriptor = open(candidate)
            if descriptor >= 0 { return (descriptor, candidate) }
            guard [EEXIST, ENOTDIR, ELOOP, EISDIR].contains(errno) else { return nil }
        }
        return nil
    }
}

private struct MemberStage: Stage {
    static let descriptor = StageDescriptor(
        name: "extract", summary: "Writes every file found inside.", interest: .samples, readsPieces: true)

    private let folder: MemberFolder?

    init(_ folder: MemberFolder) { self.folder = folder }

    init(options: NoOptions, environment: StageEnvironment) { folder = nil }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        do {
            try folder?.take(sample)
        } catch {
            throw StageError(.failed, "\(error): it was not written")
        }
    }
}
