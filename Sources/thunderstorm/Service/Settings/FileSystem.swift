import CLinux
import Glibc
import Pipeline

/// Whether something is at the path.
func fileExists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

/// Makes sure that a directory is there and can be written.
///
/// - Throws: `ConfigurationError` naming the directory, the flag, and the remedy.
public func prepareDirectory(_ path: String, flag: String) throws(ConfigurationError) {
    if !fileExists(path), unsafe mkdir(path, 0o700) != 0 {
        throw ConfigurationError("\(flag): \(SystemError("cannot create \(path)")); choose another directory")
    }
    var info = stat()
    guard unsafe stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
        throw ConfigurationError("\(flag): \(path) is not a directory; choose another one")
    }
    guard unsafe access(path, W_OK | X_OK) == 0 else {
        throw ConfigurationError(
            "\(flag): \(SystemError("cannot write to \(path)")); change its owner or choose another")
    }
}

/// Number of processors that this process may use.
public func processorCount() -> Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

/// Memory of this machine in bytes.
func physicalMemory() -> Int { Int(clinux_physical_memory()) }

/// Allows this process as many open files as the system does: each large sample on its way is one.
public func raiseDescriptorLimit() { clinux_raise_open_files() }

/// Connections that may be open at one time, so that descriptors are left for samples, stores and engines.
///
/// - Returns: Less than half of the open files that this process may have: an upload may take a file beside its socket.
func connectionLimit() -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 448 }
    return max(16, (Int(clamping: min(limit.rlim_cur, 1 << 20)) - 128) / 2)
}

/// Name of this machine.
public func machineName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A variable of the environment, nil if it is not set.
func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}
