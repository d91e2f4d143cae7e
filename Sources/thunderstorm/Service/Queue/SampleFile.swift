import Pipeline
import Synchronization

/// A file of samples on its way into the upload directory.
///
/// Unless it is kept, the file goes with this object.
final class SampleFile: Sendable {
    /// Where its only or last sample will lie.
    let place: SamplePlace
    private let files: any SpoolFiles
    /// Its open file.
    let descriptor: Int32
    private let isKept = Mutex(false)

    private var partName: String { "sample-\(place.file).part" }

    /// Creates the file.
    ///
    /// - Throws: `SystemError` when the directory does not take it.
    init(_ place: SamplePlace, in files: any SpoolFiles) throws(SystemError) {
        self.place = place
        self.files = files
        descriptor = try files.create("sample-\(place.file).part")
    }

    deinit {
        files.close(descriptor)
        if !isKept.withLock({ $0 }) { files.remove(partName) }
    }

    /// Adds bytes at the end; blocks while the disk is busy.
    ///
    /// - Throws: `SystemError` when the disk does not take them.
    func append(_ bytes: [UInt8]) throws(SystemError) { try files.write(bytes, to: descriptor) }

    /// Gives the file its final name; neither that nor its content is synced yet.
    ///
    /// - Throws: `SystemError` when that fails; the file goes with this object then.
    func keep() throws(SystemError) {
        try files.rename(partName, to: place.name)
        isKept.withLock { $0 = true }
    }
}
