import CLinux
import Glibc
import Pipeline

// The few file operations that the durability of queued samples rests on, behind a protocol: a test puts a double
// there that loses what was not synced, as a power failure does.

/// Files of one directory, by name.
protocol SpoolFiles: Sendable {
    /// Path of the directory, for messages.
    var path: String { get }
    /// Creates a file that must not be there yet, readable by this user only.
    func create(_ name: String) throws(SystemError) -> Int32
    /// Opens a file for reading.
    func open(_ name: String) throws(SystemError) -> Int32
    /// Adds bytes at the end.
    func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError)
    /// Lets the disk begin with what was written, without waiting.
    func startSync(_ descriptor: Int32)
    /// Waits until the content of a file is on the disk.
    func sync(_ descriptor: Int32) throws(SystemError)
    /// Gives a file another name.
    func rename(_ name: String, to other: String) throws(SystemError)
    /// Waits until the names of the directory are on the disk.
    func syncDirectory() throws(SystemError)
    /// Removes a file, if it is there.
    func remove(_ name: String)
    /// Names of all files.
    func names() -> [String]
    /// Closes a descriptor of `create` or `open`.
    func close(_ descriptor: Int32)
}

/// The real directory.
///
/// Everything goes through its open descriptor: a directory that is removed, or replaced by another of the same name,
/// takes nothing any more instead of taking samples that nobody would find again.
final class DirectoryFiles: SpoolFiles {
    let path: String
    private let directory: Int32

    /// Opens a directory.
    ///
    /// - Throws: `SystemError` naming it.
    init(path: String) throws(SystemError) {
        directory = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw SystemError("cannot open the directory \(path)") }
        self.path = path
    }

    deinit { Glibc.close(directory) }

    func create(_ name: String) throws(SystemError) -> Int32 {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe openat(directory, name, flags, 0o600)
        guard descriptor >= 0 else { throw SystemError("cannot create \(path)/\(name)") }
        return descriptor
    }

    func open(_ name: String) throws(SystemError) -> Int32 {
        let descriptor = unsafe openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw SystemError("cannot open \(path)/\(name)") }
        return descriptor
    }

    func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        try writeAll(bytes.rawSpan, to: descriptor, file: "a sample in \(path)")
    }

    func startSync(_ descriptor: Int32) { clinux_start_sync(descriptor) }

    func sync(_ descriptor: Int32) throws(SystemError) {
        guard fsync(descriptor) == 0 else { throw SystemError("cannot sync a sample in \(path)") }
    }

    func rename(_ name: String, to other: String) throws(SystemError) {
        guard unsafe renameat(directory, name, directory, other) == 0 else {
            throw SystemError("cannot rename \(path)/\(name)")
        }
    }

    func syncDirectory() throws(SystemError) {
        guard fsync(directory) == 0 else { throw SystemError("cannot sync the directory \(path)") }
    }

    func remove(_ name: String) { unsafe unlinkat(directory, name, 0) }

    func names() -> [String] {
        // Through the descriptor, with an offset of its own.
        let copy = unsafe openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = unsafe fdopendir(copy) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    func close(_ descriptor: Int32) { Glibc.close(descriptor) }
}
