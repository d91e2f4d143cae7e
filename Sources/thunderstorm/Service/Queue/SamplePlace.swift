import Synchronization

// Small samples that are accepted together share a file: creating, syncing and removing one costs more than all else
// that is done for a sample of a few kilobytes.

/// Where a complete sample lies in the upload directory.
struct SamplePlace: Sendable, Equatable {
    /// Id that the file is named after: that of its first sample.
    var file: Int64
    /// Samples in the file.
    var samples = 1
    /// Where this sample ends, in bytes from the start of the file; nil for the end of the file.
    var end: Int?

    /// Name of the file.
    var name: String { samples == 1 ? "sample-\(file).data" : "sample-\(file)-\(samples).data" }
}

/// Files that several samples share, with how many of them are not done.
final class SharedFiles: Sendable {
    private struct Use {
        var waiting: Int
        var isDamaged = false
    }

    private let files = Mutex<[Int64: Use]>([:])

    /// A file has so many samples that are not done.
    func add(_ file: Int64, waiting: Int) { files.withLock { $0[file] = Use(waiting: waiting) } }

    /// A sample of a file cannot be used: the file is kept in the end.
    func markDamaged(_ file: Int64) { files.withLock { $0[file]?.isDamaged = true } }

    /// A sample of a file is done.
    ///
    /// - Returns: Whether the file is in use no more, and whether it is to be kept.
    func finish(_ file: Int64) -> (isDone: Bool, isDamaged: Bool) {
        files.withLock { files in
            guard var use = files[file] else { return (true, false) }
            use.waiting -= 1
            files[file] = use.waiting > 0 ? use : nil
            return (use.waiting <= 0, use.isDamaged)
        }
    }
}
