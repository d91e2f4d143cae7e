import Foundation
import Glibc
import Pipeline
import Synchronization

@testable import ThunderstormService

/// A directory that loses, when the power fails, what was not synced: content of files, and names in the directory.
///
/// The power fails before the given sync or rename; from then on every operation fails. `survivors` writes what is on
/// the disk then into a fresh folder. The index counts as synced to its last commit, which `synchronous=FULL` promises.
final class PowerLossFiles: SpoolFiles {
    private struct Contents {
        var numbers: [String: Int] = [:]
        var open: [Int32: Int] = [:]
        var synced: [Int: [UInt8]] = [:]
        var durable: [String: Int] = [:]
        var nextNumber = 1
        var operations = 0
        var isOut = false
    }

    private let base: DirectoryFiles
    private let after: TemporaryFolder
    private let failsBefore: Int
    private let contents = Mutex(Contents())

    /// - Parameters:
    ///   - failsBefore: Number of the sync or rename, from 1, before which the power fails.
    ///   - after: Gets the index as it was then.
    init(path: String, failsBefore: Int, after: TemporaryFolder) throws(SystemError) {
        base = try DirectoryFiles(path: path)
        self.failsBefore = failsBefore
        self.after = after
    }

    var path: String { base.path }

    /// Whether the power has failed.
    var isOut: Bool { contents.withLock { $0.isOut } }

    /// Fails the power now.
    func failNow() { contents.withLock { fail(&$0) } }

    /// Writes what has survived.
    func writeSurvivors() throws {
        let (durable, synced) = contents.withLock { ($0.durable, $0.synced) }
        for (name, number) in durable {
            try Data(synced[number] ?? []).write(to: URL(filePath: after.path).appending(path: name))
        }
    }

    func create(_ name: String) throws(SystemError) -> Int32 {
        try check()
        let descriptor = try base.create(name)
        contents.withLock { contents in
            contents.numbers[name] = contents.nextNumber
            contents.open[descriptor] = contents.nextNumber
            contents.nextNumber += 1
        }
        return descriptor
    }

    func open(_ name: String) throws(SystemError) -> Int32 {
        try check()
        return try base.open(name)
    }

    func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        try check()
        try base.write(bytes, to: descriptor)
    }

    func rename(_ name: String, to other: String) throws(SystemError) {
        try count()
        try base.rename(name, to: other)
        contents.withLock { contents in
            contents.numbers[other] = contents.numbers.removeValue(forKey: name)
        }
    }

    // When the power fails here, names and half of the contents are on the disk already: the worst order.
    func sync(_ descriptors: [Int32]) throws(SystemError) {
        let isLast = contents.withLock { !$0.isOut && $0.operations + 1 >= failsBefore }
        let done = isLast ? descriptors.prefix(descriptors.count / 2) : descriptors[...]
        let read = done.map { ($0, content(of: $0)) }
        if !isOut {
            contents.withLock { contents in
                for (descriptor, content) in read {
                    if let number = contents.open[descriptor] { contents.synced[number] = content }
                }
                contents.durable = contents.numbers
            }
        }
        try count()
    }

    private func content(of descriptor: Int32) -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let got = unsafe pread(descriptor, &buffer, buffer.count, off_t(content.count))
            guard got > 0 else { return content }
            content += buffer[..<got]
        }
    }

    func remove(_ name: String) {
        guard !isOut else { return }
        base.remove(name)
        contents.withLock { _ = $0.numbers.removeValue(forKey: name) }
    }

    func names() throws(SystemError) -> [String] { isOut ? [] : try base.names() }

    func close(_ descriptor: Int32) {
        contents.withLock { _ = $0.open.removeValue(forKey: descriptor) }
        base.close(descriptor)
    }

    private func check() throws(SystemError) {
        if isOut { throw SystemError("the power is out", number: EIO) }
    }

    // Only the journal syncs and renames, so no commit of the index is under way here.
    private func count() throws(SystemError) {
        contents.withLock { contents in
            contents.operations += 1
            if contents.operations >= failsBefore { fail(&contents) }
        }
        try check()
    }

    private func fail(_ contents: inout Contents) {
        guard !contents.isOut else { return }
        contents.isOut = true
        for suffix in ["", "-wal"] {
            let name = ServiceIndex.fileName + suffix
            try? FileManager.default.copyItem(atPath: path + "/" + name, toPath: after.path + "/" + name)
        }
    }
}
