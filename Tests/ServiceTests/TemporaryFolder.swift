import Glibc
import Pipeline

/// A folder that goes away with this value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/thunderstorm-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        guard unsafe mkdir(path, 0o700) == 0 else { throw SystemError("cannot create \(path)") }
    }

    deinit { Self.remove(path) }

    /// Writes a file, with its folders.
    func write(_ name: String, _ text: String) throws {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/" + part
            unsafe mkdir(folder, 0o755)
        }
        guard let file = unsafe fopen(path + "/" + name, "w") else { throw SystemError("cannot write \(name)") }
        defer { unsafe fclose(file) }
        let bytes = Array(text.utf8)
        unsafe fwrite(bytes, 1, bytes.count, file)
    }

    /// Reads a file.
    func read(_ name: String) throws -> String {
        try ByteStore().read(file: path + "/" + name).span.utf8Text
    }

    private static func remove(_ folder: String) {
        guard let stream = unsafe opendir(folder) else { return }
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            let child = folder + "/" + name
            if unsafe Int32(entry.pointee.d_type) == Int32(DT_DIR) { remove(child) } else { unsafe unlink(child) }
        }
        unsafe closedir(stream)
        unsafe rmdir(folder)
    }
}
