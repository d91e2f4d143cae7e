import Glibc
import Pipeline

// Async samples on disk: `sample-ID.part` while one is received, `sample-ID.data` from the group commit on, with what
// is known of it behind the content. Small ones of one commit lie in one file, one behind the other: `sample-ID-N.data`
// has N of them and the id of the first. Names never come from clients.

/// The directory of queued samples.
struct UploadDirectory: Sendable {
    private static let prefix = "sample-"
    private static let usualTrailer = 1 << 10

    /// Its path.
    let path: String
    /// Keeps other services out.
    let lock: DirectoryLock
    /// Its files.
    let files: any SpoolFiles
    /// Those of them that several samples share.
    let shared = SharedFiles()

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

    /// Begins a file of one sample, or of several.
    ///
    /// - Throws: `SystemError` when the directory does not take it.
    func newFile(_ id: Int64, samples: Int = 1) throws(SystemError) -> SampleFile {
        try SampleFile(SamplePlace(file: id, samples: samples), in: files)
    }

    /// What is known of a queued sample, and its content: without reading it when the file has no other.
    ///
    /// - Throws: `SystemError` when it is not there any more or is damaged.
    func sample(_ id: Int64, at place: SamplePlace) throws(SystemError) -> (sample: QueuedSample, bytes: Bytes) {
        let descriptor = try files.open(place.name)
        defer { files.close(descriptor) }
        let (sample, start) = try trailer(descriptor, at: place)
        guard sample.id == id else { throw damaged(place, "holds another sample") }
        if place.samples > 1 {
            // An engine gets this sample only, not the whole file.
            return (sample, Bytes(try read(descriptor, at: start, count: sample.count)))
        }
        return (sample, try ByteStore.map(descriptor: descriptor, count: sample.count))
    }

    /// What is known of all samples of a file, with where they lie.
    ///
    /// - Throws: `SystemError` when any of it is damaged.
    func samples(in file: SamplePlace) throws(SystemError) -> [(sample: QueuedSample, place: SamplePlace)] {
        let descriptor = try files.open(file.name)
        defer { files.close(descriptor) }
        var found: [(sample: QueuedSample, place: SamplePlace)] = []
        var place = file
        while found.count < file.samples {
            let (sample, start) = try trailer(descriptor, at: place)
            found.append((sample, place))
            place.end = start
        }
        guard place.end == 0 else { throw damaged(file, "holds more than it should") }
        return found.reversed()
    }

    /// Removes a sample that is done; its file goes with the last one.
    func remove(_ place: SamplePlace) {
        let (isDone, isDamaged) = shared.finish(place.file)
        guard isDone else { return }
        if isDamaged { _ = rename(place) } else { files.remove(place.name) }
    }

    /// Sets a sample aside that cannot be used; the new name.
    ///
    /// With others in its file that waits for them.
    func setAside(_ place: SamplePlace) -> String {
        if place.samples == 1 { return rename(place) }
        shared.markDamaged(place.file)
        return "\(path)/\(damagedName(place))"
    }

    /// Sets a whole file aside; the new name.
    func setFileAside(_ place: SamplePlace) -> String { rename(place) }

    private func damagedName(_ place: SamplePlace) -> String { place.name.dropLast("data".count) + "damaged" }

    private func rename(_ place: SamplePlace) -> String {
        try? files.rename(place.name, to: damagedName(place))
        return "\(path)/\(damagedName(place))"
    }

    /// Files of complete samples, in the order of their ids; what was never complete is removed.
    func leftovers() throws(SystemError) -> [SamplePlace] {
        var found: [SamplePlace] = []
        for file in try files.names() {
            guard file.hasPrefix(Self.prefix), let dot = file.firstIndex(of: ".") else { continue }
            let parts = file[..<dot].dropFirst(Self.prefix.count).split(
                separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let id = Int64(parts[0]), id > 0, let samples = parts.count > 1 ? Int(parts[1]) : 1, samples > 0
            else {
                continue
            }
            let place = SamplePlace(file: id, samples: samples)
            switch file[file.index(after: dot)...] {
            case "part": files.remove(file)
            case "data" where place.name == file: found.append(place)
            default: continue
            }
        }
        return found.sorted { $0.file < $1.file }
    }

    private func damaged(_ place: SamplePlace, _ what: String) -> SystemError {
        SystemError("\(path)/\(place.name) \(what)", number: EIO)
    }

    // What is known of a sample, and where its content begins.
    private func trailer(
        _ descriptor: Int32, at place: SamplePlace
    ) throws(SystemError) -> (sample: QueuedSample, start: Int) {
        var info = stat()
        guard unsafe fstat(descriptor, &info) == 0 else { throw SystemError("cannot open \(path)/\(place.name)") }
        let end = min(place.end ?? .max, Int(info.st_size))
        let footerCount = QueuedSample.footerCount
        guard end >= footerCount else { throw damaged(place, "is cut off") }
        // As much as nearly all need, at once.
        let tail = try read(descriptor, at: max(end - Self.usualTrailer, 0), count: min(end, Self.usualTrailer))
        guard let length = QueuedSample.fieldCount(footer: Array(tail.suffix(footerCount))),
            length <= end - footerCount
        else { throw damaged(place, "does not end as a queued sample does") }
        let limit = end - footerCount - length
        let fields =
            length <= tail.count - footerCount
            ? Array(tail.dropLast(footerCount).suffix(length)) : try read(descriptor, at: limit, count: length)
        guard let sample = try? QueuedSample(fields: fields), sample.count <= limit,
            place.samples > 1 || sample.count == limit && sample.id == place.file
        else { throw damaged(place, "does not say what it is") }
        return (sample, limit - sample.count)
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
