import Glibc
import Pipeline
import Synchronization

/// Keeps a directory for one service.
///
/// Two on one upload directory would take each other's samples. The lock is the kernel's and goes with the process.
final class DirectoryLock: Sendable {
    private let descriptor: Mutex<Int32>

    /// Takes the directory.
    ///
    /// - Throws: `ConfigurationError` when another service has it, or another user owns it.
    init(path: String, flag: String) throws(ConfigurationError) {
        var info = stat()
        guard unsafe stat(path, &info) == 0, info.st_uid == geteuid() || info.st_uid == 0 else {
            throw ConfigurationError("\(flag): \(path) belongs to another user; choose a directory of your own")
        }
        let descriptor = unsafe open(path + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ConfigurationError("\(flag): \(SystemError("cannot create \(path)/.lock")); choose another directory")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ConfigurationError("\(flag): another service uses \(path); give each service a directory of its own")
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Gives the directory back.
    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}
