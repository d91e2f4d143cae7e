import Glibc
import Pipeline

// Async samples on disk: `sample-ID.part` while it is received, then `sample-ID.json` with what is known of it, and at
// last the content as `sample-ID.data`. A sample counts from that last rename on. Names never come from clients.

/// The directory of queued samples.
struct UploadDirectory: Sendable {
    private static let prefix = "sample-"

    /// Its path.
    let path: String
    /// Keeps other services out.
    let lock: DirectoryLock

    /// Makes sure it is there, can be written, and is used by no other service.
    ///
    /// - Throws: `ConfigurationError` with the remedy.
    init(path: String) throws(ConfigurationError) {
        try prepareDirectory(path, flag: "--server-upload-dir")
        lock = try DirectoryLock(path: path, flag: "--server-upload-dir")
        self.path = path
    }

    /// Begins a sample.
    ///
    /// - Throws: `SystemError` when the directory does not take it.
    func newFile(_ id: Int64) throws(SystemError) -> UploadFile { try UploadFile(path: name(id, "part")) }

    /// Ends a sample: it is in the queue, and will be after a restart.
    ///
    /// - Throws: `SystemError`; nothing is left of the sample then.
    func keep(_ file: UploadFile, as sample: QueuedSample) throws(SystemError) {
        do {
            let metadata = try UploadFile(path: name(sample.id, "json.part"))
            try metadata.append(sample.metadata)
            try metadata.keep(as: name(sample.id, "json"))
            try file.keep(as: name(sample.id, "data"))
        } catch {
            unsafe unlink(name(sample.id, "json"))
            throw error
        }
    }

    /// The content of a queued sample, without reading it.
    ///
    /// - Throws: `SystemError` when it is not there any more.
    func bytes(of sample: QueuedSample) throws(SystemError) -> Bytes {
        let file = name(sample.id, "data")
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw SystemError("cannot open \(file)") }
        defer { close(descriptor) }
        var info = stat()
        guard unsafe fstat(descriptor, &info) == 0 else { throw SystemError("cannot open \(file)") }
        guard Int(info.st_size) == sample.count else {
            throw SystemError("\(file) has not the \(sample.count) bytes it was received with", number: EIO)
        }
        return try ByteStore.map(descriptor: descriptor, count: sample.count)
    }

    /// Removes a sample that is done.
    func remove(_ id: Int64) {
        unsafe unlink(name(id, "data"))
        unsafe unlink(name(id, "json"))
    }

    /// Samples of an earlier run, oldest first; what was never complete is removed.
    ///
    /// - Parameter damaged: Told the path of each sample that cannot be used; it is set aside as `sample-ID.damaged`.
    func leftovers(damaged: (String) -> Void) -> [QueuedSample] {
        var samples: [QueuedSample] = []
        for file in fileNames() {
            guard file.hasPrefix(Self.prefix), let dot = file.firstIndex(of: "."),
                let id = Int64(file[..<dot].dropFirst(Self.prefix.count)), id > 0
            else { continue }
            switch file[file.index(after: dot)...] {
            case "part", "json.part":
                unsafe unlink(path + "/" + file)
            case "json" where !fileExists(name(id, "data")):
                unsafe unlink(path + "/" + file)
            case "data":
                if let metadata = try? ByteStore().read(file: name(id, "json")).array,
                    let sample = QueuedSample(metadata: metadata), sample.id == id, (try? bytes(of: sample)) != nil
                {
                    samples.append(sample)
                } else {
                    unsafe rename(name(id, "data"), name(id, "damaged"))
                    damaged(name(id, "damaged"))
                }
            default:
                continue
            }
        }
        return samples.sorted { $0.id < $1.id }
    }

    private func name(_ id: Int64, _ suffix: String) -> String { "\(path)/\(Self.prefix)\(id).\(suffix)" }

    private func fileNames() -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return names
    }
}
