import FoundationEssentials
import Glibc
import Pipeline

// Kept samples as a tree of hosts with their original paths, for `scan` and for people. Every component is made safe:
// what a client writes can name neither a place outside nor a hidden, special or overlong file. Files are hard links
// to the kept samples where both are on one file system, and copies elsewhere.

/// The tree of kept samples by host and path.
struct SampleView: Sendable {
    // NAME_MAX is 255; room is left for what makes a name unique.
    private static let nameLimit = 180
    private static let depthLimit = 64

    /// Its directory.
    let root: String

    /// Shows a kept file; the path below the root, and whether it was not there before.
    ///
    /// - Throws: `SystemError` when the tree does not take it.
    func show(
        _ file: String, of submission: Submission, sha256: String
    ) throws(SystemError) -> (path: String, isNew: Bool) {
        var parts = [Self.safeName(submission.source)] + Self.safeParts(of: submission.path)
        let name = parts.removeLast()
        var directory = unsafe open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw SystemError("cannot open \(root)") }
        defer { close(directory) }
        var path = ""
        for part in parts {
            var taken = part
            var next = Self.enter(directory, taken)
            if next < 0 {
                // A file has this name.
                taken = part + "~d"
                next = Self.enter(directory, taken)
            }
            guard next >= 0 else { throw SystemError("cannot create \(root)/\(path)\(taken)") }
            close(directory)
            directory = next
            path += taken + "/"
        }
        // Another content under the same path gets a name of its own; the same one is there already.
        let hashed = "\(name)~\(sha256.prefix(8))"
        var number: Int32 = 0
        for candidate in [name, hashed] {
            if unsafe linkat(AT_FDCWD, file, directory, candidate, 0) == 0 { return (path + candidate, true) }
            number = errno
            if number == EXDEV, try Self.copy(file, to: directory, candidate) { return (path + candidate, true) }
            if Self.isSame(file, directory, candidate, isHashed: candidate == hashed) {
                return (path + candidate, false)
            }
        }
        throw SystemError("cannot show \(file) as \(root)/\(path)\(hashed)", number: number)
    }

    /// Removes what the metadata of a kept file says is shown of it.
    func hide(metadata: String) {
        struct Line: Decodable {
            var vfs: String?
        }
        guard let bytes = try? ByteStore().read(file: metadata).array else { return }
        for line in bytes.split(separator: 0x0A) {
            guard let shown = try? JSONDecoder().decode(Line.self, from: Data(line)).vfs,
                !shown.split(separator: "/").contains("..")
            else { continue }
            remove(shown)
        }
    }

    /// Removes a shown file, and the directories that are empty then.
    func remove(_ shown: String) {
        unsafe unlink(root + "/" + shown)
        var parts = shown.split(separator: "/").dropLast()
        while !parts.isEmpty, unsafe rmdir(root + "/" + parts.joined(separator: "/")) == 0 { parts.removeLast() }
    }

    /// Components of a path as a client wrote it, made safe; the last one is the file.
    static func safeParts(of path: String) -> [String] {
        let parts = path.split { $0 == "/" || $0 == "\\" }.map(String.init).filter { $0 != "." && $0 != ".." }
        let safe = parts.suffix(depthLimit).map(safeName)
        return safe.isEmpty ? ["unnamed"] : safe
    }

    /// One component: no separators, controls or leading dots, and no longer than a file system takes.
    static func safeName(_ name: String) -> String {
        var safe = ""
        for scalar in name.unicodeScalars {
            let isSpecial =
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
            safe.unicodeScalars.append(isSpecial || "/\\:*?\"<>|".unicodeScalars.contains(scalar) ? "_" : scalar)
        }
        while let last = safe.last, last == " " || last == "." { safe.removeLast() }
        if safe.isEmpty { return "_" }
        if safe.hasPrefix(".") { safe = "_" + safe.dropFirst() }
        guard safe.utf8.count > nameLimit else { return safe }
        var digest = StreamingDigest()
        let bytes = Array(name.utf8)
        digest.update(bytes.rawSpan)
        var short = safe
        while short.utf8.count > nameLimit { short.removeLast() }
        return short + "~" + digest.value.prefix(8)
    }

    static func enter(_ directory: Int32, _ name: String) -> Int32 {
        if unsafe mkdirat(directory, name, 0o700) != 0, errno != EEXIST { return -1 }
        return unsafe openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }

    // A link is the same file. A copy is told by its size where its name has the hash.
    private static func isSame(_ file: String, _ directory: Int32, _ name: String, isHashed: Bool) -> Bool {
        var (one, other) = (stat(), stat())
        guard unsafe lstat(file, &one) == 0, unsafe fstatat(directory, name, &other, AT_SYMLINK_NOFOLLOW) == 0 else {
            return false
        }
        if one.st_dev == other.st_dev && one.st_ino == other.st_ino { return true }
        return isHashed && other.st_mode & S_IFMT == S_IFREG && one.st_size == other.st_size
    }

    // Across file systems; false when something has the name already.
    private static func copy(_ file: String, to directory: Int32, _ name: String) throws(SystemError) -> Bool {
        let content = try ByteStore().read(file: file)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe openat(directory, name, flags, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST { return false }
            throw SystemError("cannot create \(name)")
        }
        defer { close(descriptor) }
        do throws(SystemError) {
            try writeAll(content.span, to: descriptor, file: name)
        } catch {
            unsafe unlinkat(directory, name, 0)
            throw error
        }
        return true
    }
}
