import Glibc
import Pipeline

// Async samples on disk: `sample-ID.part` while one is received, `sample-ID.data` from the group commit on, with what
// is known of it behind the content. Names never come from clients.

/// The directory of queued samples.
struct UploadDirectory: Sendable {
    private static let prefix = "sample-"

    /// Its path.
    let path: String
    /// Keeps other services out.
    let lock: DirectoryLock
    /// Its files.
    let files: any SpoolFiles

    /// Makes sure it is there, can be written, and is used by no other service.
    ///
    /// - Parameter files: Makes the file operations for the path; tests put a double there.
    /// - Throws: `ConfigurationError` with the remedy.
    init(
        path: String, files: (String) throws(SystemError) -> any SpoolFiles = DirectoryFiles.init(path:)
    ) throws(ConfigurationError) {
        try prepareDirectory(path, flag: "--server-upload-dir")
        lock = try DirectoryLock(path: path, flag: "--server-upload-dir")
        self.path = path
        do {
            self.files = try files(path)
        } catch {
            throw ConfigurationError("--server-upload-dir: \(error); choose another directory")
        }
    }

    /// Begins a sample.
    ///
    /// - Throws: `SystemError` when the directory does not take it.
    func newFile(_ id: Int64) throws(SystemError) -> SampleFile { try SampleFile(id, in: files) }

    /// What is known of a queued sample, and its content without reading it.
    ///
    /// - Throws: `SystemError` when it is not there any more or is damaged.
    func sample(_ id: Int64) throws(SystemError) -> (sample: QueuedSample, bytes: Bytes) {
        let descriptor = try files.open(Self.dataName(id))
        defer { files.close(descriptor) }
        let sample = try trailer(id, descriptor)
        return (sample, try ByteStore.map(descriptor: descriptor, count: sample.count))
    }

    /// Removes a sample that is done.
    func remove(_ id: Int64) { files.remove(Self.dataName(id)) }

    /// Sets a sample aside that cannot be used; the new name.
    func setAside(_ id: Int64) -> String {
        let name = "\(Self.prefix)\(id).damaged"
        try? files.rename(Self.dataName(id), to: name)
        return "\(path)/\(name)"
    }

    /// Ids of complete samples, in order; what was never complete is removed.
    func leftovers() -> [Int64] {
        var ids: [Int64] = []
        for file in files.names() {
            guard file.hasPrefix(Self.prefix), let dot = file.firstIndex(of: "."),
                let id = Int64(file[..<dot].dropFirst(Self.prefix.count)), id > 0
            else { continue }
            switch file[file.index(after: dot)...] {
            case "part": files.remove(file)
            case "data": ids.append(id)
            default: continue
            }
        }
        return ids.sorted()
    }

    /// Name of a complete sample.
    static func dataName(_ id: Int64) -> String { "\(prefix)\(id).data" }

    private func trailer(_ id: Int64, _ descriptor: Int32) throws(SystemError) -> QueuedSample {
        let file = "\(path)/\(Self.dataName(id))"
        func damaged(_ what: String) -> SystemError { SystemError("\(file) \(what)", number: EIO) }
        var info = stat()
        guard unsafe fstat(descriptor, &info) == 0 else { throw SystemError("cannot open \(file)") }
        let size = Int(info.st_size)
        guard size >= QueuedSample.footerCount else { throw damaged("is cut off") }
        let footer = try read(descriptor, at: size - QueuedSample.footerCount, count: QueuedSample.footerCount)
        guard let length = QueuedSample.trailerLength(footer: footer), length <= size - QueuedSample.footerCount else {
            throw damaged("does not end as a queued sample does")
        }
        let count = size - QueuedSample.footerCount - length
        guard let sample = QueuedSample(trailer: try read(descriptor, at: count, count: length)), sample.id == id,
            sample.count == count
        else { throw damaged("does not say what it is") }
        return sample
    }

    private func read(_ descriptor: Int32, at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, off_t(offset + done))
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { throw SystemError("cannot read a sample in \(path)") }
            done += got
        }
        return bytes
    }
}
