import Glibc
import Pipeline

/// Lists files below a directory in a fixed order: names of one directory sorted by their bytes, depth first.
struct DirectoryWalk {
    /// A regular file.
    struct File: Sendable {
        let path: String
        let size: Int
        let modified: Timestamp
    }

    private(set) var files: [File] = []
    /// What was passed over, with the reason.
    private(set) var skipped: [(path: String, reason: String)] = []

    /// Walks `root`, or takes it alone when it is a file.
    ///
    /// Links to files count as files when `followsLinks`; links to directories are never followed, so the walk ends.
    init(_ root: String, followsLinks: Bool = false) throws(SystemError) {
        var info = stat()
        guard unsafe stat(root, &info) == 0 else { throw SystemError("cannot read \(root)") }
        if info.st_mode & S_IFMT == S_IFDIR {
            guard try walk(root, followsLinks) else { throw SystemError("cannot list \(root)") }
        } else {
            add(root, info)
        }
    }

    private mutating func walk(_ directory: String, _ followsLinks: Bool) throws(SystemError) -> Bool {
        guard let names = try? Self.names(in: directory) else { return false }
        for name in names {
            let path = directory.hasSuffix("/") ? directory + name : directory + "/" + name
            var info = stat()
            guard unsafe lstat(path, &info) == 0 else {
                skipped.append((path, SystemError("cannot read").description))
                continue
            }
            switch info.st_mode & S_IFMT {
            case S_IFDIR:
                if try !walk(path, followsLinks) { skipped.append((path, SystemError("cannot list").description)) }
            case S_IFREG:
                add(path, info)
            case S_IFLNK:
                if followsLinks, unsafe stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG {
                    add(path, info)
                } else {
                    skipped.append((path, "symbolic link, not followed"))
                }
            default:
                skipped.append((path, "not a regular file"))
            }
        }
        return true
    }

    /// Names in a directory, sorted by their bytes.
    static func names(in directory: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw SystemError("cannot list \(directory)") }
        defer { unsafe closedir(stream) }
        return unsafe directoryNames(stream).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private mutating func add(_ path: String, _ info: stat) {
        files.append(
            File(
                path: path, size: Int(info.st_size),
                modified: Timestamp(
                    seconds: Int64(info.st_mtim.tv_sec), nanoseconds: UInt32(truncatingIfNeeded: info.st_mtim.tv_nsec)))
        )
    }
}
