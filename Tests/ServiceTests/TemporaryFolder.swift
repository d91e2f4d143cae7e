import Foundation

/// A folder that goes away with this value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "thunderstorm-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, with its folders.
    func write(_ name: String, _ text: String) throws {
        let url = URL(filePath: path).appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// Makes an empty folder.
    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            at: URL(filePath: path).appending(path: name), withIntermediateDirectories: true)
    }

    /// Removes a folder with all it holds.
    func removeFolder(_ name: String) throws {
        try FileManager.default.removeItem(at: URL(filePath: path).appending(path: name))
    }

    /// Reads a file.
    func read(_ name: String) throws -> String {
        try String(contentsOf: URL(filePath: path).appending(path: name), encoding: .utf8)
    }

    /// Names of the files in it, sorted, without hidden ones.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// Names of the queued samples in it, sorted.
    func samples() throws -> [String] { try names().filter { $0.hasPrefix("sample-") } }
}
