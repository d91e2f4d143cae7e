import Glibc
import Pipeline
import Synchronization

/// A sample on its way into the upload directory.
///
/// Unless it is kept, the file goes with this object.
final class UploadFile: Sendable {
    private let descriptor: Int32
    private let path: String
    private let isKept = Mutex(false)

    /// Creates the file, readable by this user only.
    ///
    /// - Throws: `SystemError` naming the file.
    init(path: String) throws(SystemError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("cannot create \(path)") }
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        close(descriptor)
        if !isKept.withLock({ $0 }) { unsafe unlink(path) }
    }

    /// Adds bytes at the end; blocks while the disk is busy.
    ///
    /// - Throws: `SystemError` when the disk does not take them.
    func append(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let put = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { throw SystemError("cannot write \(path)") }
            done += put
        }
    }

    /// Gives the file its final name.
    ///
    /// - Throws: `SystemError` when that fails; the file is then removed.
    func keep(as name: String) throws(SystemError) {
        guard unsafe rename(path, name) == 0 else { throw SystemError("cannot rename \(path)") }
        isKept.withLock { $0 = true }
    }
}
